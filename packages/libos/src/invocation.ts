/**
 * One invocation of a kernel object: what all its methods in the library are made of.
 */
import { Err, type Method, type Sys, wordsForBytes } from "@capos/abi";
import { IpcError } from "./ipc-error.js";
import type { Steps } from "./steps.js";
import { packText } from "./text.js";

/** One invocation: the method goes to word 0, its arguments already stand in words 1 to `count - 1`. */
export function* invoke(
  sys: Sys,
  what: string,
  handle: number,
  method: Method,
  count: number,
): Steps<number> {
  const { words } = sys;
  words[0] = method;
  sys.receiveInto(0, 0);
  const answer = yield sys.call(handle, count);
  if (answer >= 0) return answer;
  let detail = "";
  if (answer === Err.NO_MEMORY) detail = `${words[0]} bytes left`;
  // A range is said where one exists; else the words are still the request's.
  else if (answer === Err.RANGE && words[0] !== method && words[0] <= words[1])
    detail = `permitted is ${words[0]} to ${words[1]}`;
  throw new IpcError(answer, what, detail);
}

/** Writes a text that is an argument: its length at `at`, then its bytes. Answers the words of the message so far. */
export function argumentText(sys: Sys, at: number, what: string, text: string, maxBytes: number): number {
  const length = packText(sys.words, at + 1, text, maxBytes);
  if (length < 0) throw new RangeError(`${what}: a text of at most ${maxBytes} bytes`);
  sys.words[at] = length;
  return at + 1 + wordsForBytes(length);
}
