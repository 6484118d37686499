/** Ratios of slices that took turns: what a host whose speed jumps does to them, and what they say of themselves. */
import {
  pairedRatio,
  ratiosOfSamples,
  ratiosOfTurns,
  type SlicedMeasurement,
  slicesDisagree,
  type TurnTaker,
  takeTurns,
} from "@capos/bench";
import t from "tap";

t.test(
  "a host that becomes twice as slow at any time changes no ratio of slices by more than its own jump",
  async (t) => {
    for (let jump = 0; jump <= 20; jump++) {
      const speed = (at: number) => (at < jump ? 1 : 2);
      const others = Array.from({ length: 21 }, (_, i) => 20 * speed(i));
      const row = Array.from({ length: 20 }, (_, i) => 80 * speed(i + 0.5));
      const ratio = pairedRatio([ratiosOfTurns(row, others)]);
      t.equal(ratio.ratio, 4, `jump at ${jump}`);
      t.notOk(slicesDisagree(ratio));
    }
  },
);

t.test("slices that say different things are told, slices that agree but for a few are not", async (t) => {
  const steady = Array.from({ length: 17 }, (_, i) => 4 + 0.01 * (i % 5));
  t.notOk(slicesDisagree(pairedRatio([[...steady, 40, 90]])));
  const wild = Array.from({ length: 17 }, (_, i) => 2 + (i % 5));
  t.ok(slicesDisagree(pairedRatio([wild])));
});

t.test("the slices of all repetitions make one ratio, and each repetition one of its own", async (t) => {
  t.match(pairedRatio([[1, 2, 3], [], [5, 6, 7]]), { ratio: 4, slices: 6, low: 1, high: 7, trials: [2, 6] });
});

t.test("a slice of the row needs one of the other on both sides", async (t) => {
  t.throws(() => ratiosOfTurns([1, 2], [1, 2]), RangeError);
  t.strictSame(ratiosOfTurns([6, 8], [1, 3, 5]), [3, 2]);
});

t.test("samples that took turns one by one are compared with those of the same time", async (t) => {
  const row = Array.from({ length: 160 }, (_, i) => (i < 80 ? 10 : 20));
  const ratios = ratiosOfSamples(
    row.map((ns) => 3 * ns),
    [...row, 1, 1],
  );
  t.strictSame(ratios, new Array(10).fill(3));
});

/** Notes its turns in `log`. */
function taker(name: string, log: string[], failsAt = ""): TurnTaker {
  const note = async (what: string) => {
    log.push(`${name} ${what}`);
    if (failsAt === what) throw new Error(`${name} fails`);
  };
  return {
    prepare: () => note("prepare"),
    takeTurn: () => note("turn"),
    end: async (): Promise<SlicedMeasurement> => {
      await note("end");
      return { samples: [], operationsPerSample: 1, sliceEnds: [] };
    },
    stop: () => note("stop"),
  };
}

t.test("each has the same turn in each round, and those beside the row one more", async (t) => {
  const log: string[] = [];
  await takeTurns(taker("row", log), [taker("a", log), taker("b", log)], (made) => made < 2);
  const turns = log.filter((one) => one.endsWith("turn")).map((one) => one.split(" ")[0]);
  t.strictSame(turns.join(" "), "a b row a b row a b row a b");
});

t.test("whatever fails, all of them are stopped", async (t) => {
  for (const failsAt of ["prepare", "turn", "end"]) {
    const log: string[] = [];
    const running = takeTurns(taker("row", log), [taker("a", log, failsAt)], (made) => made < 2);
    await t.rejects(running, /a fails/);
    t.ok(log.includes("a stop") && log.includes("row stop"), failsAt);
  }
});
