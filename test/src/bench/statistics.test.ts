import {
  MIN_OVERHEAD_SAMPLES,
  medianInterval,
  OVERHEAD_TOLERANCE,
  summarise,
  summariseNet,
} from "@capos/bench";
import fc from "fast-check";
import t from "tap";

/** Four significant digits, and a picosecond of rounding. */
function close(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 0.0021 + Math.abs(expected) * 1e-4;
}

const sampleArrays = fc.array(
  fc.oneof(
    fc.double({ min: 0.01, max: 100, noNaN: true }),
    fc.double({ min: 1, max: 1e10, noNaN: true }),
    fc.constantFrom(1, 10, 1000),
  ),
  { minLength: 1, maxLength: 300 },
);

t.test("each figure is that of the sorted samples, to four digits", async (t) => {
  fc.assert(
    fc.property(sampleArrays, (samples) => {
      const sorted = [...samples].sort((a, b) => a - b);
      const got = summarise(samples);
      const mean = sorted.reduce((sum, sample) => sum + sample, 0) / sorted.length;
      // Between two ranks both neighbours are right: definitions of a percentile differ there.
      const isPercentile = (value: number, part: number) => {
        const rank = part * sorted.length;
        const low = sorted[Math.max(0, Math.floor(rank) - 1)];
        const high = sorted[Math.min(sorted.length - 1, Math.ceil(rank))];
        return close(Math.min(Math.max(value, low), high), value);
      };
      return (
        got.n === sorted.length &&
        close(got.min, sorted[0]) &&
        close(got.max, sorted[sorted.length - 1]) &&
        isPercentile(got.p50, 0.5) &&
        isPercentile(got.p90, 0.9) &&
        isPercentile(got.p99, 0.99) &&
        close(got.mean, mean) &&
        close(got.opsPerSecond * got.mean, 1e9)
      );
    }),
  );
  t.pass();
});

t.test("the figures are ordered and above zero", async (t) => {
  fc.assert(
    fc.property(sampleArrays, (samples) => {
      const { min, p50, p90, p99, max } = summarise(samples);
      return 0 < min && min <= p50 && p50 <= p90 && p90 <= p99 && p99 <= max;
    }),
  );
  t.pass();
});

t.test("the order of the samples does not matter", async (t) => {
  fc.assert(
    fc.property(sampleArrays, (samples) => {
      t.strictSame(summarise([...samples].reverse()), summarise(samples));
    }),
    { numRuns: 20 },
  );
});

t.test("an operation of half a nanosecond keeps its digits", async (t) => {
  t.equal(summarise([0.512, 0.512, 0.512]).p50, 0.512);
});

t.test("statistics of nothing, or of what is no number, are an error", async (t) => {
  t.throws(() => summarise([]), RangeError);
  t.throws(() => summarise([1, Number.NaN]), RangeError);
  t.throws(() => summarise([Number.POSITIVE_INFINITY]), RangeError);
});

t.test("a steady overhead is subtracted from every sample", async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 100, max: 1000, noNaN: true }), { minLength: 1, maxLength: 50 }),
      fc.double({ min: 0, max: 50, noNaN: true }),
      (net, overhead) => {
        const got = summariseNet({
          samples: net.map((sample) => sample + overhead),
          overhead: new Array(MIN_OVERHEAD_SAMPLES).fill(overhead),
          operationsPerSample: 1,
        });
        return (
          !("refused" in got) && close(got.mean, summarise(net).mean) && close(got.p50, summarise(net).p50)
        );
      },
    ),
  );
  t.pass();
});

t.test(
  "a row is refused exactly when the overhead's spread exceeds its part of the net median",
  async (t) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 400 }), (spread, net) => {
        // p10 is 10, p50 is 10, p90 is 10 + spread.
        const overhead = [10, 10, 10, 10, 10, 10, 10, 10, 10 + spread, 10 + spread];
        const got = summariseNet({ samples: [10 + net], overhead, operationsPerSample: 1 });
        return "refused" in got === spread > OVERHEAD_TOLERANCE * net;
      }),
    );
    t.pass();
  },
);

t.test("what takes no longer than the empty loop is refused", async (t) => {
  const overhead = [5, 5.1, 5, 5, 5.2];
  t.match(summariseNet({ samples: [4, 5, 5], overhead, operationsPerSample: 1 }), {
    refused: /unstable overhead/,
  });
});

t.test("too few samples of the overhead are no evidence that it is stable", async (t) => {
  const overhead = new Array(MIN_OVERHEAD_SAMPLES - 1).fill(1);
  t.match(summariseNet({ samples: [50], overhead, operationsPerSample: 1 }), { refused: /at least 5/ });
});

t.test("a measurement without samples is refused, not a crash", async (t) => {
  t.match(summariseNet({ samples: [], operationsPerSample: 1 }), { refused: /no samples/ });
});

t.test("differences are kept as they are where their control leaves little doubt", async (t) => {
  const control = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1 : -1));
  // Two nanoseconds of spread in a hundred comparisons: 0.2 ns of doubt.
  const of = (median: number) => summariseNet({ samples: [median], control, operationsPerSample: 1 });
  t.match(of(2.1), { p50: 2.1 });
  t.match(of(1.9), { refused: /100 comparisons of nothing leave 0\.20 ns of doubt/ });
  t.match(of(-5), { refused: /unstable difference/ });
});

t.test("too few comparisons are no control", async (t) => {
  t.match(summariseNet({ samples: [5], control: [0, 0], operationsPerSample: 1 }), { refused: /at least 5/ });
});

t.test("the interval of a median is that of the sign test", (t) => {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => ((i * 7) % n) + 1);
  // From tables of the binomial distribution, for 95 %.
  const known: readonly (readonly [number, number, number, number])[] = [
    [6, 1, 6, 0.969],
    [9, 2, 8, 0.961],
    [10, 2, 9, 0.979],
    [12, 3, 10, 0.961],
    [20, 6, 15, 0.959],
  ];
  for (const [n, low, high, confidence] of known) {
    const interval = medianInterval(upTo(n));
    t.match(interval, { low, high }, `${n} values`);
    t.ok(Math.abs(interval.confidence - confidence) < 0.001, String(interval.confidence));
  }
  t.match(
    medianInterval([3, 1, 2]),
    { low: 1, high: 3, confidence: 0.75 },
    "too few: all of them, with less",
  );
  t.throws(() => medianInterval([]), RangeError);
  t.end();
});
