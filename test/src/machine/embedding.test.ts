/** The examples of docs/embedding.md do what it says. */
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { node, ROOT } from "../support/cli-process.js";

t.setTimeout(600_000);

const EXAMPLES = join(ROOT, "docs/examples/embedding");
/** Where `capos` is found, as it is in an application's own folder. */
const COPY = fileURLToPath(new URL("../embedding-examples", import.meta.url));

t.before(() => cpSync(EXAMPLES, COPY, { recursive: true }));

t.test("the document shows the examples as they are", async (t) => {
  const document = readFileSync(join(ROOT, "docs/embedding.md"), "utf8");
  for (const name of ["store-protocol.mjs", "store.mjs", "calls.mjs", "runs.mjs", "console.mjs"])
    t.ok(document.includes(readFileSync(join(EXAMPLES, name), "utf8")), name);
});

t.test("an application and a guest call each other", async (t) => {
  const run = await node([join(COPY, "calls.mjs")]);
  t.equal(run.status, 0, run.stderr);
  t.same(run.stdout.trimEnd().split("\n"), [
    "{ value: 'red' }",
    "store.get: ERR_NOT_FOUND",
    "1400 bytes came back",
    "apple costs 5 coins",
    "IpcError: names.lookup: ERR_NOT_FOUND",
  ]);
});

t.test("an application starts programs and ends them", async (t) => {
  const run = await node([join(COPY, "runs.mjs")]);
  t.equal(run.status, 0, run.stderr);
  t.same(run.stdout.trimEnd().split("\n"), [
    "124 waits.mjs: ran longer than 100 ms",
    "killed",
    "enough",
    "true the machine was halted",
  ]);
});

t.test("an application is both ends of a program's console", async (t) => {
  const run = await node([join(COPY, "console.mjs")]);
  t.equal(run.status, 0, run.stderr);
  t.same(run.stdout, "apple\npear\n");
});
