/** Suite `trace`: which machines it has measured in which order, and what is made of the turns. */
import { isRefused, runTrace, type Tracing, traceNames } from "@capos/bench";
import t from "tap";
import { fakeContext } from "./support/context.js";

const COST: Readonly<Record<Tracing, number>> = { absent: 1, silent: 1, usual: 1.3, words: 1.5 };

/** A context whose calls take longer by what their machine is traced, and all of them more from turn to turn. */
function tracedContext() {
  const turns: Tracing[] = [];
  let tracing: Tracing = "absent";
  const fake = fakeContext({ cores: 2 }, () => {
    turns.push(tracing);
    const ns = 1000 * COST[tracing] * (1 + turns.length / 500);
    return { status: 0, lines: [JSON.stringify({ samples: [ns, ns, ns], operationsPerSample: 5 })] };
  });
  const traced = (how: Tracing) => {
    tracing = how;
    return fake.context;
  };
  return { context: { ...fake.context, traced }, turns };
}

t.test(
  "each round begins and ends without trace points, and its other turns change their order",
  async (t) => {
    const { context, turns } = tracedContext();
    await runTrace(context);
    t.equal(turns.length, 8 * 5);
    for (let round = 0; round < 8; round++) {
      const [first, ...rest] = turns.slice(round * 5, round * 5 + 5);
      t.equal(first, "absent");
      const others = ["silent", "usual", "words"];
      t.same(rest, [...(round % 2 === 0 ? others : others.toReversed()), "absent"]);
    }
  },
);

t.test("a row says by how much calls are slower, in spite of a host that slows down", async (t) => {
  const { context } = tracedContext();
  const trials = await runTrace(context);
  t.same(
    trials.map(({ name }) => name),
    traceNames(2),
  );
  const notes = trials.map((trial) => (isRefused(trial) ? "" : trial.notes!.at(-1)));
  t.match(notes[0], /apart by 0\.\d %/);
  t.match(notes[1], /^A call takes -?0\.\d % longer than without trace points: the median of 8 rounds, /);
  t.match(notes[2], /^A call takes (29\.[5-9]|30\.[0-4]) % longer /);
  t.match(notes[3], /^A call takes (49\.[5-9]|50\.[0-4]) % longer /);
});
