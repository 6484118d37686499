/**
 * `npm test [-- filter ...]`: builds, runs tap over the compiled tests, and writes what came of it.
 *
 * A filter is a part of a test file's path, as source or as output: `npm test -- ipc/call`. Arguments
 * that begin with a dash go to tap. The summary's counts are of assertions, from the TAP itself.
 */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { ensureReady, ROOT, walk } from "./setup.mjs";

const TEST = join(ROOT, "test");
/** `.ci/run` reads this. Absent if the tests could not be run at all. */
const SUMMARY = join(TEST, ".tap/summary.json");
/** The TAP of the last run, for a closer look. */
const OUTPUT = join(TEST, ".tap/output.tap");

rmSync(SUMMARY, { force: true });
await ensureReady();

const filters = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const options = process.argv.slice(2).filter((argument) => argument.startsWith("-"));

const files = walk(join(TEST, "dist"))
  .map((path) => relative(TEST, path))
  .filter((path) => path.endsWith(".test.js") && matches(path))
  .sort();

if (files.length === 0) {
  const what = filters.length === 0 ? "no tests in test/src" : `no test matches ${filters.join(" ")}`;
  process.stderr.write(`capos: ${what}\n`);
  process.exit(1);
}

// Not at the top of this file: a clean clone has no tap-parser until ensureReady() has returned.
const { TapReport } = await import("./tap-report.mjs");
const report = new TapReport((line) => process.stdout.write(`${line}\n`));

const code = await runTap();
const summary = { files: files.length, ...report.counts };
// A run that died without a failed assertion (a bail-out, tap itself) still failed.
if (code !== 0 && summary.failed === 0) summary.failed = 1;
writeFileSync(SUMMARY, `${JSON.stringify(summary)}\n`);

const { passed, failed, skipped, todo } = summary;
process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped, ${todo} to do\n`);
process.exitCode = failed === 0 ? 0 : 1;

function matches(path) {
  const source = `test/${path.replace(/^dist/, "src").replace(/\.js$/, ".ts")}`;
  const output = `test/${path}`;
  return filters.length === 0 || filters.some((filter) => source.includes(filter) || output.includes(filter));
}

function runTap() {
  const { resolve } = createRequire(join(TEST, "package.json"));
  const tap = join(dirname(resolve("tap/package.json")), "dist/esm/run.mjs");
  mkdirSync(dirname(OUTPUT), { recursive: true });
  return new Promise((done) => {
    const child = spawn(process.execPath, [tap, "run", ...options, ...files], {
      cwd: TEST,
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.pipe(createWriteStream(OUTPUT));
    child.stdout.pipe(report);
    // Ctrl-C reaches tap by itself; staying alive lets it report before this process ends.
    process.on("SIGINT", () => {});
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("close", (status) => done(status ?? 1));
  });
}
