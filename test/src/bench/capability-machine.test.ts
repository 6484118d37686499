/** The suite on real machines, too short for its figures to mean much: that they are there, and plausible. */
import { capabilityNames, isRefused, runCapability, runIpc } from "@capos/bench";
import t from "tap";
import { realContext } from "./support/context.js";

t.test(
  "every row is measured by real guests, or refused for its overhead or for want of cores",
  async (t) => {
    const results = await runCapability(realContext(2));
    t.strictSame(
      results.map(({ name }) => name),
      capabilityNames(2),
    );
    for (const result of results) {
      if (isRefused(result))
        t.match(result.refused, /overhead|difference|^no samples|^it needs [48] cores/, result.name);
      else t.ok(result.n >= 5, `${result.name}: ${result.n} samples from ${result.min} ns`);
    }
    for (const result of results) {
      if (isRefused(result)) continue;
      const { name, descendants, keptThroughput } = result;
      if (name === "revoke.by-descendants.1000") t.equal(descendants, 1000);
      if (name === "revoke.under-load") t.type(keptThroughput, "number");
    }
  },
);

t.test("on one core every row that needs no other is measured", async (t) => {
  const names = [
    "copy",
    "delete",
    "move",
    "retype.batch",
    "revoke.chain.1000",
    "revoke.by-holders",
    "process.create-kill",
  ];
  const results = await runCapability(realContext(1, { names, hardwareThreads: 1 }));
  t.strictSame(
    results.filter((result) => isRefused(result) && /it needs/.test(result.refused)).map(({ name }) => name),
    ["revoke.by-holders.2", "revoke.by-holders.4", "revoke.by-holders.8"],
  );
});

t.test("memory comes back: more processes and threads are made than there is memory for", async (t) => {
  // At least 20 before the first sample: of 8 KiB each, of 32 KiB; of 1 KiB each, of 16 KiB.
  const [process] = await runCapability(realContext(2, { names: ["process.create-kill"] }));
  const [thread] = await runIpc(realContext(2, { names: ["thread.create-destroy"] }));
  for (const result of [process!, thread!]) {
    // A host that stalls can spoil the figures, not the memory.
    if (isRefused(result)) t.match(result.refused, /overhead/, result.name);
    else t.ok(result.n >= 5, result.name);
  }
});

t.test("an abort halts the machine under a guest that revokes", async (t) => {
  const abort = new AbortController();
  const more = { names: ["revoke.under-load"], seconds: 60, signal: abort.signal };
  const context = realContext(2, more, {
    guest: "bench-pairs",
    use: () => abort.abort(new Error("enough")),
  });
  await t.rejects(runCapability(context), /enough/);
});
