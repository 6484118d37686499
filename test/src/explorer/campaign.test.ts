/** Campaigns over toy scenarios: the same schedules on any number of workers, in any number of runs. */
import {
  type CheckOptions,
  type CheckResult,
  check,
  type Job,
  type WorkerError,
} from "@capos/explorer/campaign";
import t from "tap";
import { exploreToy } from "./support/toy.js";
import { SCENARIOS, SOME_SCHEDULES, toyCatalogue } from "./support/toy-scenarios.js";

const NO_LIMITS = { schedules: Number.POSITIVE_INFINITY, seconds: Number.POSITIVE_INFINITY };
const ALL_OF_THEM = exploreToy(SOME_SCHEDULES, { kind: "dfs" }, Number.POSITIVE_INFINITY, 1e6).schedules;

function job(scenario: string, more: Partial<Job> = {}): Job {
  const { plan } = SCENARIOS.find(({ name }) => name === scenario)!;
  return { scenario, mutant: null, strategy: plan, ...more };
}

async function run(jobs: readonly Job[], more: Partial<CheckOptions> = {}): Promise<CheckResult[]> {
  return check({
    ...{ catalogue: toyCatalogue(), jobs, workers: 2, limits: NO_LIMITS, minimiseSeconds: 60 },
    ...more,
  });
}

t.test("any number of workers explores each schedule once", async (t) => {
  t.ok(ALL_OF_THEM > 30_000, `${ALL_OF_THEM}`);
  for (const workers of [1, 2, 3]) {
    const [result] = await run([job("some-schedules")], { workers });
    t.equal(result!.outcome, "complete");
    t.equal(result!.counts.schedules, ALL_OF_THEM, `${workers} workers`);
  }
});

t.test("a campaign that is stopped and resumed explores each schedule once", async (t) => {
  const resume = `${t.testdir()}/resume.json`;
  let runs = 0;
  let result: CheckResult;
  do {
    [result] = (await run([job("some-schedules")], {
      ...{ resume, limits: { ...NO_LIMITS, schedules: 9000 } },
    })) as [CheckResult];
    runs++;
    t.ok(result.counts.schedules <= runs * 9000, "a run keeps to its limit");
  } while (result.outcome === "limit");
  t.equal(result.outcome, "complete");
  t.equal(result.counts.schedules, ALL_OF_THEM);
  t.equal(runs, Math.ceil(ALL_OF_THEM / 9000), "and uses it");
  const [again] = await run([job("some-schedules")], { resume });
  t.equal(again!.outcome, "complete");
  t.equal(again!.counts.schedules, ALL_OF_THEM, "what is complete is not explored again");
});

t.test("a signal stops a campaign, and nothing that was explored is lost", async (t) => {
  const resume = `${t.testdir()}/resume.json`;
  const abort = new AbortController();
  const onProgress: CheckOptions["onProgress"] = ({ counts }) => {
    if (counts.schedules > 5000) abort.abort();
  };
  const [first, ...rest] = await run([job("some-schedules"), job("counting")], {
    ...{ resume, onProgress, signal: abort.signal },
  });
  t.equal(first!.outcome, "interrupted");
  t.same(rest, [], "the others are not begun");
  const [second] = await run([job("some-schedules"), job("counting")], { resume });
  t.equal(second!.counts.schedules, ALL_OF_THEM);
});

t.test("time ends what has no end, and progress says how far it is", async (t) => {
  const fractions: number[] = [];
  const [result] = await run([job("endless")], {
    limits: { ...NO_LIMITS, seconds: 1 },
    onProgress: ({ fraction }) => fractions.push(fraction),
  });
  t.equal(result!.outcome, "limit");
  t.ok(result!.counts.schedules > 0);
  t.equal(result!.counts.deepest, 160);
  t.ok(fractions.every((fraction) => fraction >= 0 && fraction <= 1));
  t.ok(fractions.at(-1)! > fractions[0], fractions.join(" "));
});

t.test("the estimate ends at the whole when all is explored", async (t) => {
  let last = 0;
  await run([job("some-schedules")], {
    onProgress: ({ fraction }) => {
      last = fraction;
    },
  });
  t.ok(Math.abs(last - 1) < 1e-6, `${last}`);
});

t.test("schedules by chance end at their limit, and a resumed run has others", async (t) => {
  const resume = `${t.testdir()}/resume.json`;
  const limits = { ...NO_LIMITS, schedules: 700 };
  for (const schedules of [700, 1400]) {
    const [result] = await run([job("by-chance")], { limits, resume });
    t.equal(result!.outcome, "limit");
    t.equal(result!.counts.schedules, schedules);
  }
});

t.test("a failure ends its scenario only, and is made as simple as it gets", async (t) => {
  const told: string[] = [];
  const [failed, other] = await run([job("counting", { mutant: "split-addition" }), job("counting")], {
    onResult: ({ outcome }) => told.push(outcome),
  });
  t.same(told, ["failed", "complete"]);
  const example = failed!.counterExample!;
  t.same(example.finding, { kind: "assertion", message: "1 of 2 additions count" });
  t.equal(example.preemptions, 1);
  t.equal(example.isFewest, true);
  t.equal(example.accesses.filter(({ isPreemption }) => isPreemption).length, 1);
  t.same(
    example.accesses.map(({ core }) => core).join(""),
    example.choices,
    "each step is one access of the toy",
  );
  const atFault = example.accesses.filter(({ word }) => word === "word 1");
  t.same(
    atFault.map(({ operation, read, written }) => [operation, read, written]),
    [
      ["load", 0, null],
      ["load", 0, null],
      ["store", null, 1],
      ["store", null, 1],
    ],
  );
  t.match(atFault[0].place, { file: "packages/toy/src/programs/toy.ts", line: 1 });
  t.equal(other!.counterExample, null);
});

t.test("a failure that chance finds among many preemptions is brought to the fewest", async (t) => {
  const [result] = await run([job("three-counting", { strategy: { kind: "random", seed: 5 } })]);
  const example = result!.counterExample!;
  t.equal(example.preemptions, 1);
  t.equal(example.isFewest, true);
});

t.test("a data race shows both plain accesses and names their places", async (t) => {
  const [result] = await run([job("racing")]);
  const { finding, accesses } = result!.counterExample!;
  t.equal(finding.kind, "data race");
  t.match(
    finding.message,
    /^word 1: nothing orders core \d and core \d \(programs\/toy\.ts:\d+ and programs\/toy\.ts:\d+\)$/,
  );
  t.same(
    accesses
      .filter(({ isRacing }) => isRacing)
      .map(({ operation }) => operation)
      .sort(),
    ["read", "write"],
  );
});

t.test("what a worker throws ends the run as an error that says where", async (t) => {
  const wrong = run([job("unopenable")]);
  await t.rejects(wrong, { name: "WorkerError", message: "unopenable cannot be opened" });
  await wrong.catch((error: WorkerError) => t.match(error.stack, /toy-scenarios\.[jt]s/));
  const unfitting = run([job("counting", { mutant: "unfitting" })]);
  await t.rejects(unfitting, { name: "WorkerError" });
  await unfitting.catch((error: WorkerError) => t.equal(error.thrown.name, "EditError"));
});
