/**
 * Histories: what was done and when, for whoever judges it afterwards.
 *
 * A ring of events of eight doubles each. Its owner alone appends and stores WRITTEN last; one reader
 * takes from the other end and stores TAKEN. Neither ever waits: an event that finds no room is refused.
 * A history is named by its first word, and by how many events it holds: a power of two.
 */
import { HistoryWord } from "@capos/abi";
import type { TraceMemory } from "./memory.js";

/** The ring's head: two lines, one a writer. Counts of events from the beginning on, modulo 2^32. */
export const enum History {
  WRITTEN = 0,
  TAKEN = 16,
  EVENTS = 32,
}

const EVENT_WORDS = HistoryWord.COUNT * 2;

/** Words of one history. */
export function historyWords(events: number): number {
  return events === 0 ? 0 : History.EVENTS + events * EVENT_WORDS;
}

/** Where the next event is to be written, as an index among the doubles; 0 while there is no room. */
export function nextEvent({ i32 }: TraceMemory, history: number, events: number): number {
  const written = i32[history + History.WRITTEN];
  if (((written - Atomics.load(i32, history + History.TAKEN)) | 0) >= events) return 0;
  return (history + History.EVENTS + ((written >>> 0) % events) * EVENT_WORDS) >> 1;
}

/** Publishes the event that was written. */
export function publishEvent({ i32 }: TraceMemory, history: number): void {
  Atomics.store(i32, history + History.WRITTEN, (i32[history + History.WRITTEN] + 1) | 0);
}

/** Copies the oldest event to `into` and takes it out; false if there is none. */
export function takeEvent(
  { i32, f64 }: TraceMemory,
  history: number,
  events: number,
  into: { [index: number]: number },
  at: number,
): boolean {
  if (events === 0) return false;
  const taken = i32[history + History.TAKEN];
  if (Atomics.load(i32, history + History.WRITTEN) === taken) return false;
  const event = (history + History.EVENTS + ((taken >>> 0) % events) * EVENT_WORDS) >> 1;
  for (let word = 0; word < HistoryWord.COUNT; word++) into[at + word] = f64[event + word];
  Atomics.store(i32, history + History.TAKEN, (taken + 1) | 0);
  return true;
}
