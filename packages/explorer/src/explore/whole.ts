/** Exploring all that a strategy has in one thread: the same schedules in the same order, whoever asks. */
import type { Explorer } from "./explorer.js";
import { Frontier } from "./frontier.js";
import type { Failure, Strategy } from "./types.js";

export interface Whole {
  /** Schedules run to their end, and those cut off because others cover them. */
  readonly schedules: number;
  readonly redundant: number;
  readonly steps: number;
  /** The first failure that was wanted: the search ends with it. */
  readonly failure: Failure | null;
  /** True if nothing is left to explore. */
  readonly isComplete: boolean;
}

export interface WholeOptions {
  /** Asked after each schedule. */
  isOver?(): boolean;
  /** Which failures end the search; all of them if not given. */
  wanted?(failure: Failure): boolean;
  /** Most schedules, those that are cut off too; infinitely many if not given, which is for strategies that end. */
  readonly schedules?: number;
}

/** Explores until all is explored, a failure is found that is wanted, or `isOver` says so. */
export function exploreWhole(explorer: Explorer, strategy: Strategy, options: WholeOptions = {}): Whole {
  const { wanted = () => true, schedules: most = Number.POSITIVE_INFINITY } = options;
  const frontier = new Frontier(strategy, most);
  const isOver = () => counts.schedules + counts.redundant >= most || options.isOver?.() === true;
  const counts = { schedules: 0, redundant: 0, steps: 0 };
  while (!isOver()) {
    const unit = frontier.next();
    if (unit === undefined) break;
    let left = most - counts.schedules - counts.redundant;
    const result = explorer.explore(unit, strategy, () => --left <= 0 || options.isOver?.() === true);
    frontier.give(unit, result);
    counts.schedules += result.schedules;
    counts.redundant += result.redundant;
    counts.steps += result.steps;
    const { failure } = result;
    if (failure !== null && wanted(failure)) return { ...counts, failure, isComplete: false };
  }
  return { ...counts, failure: null, isComplete: frontier.isDone };
}
