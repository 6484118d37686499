/**
 * Ratios of a row to what was measured beside it: one of each slice of the row's time to the slices before and
 * behind it, which belong to the other. A host whose speed jumps slows both down, so the median of these ratios
 * says what the ratio of two medians, taken seconds apart, does not.
 */
import { median } from "simple-statistics";
import { medianInterval, netSamples, type Refusal, summarise } from "./statistics.js";
import type { SlicedMeasurement } from "./turns.js";

/** What the ratios of a row's slices come to. */
export interface PairedRatio {
  /** The median of the slices' ratios: below 1 is faster than the other. */
  readonly ratio: number;
  /** Where that of all slices there could be lies: the interval of the median. */
  readonly low: number;
  readonly high: number;
  /** The chance that the interval holds it: at least 0.95 with six slices or more. */
  readonly confidence: number;
  /** Slices of all repetitions. */
  readonly slices: number;
  /** The median of each repetition that has slices, in order. */
  readonly trials: readonly number[];
}

/** An interval wider than this part of its ratio is of slices that disagree. */
export const AGREEMENT = 0.1;

/**
 * Ratios of slices that took turns, the other's first and last: medians of one more slice of the other than of the
 * row. Each of the row's is compared with the mean of its two neighbours.
 *
 * @throws RangeError if there is not one more
 */
export function ratiosOfTurns(row: readonly number[], other: readonly number[]): number[] {
  if (other.length !== row.length + 1)
    throw new RangeError(`${row.length} slices stand between ${other.length}, not ${row.length + 1}`);
  return row.map((ns, i) => (2 * ns) / (other[i]! + other[i + 1]!));
}

/** How many samples of two that took turns one by one make a slice. */
const PAIRS_IN_SLICE = 16;

/** Ratios of two whose samples took turns one by one, a slice of some samples each; the longer list is cut. */
export function ratiosOfSamples(row: ArrayLike<number>, other: ArrayLike<number>): number[] {
  const pairs = Math.min(row.length, other.length);
  const slices = Math.max(1, Math.floor(pairs / PAIRS_IN_SLICE));
  const ends = Array.from({ length: slices }, (_, i) => Math.floor(((i + 1) * pairs) / slices));
  const ours = sliceMedians(row, ends);
  const theirs = sliceMedians(other, ends);
  return ours.map((ns, i) => ns / theirs[i]!);
}

function sliceMedians(samples: ArrayLike<number>, ends: readonly number[]): number[] {
  const all = Array.from(samples);
  return ends.map((end, i) => median(all.slice(i === 0 ? 0 : ends[i - 1], end)));
}

/** What was measured in turns with a row. */
export interface Beside {
  /** Medians in nanoseconds, by name. */
  readonly beside: Record<string, number>;
  /** The ratios of the row's slices to it. */
  readonly pairedRatios: Record<string, readonly number[]>;
  /** Why there are none. */
  readonly notes: readonly string[];
}

/** Compares a row with what took turns with it, both without their loops' overhead. */
export function compareTurns(
  row: SlicedMeasurement,
  others: readonly (readonly [name: string, measured: SlicedMeasurement])[],
): Beside {
  const beside: Record<string, number> = {};
  const pairedRatios: Record<string, readonly number[]> = {};
  const notes: string[] = [];
  const own = netSamples(row);
  for (const [name, measured] of others) {
    const theirs = netSamples(measured);
    if (isRefusal(own)) continue;
    if (isRefusal(theirs)) {
      notes.push(`No ${name} to compare with: ${theirs.refused}`);
      continue;
    }
    beside[name] = summarise(theirs).p50;
    pairedRatios[name] = ratiosOfTurns(
      sliceMedians(own, row.sliceEnds),
      sliceMedians(theirs, measured.sliceEnds),
    );
  }
  return { beside, pairedRatios, notes };
}

function isRefusal(samples: Float64Array | Refusal): samples is Refusal {
  return "refused" in samples;
}

/** @param repetitions the ratios of each one's slices; at least one in all @throws RangeError without any */
export function pairedRatio(repetitions: readonly (readonly number[])[]): PairedRatio {
  const measured = repetitions.filter((ratios) => ratios.length > 0);
  const all = measured.flat();
  const { low, high, confidence } = medianInterval(all);
  return {
    ratio: median(all),
    low,
    high,
    confidence,
    slices: all.length,
    trials: measured.map((ratios) => median([...ratios])),
  };
}

/** Whether the slices say so different things that their median may be off by more than anybody cares for. */
export function slicesDisagree({ ratio, low, high }: PairedRatio): boolean {
  return high - low > AGREEMENT * ratio;
}
