import { Differences, Sampler, Trials } from "@capos/bench";
import t from "tap";

/** Runs trials of an operation of so many nanoseconds, each prepared for as long; gives them and the time it took. */
function simulate(budgetNs: number, operationNs: number, preparedNs: number, coldTrials = 0) {
  const trials = new Trials(budgetNs);
  let nowNs = 1e9;
  let made = 0;
  for (let goesOn = true; goesOn; made++) {
    nowNs += preparedNs;
    const startNs = nowNs;
    const beforeNs = startNs + 50;
    nowNs = beforeNs + 50 + operationNs * (made < coldTrials ? 100 : 1);
    goesOn = trials.record(startNs, beforeNs, nowNs);
  }
  return { trials, usedNs: nowNs - 1e9, made };
}

t.test("a trial's sample is the operation and one look at the clock, its overhead the look", async (t) => {
  const { trials } = simulate(0.01e9, 2000, 0);
  t.ok(trials.samples.every((ns) => ns === 2050));
  t.ok(trials.overhead.every((ns) => ns === 50));
  t.equal(trials.samples.length, trials.overhead.length);
});

t.test("trials take their time, with what is prepared for them, and not much more", async (t) => {
  const { usedNs } = simulate(0.5e9, 1e6, 3e6);
  t.ok(usedNs > 0.5e9 && usedNs < 0.52e9, `${usedNs}`);
});

t.test("there are five trials to keep however short the time is, and none of the first three", async (t) => {
  const { trials, made } = simulate(1, 5e6, 5e6, 3);
  t.equal(trials.samples.length, 5);
  t.equal(made, 8);
  t.ok(trials.samples.every((ns) => ns === 5e6 + 50));
});

t.test("no more trials are kept than a console should carry", async (t) => {
  t.equal(simulate(60e9, 1000, 0).trials.samples.length, 4000);
});

/** Batches of two operations on a machine whose speed drifts by `driftPerNs`. */
function compare(budgetNs: number, referenceNs: number, operationNs: number, driftPerNs = 0) {
  const differences = new Differences(budgetNs);
  let usedNs = 0;
  for (let goesOn = true; goesOn; ) {
    const turnNs = differences.reference ? referenceNs : operationNs;
    const elapsedNs = differences.turns * turnNs * (1 + driftPerNs * usedNs);
    usedNs += elapsedNs;
    goesOn = differences.record(elapsedNs);
  }
  return { differences, usedNs };
}

t.test("a difference is what one operation takes more than the other", async (t) => {
  const { differences, usedNs } = compare(0.02e9, 20, 27);
  for (const sample of differences.samples) t.ok(Math.abs(sample - 7) < 1e-6, `${sample}`);
  for (const sample of differences.control) t.ok(Math.abs(sample) < 1e-6, `${sample}`);
  t.ok(usedNs < 0.025e9);
});

t.test("a machine that becomes twice as slow meanwhile shows in no difference", async (t) => {
  const { differences } = compare(0.1e9, 20, 27, 1e-8);
  for (const sample of differences.samples) t.ok(sample > 6.9 && sample < 14.2, `${sample}`);
  for (const sample of differences.control) t.ok(Math.abs(sample) < 0.05, `${sample}`);
});

t.test("a batch of a sampler never has more turns than its limit", async (t) => {
  const sampler = new Sampler(0.01e9, { maxBatch: 100 });
  while (sampler.next()) {
    t.ok(sampler.turns <= 100);
    if (sampler.turns > 100) break;
    sampler.record(sampler.turns * (sampler.empty ? 1 : 10));
  }
});
