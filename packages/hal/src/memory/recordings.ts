/** Where a machine's trace rings and histories stand, and what is written to them. */
import { historyWords, type TraceRings } from "@capos/trace";
import { BootInfo } from "./machine-map.js";
import type { PhysicalMemory, WordIndex } from "./physical-memory.js";

/** The trace rings: one a core, and the chipset's behind them. */
export function traceRings({ i32 }: PhysicalMemory): TraceRings {
  return {
    base: i32[BootInfo.TRACES],
    count: i32[BootInfo.CORES] + 1,
    kib: i32[BootInfo.TRACE_KIB],
    groups: i32[BootInfo.TRACE_GROUPS],
    mode: i32[BootInfo.TRACE_MODE],
  };
}

/** A core's history, which holds as many events as HISTORY_EVENTS says. */
export function historyOf({ i32 }: PhysicalMemory, core: number): WordIndex {
  return i32[BootInfo.HISTORIES] + core * historyWords(i32[BootInfo.HISTORY_EVENTS]);
}
