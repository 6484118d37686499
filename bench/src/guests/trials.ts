/**
 * Operations that are measured one at a time, or a few, because each needs something prepared that is not
 * measured: how many trials to make, and what they took.
 *
 * A trial reads the clock four times in a row. The first is for the caches; there is nothing between the
 * second and the third, and the operation between the last two. What the second and the third differ by is a
 * sample of the overhead, which is subtracted.
 */

/** About what a report has room for. */
const MAX_TRIALS = 4000;
/** The fewest that the statistics take. */
const MIN_TRIALS = 5;
/** Part of the budget that is used up by trials that are not kept: what they run is not compiled yet. */
const WARM_UP_PART = 0.25;
const MIN_WARM_UP = 3;

/** What may bound trials besides their time. */
export interface TrialLimits {
  /** Operations of one trial. */
  readonly operations?: number;
  /** The fewest trials to throw away at first. */
  readonly minWarmUp?: number;
}

export class Trials {
  /** Nanoseconds of an operation, and of nothing. */
  readonly samples: number[] = [];
  readonly overhead: number[] = [];
  readonly operationsPerSample: number;

  readonly #minWarmUp: number;
  #begunNs = 0.5;
  #made = 0;

  /** @param budgetNs time for all, from the first one's begin, with what is prepared for them */
  constructor(
    private readonly budgetNs: number,
    limits: TrialLimits = {},
  ) {
    this.operationsPerSample = limits.operations ?? 1;
    this.#minWarmUp = Math.max(MIN_WARM_UP, limits.minWarmUp ?? 0);
  }

  /** Takes note of a trial by the three times that count. False when it was the last. */
  record(startNs: number, beforeNs: number, afterNs: number): boolean {
    if (this.#made++ === 0) this.#begunNs = startNs;
    const usedNs = afterNs - this.#begunNs;
    const isWarm = this.samples.length > 0 || usedNs >= WARM_UP_PART * this.budgetNs;
    if (isWarm && this.#made > this.#minWarmUp) {
      this.samples.push((afterNs - beforeNs) / this.operationsPerSample);
      this.overhead.push((beforeNs - startNs) / this.operationsPerSample);
    }
    if (this.samples.length >= MAX_TRIALS) return false;
    return usedNs < this.budgetNs || this.samples.length < MIN_TRIALS;
  }
}
