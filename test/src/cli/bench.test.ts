import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import t, { type Test } from "tap";
import { caposSmp, ROOT } from "../support/cli-process.js";

t.test("bench --list names the suites and their rows", async (t) => {
  const text = await caposSmp(["bench", "--list", "--cores", "4"]);
  t.match(text.stdout, /^ipc\n {2}call\.same-core +call and reply/);
  t.match(text.stdout, /\ncapability\n {2}lookup +/);
  t.match(text.stdout, /\nbaseline\n {2}generator-switch +/);
  const json = await caposSmp(["bench", "--list", "--json", "--cores", "4"]);
  const suites = JSON.parse(json.stdout) as { suite: string; rows: { name: string; measures: string }[] }[];
  t.same(
    suites.map(({ suite }) => suite),
    ["ipc", "capability", "memory", "baseline", "top", "trace"],
  );
  for (const { rows } of suites)
    for (const { name, measures } of rows) t.not(measures, "", `${name} is described`);
});

t.test("bench measures the rows that are named, of whatever suite, and no others", async (t) => {
  const names = ["atomics-load", "null-trap", "call.words"];
  const run = await caposSmp(["bench", ...names, "--cores", "1", "--seconds", "0.02", "--json"]);
  t.equal(run.status, 0, run.stderr);
  const { results } = JSON.parse(run.stdout) as { results: { name: string }[] };
  t.same(
    results.map(({ name }) => name),
    ["atomics-load", ...[0, 4, 8, 16, 64].map((words) => `call.words.${words}`), "null-trap"],
  );
});

t.test("a run that is too short to be compared is called so before it is measured", async (t) => {
  const file = join(t.testdir(), "short.json");
  const options = ["--seconds", "0.02", "--repeat", "1", "--quiet", "--save", file];
  const run = await caposSmp(["bench", "atomics-load", ...options]);
  t.equal(run.status, 0, run.stderr);
  t.match(run.stderr, /^capos-smp: --save: a run of 1 repetition cannot be compared .* 4 or more\n$/);
});

t.test("the main job prints boot phases and the tables, and saves one document with all rows", async (t) => {
  const file = join(t.testdir(), "run.json");
  const options = ["--cores", "2", "--seconds", "0.02", "--repeat", "1", "--save", file];
  const run = await caposSmp(["bench", ...options]);
  t.equal(run.status, 0, run.stderr);
  for (const phase of ["deaf and blind", "can see", "can remember", "can think", "alive"])
    t.match(run.stderr, phase);
  t.match(run.stdout, /call\.same-core/);
  t.match(run.stdout, /revoke\.under-load/);
  t.match(run.stdout, /generator-switch/);

  const document = JSON.parse(readFileSync(file, "utf8")) as { results: { name: string; ratios: object }[] };
  checkSchema(t, document);
  const rows = new Map(document.results.map((row) => [row.name, row]));
  for (const name of [
    "call.same-core",
    "call.cross-core",
    "null-trap",
    "boot.2",
    "revoke.by-descendants.1000",
    "process.create-kill",
    "generator-switch",
    "comlink",
  ]) {
    t.ok(rows.has(name), name);
  }
  t.match(rows.get("boot.2")!.ratios, { "workers-empty.2": Number });
});

t.test("bench --json prints nothing but one document that fits its schema", async (t) => {
  const run = await caposSmp(["bench", "baseline", "--json", "--cores", "1", "--seconds", "0.01"]);
  t.equal(run.status, 0, run.stderr);
  checkSchema(t, JSON.parse(run.stdout));
});

function checkSchema(t: Test, document: unknown): void {
  const schema = JSON.parse(readFileSync(join(ROOT, "bench/schema.json"), "utf8")) as object;
  const validate = new Ajv2020().compile(schema);
  t.ok(validate(document), JSON.stringify(validate.errors));
}
