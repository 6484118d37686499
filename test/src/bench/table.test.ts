import { stripVTControlCharacters } from "node:util";
import { type Result, renderDocument, rowsShortOfCpus, TABLE_WIDTH } from "@capos/bench";
import { formatCount, formatDuration, formatInterval, formatRatio } from "@capos/bench/quantity";
import fc from "fast-check";
import t from "tap";
import { fixture, machine, row } from "./support/document.js";

t.test("no line is wider than a terminal of 120 columns", async (t) => {
  for (const line of renderDocument(fixture()).split("\n")) t.ok(line.length <= TABLE_WIDTH, line);
});

t.test("each row is there with its figures, under its suite", async (t) => {
  const lines = renderDocument(fixture()).split("\n");
  const heading = lines.findIndex((line) =>
    /^baseline +per +n +min +p50 +p90 +p99 +max +mean +ops\/s$/.test(line),
  );
  t.ok(heading > 0);
  t.match(lines.slice(heading).join("\n"), /^sab-spin +round trip +5 +91\.2 ns +114 ns /m);
  t.match(lines.slice(0, heading).join("\n"), /^call\.same-core +round trip +3 +80\.0 ns +81\.0 ns /m);
});

t.test("the tables of all suites stand in the same columns", async (t) => {
  const heads = renderDocument(fixture())
    .split("\n")
    .filter((line) => line.endsWith("ops/s"));
  t.equal(heads.length, 3);
  t.equal(new Set(heads.map((head) => head.indexOf("p50"))).size, 1);
});

t.test("ratios are words: times as long, or times faster", async (t) => {
  const text = renderDocument(fixture());
  t.match(text, "4.0x generator-switch (3.90 to 4.10) · ~1,000x faster than comlink");
  t.match(text, "~1.9x faster than call.pairs.1");
  t.equal(formatRatio(3.9, "sab-spin"), "3.9x sab-spin");
  t.equal(formatRatio(1 / 812, "comlink"), "812x faster than comlink");
  t.equal(formatRatio(0.98, "await"), "1.0x await", "never 1.0x faster");
  t.equal(formatInterval({ ratio: 3.9, low: 3.812, high: 12.34 }), "3.81 to 12.3");
  t.equal(formatInterval({ ratio: 0.25, low: 0.2, high: 0.5 }), "2.00 to 5.00", "of how much faster");
});

t.test("what was measured beside a row, and what a revoke costs whom, stand under it", async (t) => {
  const text = renderDocument(fixture());
  t.match(text, "2.0x plain call (1.00 to 3.00, slices disagree) · plain call 85.0 ns");
  t.match(text, "400 ns a descendant · the others keep 93.1 % of their throughput");
});

t.test("a refused row says why and shows no number", async (t) => {
  const lines = renderDocument(fixture()).split("\n");
  const index = lines.findIndex((line) => line.startsWith("null-trap"));
  t.match(lines[index], /^null-trap +trap +refused$/);
  t.match(lines[index + 1], /unstable overhead/);
});

t.test("allocation, the longest collection and notes stand under their row", async (t) => {
  const text = renderDocument(fixture());
  t.match(text, "80 B allocated per round trip · longest collection 1.10 ms");
  t.match(text, "guests are hardened");
});

t.test("color adds escapes and nothing else", async (t) => {
  const colored = renderDocument(fixture(), { color: true });
  t.not(colored, renderDocument(fixture()));
  t.equal(stripVTControlCharacters(colored), renderDocument(fixture()));
});

t.test(
  "the header names Node, hardware threads and cores, and the rows that lack hardware threads",
  async (t) => {
    const [first, ...rest] = renderDocument(fixture()).split("\n");
    t.match(first, /Node 20\.20\.2 · 2 hardware threads · 8 cores · 256 MiB$/);
    t.match(rest.join(" "), /^8 cores share 2 hardware threads, .*call\.cross-core, .*call\.pairs\.8/);
  },
);

t.test("the header says how often a run was repeated, if it was", async (t) => {
  const { run } = fixture();
  t.match(renderDocument({ ...fixture(), run: { ...run, repetitions: 10 } }), /256 MiB · 10 repetitions\n/);
  t.notMatch(renderDocument(fixture()), "repetition");
});

t.test("with as many hardware threads as cores no row is named", async (t) => {
  const { results } = fixture();
  t.strictSame(rowsShortOfCpus({ ...machine, hostCpus: 8 }, results), []);
  t.notMatch(renderDocument({ ...fixture(), machine: { ...machine, hostCpus: 8 } }), "share");
});

t.test("rows of more cores than there are hardware threads are named, smaller ones are not", async (t) => {
  const rows = [1, 2, 4].map((size) => row("ipc", `call.pairs.${size}`, 100));
  t.strictSame(rowsShortOfCpus({ ...machine, cores: 4 }, rows), ["call.pairs.4"]);
  const spread = [2, 4].map((size) => row("capability", `revoke.by-holders.${size}`, 100));
  t.strictSame(rowsShortOfCpus({ ...machine, cores: 4 }, spread), ["revoke.by-holders.4"]);
  const refused = {
    suite: "capability",
    name: "revoke.by-holders.8",
    unit: "ns/revoke",
    refused: "no",
    ratios: {},
  };
  t.strictSame(rowsShortOfCpus({ ...machine, cores: 4 }, [refused as Result]), []);
  const periods = ["idle", "traps"].map((name) => row("capability", `grace-period.${name}`, 100));
  t.strictSame(rowsShortOfCpus({ ...machine, cores: 4 }, periods), ["grace-period.traps"]);
});

t.test("a quantity has three digits and fits its column", async (t) => {
  t.equal(formatDuration(0.512), "0.51 ns");
  t.equal(formatDuration(30.24), "30.2 ns");
  t.equal(formatDuration(999.6), "1.00 µs");
  t.equal(formatDuration(37_040), "37.0 µs");
  t.equal(formatDuration(5.1e9), "5.10 s");
  t.equal(formatCount(33_120_000), "33.1 M");
  t.equal(formatCount(812), "812");
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 9e11, noNaN: true }), (value) => {
      return formatDuration(value).length <= 7 && formatCount(value).length <= 7;
    }),
  );
});

t.test("a quantity read back is the quantity, to its digits", async (t) => {
  const units: Record<string, number> = { ns: 1, µs: 1e3, ms: 1e6, s: 1e9 };
  fc.assert(
    fc.property(fc.double({ min: 1, max: 9e11, noNaN: true }), (ns) => {
      const [digits, unit] = formatDuration(ns).split(" ");
      return Math.abs(Number(digits) * units[unit] - ns) <= ns * 0.0051;
    }),
  );
  t.pass();
});
