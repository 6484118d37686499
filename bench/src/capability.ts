/**
 * Suite `capability`: what it costs to look up, derive, give, take back and end capabilities and what they
 * name, measured by guests from inside a machine. docs/benchmarks.md says exactly what each row measures.
 */
import { rowsFor } from "./capability/rows.js";
import type { SuiteContext } from "./guest-suite.js";
import { runSingleGuests } from "./single-guests.js";
import type { Trial } from "./trial.js";

export const CAPABILITY_SUITE = "capability";

/** The rows that there are on so many cores; some may need more. */
export function capabilityNames(cores: number): string[] {
  return rowsFor(cores, cores).map(({ name }) => name);
}

/** Measures the named rows: see `runSingleGuests`. */
export function runCapability(context: SuiteContext): Promise<Trial[]> {
  return runSingleGuests(context, CAPABILITY_SUITE, rowsFor(context.cores, context.hardwareThreads));
}
