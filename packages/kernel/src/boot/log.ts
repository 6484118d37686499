/**
 * The kernel's early log: one line a phase, with the time since power-on.
 */
import { nowNs } from "@capos/hal";
import { printLine } from "../smp/console.js";
import type { Core } from "../state/core.js";

/** Prints `text` with the milliseconds since `startedNs`. */
export function bootLine(k: Core, startedNs: number, text: string): void {
  const ms = ((nowNs() - startedNs) / 1e6).toFixed(3).padStart(9);
  printLine(k, `[${ms} ms] ${text}`);
}
