/**
 * What has been typed and not yet been read: bytes in, pieces of lines out.
 *
 * A piece fits one message. A line that does not is cut at a character, and never between CR and LF,
 * which together are a line break as LF alone is. `isFull` says when to take no more from the device,
 * so that what nobody reads stays with the host.
 */
import { utf8Decode } from "@capos/abi";
import { Console, replyLimit, utf8Length } from "@capos/libos";

const LF = 10;
const CR = 13;
/** Bytes kept at which the device is left alone. More than any piece, so that a full buffer can be cut. */
const FULL_BYTES = 4096;
/** The most bytes that one byte can come to as text: what is no UTF-8 becomes U+FFFD. */
const WORST_GROWTH = 3;

/** Bytes of text that an answer to a reader has room for. */
export const PIECE_BYTES: number = /* @__PURE__ */ replyLimit(Console, "read", "text");

/** One answer to a reader. */
export interface Piece {
  readonly text: string;
  /** The line goes on. */
  readonly more: boolean;
  readonly end: boolean;
}

export class Input {
  #bytes: number[] = [];
  #ended = false;

  /** @param maxBytes bytes of text that fit one piece, at most 1000 */
  constructor(private readonly maxBytes: number) {}

  get isFull(): boolean {
    return this.#bytes.length >= FULL_BYTES;
  }

  push(bytes: readonly number[]): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  /** No more will come. */
  end(): void {
    this.#ended = true;
  }

  /** The next piece, or null if more has to be typed first. */
  next(): Piece | null {
    const lineBreak = this.#bytes.indexOf(LF);
    if (lineBreak >= 0) {
      const length = lineBreak > 0 && this.#bytes[lineBreak - 1] === CR ? lineBreak - 1 : lineBreak;
      const text = this.#textOf(length);
      return text === null ? this.#part() : this.#take(text, lineBreak + 1, false, false);
    }
    if (this.#ended) {
      const text = this.#textOf(this.#bytes.length);
      return text === null ? this.#part() : this.#take(text, this.#bytes.length, false, true);
    }
    return this.isFull ? this.#part() : null;
  }

  /** The first `length` bytes as text, or null if that does not fit a piece. */
  #textOf(length: number): string | null {
    if (length > this.maxBytes) return null;
    const text = utf8Decode(this.#bytes, 0, length);
    return utf8Length(text) <= this.maxBytes ? text : null;
  }

  /** The beginning of a line that does not fit. */
  #part(): Piece {
    const cut = this.#cutBefore(this.maxBytes);
    const text = this.#textOf(cut);
    if (text !== null) return this.#take(text, cut, true, false);
    const less = this.#cutBefore(Math.floor(this.maxBytes / WORST_GROWTH));
    return this.#take(this.#textOf(less)!, less, true, false);
  }

  /** A place at or a little before `limit` that is within no character and no line break. */
  #cutBefore(limit: number): number {
    const bytes = this.#bytes;
    for (let cut = limit; cut > limit - 8; cut--) {
      const splitsCharacter = (bytes[cut] & 0xc0) === 0x80;
      if (!splitsCharacter && bytes[cut - 1] !== CR) return cut;
    }
    // No UTF-8, or a row of CRs: any place is as good.
    return limit;
  }

  #take(text: string, bytes: number, more: boolean, end: boolean): Piece {
    this.#bytes = this.#bytes.slice(bytes);
    return { text, more, end };
  }
}
