/**
 * How often a row's samples fell where: counts over logarithmic bins, fine enough to draw and small
 * enough to keep, whatever the number of samples.
 */
import { SMALLEST_NS } from "./statistics.js";

/** Bin i holds what is at least `lowestNs * 10^(i / binsPerDecade)` and below the same of i + 1. */
export interface Distribution {
  readonly binsPerDecade: number;
  /** Where the first bin begins, in nanoseconds. */
  readonly lowestNs: number;
  /** The first and the last are above 0; together they are the row's `n`. */
  readonly counts: readonly number[];
}

/** A bin is 5.9 % wide. */
export const BINS_PER_DECADE = 40;

export class DistributionTally {
  /** By the bin's number from 1 ns on, which is negative below it. */
  readonly #counts = new Map<number, number>();

  /** Adds samples, in nanoseconds. One below 1 ps counts as 1 ps. */
  record(samples: ArrayLike<number>): void {
    for (let i = 0; i < samples.length; i++) {
      const bin = Math.floor(Math.log10(Math.max(SMALLEST_NS, samples[i])) * BINS_PER_DECADE);
      this.#counts.set(bin, (this.#counts.get(bin) ?? 0) + 1);
    }
  }

  /** @throws RangeError before the first sample. */
  distribution(): Distribution {
    if (this.#counts.size === 0) throw new RangeError("a distribution needs at least one sample");
    const bins = [...this.#counts.keys()];
    const lowest = Math.min(...bins);
    const length = Math.max(...bins) - lowest + 1;
    return {
      binsPerDecade: BINS_PER_DECADE,
      lowestNs: 10 ** (lowest / BINS_PER_DECADE),
      counts: Array.from({ length }, (_, i) => this.#counts.get(lowest + i) ?? 0),
    };
  }
}
