import { capabilityNames, isRefused, type MeasuredTrial, RowError, runCapability } from "@capos/bench";
import t from "tap";
import { type Answer, fakeContext, SAMPLES } from "./support/context.js";

/** What each guest of the suite prints, with the extras that some rows must have. */
const FIGURES: Readonly<Record<string, object>> = {
  "bench-lookup": { samples: [7, 8, 9], control: [-0.1, 0, 0, 0, 0.1], operationsPerSample: 400 },
  "bench-transfer": { ...SAMPLES, plainSamples: [46, 46, 46], plainOverhead: [1, 1, 1, 1, 1] },
};

function fake(more: Parameters<typeof fakeContext>[0] = {}, extras: object = {}) {
  return fakeContext(more, (image) => ({
    status: 0,
    lines: [JSON.stringify({ ...(FIGURES[image] ?? SAMPLES), ...extras })],
  }));
}

t.test("the suite has a row for each operation on capabilities, the same on every machine", async (t) => {
  const names = capabilityNames(2);
  t.strictSame(names, capabilityNames(64));
  t.equal(new Set(names).size, names.length);
  for (const name of [
    ...["lookup", "lookup.fresh", "copy", "mint", "move", "delete", "retype", "retype.batch"],
    ...["transfer.window", "transfer.single-slot", "revoke.chain.1000", "revoke.under-load"],
    ...[1, 10, 100, 1000, 10000].map((count) => `revoke.by-descendants.${count}`),
    ...[1, 2, 4, 8].map((count) => `revoke.by-holders.${count}`),
    ...["grace-period.idle", "grace-period.guests", "grace-period.traps", "process.create-kill"],
  ]) {
    t.ok(names.includes(name), name);
  }
});

t.test("one machine serves all rows, and each guest is told its time first", async (t) => {
  const { context, asked, machines } = fake({ cores: 8 });
  const results = await runCapability(context);
  t.strictSame(
    results.map(({ name }) => name),
    capabilityNames(8),
  );
  for (const result of results) t.notOk(isRefused(result), result.name);
  t.strictSame([machines.booted, machines.halted], [[8], 1]);
  t.ok(asked.every(({ options }) => options.debug === true && options.args![0] === String(0.01e9)));
});

t.test("a row that needs more cores than there are is refused, and nothing is run for it", async (t) => {
  const { context, asked, machines } = fake({
    cores: 1,
    names: ["revoke.by-holders", "grace-period", "revoke.under-load"],
  });
  const results = await runCapability(context);
  t.strictSame(
    results.filter((result) => !isRefused(result)).map(({ name }) => name),
    ["revoke.by-holders.1"],
  );
  t.match(
    results.find(({ name }) => name === "revoke.by-holders.8"),
    {
      refused: "it needs 8 cores, the machine has 1",
    },
  );
  t.strictSame([asked.length, machines.booted], [1, [1]]);
});

t.test("pairs under load have a hardware thread each, and the revoker one", async (t) => {
  for (const [cores, hardwareThreads, pairs] of [
    [2, 2, "1"],
    [8, 2, "1"],
    [8, 4, "3"],
    [3, 16, "2"],
    [2, 1, "1"],
  ] as const) {
    const { context, asked } = fake({ cores, hardwareThreads, names: ["revoke.under-load"] });
    await runCapability(context);
    t.strictSame(asked[0].options.args!.slice(1), [pairs, "1"]);
  }
});

t.test("a revoke tells how many descendants it ends, and what it leaves to others", async (t) => {
  const { context } = fake(
    { names: ["revoke.by-descendants.100", "revoke.under-load"] },
    { samples: [10_001, 10_001, 10_001], keptThroughput: 0.93 },
  );
  const [hundred, load] = (await runCapability(context)) as MeasuredTrial[];
  t.equal(hundred!.descendants, 100);
  t.equal(load!.descendants, 1000);
  t.equal(load!.keptThroughput, 0.93);
});

t.test("a transfer has the plain call of the same guest beside it, its overhead taken off", async (t) => {
  const { context } = fake({ names: ["transfer.window"] });
  const [transfer] = (await runCapability(context)) as MeasuredTrial[];
  t.ok(Math.abs(transfer!.beside!["plain call"] - 45) < 0.1);
});

t.test("a transfer whose plain call was refused says so, and has no ratio to it", async (t) => {
  const noisy = fake({ names: ["transfer.window"] }, { plainOverhead: [1, 9, 20, 50, 90] });
  const [transfer] = (await runCapability(noisy.context)) as MeasuredTrial[];
  t.match(transfer!.notes, [/^No plain call to compare with: unstable overhead/]);
  t.equal(transfer!.beside, undefined);
});

t.test("a transfer without its plain call is an error", async (t) => {
  const { context } = fakeContext({ names: ["transfer.window"] });
  await t.rejects(runCapability(context), /did not tell plainSamples/);
});

t.test("a lookup that is lost in what nothing takes is refused", async (t) => {
  const { context } = fake({ names: ["lookup"] }, { control: [-50, -20, 0, 20, 50] });
  t.match(await runCapability(context), [{ refused: /unstable difference/ }]);
});

t.test("a row whose guest came to no sample is refused, and the others are measured", async (t) => {
  const { context } = fake(
    { names: ["revoke.under-load"] },
    { samples: [], overhead: [], keptThroughput: 1 },
  );
  t.match(await runCapability(context), [{ refused: "no samples were taken" }]);
});

t.test("bad arguments are refused: names, cores, seconds", async (t) => {
  await t.rejects(
    runCapability(fake({ names: ["revoke"] }).context),
    /no row is called "revoke" on 2 cores; there are lookup, /,
  );
  await t.rejects(runCapability(fake({ names: ["revoke.by-holders.16"] }).context), RangeError);
  for (const cores of [0, 65, 1.5])
    await t.rejects(runCapability(fake({ cores }).context), /must be a whole number/);
  for (const seconds of [0, -1, Number.NaN, 4000])
    await t.rejects(runCapability(fake({ seconds }).context), /must be above 0/);
});

t.test("a guest that fails is an error that names the row, and the machine is given back", async (t) => {
  const answer: Answer = { status: 1, lines: ["oh"] };
  const { context, machines } = fakeContext({ names: ["copy"] }, () => answer);
  await t.rejects(runCapability(context), RowError);
  await t.rejects(runCapability(context), /^capability row copy: its guest ended with status 1: oh$/);
  t.equal(machines.halted, 2);
});
