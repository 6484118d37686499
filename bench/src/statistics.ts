/**
 * What a row of the benchmark says about its samples.
 *
 * A sample is the nanoseconds that one operation took, averaged over one batch. Operations of 20 µs
 * and more have batches of one, so that their percentiles are those of single operations; for shorter
 * ones p99 is the p99 of batches, since reading the clock around each would cost more than it does.
 *
 * Invariant: min <= p50 <= p90 <= p99 <= max, all above zero, or no numbers at all.
 */
import { createHistogram } from "node:perf_hooks";

/** Nanoseconds per operation, but for `n` (samples) and `opsPerSecond` (from the mean). */
export interface Statistics {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
  readonly opsPerSecond: number;
}

/** Why a row has no numbers. */
export interface Refusal {
  readonly refused: string;
}

/** What a benchmark loop hands over. All samples are nanoseconds per operation. */
export interface Measurement {
  readonly samples: ArrayLike<number>;
  /** The same loop around nothing, in batches of the same size; absent where there is no loop to subtract. */
  readonly overhead?: ArrayLike<number>;
  /**
   * Where samples are differences from batches of something else in between: the differences of those
   * batches from each other, which would be 0 on a perfect clock and a machine of one speed.
   */
  readonly control?: ArrayLike<number>;
  readonly operationsPerSample: number;
  /** Bytes of JS heap that one operation allocates. */
  readonly bytesPerOperation?: number;
  /** Longest garbage collection while the samples were taken, 0 if there was none. */
  readonly longestCollectionNs?: number;
  /** What was measured in turns with it, to compare with: nanoseconds by name. */
  readonly beside?: Readonly<Record<string, number>>;
  /** The ratios to what stands in `beside`, one of each slice. */
  readonly pairedRatios?: Readonly<Record<string, readonly number[]>>;
  /** Of a revoke: how many capabilities it ends. */
  readonly descendants?: number;
  /** The part of their throughput that threads kept whose work went on beside, 1 for all of it. */
  readonly keptThroughput?: number;
}

/** The overhead may be uncertain by this part of the measured median, no more. */
export const OVERHEAD_TOLERANCE = 0.1;
/** With fewer, the 10th and 90th percentile are the extremes and say nothing of stability. */
export const MIN_OVERHEAD_SAMPLES = 5;

/** The chance that an interval may miss what it is of. */
const MAX_DOUBT = 0.05;

/** Nanoseconds to the histogram's whole numbers, so that 0.5 ns an operation keeps its digits. */
const PICOSECONDS = 1000;
/** Four significant digits: no figure is off by more than 0.01 %. */
const SIGNIFICANT_FIGURES = 4;

/** A sample below 1 ps, which only an overhead subtraction makes, counts as 1 ps everywhere. */
export const SMALLEST_NS = 1 / PICOSECONDS;

/** Statistics of samples that come in parts. */
export class RunningStatistics {
  readonly #histogram = createHistogram({ figures: SIGNIFICANT_FIGURES });

  /** Adds samples, in nanoseconds per operation. @throws RangeError for one that is not a finite number. */
  record(samples: ArrayLike<number>): void {
    for (let i = 0; i < samples.length; i++) {
      if (!Number.isFinite(samples[i]))
        throw new RangeError(`sample ${i} is ${samples[i]}, not a finite number`);
      const picoseconds = Math.max(1, Math.round(samples[i] * PICOSECONDS));
      this.#histogram.record(Math.min(picoseconds, Number.MAX_SAFE_INTEGER));
    }
  }

  /** @throws RangeError before the first sample. */
  statistics(): Statistics {
    const histogram = this.#histogram;
    if (histogram.count === 0) throw new RangeError("statistics need at least one sample");
    const mean = histogram.mean / PICOSECONDS;
    return {
      n: histogram.count,
      min: histogram.min / PICOSECONDS,
      p50: histogram.percentile(50) / PICOSECONDS,
      p90: histogram.percentile(90) / PICOSECONDS,
      p99: histogram.percentile(99) / PICOSECONDS,
      max: histogram.max / PICOSECONDS,
      mean,
      opsPerSecond: 1e9 / mean,
    };
  }
}

/**
 * Statistics of `samples` (nanoseconds per operation).
 *
 * @throws RangeError when there is no sample, or one is not a finite number.
 */
export function summarise(samples: ArrayLike<number>): Statistics {
  const running = new RunningStatistics();
  running.record(samples);
  return running.statistics();
}

