/**
 * Whether two samples of a few numbers differ, and by how much: the Wilcoxon-Mann-Whitney rank-sum test
 * with its exact distribution, and what belongs to it, the Hodges-Lehmann estimate of the shift with Moses'
 * interval. Nothing is assumed of how the numbers are distributed.
 *
 * Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd ed., sections 4.1 to 4.3. Exact with
 * ties: Streitberg and Röhmel, Exact distributions for permutation and rank tests, 1986 (the shift
 * algorithm). Holm: A simple sequentially rejective multiple test procedure, 1979.
 */
import { errorFunction, median, probit } from "simple-statistics";

/** Up to so many numbers in both samples together the exact distribution is counted out. */
const MAX_EXACT = 60;

/** How far the second sample is from the first, if it is the same but for a shift. */
export interface Shift {
  /** The median of all differences of one of the second and one of the first. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Two-sided p-value of the rank-sum test: how likely such a difference in ranks, or a larger one, is if
 * both samples are of one distribution. 1 where there is nothing to compare.
 */
export function rankSumTest(before: readonly number[], after: readonly number[]): number {
  const m = after.length;
  const size = before.length + m;
  if (before.length === 0 || m === 0) return 1;
  const ranks = doubledMidranks([...after, ...before]);
  const sum = ranks.slice(0, m).reduce((total, rank) => total + rank, 0);
  const expected = m * (size + 1);
  const distance = Math.abs(sum - expected);
  if (size > MAX_EXACT) return approximate(distance, ranks, m);
  const ways = countSums(ranks, m);
  let all = 0;
  let asFar = 0;
  ways.forEach((count, at) => {
    all += count;
    if (Math.abs(at - expected) >= distance) asFar += count;
  });
  return Math.min(1, asFar / all);
}

/** The smallest p-value that samples of these sizes can have: that of two that do not overlap. */
export function leastP(before: number, after: number): number {
  let ways = 1;
  for (let i = 1; i <= after; i++) ways = (ways * (before + i)) / i;
  return Math.min(1, 2 / ways);
}

/**
 * The shift from one sample to the other, with an interval that holds the true one with at least the given
 * probability, as far as samples so small allow. Neither sample is empty.
 */
export function shiftOf(before: readonly number[], after: readonly number[], confidence: number): Shift {
  const differences = Float64Array.from(after.flatMap((to) => before.map((from) => to - from))).sort();
  const outside = leftOut(before.length, after.length, (1 - confidence) / 2);
  return {
    estimate: median([...differences]),
    low: differences[outside],
    high: differences[differences.length - 1 - outside],
  };
}

/**
 * Holm's adjustment: p-values that stand for all of them together, so that the chance that any of those
 * below a level is there by chance is no more than that level. In the order given.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b]);
  const adjusted = new Array<number>(pValues.length);
  let least = 0;
  order.forEach((index, rank) => {
    least = Math.max(least, Math.min(1, (pValues.length - rank) * pValues[index]));
    adjusted[index] = least;
  });
  return adjusted;
}

/** Twice each number's rank from 1 on, equals sharing the mean of theirs: whole numbers. */
function doubledMidranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) ranks[order[i]] = from + to + 1;
  }
  return ranks;
}

/** In how many ways `m` of the ranks have each sum; the index is the sum. */
function countSums(ranks: readonly number[], m: number): Float64Array {
  const most = ranks.reduce((total, rank) => total + rank, 0);
  const ways = Array.from({ length: m + 1 }, () => new Float64Array(most + 1));
  ways[0][0] = 1;
  for (const rank of ranks) {
    for (let chosen = m; chosen >= 1; chosen--) {
      const from = ways[chosen - 1];
      const to = ways[chosen];
      for (let sum = rank; sum <= most; sum++) to[sum] += from[sum - rank];
    }
  }
  return ways[m];
}

/** The same p-value by the normal distribution, with corrections for continuity and ties. */
function approximate(distance: number, ranks: readonly number[], m: number): number {
  const size = ranks.length;
  const mean = size + 1;
  // The variance of a sum of m ranks drawn without replacement, ties in it.
  const squares = ranks.reduce((total, rank) => total + (rank - mean) ** 2, 0);
  const variance = (m * (size - m) * squares) / (size * (size - 1));
  if (variance === 0) return 1;
  const deviations = Math.max(0, distance - 1) / Math.sqrt(variance);
  return 1 - errorFunction(deviations / Math.SQRT2);
}

/** How many of the smallest and of the largest differences an interval with such tails leaves out. */
function leftOut(before: number, after: number, tail: number): number {
  const size = before + after;
  if (size > MAX_EXACT) {
    const deviation = Math.sqrt((before * after * (size + 1)) / 12);
    return Math.max(0, Math.floor((before * after) / 2 + probit(tail) * deviation) - 1);
  }
  const ranks = Array.from({ length: size }, (_, i) => 2 * (i + 1));
  const ways = countSums(ranks, after);
  const all = ways.reduce((total, count) => total + count, 0);
  let below = 0;
  for (let pairs = 0; ; pairs++) {
    below += ways[after * (after + 1) + 2 * pairs];
    if (below / all > tail) return Math.max(0, pairs - 1);
  }
}
