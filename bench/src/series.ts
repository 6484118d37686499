/**
 * A repetition of a row over time: medians of successive samples, so that a disturbance of the host is
 * seen where it happened.
 */
import { nearestRank } from "./statistics.js";

/** When work was done, on the clock of `performance.now()`. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** One repetition; times are milliseconds since the run's start. */
export interface Series extends Span {
  /** Nanoseconds, of slices of as many successive samples each, in order. */
  readonly medians: readonly number[];
}

const MAX_SLICES = 60;
const SIGNIFICANT_DIGITS = 4;

/** Medians of at most 60 slices of samples, to four digits. */
export function sliceMedians(samples: Float64Array): number[] {
  const slices = Math.min(MAX_SLICES, samples.length);
  const edge = (slice: number) => Math.floor((slice * samples.length) / slices);
  return Array.from({ length: slices }, (_, i) => {
    const sorted = samples.slice(edge(i), edge(i + 1)).sort();
    return Number(nearestRank(sorted, 0.5).toPrecision(SIGNIFICANT_DIGITS));
  });
}

/** Does some work and tells when. */
export async function timed<T>(work: () => Promise<T>): Promise<{ value: T; span: Span }> {
  const startMs = performance.now();
  const value = await work();
  return { value, span: { startMs, endMs: performance.now() } };
}