/** Statistics of a measurement with its loop's overhead taken off, or the reason why there are none. */
export function summariseNet(measurement: Measurement): Statistics | Refusal {
  const samples = netSamples(measurement);
  return "refused" in samples ? samples : summarise(samples);
}

/**
 * A measurement's samples with its loop's overhead taken off, or the reason why they say nothing.
 *
 * The overhead's median is subtracted from each sample. How far that can be wrong is the overhead's
 * own spread, from its 10th to its 90th percentile; when the spread is more than
 * `OVERHEAD_TOLERANCE` of what is left of the median (so also when nothing is left), the result would
 * be the noise of an empty loop, and is refused.
 */
export function netSamples({ samples, overhead, control }: Measurement): Float64Array | Refusal {
  if (samples.length === 0) return { refused: "no samples were taken" };
  if (control !== undefined) return checkedDifferences(samples, control);
  if (overhead === undefined) return lessOverhead(samples, 0);
  if (overhead.length < MIN_OVERHEAD_SAMPLES) {
    return {
      refused: `the loop overhead has ${overhead.length} samples, at least ${MIN_OVERHEAD_SAMPLES} are needed`,
    };
  }
  const sorted = Float64Array.from(overhead).sort();
  const subtracted = nearestRank(sorted, 0.5);
  const spread = nearestRank(sorted, 0.9) - nearestRank(sorted, 0.1);
  const net = nearestRank(Float64Array.from(samples).sort(), 0.5) - subtracted;
  if (!(spread <= OVERHEAD_TOLERANCE * net)) {
    return {
      refused:
        `unstable overhead: the empty loop's p10 to p90 spans ${spread.toFixed(2)} ns, ` +
        `more than ${OVERHEAD_TOLERANCE * 100} % of the ${net.toFixed(2)} ns measured`,
    };
  }
  return lessOverhead(samples, subtracted);
}

function lessOverhead(samples: ArrayLike<number>, overheadNs: number): Float64Array {
  return Float64Array.from(samples, (sample) => Math.max(SMALLEST_NS, sample - overheadNs));
}

/**
 * Samples that are differences. Each is off by what its control is, but their median by the square root of
 * their number less: a median that may be off by more than `OVERHEAD_TOLERANCE` of itself is refused.
 */
function checkedDifferences(samples: ArrayLike<number>, control: ArrayLike<number>): Float64Array | Refusal {
  if (control.length < MIN_OVERHEAD_SAMPLES) {
    return {
      refused: `the control has ${control.length} samples, at least ${MIN_OVERHEAD_SAMPLES} are needed`,
    };
  }
  const sorted = Float64Array.from(control).sort();
  const doubt = (nearestRank(sorted, 0.9) - nearestRank(sorted, 0.1)) / Math.sqrt(control.length);
  const median = nearestRank(Float64Array.from(samples).sort(), 0.5);
  if (!(doubt <= OVERHEAD_TOLERANCE * median)) {
    return {
      refused:
        `unstable difference: ${control.length} comparisons of nothing leave ${doubt.toFixed(2)} ns of doubt, ` +
        `more than ${OVERHEAD_TOLERANCE * 100} % of the ${median.toFixed(2)} ns measured`,
    };
  }
  return lessOverhead(samples, 0);
}

/** The smallest of `sorted` that at least `part` of them do not exceed. */
export function nearestRank(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

/** Where the median of what values are drawn from lies, with how much confidence. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** The chance that such an interval covers it: at least 0.95 if there are six values or more. */
  readonly confidence: number;
}

/**
 * The narrowest interval between two order statistics, as far from either end, that covers the median with at least 95 %
 * confidence: the sign test's, which assumes nothing of how the values are spread. All of them, with
 * less confidence, where there are fewer than six.
 *
 * @throws RangeError without values
 */
export function medianInterval(values: readonly number[]): Interval {
  if (values.length === 0) throw new RangeError("an interval needs at least one value");
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  // The chance that exactly k of n values are below the median, and that k or fewer are.
  let exactly = 0.5 ** n;
  let below = exactly;
  let out = 0;
  for (; out + 1 < n / 2; out++) {
    const next = (exactly * (n - out)) / (out + 1);
    if (below + next > MAX_DOUBT / 2) break;
    exactly = next;
    below += next;
  }
  return { low: sorted[out], high: sorted[n - 1 - out], confidence: 1 - 2 * below };
}
