/** Text in so many columns of a terminal: what is too long is cut off, what is too short filled with blanks. */
import sliceAnsi from "slice-ansi";
import stringWidth from "string-width";

/** Of such text each character is one column: no need to look at them one by one, which takes far longer than all else. */
const PLAIN = /^[\x20-\x7e]*$/;
const CUT = "…";

/** A text of no more than `width` columns, its end cut off if need be. */
export function cutOff(text: string, width: number): string {
  if (PLAIN.test(text)) return text.length <= width ? text : text.slice(0, width - 1) + CUT;
  return stringWidth(text) <= width ? text : sliceAnsi(text, 0, width - 1) + CUT;
}

/** A text of exactly `width` columns, at the left or the right of them. */
export function cell(text: string, width: number, isLeft: boolean): string {
  const short = cutOff(text, width);
  const blanks = " ".repeat(Math.max(width - (PLAIN.test(short) ? short.length : stringWidth(short)), 0));
  return isLeft ? short + blanks : blanks + short;
}
