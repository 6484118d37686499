import process from "node:process";
import type { Worker } from "node:worker_threads";
import { BaselineError, baselineNames, type CrewMember, isRefused, runBaseline, runCrew } from "@capos/bench";
import t, { type Test } from "tap";

const SECONDS = 0.02;

/** A worker of that source; `words` are shared with the test. */
function worker(source: string, words = new Int32Array(new SharedArrayBuffer(4))): CrewMember {
  const code = `import { parentPort, workerData } from "node:worker_threads";\n${source}`;
  return { file: new URL(`data:text/javascript,${encodeURIComponent(code)}`), data: { words } };
}

const COUNT_FOREVER = "for (;;) Atomics.add(workerData.words, 0, 1);";

/** Collects the workers that are made from now on; a worker that has ended has no number any more. */
function workersOf(t: Test): { readonly haveEnded: () => boolean } {
  const workers: Worker[] = [];
  const add = (worker: Worker) => void workers.push(worker);
  process.on("worker", add);
  t.teardown(() => process.off("worker", add));
  return { haveEnded: () => workers.length > 0 && workers.every(({ threadId }) => threadId === -1) };
}

/** Lets others run until a counting worker has counted. */
async function untilItCounts(words: Int32Array): Promise<void> {
  while (Atomics.load(words, 0) === 0) await new Promise(setImmediate);
}

t.test("every baseline is measured, or refused for its overhead, within its own budget", async (t) => {
  const seen = new Map<string, number[]>();
  const results = await runBaseline({
    seconds: SECONDS,
    workerCounts: [1, 2],
    onProgress: (name, fraction) => seen.set(name, [...(seen.get(name) ?? []), fraction]),
  });
  const names = results.map(({ name }) => name);
  const expected = baselineNames.flatMap((name) =>
    name === "workers-empty" ? ["workers-empty.1", "workers-empty.2"] : [name],
  );
  t.strictSame(names, expected);
  for (const result of results) {
    t.equal(result.suite, "baseline");
    if (isRefused(result)) t.match(result.refused, /unstable overhead/, result.name);
    else t.ok(result.n >= 3 && result.p50 > 0, result.name);
    const fractions = seen.get(result.name) ?? [];
    t.equal(fractions[0], 0);
    t.equal(fractions.at(-1), 1);
    t.strictSame(
      fractions,
      [...fractions].sort((a, b) => a - b),
      "progress never goes back",
    );
  }
  const generator = results.find(({ name }) => name === "generator-switch");
  t.ok(generator !== undefined && (isRefused(generator) || (generator.bytesPerOperation ?? 0) > 0));
});

t.test("only the named baselines run, in the order of the list", async (t) => {
  const results = await runBaseline({ names: ["atomics-load", "await"], seconds: SECONDS });
  t.strictSame(
    results.map(({ name }) => name),
    ["await", "atomics-load"],
  );
});

t.test("an unknown baseline is refused with the names that exist", async (t) => {
  await t.rejects(
    runBaseline({ names: ["constructor"] }),
    /"constructor"; there are generator-switch, .*comlink/,
  );
});

t.test("a budget or a worker count out of range is refused", async (t) => {
  await t.rejects(runBaseline({ names: [], seconds: 0 }), /seconds is 0/);
  await t.rejects(runBaseline({ names: [], seconds: Number.NaN }), /seconds is NaN/);
  await t.rejects(runBaseline({ names: [], workerCounts: [0] }), /from 1 to 64/);
  await t.rejects(runBaseline({ names: [], workerCounts: [1.5] }), /from 1 to 64/);
});

t.test("a driver that throws is an error that names the row and the reason", async (t) => {
  const crew = [worker('throw new Error("out of luck")')] as const;
  const error = await runCrew("demo", crew, { seconds: SECONDS }).catch((reason) => reason);
  t.ok(error instanceof BaselineError);
  t.match(error.message, /^baseline demo: its driver threw: Error: out of luck/);
});

t.test(
  "a peer that ends early is an error even while the driver spins, and the driver ends too",
  async (t) => {
    const workers = workersOf(t);
    const crew = [worker(COUNT_FOREVER), worker("process.exit(3)")] as const;
    await t.rejects(runCrew("demo", crew, { seconds: SECONDS }), /its peer 1 ended with status 3/);
    t.ok(workers.haveEnded());
  },
);

t.test("a driver that hangs is an error, and ends", async (t) => {
  const workers = workersOf(t);
  const crew = [worker(COUNT_FOREVER)] as const;
  await t.rejects(runCrew("demo", crew, { seconds: SECONDS, hangSeconds: 0.3 }), /its workers hang/);
  t.ok(workers.haveEnded());
});

t.test("an abort ends the workers and rejects with its reason", async (t) => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const workers = workersOf(t);
  const abort = new AbortController();
  const running = runCrew("demo", [worker(COUNT_FOREVER, words)], { seconds: SECONDS, signal: abort.signal });
  void untilItCounts(words).then(() => abort.abort(new Error("enough")));
  await t.rejects(running, /enough/);
  t.ok(workers.haveEnded());
});

t.test("an abort reaches every baseline", async (t) => {
  for (const name of ["sab-spin", "workers-empty"]) {
    const abort = new AbortController();
    process.once("worker", (worker) => worker.once("online", () => abort.abort(new Error("enough"))));
    await t.rejects(runBaseline({ names: [name], seconds: 60, signal: abort.signal }), /enough/);
  }
});

t.test("a peer that idles is no obstacle to a driver that has reported", async (t) => {
  const workers = workersOf(t);
  const report =
    'parentPort.postMessage({ kind: "done", measurement: { samples: [7], operationsPerSample: 1 } });';
  const measurement = await runCrew("demo", [worker(report), worker(COUNT_FOREVER)], {
    seconds: SECONDS,
  });
  t.strictSame(Array.from(measurement.samples), [7]);
  t.ok(workers.haveEnded());
});
