import { Sampler, type SamplerLimits, slicesOf } from "@capos/bench";
import t from "tap";

interface Costs {
  /** Of one turn, in nanoseconds; the first `coldTurns` take a hundred times as long. */
  readonly turnNs: number;
  readonly emptyTurnNs: number;
  readonly coldTurns?: number;
  /** Reading the clock twice. */
  readonly clockNs?: number;
}

/** Runs a sampler against a loop of known cost. */
function simulate(budgetNs: number, costs: Costs, limits: SamplerLimits = {}) {
  const sampler = new Sampler(budgetNs, limits);
  let usedNs = 0;
  let turns = 0;
  let batches = 0;
  while (sampler.next()) {
    const cold = turns < (costs.coldTurns ?? 0) ? 100 : 1;
    const turnNs = sampler.empty ? costs.emptyTurnNs : costs.turnNs * cold;
    const elapsedNs = sampler.turns * turnNs + (costs.clockNs ?? 100);
    if (!sampler.empty) turns += sampler.turns;
    usedNs += elapsedNs;
    batches++;
    sampler.record(elapsedNs);
  }
  return { sampler, usedNs, turns, batches };
}

const near = (actual: number, wanted: number) => Math.abs(actual - wanted) <= 0.02 * wanted;

t.test("a sample lasts 20 to 100 us, whatever the operation takes", async (t) => {
  for (const turnNs of [5, 80, 400, 3000]) {
    for (const budgetNs of [0.02e9, 0.5e9, 5e9]) {
      const { sampler } = simulate(budgetNs, { turnNs, emptyTurnNs: 2 });
      const sampleNs = sampler.turns * turnNs;
      t.ok(sampleNs >= 15_000 && sampleNs <= 105_000, `${turnNs} ns in ${budgetNs} ns: ${sampleNs} ns`);
    }
  }
});

t.test("an operation of more than 100 us is sampled one at a time", async (t) => {
  const { sampler } = simulate(0.5e9, { turnNs: 150_000, emptyTurnNs: 2 });
  t.equal(sampler.turns, 1);
  t.ok(sampler.samples.length > 1000);
});

t.test("no sample is from before the loop was warm", async (t) => {
  const { sampler } = simulate(0.2e9, { turnNs: 80, emptyTurnNs: 2, coldTurns: 2000, clockNs: 0 });
  for (const sample of sampler.samples) t.ok(near(sample, 80), `${sample}`);
  for (const sample of sampler.overhead) t.ok(near(sample, 2), `${sample}`);
});

t.test("the budget is used, and not much more of it", async (t) => {
  const budgetNs = 0.5e9;
  const { usedNs } = simulate(budgetNs, { turnNs: 80, emptyTurnNs: 2 });
  t.ok(usedNs > 0.95 * budgetNs && usedNs < 1.05 * budgetNs, `${usedNs}`);
});

t.test("a long run keeps no more samples than a console should carry, from all of its time", async (t) => {
  const { sampler, batches } = simulate(20e9, { turnNs: 80, emptyTurnNs: 2 });
  t.ok(batches > 100_000, `${batches}`);
  t.ok(sampler.samples.length > 2000 && sampler.samples.length < 8000, `${sampler.samples.length}`);
  t.ok(sampler.overhead.length >= 300, `${sampler.overhead.length}`);
});

t.test("there are five samples of each kind however short the time is", async (t) => {
  const { sampler } = simulate(1, { turnNs: 5e6, emptyTurnNs: 2 });
  t.ok(sampler.samples.length >= 5 && sampler.overhead.length >= 5);
});

t.test("a limit of turns is kept, and most of them are samples", async (t) => {
  const { sampler, turns } = simulate(10e9, { turnNs: 30_000, emptyTurnNs: 2 }, { maxTurns: 4000 });
  t.ok(turns > 3900 && turns <= 4000, `${turns}`);
  t.equal(sampler.turns, 1);
  t.ok(sampler.samples.length > 2500, `${sampler.samples.length}`);
});

t.test("a turn of two operations counts as two", async (t) => {
  const { sampler } = simulate(0.5e9, { turnNs: 80, emptyTurnNs: 2, clockNs: 0 }, { operationsPerTurn: 2 });
  t.equal(sampler.operationsPerSample, 2 * sampler.turns);
  t.ok(near(sampler.samples[0], 40));
  t.ok(near(sampler.overhead[0], 1));
});

t.test(
  "a sliced sampler samples between the begin and the end of a slice, and never from the first",
  async (t) => {
    const sampler = new Sampler(0.05e9, { sliced: true });
    let turnNs = 80;
    const run = () => {
      let usedNs = 0;
      do {
        const elapsedNs = sampler.turns * (sampler.empty ? 2 : turnNs);
        usedNs += elapsedNs;
        sampler.record(elapsedNs);
      } while (sampler.next());
      return usedNs;
    };
    t.ok(sampler.next());
    run();
    t.notOk(sampler.next(), "what is warm waits for its turn");
    const { ns } = slicesOf(0.05e9);
    for (const slowness of [300, 80, 90, 100]) {
      turnNs = slowness;
      sampler.endSlice();
      sampler.beginSlice();
      t.ok(sampler.next());
      const usedNs = run();
      t.ok(usedNs >= ns && usedNs < 1.2 * ns, `${usedNs}`);
    }
    sampler.endSlice();
    t.equal(sampler.sliceEnds.length, 3);
    sampler.sliceEnds.forEach((end, i) => {
      const slice = sampler.samples.slice(i === 0 ? 0 : sampler.sliceEnds[i - 1], end);
      t.ok(slice.length >= 3);
      for (const sample of slice) t.ok(near(sample, [80, 90, 100][i]!), `${sample} in slice ${i}`);
    });
  },
);
