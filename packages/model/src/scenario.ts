/** What a scenario of the kernel is made of. */

import type { Coroutine, Finding } from "@capos/explorer";
import type { ScenarioInfo } from "@capos/explorer/campaign";
import type { Core } from "@capos/kernel/internal";
import type { Outcome } from "./guest.js";
import type { Program } from "./kernel-program.js";
import type { Machine } from "./machine.js";

/** How a schedule is judged when nothing can go on. */
export interface Judgement {
  /** What is wrong with what the guests saw, as a sentence; null if nothing is. */
  seen?(outcome: Outcome): string | Finding | null;
  /** Guests that may wait for ever; all others must be done. */
  readonly mayWait?: readonly string[];
  /** False if what is left at the end is not to be judged (an object that is meant to be half gone). */
  readonly leavesNothing?: boolean;
  /** Programs of cores that do not run the kernel's loop; one that waits for ever is for `seen` to judge. */
  readonly programs?: readonly (
    | ((program: Program, core: Core, machine: Machine, outcome: Outcome) => Coroutine)
    | null
  )[];
}

export interface Scenario extends ScenarioInfo {
  /** Lines of each ring: a power of two; 4 unless told. */
  readonly ringLines?: number;
  /** Builds the first state; answers how schedules are judged. Called once a worker. */
  build(machine: Machine): Judgement;
}
