/**
 * A core's progress, and the watchdog's word on it.
 *
 * The core counts its safe points and its guest's turns, by plain stores into a line of its own; what it is at lasts as long as
 * their sum stays the same. The chipset watches that, and says of one progress that it has lasted for too long. The
 * word names the progress, so it is none on whatever comes next.
 */
import { BootInfo, CoreArea } from "../memory/machine-map.js";
import type { PhysicalMemory, WordIndex } from "../memory/physical-memory.js";
import { UNTOLD } from "./patience.js";

/** The part of the watchdog's time that a guest may run without progress. */
const RUN_SHARE = 0.25;

/** Milliseconds of work, see `Patience`, that a guest may run without progress. */
export function runLimitMs(memory: PhysicalMemory): number {
  return memory.i32[BootInfo.WATCHDOG_MS] * RUN_SHARE;
}

/** The same limit in words: of CPU time where the host tells it. */
export function runLimitText(memory: PhysicalMemory, area: WordIndex): string {
  const limitMs = runLimitMs(memory);
  return memory.i32[area + CoreArea.THREAD] === 0 ? `${limitMs * UNTOLD} ms` : `${limitMs} ms of CPU time`;
}

/** How far a core has come: never the same again, but for the numbers' end after 2^32. */
export function progressOf(i32: Int32Array, area: WordIndex): number {
  return (i32[area + CoreArea.HEARTBEAT] + i32[area + CoreArea.TURNS]) | 0;
}

/** Whether the watchdog says of what this core is at that it lasts for too long. */
export function isSpent(i32: Int32Array, area: WordIndex): boolean {
  const spent = Atomics.load(i32, area + CoreArea.SPENT);
  return spent !== 0 && spent === progressOf(i32, area);
}
