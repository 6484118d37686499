/** Suite `top`: who watches in which turn, and what is made of the turns. */
import { isRefused, RowError, runTop, topNames } from "@capos/bench";
import t from "tap";
import { fakeContext } from "./support/context.js";

/** A context whose calls take 100 ns, a tenth more while somebody watches, and more of both from turn to turn. */
function watchedContext(samples: (ns: number) => number[] = (ns) => [ns, ns, ns]) {
  const turns: boolean[] = [];
  let watched = false;
  const fake = fakeContext({ cores: 2 }, () => {
    turns.push(watched);
    const ns = 100 * (1 + turns.length / 50) * (watched ? 1.1 : 1);
    return { status: 0, lines: [JSON.stringify({ samples: samples(ns), operationsPerSample: 5 })] };
  });
  const watch = (on: boolean): void => {
    watched = on;
  };
  return { ...fake, context: { ...fake.context, watch }, turns, isWatched: () => watched };
}

t.test(
  "turns with somebody watching stand beside turns without, and either goes first as often",
  async (t) => {
    const { context, turns, asked, isWatched } = watchedContext();
    const results = await runTop({ ...context, names: ["top.call.pairs.2"] });
    t.equal(results.length, 1);
    t.same(turns, [false, ...Array.from({ length: 6 }, () => [false, true, true, false]).flat()]);
    t.notOk(isWatched(), "nobody does in the end");
    t.ok(asked.every(({ image, options }) => image === "bench-pairs" && options.args![1] === "2"));
  },
);

t.test("a row says by how much calls are slower, in spite of a host that slows down", async (t) => {
  const { context } = watchedContext();
  const [result] = await runTop({ ...context, names: ["top.call.pairs.1"] });
  if (result === undefined || isRefused(result)) return t.fail("it is measured");
  t.equal(result.n, 36, "the samples of the turns with somebody");
  t.match(result.notes, [
    /^A call takes 10\.\d % longer with top: the median of 12 pairs of turns, \S+ % to \S+ % with 96\.1 % confidence\.$/,
  ]);
  t.ok(result.beside!["without top"] < result.p50);
});

t.test("there is a row for each number of pairs", (t) => {
  t.same(topNames(4), ["top.call.pairs.1", "top.call.pairs.2", "top.call.pairs.4"]);
  t.end();
});

t.test("a turn without samples is an error that names the row", async (t) => {
  const { context } = watchedContext(() => []);
  await t.rejects(runTop({ ...context, names: ["top.call.pairs.1"] }), RowError);
});
