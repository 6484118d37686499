/** Saved runs: what is read back, and what is refused with which words. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchmarkDocument, isRefused, SCHEMA } from "@capos/bench";
import { UsageError } from "@capos/machine/errors";
import { readDocument, writeDocument } from "capos";
import t, { type Test } from "tap";
import { fixture } from "./support/document.js";

/** The next version, which this one cannot read. */
const NEWER = SCHEMA.replace(/\d+$/, (version) => String(Number(version) + 1));

type Plain = Record<string, unknown> & { results: Record<string, unknown>[] };

/** A document as JSON has it, to be changed. */
function plain(): Plain {
  return JSON.parse(JSON.stringify(fixture()));
}

function folder(t: Test, files: Record<string, string> = {}): (name: string) => string {
  const path = t.testdir(files);
  return (name) => join(path, name);
}

t.test("a saved run is read back as it was", async (t) => {
  const at = folder(t);
  writeDocument(at("run.json"), fixture(), { force: false });
  t.strictSame(readDocument(at("run.json")), plain());
  t.strictSame(readdirSync(at(".")), ["run.json"], "nothing else is left");
});

t.test("a run is saved over another file only by force", async (t) => {
  const at = folder(t, { "run.json": "mine" });
  t.throws(() => writeDocument(at("run.json"), fixture(), { force: false }), /run\.json exists: .* --force$/);
  t.equal(readFileSync(at("run.json"), "utf8"), "mine");
  writeDocument(at("run.json"), fixture(), { force: true });
  t.strictSame(readDocument(at("run.json")), plain());
});

t.test("no file takes the place of a folder or a device, not even by force", async (t) => {
  const at = folder(t);
  for (const place of [at("."), "/dev/null"]) {
    t.throws(
      () => writeDocument(place, fixture(), { force: true }),
      /is no ordinary file: name another one$/,
    );
  }
});

t.test("a folder that is not there is told, and nothing is left", async (t) => {
  const at = folder(t);
  t.throws(
    () => writeDocument(at("no/run.json"), fixture(), { force: false }),
    new UsageError(`${at("no/run.json")} cannot be written: there is no such folder`),
  );
  t.strictSame(readdirSync(at(".")), []);
});

t.test("what is no saved run is refused in one line that says what to do", async (t) => {
  const text = JSON.stringify(plain());
  const at = folder(t, {
    "cut.json": text.slice(0, -20),
    "list.json": "[]",
    "other.json": JSON.stringify({ schema: "capos-comparison/1" }),
    "older.json": JSON.stringify({ schema: "capos-bench/1", machine: {}, results: [] }),
    "newer.json": JSON.stringify({ ...plain(), schema: NEWER }),
  });
  const refused: [string, RegExp][] = [
    ["missing.json", /cannot be read: there is no such file$/],
    [".", /cannot be read: it is a folder$/],
    ["cut.json", /is damaged \(no JSON\): make one with capos-smp bench --save FILE$/],
    ["list.json", /is no benchmark document: make one with/],
    ["other.json", /is no benchmark document/],
    [
      "older.json",
      new RegExp(`is of an older version \\(capos-bench/1, this reads ${SCHEMA}\\): save the run anew$`),
    ],
    [
      "newer.json",
      new RegExp(`is of another version \\(${NEWER}, .*: read it with the capos-smp that wrote it$`),
    ],
  ];
  for (const [name, words] of refused) {
    t.throws(() => readDocument(at(name)), words, name);
    t.throws(() => readDocument(at(name)), UsageError, name);
  }
});

t.test("a saved run with a figure changed is damaged, and the line says which", async (t) => {
  const at = folder(t);
  const changed = (change: (document: Plain) => void): string => {
    const document = plain();
    change(document);
    writeFileSync(at("run.json"), JSON.stringify(document));
    return at("run.json");
  };
  const inRow = (row: number, figures: object) => (document: Plain) =>
    void Object.assign(document.results[row], figures);
  const refused = plain().results.findIndex((row) => "refused" in row);
  const damages: [(document: Plain) => void, RegExp][] = [
    [inRow(0, { p50: -1 }), /damaged \(\/results\/0\/p50 must be > 0\)/],
    [inRow(1, { trials: undefined }), /\/results\/1 must have required property 'trials'/],
    [inRow(refused, { p50: 3 }), /must NOT have additional/],
    [inRow(0, { trials: [1, 2] }), /has 2 trials and 1 series/],
    [({ results }) => void results.push(results[0]), /ipc call\.same-core is there twice/],
    [(document) => void Object.assign(document, { run: undefined }), /must have required property 'run'/],
  ];
  for (const [change, words] of damages) t.throws(() => readDocument(changed(change)), words);
});

t.test("a refused row is read back as refused", async (t) => {
  const at = folder(t);
  writeDocument(at("run.json"), fixture(), { force: false });
  const document: BenchmarkDocument = readDocument(at("run.json"));
  t.strictSame(
    document.results.filter((row) => isRefused(row)).map(({ name }) => name),
    ["null-trap"],
  );
});
