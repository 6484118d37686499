/**
 * Suite `memory`: loads and stores, mappings, page faults, measured by guests from inside a machine.
 * docs/benchmarks.md says exactly what each row measures.
 */
import type { SuiteContext } from "./guest-suite.js";
import { memoryRows } from "./memory/rows.js";
import { runSingleGuests } from "./single-guests.js";
import type { Trial } from "./trial.js";

export const MEMORY_SUITE = "memory";

/** The rows that there are on so many cores. */
export function memoryNames(cores: number): string[] {
  return memoryRows(cores).map(({ name }) => name);
}

/** Measures the named rows: see `runSingleGuests`. */
export function runMemory(context: SuiteContext): Promise<Trial[]> {
  return runSingleGuests(context, MEMORY_SUITE, memoryRows(context.cores));
}
