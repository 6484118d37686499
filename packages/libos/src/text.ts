/**
 * Text in message words: UTF-8, six bytes a word, and how to cut a text that does not fit one message.
 *
 * Bytes pass through one scratch array of the module, which holds nothing between two calls: a text
 * costs no garbage on its way out, and only itself on its way in.
 */
import { BYTES_PER_WORD, packBytes, unpackBytes, utf8Decode, type Words, wordsForBytes } from "@capos/abi";

const scratch: number[] = [];

const FULL_WORD = 256 ** BYTES_PER_WORD;

/** Bytes of a code point in UTF-8. A lone surrogate takes three, as the U+FFFD that replaces it does. */
function byteWidth(code: number): number {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** Bytes that a text takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    if (code > 0xffff) i++;
    bytes += byteWidth(code);
  }
  return bytes;
}

/**
 * Packs a text into words starting at `at`. Answers its length in bytes, or -1 (nothing written) if
 * it takes more than `maxBytes`. Lone surrogates become U+FFFD.
 */
export function packText(words: Words, at: number, text: string, maxBytes: number): number {
  // No UTF-16 unit takes less than a byte, so a huge text is refused before it is walked.
  if (text.length > maxBytes) return -1;
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.codePointAt(i)!;
    if (code > 0xffff) i++;
    else if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    const width = byteWidth(code);
    if (width === 1) scratch[bytes++] = code;
    else {
      // The first byte's mark is as many ones as there are bytes: c0, e0, f0.
      scratch[bytes++] = ((0xf00 >> width) & 0xf0) | (code >> (6 * (width - 1)));
      for (let shift = 6 * (width - 2); shift >= 0; shift -= 6)
        scratch[bytes++] = 0x80 | ((code >> shift) & 63);
    }
  }
  if (bytes > maxBytes) return -1;
  packBytes(words, at, scratch, 0, bytes);
  return bytes;
}

/** True if the words starting at `at` are what packing `byteCount` bytes writes: nothing else decodes to the same bytes. */
export function isPacked(words: Words, at: number, byteCount: number): boolean {
  const last = at + wordsForBytes(byteCount) - 1;
  for (let i = at; i < last; i++) if (!isBelow(words[i], FULL_WORD)) return false;
  return byteCount === 0 || isBelow(words[last], 256 ** (byteCount - (last - at) * BYTES_PER_WORD));
}

function isBelow(value: number, limit: number): boolean {
  return value >= 0 && value < limit && Math.floor(value) === value;
}

/** The text of `byteCount` bytes in words starting at `at`. What is not UTF-8 becomes U+FFFD. */
export function unpackText(words: Words, at: number, byteCount: number): string {
  unpackBytes(words, at, byteCount, scratch, 0);
  return utf8Decode(scratch, 0, byteCount);
}

/**
 * Cuts a text into parts of at most `maxBytes` bytes of UTF-8 each, never inside a character. Together
 * they are the text; there is always at least one, and only the only one can be empty.
 *
 * @param maxBytes at least 4, the longest character
 */
export function splitText(text: string, maxBytes: number): string[] {
  if (!(maxBytes >= 4)) throw new RangeError(`a part must have room for 4 bytes, not ${maxBytes}`);
  const parts: string[] = [];
  let start = 0;
  let bytes = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i)!;
    const width = byteWidth(code);
    if (bytes + width > maxBytes) {
      parts.push(text.slice(start, i));
      start = i;
      bytes = 0;
    }
    bytes += width;
    i += code > 0xffff ? 2 : 1;
  }
  parts.push(text.slice(start));
  return parts;
}
