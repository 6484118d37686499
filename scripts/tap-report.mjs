/**
 * Reads TAP, prints a line for each test file and the whole of each failure, and counts leaves.
 *
 * tap's own reporters draw with a terminal in mind: in a log they repeat their counters, or lose their
 * last page, where the failures are.
 */
import { inspect } from "node:util";
import { Parser } from "tap-parser";

/** A stream to write TAP to. Counts are of assertions that hold no others, in `counts`. */
export class TapReport extends Parser {
  counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  /** Outermost tests that were run. */
  tests = 0;
  #testsBefore = 0;
  #print;
  #isSelection;

  /**
   * @param print called with each line of the report
   * @param isSelection tests were left out by name: they count for nothing, nor does a file in which none was left
   */
  constructor(print, isSelection = false) {
    super();
    this.#print = print;
    this.#isSelection = isSelection;
    this.#follow(this, []);
  }

  #follow(parser, path) {
    let subtest;
    parser.on("child", (child) => {
      if (path.length === 1) this.tests += 1;
      subtest = child;
      this.#follow(child, [...path, child.name]);
    });
    parser.on("assert", (result) => {
      // The line that closes a subtest repeats what its leaves said, unless it is the one that failed.
      const repeats = subtest !== undefined && subtest.count > 0 && (result.ok || subtest.fail > 0);
      subtest = undefined;
      if (this.#isSelection && this.#isLeftOut(result, path)) return;
      if (!repeats) this.#leaf(result, [...path, result.name]);
      if (path.length === 0) this.#file(result);
    });
    parser.on("bailout", (reason) => {
      if (path.length === 0) this.#print(`BAIL OUT ${reason}`);
    });
  }

  #isLeftOut(result, path) {
    if (path.length > 0) return String(result.skip).startsWith("filter: ");
    const isEmpty = this.tests === this.#testsBefore;
    this.#testsBefore = this.tests;
    return isEmpty && result.ok;
  }

  #leaf(result, path) {
    if (result.skip) this.counts.skipped += 1;
    else if (result.todo) this.counts.todo += 1;
    else if (result.ok) this.counts.passed += 1;
    else {
      this.counts.failed += 1;
      this.#print(`\nFAILED ${path.join(" > ")}`);
      for (const line of describe(result.diag)) this.#print(`    ${line}`);
    }
  }

  #file(result) {
    const word = result.ok ? (result.skip ? "skip" : "ok  ") : "FAIL";
    const time = result.time === null ? "" : ` (${Math.round(result.time)} ms)`;
    this.#print(`${word} ${result.name}${time}`);
  }
}

/** What tap says of every failure, or of how it started a file. */
const NOISE = new Set(["test", "compare", "command", "args", "cwd", "stdio", "externalID"]);

/** The parts of a failure's diagnostics that a reader needs, most telling first. */
function describe(diagnostics) {
  if (diagnostics === null || typeof diagnostics !== "object") return [];
  const { at, source, stack, diff, ...others } = diagnostics;
  const lines = [];
  if (at?.fileName) lines.push(`at ${at.fileName}:${at.lineNumber}:${at.columnNumber}`);
  if (diff) lines.push(...diff.trimEnd().split("\n"));
  for (const [name, value] of Object.entries(others)) {
    if (NOISE.has(name)) continue;
    lines.push(...`${name}: ${typeof value === "string" ? value : inspect(value)}`.trimEnd().split("\n"));
  }
  if (source) lines.push(...source.trimEnd().split("\n"));
  if (stack) lines.push(...stack.trimEnd().split("\n"));
  return lines;
}
