import {
  createTrial,
  isRefused,
  type MeasuredResult,
  type Measurement,
  RunTally,
  summarise,
} from "@capos/bench";
import fc from "fast-check";
import t from "tap";
import { createResult } from "./support/document.js";

const NAME = { suite: "ipc", name: "yield", unit: "ns/yield" } as const;

function measured(...measurements: Measurement[]): MeasuredResult {
  const result = createResult(NAME, ...measurements);
  if (isRefused(result)) throw new Error(result.refused);
  return result;
}

const samplesOf = (...samples: number[]): Measurement => ({ samples, operationsPerSample: 1 });
const UNSTABLE: Measurement = { samples: [12, 12, 12], overhead: [1, 9, 3, 4, 5], operationsPerSample: 1 };

const lists = fc.array(
  fc.array(fc.double({ min: 0.01, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 200 }),
  { minLength: 1, maxLength: 5 },
);

t.test(
  "a row's statistics are those of the samples of all repetitions, its trials their medians",
  async (t) => {
    fc.assert(
      fc.property(lists, (repetitions) => {
        const result = measured(...repetitions.map((samples) => samplesOf(...samples)));
        const { n, min, p50, p99, max } = summarise(repetitions.flat());
        t.match(result, { n, min, p50, p99, max });
        t.strictSame(
          result.trials,
          repetitions.map((samples) => summarise(samples).p50),
        );
      }),
      { numRuns: 20 },
    );
  },
);

t.test(
  "each sample is in the bin of the distribution that it belongs to, and no bin is at an end for nothing",
  async (t) => {
    fc.assert(
      fc.property(lists, (repetitions) => {
        const { distribution } = measured(...repetitions.map((samples) => samplesOf(...samples)));
        const { binsPerDecade, lowestNs, counts } = distribution;
        const expected = new Array<number>(counts.length).fill(0);
        for (const sample of repetitions.flat()) {
          // A hair, for what lies on an edge.
          const bin = Math.floor(Math.log10(sample / lowestNs) * binsPerDecade + 1e-6);
          expected[bin]++;
        }
        t.strictSame(counts, expected);
        return counts[0] > 0 && counts.at(-1)! > 0;
      }),
      { numRuns: 50 },
    );
  },
);

t.test("a sample that the overhead's subtraction made nothing of is in a bin all the same", async (t) => {
  const overhead = [10, 10, 10, 10, 10];
  const { distribution, min } = measured({ samples: [1, 110, 110], overhead, operationsPerSample: 1 });
  t.equal(
    distribution.counts.reduce((sum, count) => sum + count),
    3,
  );
  t.ok(min <= 0.001 && distribution.lowestNs <= 0.001);
});

t.test("a repetition over time is medians of successive samples, at most sixty", async (t) => {
  const long = Array.from({ length: 600 }, (_, i) => (i < 300 ? 10 : 20));
  const { series } = measured(samplesOf(7), samplesOf(...long));
  t.match(series, [
    { startMs: 0, endMs: 500, medians: [7] },
    { startMs: 500, endMs: 1000 },
  ]);
  t.equal(series[1].medians.length, 60);
  t.strictSame(series[1].medians.slice(29, 31), [10, 20]);
});

t.test("a repetition that was refused is left out and told; a row refused in all is refused", async (t) => {
  const some = measured(samplesOf(5, 5, 5), UNSTABLE, samplesOf(6, 6, 6));
  t.equal(some.trials.length, 2);
  t.equal(some.series.length, 2);
  t.equal(some.n, 6);
  t.match(some.notes, [/^Refused in 1 of 3 repetitions: unstable overhead/]);
  const all = createResult(NAME, UNSTABLE, UNSTABLE);
  t.ok(isRefused(all) && /^unstable overhead/.test(all.refused));
});

t.test("what a row tells besides is its median over the repetitions, or the worst", async (t) => {
  const repetition = (scale: number): Measurement => ({
    samples: [1000 * scale],
    operationsPerSample: 10 * scale,
    bytesPerOperation: 80 * scale,
    longestCollectionNs: 5 * scale,
    beside: { "plain call": 100 * scale },
    descendants: 10,
    keptThroughput: 0.1 * scale,
  });
  const result = measured(repetition(1), repetition(3), repetition(2));
  t.match(result, {
    operationsPerSample: 30,
    bytesPerOperation: 160,
    longestCollectionNs: 15,
    beside: { "plain call": 200 },
    keptThroughput: 0.2,
    perDescendantNs: result.p50 / 10,
  });
});

t.test("rows come in the order in which they were first measured", async (t) => {
  const tally = new RunTally(0);
  const span = { startMs: 0, endMs: 1 };
  const trial = (name: string) => createTrial({ ...NAME, name }, samplesOf(5), span);
  tally.add([trial("b"), trial("a")]);
  tally.add([trial("a"), trial("b"), trial("c")]);
  t.strictSame(
    tally.results().map(({ name }) => name),
    ["b", "a", "c"],
  );
});
