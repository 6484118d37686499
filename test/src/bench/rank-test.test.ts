import { holm, leastP, rankSumTest, shiftOf } from "@capos/bench";
import fc from "fast-check";
import t from "tap";

/** Permeability of membranes at term and at 12 to 26 weeks: Hollander and Wolfe, table 4.1. */
const TERM = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
const EARLY = [1.15, 0.88, 0.9, 0.74, 1.21];

function close(actual: number, expected: number, tolerance = 1e-9): boolean {
  return Math.abs(actual - expected) <= tolerance;
}

t.test("the textbook's example has the textbook's p-value, shift and interval", async (t) => {
  // One-sided 0.1272 in the book; the distribution is symmetric.
  t.ok(close(rankSumTest(EARLY, TERM), 0.2544122544));
  const { estimate, low, high } = shiftOf(EARLY, TERM, 0.95);
  t.ok(close(estimate, 0.305), `${estimate}`);
  t.ok(close(low, -0.15), `${low}`);
  t.ok(close(high, 0.76), `${high}`);
});

/** The p-value by its definition: every way to choose which numbers are the second sample. */
function byEnumeration(before: readonly number[], after: readonly number[]): number {
  const all = [...after, ...before];
  const rank = (value: number) =>
    all.filter((other) => other < value).length + (all.filter((other) => other === value).length + 1) / 2;
  const expected = (after.length * (all.length + 1)) / 2;
  const distance = (chosen: readonly number[]) =>
    Math.abs(chosen.reduce((sum, value) => sum + rank(value), 0) - expected);
  let ways = 0;
  let asFar = 0;
  const choose = (chosen: readonly number[], from: number): void => {
    if (chosen.length === after.length) {
      ways++;
      if (distance(chosen) >= distance(after) - 1e-9) asFar++;
      return;
    }
    for (let i = from; i < all.length; i++) choose([...chosen, all[i]], i + 1);
  };
  choose([], 0);
  return asFar / ways;
}

// Few different numbers, so that there are ties.
const small = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 6 });

t.test("the p-value is the part of all arrangements that are as uneven, also with ties", async (t) => {
  fc.assert(
    fc.property(small, small, (before, after) =>
      close(rankSumTest(before, after), byEnumeration(before, after)),
    ),
  );
  t.pass();
});

t.test("swapping the samples keeps the p-value and turns the shift round", async (t) => {
  fc.assert(
    fc.property(small, small, (before, after) => {
      const there = shiftOf(before, after, 0.95);
      const back = shiftOf(after, before, 0.95);
      return (
        close(rankSumTest(before, after), rankSumTest(after, before)) &&
        close(there.estimate, -back.estimate) &&
        close(there.low, -back.high) &&
        there.low <= there.estimate &&
        there.estimate <= there.high
      );
    }),
  );
  t.pass();
});

t.test("samples that do not overlap have the least p-value that there is", async (t) => {
  t.ok(close(leastP(5, 5), 2 / 252));
  t.ok(close(leastP(10, 10), 2 / 184_756));
  t.ok(close(rankSumTest([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]), leastP(5, 5)));
});

t.test("equal samples, and numbers that are all the same, are no evidence", async (t) => {
  t.equal(rankSumTest([1, 2, 3], [1, 2, 3]), 1);
  t.equal(rankSumTest([7, 7, 7, 7], [7, 7, 7, 7]), 1);
  t.equal(rankSumTest(new Array(50).fill(7), new Array(50).fill(7)), 1);
  t.equal(rankSumTest([], [1]), 1);
});

t.test("many numbers are judged by the normal distribution, with its correction", async (t) => {
  const before = Array.from({ length: 40 }, (_, i) => i);
  const after = before.map((value) => value + 7.5);
  // U is 1072, its mean 800, its deviation 103.92: z is 2.6125 less the half.
  t.ok(close(rankSumTest(before, after), 0.008988, 1e-5), `${rankSumTest(before, after)}`);
  const { estimate, low, high } = shiftOf(before, after, 0.95);
  t.ok(close(estimate, 7.5));
  t.ok(low > 1 && low < 3 && high > 12 && high < 14, `${low} to ${high}`);
});

t.test("Holm's adjustment is that of the definition, in the order given", async (t) => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(6)));
  t.strictSame(adjusted, [0.03, 0.06, 0.06, 0.02]);
  t.strictSame(holm([0.9, 0.8]), [1, 1]);
  t.strictSame(holm([]), []);
});
