/** What a machine is unless told, and what it may be told. Loads nothing else: command lines begin with it. */
import { availableParallelism } from "node:os";
import { MAX_CORES } from "@capos/abi";

/** As many as there are hardware threads; two at least, for what is between cores. */
export function defaultCores(): number {
  return Math.min(MAX_CORES, Math.max(2, availableParallelism()));
}

/** How urgent log records are. */

/** Levels by name, the least urgent first; `silent` writes nothing. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];
