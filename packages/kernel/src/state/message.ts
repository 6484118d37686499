/**
 * Moving a message's words: between register files, thread objects and ring lines.
 *
 * All three are arrays of doubles in views of one shape, so one loop serves every path. Where a
 * sender's words are: in its register file on its own core; in its thread object once it asked another
 * core; in the ring line if they fit.
 */
import { MAX_MESSAGE_CAPABILITIES, MAX_MESSAGE_WORDS, Reg, TrapShift } from "@capos/abi";
import type { Core } from "./core.js";
import { Thread } from "./layout.js";
import type { LineRef, ThreadRef } from "./references.js";

/** Copies `count` words. The first four one by one: messages are short, and a loop's own work is most of a short loop's. */
export function copyWords(
  to: Float64Array,
  toAt: number,
  from: Float64Array,
  fromAt: number,
  count: number,
): void {
  if (count === 0) return;
  to[toAt] = from[fromAt];
  if (count === 1) return;
  to[toAt + 1] = from[fromAt + 1];
  if (count === 2) return;
  to[toAt + 2] = from[fromAt + 2];
  if (count === 3) return;
  to[toAt + 3] = from[fromAt + 3];
  for (let i = 4; i < count; i++) to[toAt + i] = from[fromAt + i];
}

/** Index of a thread object's message words among the doubles. */
export function threadWords(thread: ThreadRef): number {
  return (thread + Thread.WORDS) >> 1;
}

/** Index of a thread object's capability registers among the doubles. */
export function threadCapabilities(thread: ThreadRef): number {
  return (thread + Thread.CAPABILITIES) >> 1;
}

/** Where the words stand in lines of all kinds that have some: four doubles. */
const LINE_WORDS_AT = 8;

/** Index of a ring line's words among the doubles. */
export function lineWords(line: LineRef): number {
  return (line + LINE_WORDS_AT) >> 1;
}

/** Words of the message that a trap or a MESSAGE field describes. */
export function wordCount(message: number): number {
  return (message >> TrapShift.WORDS) & 0xff;
}

/** Capabilities of the message. */
export function capabilityCount(message: number): number {
  return (message >> TrapShift.CAPABILITIES) & 0xf;
}

/** True if a trap's counts are within the limits. */
export function isMessage(trap: number): boolean {
  return wordCount(trap) <= MAX_MESSAGE_WORDS && trap >> TrapShift.CAPABILITIES <= MAX_MESSAGE_CAPABILITIES;
}

/** Puts what a thread sends, beyond what a line carries, into its thread object. */
export function saveMessage(k: Core, thread: ThreadRef, regs: Float64Array, message: number): void {
  copyWords(k.f64, threadWords(thread), regs, Reg.WORDS, wordCount(message));
  const capabilities = capabilityCount(message);
  if (capabilities === 0) return;
  copyWords(k.f64, threadCapabilities(thread), regs, Reg.CAPABILITIES, capabilities);
  k.i32[thread + Thread.DROPPED_RIGHTS] = regs[Reg.DROPPED_RIGHTS];
  k.i32[thread + Thread.MOVED] = regs[Reg.MOVED];
}
