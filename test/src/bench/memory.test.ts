import { isRefused, memoryNames, runMemory } from "@capos/bench";
import t from "tap";
import { fakeContext, realContext, SAMPLES } from "./support/context.js";

t.test(
  "the suite has the same rows on every machine, and one that needs another core is refused",
  async (t) => {
    t.strictSame(memoryNames(2), memoryNames(64));
    const { context } = fakeContext({ cores: 1 }, () => ({
      status: 0,
      lines: [JSON.stringify({ ...SAMPLES, plainSamples: [46, 46, 46], plainOverhead: [1, 1, 1, 1, 1] })],
    }));
    const results = await runMemory(context);
    t.strictSame(
      results.filter(isRefused).map(({ name }) => name),
      [1, 16, 256, 512].map((pages) => `map.shared.${pages}`),
    );
  },
);

t.test("every row is measured by real guests, or refused for its overhead", async (t) => {
  const results = await runMemory(realContext(2));
  t.strictSame(
    results.map(({ name }) => name),
    memoryNames(2),
  );
  for (const result of results) {
    if (isRefused(result)) t.match(result.refused, /overhead|^no samples/, result.name);
    else t.ok(result.n >= 5, `${result.name}: ${result.n} samples from ${result.min} ns`);
  }
});
