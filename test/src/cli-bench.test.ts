import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import t from "tap";
import { caposSmp, ROOT } from "./cli-process.js";

t.test("bench --list names the suites and their rows", async (t) => {
  const text = await caposSmp(["bench", "--list", "--cores", "4"]);
  t.match(text.stdout, /^ipc\n {2}call\.same-core\n/);
  t.match(text.stdout, /\ncapability\n {2}lookup\n/);
  t.match(text.stdout, /\nbaseline\n {2}generator-switch\n/);
  const json = await caposSmp(["bench", "--list", "--json", "--cores", "4"]);
  t.match(JSON.parse(json.stdout), {
    ipc: ["call.same-core"],
    capability: ["lookup"],
    baseline: ["generator-switch"],
  });
});

t.test("bench --json prints one document that fits its schema, with ratios", async (t) => {
  const run = await caposSmp(["bench", "--json", "--quiet", "--cores", "2", "--seconds", "0.02"]);
  t.equal(run.status, 0, run.stderr);
  const document = JSON.parse(run.stdout) as { results: { name: string; ratios: object }[] };
  const schema = JSON.parse(readFileSync(join(ROOT, "bench/schema.json"), "utf8")) as object;
  const validate = new Ajv2020().compile(schema);
  t.ok(validate(document), JSON.stringify(validate.errors));
  const names = document.results.map(({ name }) => name);
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
    t.ok(names.includes(name), name);
  }
});

t.test("the main job prints boot phases, the tables, and ends with status 0", async (t) => {
  const run = await caposSmp(["bench", "--cores", "2", "--seconds", "0.02"]);
  t.equal(run.status, 0, run.stderr);
  for (const phase of ["deaf and blind", "can see", "can remember", "can think", "alive"])
    t.match(run.stderr, phase);
  t.match(run.stdout, /call\.same-core/);
  t.match(run.stdout, /revoke\.under-load/);
  t.match(run.stdout, /generator-switch/);
});
