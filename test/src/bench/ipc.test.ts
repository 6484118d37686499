import {
  GUESTS,
  ipcNames,
  isRefused,
  loadBenchImages,
  type MeasuredTrial,
  RowError,
  runIpc,
  slicesOf,
  type Trial,
} from "@capos/bench";
import t from "tap";
import { type Answer, fakeContext as fake } from "./support/context.js";

const notesOf = (trial: Trial | undefined): string =>
  trial === undefined || isRefused(trial) ? "" : (trial.notes ?? []).join("\n");

t.test(
  "rows of several sizes go up to the number of cores, in powers of two and the number itself",
  async (t) => {
    const sizes = (family: string, cores: number) =>
      ipcNames(cores)
        .filter((name) => name.startsWith(family))
        .map((name) => Number(name.split(".").at(-1)));
    t.strictSame(sizes("call.pairs.", 8), [1, 2, 4, 8]);
    t.strictSame(sizes("call.pairs.", 6), [1, 2, 4, 6]);
    t.strictSame(sizes("boot.", 1), [1]);
    t.strictSame(sizes("call.words.", 1), [0, 4, 8, 16, 64]);
  },
);

t.test(
  "one machine serves all rows, in their order, and each boot row has machines of its own",
  async (t) => {
    const { context, asked, machines } = fake({ cores: 4 });
    const results = await runIpc(context);
    t.strictSame(
      results.map(({ name }) => name),
      ipcNames(4),
    );
    for (const result of results) t.notOk(isRefused(result), result.name);
    t.equal(machines.booted[0], 4);
    // A warm-up and three at least.
    for (const cores of [1, 2, 4])
      t.ok(machines.booted.slice(1).filter((count) => count === cores).length >= 4);
    t.equal(machines.halted, machines.booted.length);
    t.ok(asked.every(({ options }) => options.debug === true && options.args![0] !== undefined));
    t.strictSame(asked[0].options.args, [String(0.01e9), "4", "1", "0", "turn=1"]);
  },
);

t.test("between two cores client and server are not on init's core where there are others", async (t) => {
  for (const [cores, client, server] of [
    [2, 1, "0"],
    [3, 1, "2"],
    [8, 1, "2"],
  ] as const) {
    const { context, asked } = fake({ cores, names: ["call.cross-core"] });
    await runIpc(context);
    t.strictSame(asked[0].options.cores, [client]);
    t.equal(asked[0].options.args![2], server);
  }
});

t.test(
  "a guest that reads a line which is another's has it told again, and the row is measured",
  async (t) => {
    for (const misled of ["2 go", "1 end"]) {
      const { context } = fake({ names: ["notify.same-core"] }, undefined, { misled });
      const [trial] = await runIpc(context);
      t.notOk(isRefused(trial!), misled);
    }
  },
);

t.test("a guest that faults while another has its turn ends the row with its fault", async (t) => {
  for (const failsAt of ["2 go", "1 go", "1 end"]) {
    const { context, machines } = fake({ names: ["notify.same-core"] }, undefined, { failsAt });
    await t.rejects(runIpc(context), /it faulted/, failsAt);
    t.equal(machines.halted, machines.booted.length);
  }
});

t.test("a row that needs another core is refused on one core, and nothing is run for it", async (t) => {
  const { context, asked, machines } = fake({ cores: 1, names: ["call.cross-core", "notify.cross-core"] });
  const results = await runIpc(context);
  t.equal(results.length, 2);
  for (const result of results) t.match(result, { refused: "it needs 2 cores, the machine has 1" });
  t.strictSame([asked, machines.booted], [[], []]);
});

t.test(
  "a name selects a row, a family all its sizes, and another name is refused with those that exist",
  async (t) => {
    const { context } = fake({ names: ["call.pairs", "yield"] });
    t.strictSame(
      (await runIpc(context)).map(({ name }) => name),
      ["call.pairs.1", "call.pairs.2", "yield"],
    );
    await t.rejects(
      runIpc(fake({ names: ["call"] }).context),
      /"call" on 2 cores; there are call\.same-core, /,
    );
    await t.rejects(runIpc(fake({ names: ["call.pairs.4"] }).context), RangeError);
  },
);

t.test("cores and seconds out of range are refused", async (t) => {
  for (const cores of [0, 65, 1.5])
    await t.rejects(runIpc(fake({ cores }).context), /must be a whole number/);
  for (const seconds of [0, -1, Number.NaN, 4000]) {
    await t.rejects(runIpc(fake({ seconds }).context), /must be above 0/);
  }
});

t.test("lists that a guest printed in several lines are joined, and the overhead is taken off", async (t) => {
  const lines = [
    '{"samples":[11,12]}',
    '{"samples":[13],"overhead":[1,1,1,1,1]}',
    '{"operationsPerSample":7}',
  ];
  const { context } = fake({ names: ["call.pairs.1"] }, () => ({ status: 0, lines }));
  const [result] = await runIpc(context);
  t.match(result, { suite: "ipc", unit: "ns/call", n: 3, operationsPerSample: 7 });
  t.ok(result !== undefined && !isRefused(result) && Math.abs(result.p50 - 11) < 0.1);
});

