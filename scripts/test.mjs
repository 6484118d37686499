/**
 * `npm test [-- NAME ...]`: builds, runs tap over the compiled tests, and writes what came of it.
 *
 * A name is a part of a test file's path, as source or as output: `npm test -- kernel/guests/ipc`. If no path
 * has it, the names together are a part of the tests' own names: `npm test -- removes no sibling`; letters'
 * case does not matter. Arguments that begin with a dash go to tap. The summary's counts are of assertions, from the
 * TAP itself.
 */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { Extent, ensureReady, ROOT, walk } from "./setup.mjs";

const TEST = join(ROOT, "test");
/** `.ci/run` reads this. Absent if the tests could not be run at all. */
const SUMMARY = join(TEST, ".tap/summary.json");
/** The TAP of the last run, for a closer look. */
const OUTPUT = join(TEST, ".tap/output.tap");

rmSync(SUMMARY, { force: true });
await ensureReady(Extent.ALL);

const names = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const options = process.argv.slice(2).filter((argument) => argument.startsWith("-"));

// By what there is in the sources: output of a source that is gone may still lie there.
const sources = walk(join(TEST, "src"))
  .filter((path) => path.endsWith(".test.ts"))
  .sort();
const outputOf = (source) => relative(TEST, source).replace(/^src/, "dist").replace(/\.ts$/, ".js");

// Not at the top of this file: a clean clone has neither typescript nor tap-parser until ensureReady() has returned.
const { findTests, knownNames, likest } = await import("./test-names.mjs");
const { TapReport } = await import("./tap-report.mjs");

const selection = select();
const report = new TapReport((line) => process.stdout.write(`${line}\n`), selection.name !== null);

const code = await runTap();
const isNothing = code === 0 && report.tests === 0 && report.counts.failed === 0;
if (selection.name !== null && isNothing) refuse(selection.name);
const summary = { files: selection.files.length, ...report.counts };
// A run that died without a failed assertion (a bail-out, tap itself) still failed.
if (code !== 0 && summary.failed === 0) summary.failed = 1;
writeFileSync(SUMMARY, `${JSON.stringify(summary)}\n`);

const { passed, failed, skipped, todo } = summary;
if (selection.name !== null) {
  const matches = report.tests === 1 ? "test matches" : "tests match";
  process.stdout.write(`\n${report.tests} ${matches} "${selection.name}"\n`);
}
process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped, ${todo} to do\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** The sources to run; and if they were found by their tests' names, the part of a name, and patterns for them. */
function select() {
  if (sources.length === 0) fail("no tests in test/src");
  const byPath = names.map((name) => sources.filter((source) => hasPath(source, name)));
  const missing = names.filter((_, i) => byPath[i].length === 0);
  if (missing.length === 0) {
    const chosen = new Set(names.length === 0 ? sources : byPath.flat());
    return { name: null, files: sources.filter((source) => chosen.has(source)), patterns: [] };
  }
  // A word of a test's name may well be in a path.
  const name = names.join(" ");
  const found = findTests(sources, name);
  if (found.files.length === 0) refuse(name, missing[0]);
  return { name, ...found };
}

function hasPath(source, name) {
  return `test/${relative(TEST, source)}`.includes(name) || `test/${outputOf(source)}`.includes(name);
}

/** Ends with one line: no path has this, no test is called so, and what is called alike. */
function refuse(name, path = name) {
  const alike = likest(name, [
    ...sources.map((source) => relative(join(TEST, "src"), source)),
    ...knownNames(sources),
  ]);
  const hint = alike.length === 0 ? "" : `; alike: ${alike.map((it) => JSON.stringify(it)).join(", ")}`;
  fail(`no test file has "${path}" in its path, and no test "${name}" in its name${hint}`);
}

function fail(message) {
  process.stderr.write(`capos: ${message}\n`);
  process.exit(1);
}

function runTap() {
  const { resolve } = createRequire(join(TEST, "package.json"));
  const tap = join(dirname(resolve("tap/package.json")), "dist/esm/run.mjs");
  mkdirSync(dirname(OUTPUT), { recursive: true });
  return new Promise((done) => {
    const grep = selection.patterns.length === 0 ? [] : [`--grep=/${selection.patterns.join("|")}/i`];
    const child = spawn(
      process.execPath,
      [tap, "run", ...grep, ...options, ...selection.files.map(outputOf)],
      {
        cwd: TEST,
        // Who leaves out a test says so: the report counts it for nothing.
        env: { ...process.env, TAP_FILTER_QUIETLY: "0" },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    child.stdout.pipe(createWriteStream(OUTPUT));
    child.stdout.pipe(report);
    // Ctrl-C reaches tap by itself; staying alive lets it report before this process ends.
    process.on("SIGINT", () => {});
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("close", (status) => done(status ?? 1));
  });
}
