/**
 * Frames: what the host and the bridge say to each other, as bytes of their device. Both ends are this file.
 *
 * A frame is a list of numbers: the length of what follows in two bytes, then each number as a tag and its bytes. Whole
 * numbers take as few bytes as they need, all others are texts, so each number that a message word can hold arrives as
 * it was. No frame has sixteen bytes 0xff in a row: that is the mark by which an end that begins tells the other to
 * forget what it has of a frame.
 */
import { MAX_MESSAGE_CAPABILITIES, MAX_MESSAGE_WORDS } from "@capos/abi";

/** What a frame is about: its first number. Requests of the host's are numbered by it, those of guests by the bridge. */
export const enum Frame {
  /** Host: [request, ...name]. Answered by RESULT with a status, and a reference. */
  LOOKUP = 1,
  /** Host: [request, reference, capabilities, ...words]. Answered by RESULT. */
  CALL = 2,
  /** Host: [request]. A call is not wanted any more: it has no result. */
  CANCEL = 3,
  /** Host: [reference]. The bridge deletes what it stands for. */
  DROP = 4,
  /**
   * Host: [request, served, ...name]. What the host is to answer: guests find it by the name, if there is one. Answered by RESULT
   * with a status, and a reference to it.
   */
  SERVE = 5,
  /** Host: [served]. Nobody can call it any more. */
  UNSERVE = 6,
  /** Host: [guest's request, capabilities, ...words]. */
  ANSWER = 7,
  /** Bridge: []. It has begun: the host knows no reference, and has no request. */
  HELLO = 8,
  /** Bridge: [request, capabilities, ...words]. */
  RESULT = 9,
  /** Bridge: [guest's request, served, capabilities, ...words]. */
  REQUEST = 10,
  /** Host: [request, deposit, reference]. Init is given what it stands for, under that number. Answered by RESULT with a status. */
  DEPOSIT = 11,
  /** Host: [deposit]. Init is not to keep it any more. */
  WITHDRAW = 12,
  /** Host: []. The bridge looks whether the guests still wait whose requests it has passed on. */
  LOOK = 13,
  /** Bridge: [guest's request]. Nobody waits for its answer any more. */
  GONE = 14,
}

/** A capability in a frame: the number of a reference, and the rights it travels with. In a frame: how many, then both of each. */
export interface FramedCapability {
  readonly reference: number;
  readonly rights: number;
}

const MARK_BYTES = 16;
const MARK_BYTE = 0xff;
/** Its bytes: see above. */
export const MARK: readonly number[] = Object.freeze(Array<number>(MARK_BYTES).fill(MARK_BYTE));

const LENGTH_BYTES = 2;
const NEGATIVE = 8;
const TEXT = 16;
const BYTE = 256;
/** Of the longest text of a number, "-1.2345678901234567e-300". */
const MAX_TEXT = 24;

/** Appends a frame to `out`. */
export function encodeFrame(numbers: readonly number[], out: number[]): void {
  const at = out.length;
  out.push(0, 0);
  for (const number of numbers) encodeNumber(number, out);
  const length = out.length - at - LENGTH_BYTES;
  out[at] = length % BYTE;
  out[at + 1] = Math.floor(length / BYTE);
}

function encodeNumber(number: number, out: number[]): void {
  // Minus zero is no whole number here: it has no digits to keep its sign in.
  if (!Number.isSafeInteger(number) || Object.is(number, -0)) {
    const text = Object.is(number, -0) ? "-0" : String(number);
    out.push(TEXT + text.length);
    for (let i = 0; i < text.length; i++) out.push(text.charCodeAt(i));
    return;
  }
  const at = out.length;
  out.push(0);
  let rest = Math.abs(number);
  while (rest > 0) {
    out.push(rest % BYTE);
    rest = Math.floor(rest / BYTE);
  }
  out[at] = out.length - at - 1 + (number < 0 ? NEGATIVE : 0);
}

/** Takes frames out of bytes as they come. */
export class FrameReader {
  #bytes: number[] = [];
  #at = 0;
  #marked = 0;
  #isOpen = false;

  /** Nothing is a frame before the next mark. */
  reset(): void {
    this.#isOpen = false;
  }

  push(bytes: ArrayLike<number>): void {
    if (this.#at > 0) {
      this.#bytes = this.#bytes.slice(this.#at);
      this.#at = 0;
    }
    for (let i = 0; i < bytes.length; i++) {
      this.#bytes.push(bytes[i]);
      this.#marked = bytes[i] === MARK_BYTE ? this.#marked + 1 : 0;
      if (this.#marked < MARK_BYTES) continue;
      this.#marked = 0;
      this.#bytes = [];
      this.#isOpen = true;
    }
  }

  /** The numbers of the next frame, or null if it is not here as a whole. */
  next(): number[] | null {
    const bytes = this.#bytes;
    if (!this.#isOpen || bytes.length - this.#at < LENGTH_BYTES) return null;
    const end = this.#at + LENGTH_BYTES + bytes[this.#at] + bytes[this.#at + 1] * BYTE;
    if (bytes.length < end) return null;
    const numbers: number[] = [];
    let at = this.#at + LENGTH_BYTES;
    while (at < end) {
      const tag = bytes[at++];
      const count = tag >= TEXT ? tag - TEXT : tag % NEGATIVE;
      numbers.push(tag >= TEXT ? textAt(bytes, at, count) : wholeAt(bytes, at, count, tag >= NEGATIVE));
      at += count;
    }
    this.#at = end;
    return numbers;
  }
}

function textAt(bytes: readonly number[], at: number, count: number): number {
  let text = "";
  for (let i = at; i < at + Math.min(count, MAX_TEXT); i++) text += String.fromCharCode(bytes[i]);
  return Number(text);
}

function wholeAt(bytes: readonly number[], at: number, count: number, isNegative: boolean): number {
  let value = 0;
  for (let i = at + count - 1; i >= at; i--) value = value * BYTE + bytes[i];
  return isNegative ? -value : value;
}

/** What frames carry of messages: the capabilities, then the words. */
export function capabilitiesAndWords(
  capabilities: readonly FramedCapability[],
  words: readonly number[],
): number[] {
  return [
    capabilities.length,
    ...capabilities.flatMap(({ reference, rights }) => [reference, rights]),
    ...words,
  ];
}

/** The message that a frame has from its number `at` on; null if it is none. */
export function messageAt(
  frame: readonly number[],
  at: number,
): { readonly capabilities: FramedCapability[]; readonly words: number[] } | null {
  const count = frame[at];
  if (count === undefined || !(count >= 0 && count <= MAX_MESSAGE_CAPABILITIES)) return null;
  const capabilities: FramedCapability[] = [];
  for (let i = 0; i < count; i++)
    capabilities.push({ reference: frame[at + 1 + 2 * i], rights: frame[at + 2 + 2 * i] });
  const words = frame.slice(at + 1 + 2 * count);
  return words.length > MAX_MESSAGE_WORDS ? null : { capabilities, words };
}
