/**
 * Bytes in message words: six a word, least significant first.
 *
 * A word is a double; 48 bits of integer survive every path a double may take, 64 would not (a NaN's
 * payload may be changed by the engine).
 */
import { BYTES_PER_WORD } from "./limits.js";

/** A place words can be read from and written to: a register file, a plain array. */
export interface Words {
  [index: number]: number;
}

/** How many words `byteCount` bytes take. */
export function wordsForBytes(byteCount: number): number {
  return Math.ceil(byteCount / BYTES_PER_WORD);
}

/** Packs `bytes[from..to)` into words starting at `at`; answers how many words it wrote. */
export function packBytes(
  words: Words,
  at: number,
  bytes: ArrayLike<number>,
  from: number,
  to: number,
): number {
  let word = at;
  for (let i = from; i < to; i += BYTES_PER_WORD) {
    let value = 0;
    for (let j = Math.min(i + BYTES_PER_WORD, to) - 1; j >= i; j--) value = value * 256 + (bytes[j] & 0xff);
    words[word++] = value;
  }
  return word - at;
}

/** Unpacks `count` bytes from words starting at `at` into `bytes` from `to` on. Words that hold no such value give zeros. */
export function unpackBytes(
  words: Words,
  at: number,
  count: number,
  bytes: { [index: number]: number },
  to: number,
): void {
  let word = at;
  for (let i = 0; i < count; i += BYTES_PER_WORD) {
    let value = words[word++];
    if (!(value >= 0 && value < 0x1_0000_0000_0000)) value = 0;
    value = Math.floor(value);
    for (let j = i; j < i + BYTES_PER_WORD && j < count; j++) {
      bytes[to + j] = value % 256;
      value = Math.floor(value / 256);
    }
  }
}

/** UTF-8 bytes of a text, in plain JavaScript: guests have no TextEncoder. Lone surrogates become U+FFFD. */
export function utf8Encode(text: string): number[] {
  const out: number[] = [];
  for (let i = 0; i < text.length; i++) {
    let code = text.codePointAt(i)!;
    if (code > 0xffff) i++;
    else if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else
      out.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 63),
        0x80 | ((code >> 6) & 63),
        0x80 | (code & 63),
      );
  }
  return out;
}

/** The text of UTF-8 bytes; what is not UTF-8 becomes U+FFFD. */
export function utf8Decode(bytes: ArrayLike<number>, from = 0, to = bytes.length): string {
  let text = "";
  let i = from;
  while (i < to) {
    const first = bytes[i++];
    const extra =
      first < 0x80
        ? 0
        : first >= 0xf0 && first < 0xf8
          ? 3
          : first >= 0xe0 && first < 0xf0
            ? 2
            : first >= 0xc2 && first < 0xe0
              ? 1
              : -1;
    let code = extra < 0 ? 0xfffd : extra === 0 ? first : first & (0x3f >> extra);
    for (let j = 0; j < extra; j++) {
      const next = i < to ? bytes[i] : 0;
      if ((next & 0xc0) !== 0x80) {
        code = 0xfffd;
        break;
      }
      code = (code << 6) | (next & 0x3f);
      i++;
    }
    // An overlong form is no second way to write a character.
    if (extra >= 2 && code < (extra === 2 ? 0x800 : 0x10000)) code = 0xfffd;
    text += String.fromCodePoint(code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0xfffd : code);
  }
  return text;
}
