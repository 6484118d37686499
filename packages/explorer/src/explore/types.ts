/** What explorers, their workers and the campaign tell each other. All of it can be cloned and stored as JSON. */
import type { Finding } from "./world.js";

/** How schedules are chosen. */
export type Strategy =
  /** All of them, one of each equivalence class: dynamic partial-order reduction. */
  | { readonly kind: "dpor" }
  /** All of them, one by one. */
  | { readonly kind: "dfs" }
  /** All with at most so many preemptions, reduced. */
  | { readonly kind: "bounded"; readonly preemptions: number }
  /** Probabilistic concurrency testing: random priorities and `depth - 1` places where they change. */
  | { readonly kind: "pct"; readonly depth: number; readonly seed: number }
  | { readonly kind: "random"; readonly seed: number };

/** A part of the search that one worker does at a time. */
export interface Unit {
  /** Cores chosen up to the place where the part begins, a digit each. */
  readonly path: string;
  /** Systematic: the core to take there, and the mask of those asleep or taken before it. Else ignored. */
  readonly take: number;
  readonly asleep: number;
  /** Random strategies: the number of the first schedule, and how many. Else 0. */
  readonly first: number;
  readonly count: number;
}

/** A schedule under which something does not hold. */
export interface Failure extends Finding {
  /** The core of each step, a digit each: replays it exactly. */
  readonly choices: string;
  readonly preemptions: number;
}

/** One access of a replayed schedule. */
export interface TraceStep {
  readonly core: number;
  /** Index of the program's site; -1 for a start. */
  readonly site: number;
  /** `Op`, without UNUSED. */
  readonly op: number;
  /** Word of shared memory, -1 if none. */
  readonly word: number;
  /** What it read, before it wrote; and what it wrote. Null where it did not. */
  readonly read: number | string | null;
  readonly written: number | null;
  /** False for an access that was performed together with the step before it. */
  readonly point: boolean;
}

export interface Replay {
  readonly failure: Failure | null;
  /** What was in fact chosen: a lenient replay may differ from what was asked. */
  readonly choices: string;
  readonly preemptions: number;
  readonly trace: readonly TraceStep[];
}

/** What a worker did of a unit. */
export interface SliceResult {
  /** Schedules run to their end, and those cut off because others cover them. */
  readonly schedules: number;
  readonly redundant: number;
  readonly steps: number;
  /** Steps of the longest schedule. */
  readonly deepest: number;
  readonly failure: Failure | null;
  /** What the frontier is to know: see frontier.ts. */
  readonly frames: readonly FrameState[];
  readonly requests: readonly BacktrackRequest[];
  /** Random strategies: how many of the unit's schedules were run. */
  readonly done: number;
}

/** A place on the worker's stack that still has something to explore, or above such a place. */
export interface FrameState {
  readonly path: string;
  readonly enabled: number;
  readonly backtrack: number;
  readonly done: number;
  readonly asleep: number;
}

/** At `path`, one of `candidates` (a mask) is to be explored, `preferred` if none is yet. */
export interface BacktrackRequest {
  readonly path: string;
  readonly candidates: number;
  readonly preferred: number;
}