t.test(
  "same-core calls tell their bytes, and the longest collection of their core in the long run",
  async (t) => {
    const { context, asked } = fake({ seconds: 0.5, names: ["call.same-core"] });
    // 8100 less 100 bytes for 100 calls; 7 ns reach into the run, 39 ns end before it, 1000 ns are another core's.
    const [long] = await runIpc(context);
    t.match(long, { bytesPerOperation: 80, longestCollectionNs: 7 });
    t.notMatch(notesOf(long), /longest collection/);
    t.strictSame(asked[1].options.args, ["10000000"]);
    const [short] = await runIpc(fake({ seconds: 0.05, names: ["call.same-core"] }).context);
    t.match(notesOf(short), /longest collection is that of 1000000 calls/);
  },
);

t.test("a guest that fails, or prints something else, is an error that names the row", async (t) => {
  const failing = (answer: Answer) => runIpc(fake({ names: ["call.pairs.1"] }, () => answer).context);
  await t.rejects(
    failing({ status: 1, lines: ["oh"] }),
    /^ipc row call\.pairs\.1: its guest ended with status 1: oh$/,
  );
  await t.rejects(failing({ status: 0, lines: [] }), /call\.pairs\.1: its guest did not tell samples/);
  for (const line of ["hello", "[1]", "null", '{"samples":[1,"2"]}', '{"samples":{}}']) {
    await t.rejects(failing({ status: 0, lines: [line] }), RowError);
  }
});

t.test("a guest that ends while it is to take turns is an error that names the row", async (t) => {
  const { context } = fake({ names: ["null-trap"] }, () => ({ status: 0, lines: ["oh"] }));
  await t.rejects(runIpc(context), /^ipc row null-trap: its guest ended early with status 0: oh$/);
});

t.test("a row has a ratio of each of its slices to what took turns with it, in one machine", async (t) => {
  const { context, asked } = fake({ names: ["notify.same-core"] });
  const [row] = await runIpc(context);
  t.ok(row !== undefined && !isRefused(row));
  const { pairedRatios = {} } = row as MeasuredTrial;
  const { count } = slicesOf(context.seconds * 1e9);
  // Both fake guests have the same samples.
  t.strictSame(pairedRatios["call.same-core"], new Array(count).fill(1));
  // The baseline is a real one, whose figures a host that stalls can spoil: then there is a note instead.
  const ratios = pairedRatios["generator-switch"];
  if (ratios === undefined) t.match(notesOf(row), /^No generator-switch to compare with/m);
  else t.equal(ratios.length, count);
  t.strictSame(
    asked.map(({ image, options }) => [image, options.args!.at(-1)]),
    [
      ["bench-call", "turn=2"],
      ["bench-notify", "turn=1"],
    ],
  );
});

t.test("an abort ends the row at once with its reason, and the machine is given back", async (t) => {
  const abort = new AbortController();
  const { context, machines } = fake({ signal: abort.signal }, () => {
    setImmediate(() => abort.abort(new Error("enough")));
    return new Promise<never>(() => {});
  });
  await t.rejects(runIpc(context), /enough/);
  t.equal(machines.halted, 1);
  await t.rejects(runIpc(context), /enough/);
  t.equal(machines.booted.length, 1, "an aborted run boots nothing");
});

t.test("an abort while machines boot ends the run", async (t) => {
  const abort = new AbortController();
  const { context, machines } = fake({ names: ["boot"], signal: abort.signal, seconds: 60 });
  const onProgress = (_name: string, fraction: number) => {
    if (fraction === 0) abort.abort(new Error("enough"));
  };
  await t.rejects(runIpc({ ...context, onProgress }), /enough/);
  t.equal(machines.booted.length, 0);
});

t.test("the progress of each row begins with 0, ends with 1 and never goes back", async (t) => {
  const seen = new Map<string, number[]>();
  const { context } = fake();
  const onProgress = (name: string, fraction: number) =>
    void seen.set(name, [...(seen.get(name) ?? []), fraction]);
  await runIpc({ ...context, onProgress });
  t.strictSame([...seen.keys()], ipcNames(2));
  for (const fractions of seen.values()) {
    t.equal(fractions[0], 0);
    t.equal(fractions.at(-1), 1);
    t.strictSame(
      fractions,
      [...fractions].sort((a, b) => a - b),
    );
  }
});

t.test("every guest has an image with the checks put in", async (t) => {
  const images = loadBenchImages();
  t.strictSame(Object.keys(images), [...GUESTS]);
  for (const { name, code } of Object.values(images)) {
    t.match(code, /\$tickMain\(\)/, name);
    t.doesNotThrow(() => new Function(`return ${code}`), name);
  }
});
