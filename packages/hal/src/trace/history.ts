/**
 * Histories: what guests did and when, for whoever judges it afterwards. One buffer a core.
 *
 * A ring of events of eight doubles each. The core alone appends and stores WRITTEN last; one reader,
 * the host or a guest with the Debug capability, takes from the other end and stores TAKEN. Neither ever
 * waits: an event that finds no room is refused.
 */
import { HistoryWord } from "@capos/abi";
import { BootInfo, historyWords } from "../memory/machine-map.js";
import type { PhysicalMemory, WordIndex } from "../memory/physical-memory.js";

/** The buffer's head: two lines, one a writer. Counts of events since power-on, modulo 2^32. */
export const enum History {
  WRITTEN = 0,
  TAKEN = 16,
  EVENTS = 32,
}

const EVENT_WORDS = HistoryWord.COUNT * 2;

function historyOf(memory: PhysicalMemory, core: number): WordIndex {
  const events = memory.i32[BootInfo.HISTORY_EVENTS]!;
  return memory.i32[BootInfo.HISTORIES]! + core * historyWords(events);
}

/** Where the next event of a core is to be written, as an index among the doubles; 0 while there is no room. */
export function nextEvent(memory: PhysicalMemory, core: number): number {
  const { i32 } = memory;
  const events = i32[BootInfo.HISTORY_EVENTS]!;
  const history = historyOf(memory, core);
  const written = i32[history + History.WRITTEN]!;
  if (((written - Atomics.load(i32, history + History.TAKEN)) | 0) >= events) return 0;
  return (history + History.EVENTS + ((written >>> 0) % events) * EVENT_WORDS) >> 1;
}

/** Publishes the event that was written. */
export function publishEvent(memory: PhysicalMemory, core: number): void {
  const written = historyOf(memory, core) + History.WRITTEN;
  Atomics.store(memory.i32, written, (memory.i32[written]! + 1) | 0);
}

/** Copies the oldest event of a core to `into` and takes it out; false if there is none. */
export function takeEvent(
  memory: PhysicalMemory,
  core: number,
  into: { [index: number]: number },
  at: number,
): boolean {
  const { i32, f64 } = memory;
  const events = i32[BootInfo.HISTORY_EVENTS]!;
  if (events === 0) return false;
  const history = historyOf(memory, core);
  const taken = i32[history + History.TAKEN]!;
  if (Atomics.load(i32, history + History.WRITTEN) === taken) return false;
  const event = (history + History.EVENTS + ((taken >>> 0) % events) * EVENT_WORDS) >> 1;
  for (let word = 0; word < HistoryWord.COUNT; word++) into[at + word] = f64[event + word]!;
  Atomics.store(i32, history + History.TAKEN, (taken + 1) | 0);
  return true;
}
