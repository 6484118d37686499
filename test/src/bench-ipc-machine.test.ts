/** The suite on a real machine, too short for its figures to mean much: that they are there, and plausible. */
import { type IpcContext, ipcNames, isRefused, type Result, runIpc } from "@capos/bench";
import { boot } from "capos";
import t from "tap";

const CORES = 2;

/** A context as the command line makes it. */
function real(more: Partial<IpcContext> = {}): IpcContext {
  return {
    cores: CORES,
    hardwareThreads: 2,
    seconds: 0.02,
    ...more,
    async withMachine(cores, use) {
      let lines: string[] = [];
      const machine = await boot({ cores, memoryMiB: 64, onConsole: (line) => lines.push(line) });
      try {
        const value = await use({
          cores,
          async runImage(image, options) {
            lines = [];
            const { status, state, fault } = await machine.runImage(image, options);
            if (state !== "exited") throw new Error(`${image.name}: ${fault}`);
            return { status, lines };
          },
        });
        const report = await machine.halt();
        const collections = report.cores.flatMap((one) =>
          one.collections.map((collection) => ({ core: one.core, ...collection })),
        );
        return { value, collections, powerToInitNs: machine.powerToInitNs };
      } finally {
        await machine.halt();
      }
    },
  };
}

t.test("every row is measured by real guests, or refused for its overhead", async (t) => {
  const results = await runIpc(real());
  t.strictSame(
    results.map(({ name }) => name),
    ipcNames(CORES),
  );
  for (const result of results) {
    if (isRefused(result)) t.match(result.refused, /unstable overhead/, result.name);
    else t.ok(result.n >= 1 && result.min > 0.5, `${result.name}: ${result.n} samples from ${result.min} ns`);
  }
  const rowOf = (name: string): Result => results.find((result) => result.name === name)!;
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
  t.ok(!isRefused(parked) && parked.min > 2000, "the receiver really was halted");
});

t.test("an abort halts the machine under a guest that measures", async (t) => {
  const abort = new AbortController();
  const context = real({ names: ["yield"], seconds: 60, signal: abort.signal });
  const onProgress = () => void setTimeout(() => abort.abort(new Error("enough")), 100);
  await t.rejects(runIpc({ ...context, onProgress }), /enough/);
});
