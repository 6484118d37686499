import { readFileSync } from "node:fs";
import { addRatios, isRefused, SCHEMA } from "@capos/bench";
import { Ajv2020 } from "ajv/dist/2020.js";
import t from "tap";
import { fixture, row, rowOfTrials } from "./support/document.js";

/** Medians have four digits, so ratios have. */
function rounded(ratios: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(ratios).map(([name, ratio]) => [name, Number(ratio.toFixed(2))]));
}

const schema = JSON.parse(readFileSync(new URL("../../../bench/schema.json", import.meta.url), "utf8"));
const validate = new Ajv2020({ allErrors: true }).compile(schema);

t.test("the document is what schema.json says, also after a trip through JSON", async (t) => {
  const document = JSON.parse(JSON.stringify(fixture()));
  validate(document);
  t.strictSame(validate.errors, null);
  t.equal(document.schema, SCHEMA);
  t.ok(document.results.some(isRefused), "the fixture has a refused row");
});

t.test("schema.json refuses a document that lost a figure or has one too many", async (t) => {
  const lost = JSON.parse(JSON.stringify(fixture()));
  delete lost.results[0].p99;
  t.notOk(validate(lost));

  const refused = JSON.parse(JSON.stringify(fixture()));
  refused.results.find(isRefused).p50 = 12;
  t.notOk(validate(refused), "a refused row with a number");

  const older = { ...JSON.parse(JSON.stringify(fixture())), schema: "capos-bench/0" };
  t.notOk(validate(older));
});

t.test("a ratio is this row's median over the baseline's", async (t) => {
  const [call] = addRatios([row("ipc", "call.same-core", 80), row("baseline", "generator-switch", 20)]);
  t.strictSame(rounded(call.ratios), { "generator-switch": 4 });
});

t.test("a row measured per core count is compared with as many empty workers", async (t) => {
  const [boot] = addRatios([
    row("ipc", "boot.8", 300),
    row("baseline", "workers-empty.1", 20),
    row("baseline", "workers-empty.8", 100),
  ]);
  t.strictSame(rounded(boot.ratios), { "workers-empty.8": 3 });
});

t.test("no row is compared with itself", async (t) => {
  const [one, two] = addRatios([row("ipc", "call.pairs.1", 80), row("ipc", "call.pairs.2", 40)]);
  t.strictSame(one.ratios, {});
  t.strictSame(rounded(two.ratios), { "call.pairs.1": 0.5 });
});

t.test("a ratio to what took turns with a row is that of the slices, not that of the medians", async (t) => {
  const call = rowOfTrials("ipc", "call.same-core", [80], { "generator-switch": [3] });
  const [row] = addRatios([call, rowOfTrials("baseline", "generator-switch", [10])]);
  t.strictSame(rounded(row.ratios), { "generator-switch": 3 });
  t.strictSame(addRatios([row])[0].ratios, row.ratios, "made anew from its own figure");
});

t.test("a row that was refused or not measured is nobody's baseline", async (t) => {
  const refused = {
    suite: "baseline",
    name: "sab-spin",
    unit: "ns/round trip",
    refused: "unstable",
    ratios: {},
  } as const;
  const [call] = addRatios([row("ipc", "call.cross-core", 300), refused]);
  t.strictSame(call.ratios, {});
});

t.test("ratios are made anew, and the rows given stay as they were", async (t) => {
  const results = [row("ipc", "call.same-core", 80), row("baseline", "comlink", 80_000)];
  const before = structuredClone(results);
  t.strictSame(addRatios(addRatios(results)), addRatios(results));
  t.strictSame(results, before);
});
