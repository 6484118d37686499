/** The suite on a real machine, too short for its figures to mean much: that they are there, and plausible. */
import { ipcNames, isRefused, runIpc, type Trial } from "@capos/bench";
import t from "tap";
import { realContext } from "./support/context.js";

const CORES = 2;

t.test("every row is measured by real guests, or refused for its overhead", async (t) => {
  const results = await runIpc(realContext(CORES));
  t.strictSame(
    results.map(({ name }) => name),
    ipcNames(CORES),
  );
  for (const result of results) {
    if (isRefused(result)) t.match(result.refused, /unstable overhead/, result.name);
    else t.ok(result.n >= 1 && result.min > 0.5, `${result.name}: ${result.n} samples from ${result.min} ns`);
  }
  const rowOf = (name: string): Trial => results.find((result) => result.name === name)!;
  const sameCore = rowOf("call.same-core");
  if (!isRefused(sameCore)) {
    t.ok(
      sameCore.bytesPerOperation! > 0 && sameCore.bytesPerOperation! < 1000,
      `${sameCore.bytesPerOperation} B`,
    );
    t.type(sameCore.longestCollectionNs, "number");
  }
  const parked = rowOf("call.cross-core.parked");
  // A wake-up goes through the host's scheduler: microseconds, where a call between polling cores takes less than one.
  if (!isRefused(parked)) t.ok(parked.min > 2000, "the receiver really was halted");
});

t.test("an abort halts the machine under a guest that measures", async (t) => {
  const abort = new AbortController();
  const more = { names: ["yield"], seconds: 60, signal: abort.signal };
  const context = realContext(CORES, more, {
    guest: "bench-yield",
    use: () => abort.abort(new Error("enough")),
  });
  await t.rejects(runIpc(context), /enough/);
});
