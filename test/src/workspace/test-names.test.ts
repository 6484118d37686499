/** `npm test -- NAME` finds tests by their names: which files it runs, and which of their tests. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import t from "tap";
import { ROOT } from "../support/cli-process.js";

interface TestNames {
  findTests(files: readonly string[], name: string): { files: string[]; patterns: string[] };
  likest(text: string, others: readonly string[]): string[];
}

const { findTests, likest } = (await import(
  pathToFileURL(join(ROOT, "scripts/test-names.mjs")).href
)) as TestNames;

t.test("a test is found by a part of its name, wherever that comes from", (t) => {
  const folder = t.testdir({
    "plain.test.ts": `t.test("a plain rule holds", (t) => {
      t.test("a rule within it holds", (t) => {});
    });`,
    "made.test.ts": `for (const n of [1, 2]) t.test(\`a rule holds on \${n} cores\`, (t) => {});`,
    "guest.test.ts": 'import { tests } from "./guest.js"; testGuest(t, tests);',
    "guest.ts": 'tests.add("a guest keeps its rule", function* (os) {});',
  });
  const sources = ["plain", "made", "guest"].map((name) => join(folder, `${name}.test.ts`));
  const found = (name: string) => {
    const { files, patterns } = findTests(sources, name);
    const runs = (test: string) => patterns.some((pattern) => new RegExp(pattern, "i").test(test));
    return { files: files.map((file) => file.slice(folder.length + 1)), runs };
  };
  t.same(found("A plain rule").files, ["plain.test.ts"]);
  t.ok(found("plain rule").runs("a plain rule holds"));
  t.ok(found("rule within it").runs("a plain rule holds"), "a test within another runs with it");
  t.notOk(found("plain rule").runs("another rule holds"));
  t.same(found("a rule holds on 2 cores").files, ["made.test.ts"]);
  t.notOk(found("a rule holds on 2 cores").runs("a rule holds on 1 cores"));
  t.same(found("a guest keeps its rule, on 3 cores").files, ["guest.test.ts"]);
  t.same(found("nobody says this").files, []);
  t.end();
});

t.test("what is called alike is told, best first", (t) => {
  t.same(likest("a plan rule", ["a plain rule", "something else", "a plain rule holds"]), [
    "a plain rule",
    "a plain rule holds",
  ]);
  t.end();
});
