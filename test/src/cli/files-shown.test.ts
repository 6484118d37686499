/** What of a file's or a guest's own choosing stands in tables, pages and JSON: shown, and obeyed by nobody. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { visible } from "@capos/abi";
import { readDocument } from "capos";
import t, { type Test } from "tap";
import { run as facts, machine, rowOfTrials, trials } from "../bench/support/document.js";
import { caposSmp } from "../support/cli-process.js";

t.setTimeout(300_000);

/** Each steers a terminal, reorders or hides text in its own way. */
const NASTY = "\x1b]0;pwned\x07\x1b[31m\x9b2J\x7f\u202e\u2066\u200b\u{e0041}end";
/** Anything that `visible` would have spelled, but for line breaks and tabs. */
const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;

function noneHidden(t: Test, text: string, what: string): void {
  t.notMatch(text, HIDDEN, `${what}: ${visible(text.slice(0, 4000))}`);
  t.ok(text.includes("pwned"), `${what}: shows it`);
}

/** A saved run whose every text is nasty, its rows' names and what they are compared with among them. */
function nastyRun(turn: number) {
  const row = rowOfTrials(`suite ${NASTY}`, `row ${NASTY}`, trials(50, turn), {
    [`other ${NASTY}`]: [1, 1, 1, 1, 1, 1, 1, 1],
  });
  const texts = ["capos", "cpu", "platform", "arch", "release", "v8"].map((key) => [key, `${key} ${NASTY}`]);
  return {
    schema: "capos-bench/3",
    machine: { ...machine, node: `20 ${NASTY}` },
    run: { ...facts, repetitions: 10, ...Object.fromEntries(texts) },
    results: [
      { ...row, ratios: { [`other ${NASTY}`]: 1 }, notes: [`note ${NASTY}`] },
      { ...rowOfTrials("ipc", "yield", trials(50, turn)), ratios: {} },
      { suite: "ipc", name: `refused ${NASTY}`, unit: "ns/x", refused: `why ${NASTY}`, ratios: {} },
    ],
  };
}

t.test("no text of a saved run is obeyed by a terminal or a page, and JSON keeps them all", async (t) => {
  const folder = t.testdir({
    "before.json": JSON.stringify(nastyRun(0)),
    "run.json": JSON.stringify(nastyRun(1)),
  });
  const [before, saved, page] = ["before.json", "run.json", "page.html"].map((name) => join(folder, name));
  const document: unknown = JSON.parse(JSON.stringify(readDocument(saved!)));

  const table = await caposSmp(["bench", "--from", saved!]);
  t.equal(table.status, 0, table.stderr);
  noneHidden(t, table.stdout, "the table");
  const compared = await caposSmp(["bench", "--from", saved!, "--compare", before!]);
  t.equal(compared.status, 0, compared.stderr);
  noneHidden(t, compared.stdout, "the comparison");

  const json = await caposSmp(["bench", "--from", saved!, "--json"]);
  noneHidden(t, json.stdout, "--json");
  t.same(JSON.parse(json.stdout), document);

  const report = await caposSmp(["report", "--from", saved!, "--compare", before!, "--out", page!, "--json"]);
  t.equal(report.status, 0, report.stderr);
  noneHidden(t, report.stdout, "report --json");
  t.same(JSON.parse(report.stdout), document);
  // The page's own script has what it needs.
  noneHidden(t, readFileSync(page!, "utf8").replace(/<script>.*?<\/script>/s, ""), "the page");

  const unknown = await caposSmp(["report", "nosuch", "--from", saved!, "--out", page!]);
  t.equal(unknown.status, 2);
  noneHidden(t, unknown.stderr, "a mistake");
});

t.test("no text of a replay file is obeyed by a terminal", async (t) => {
  const file = join(t.testdir(), "replay.json");
  const made = await caposSmp(["check", "--mutant", "no-sleep-recheck", "--workers", "1", "--save", file]);
  t.equal(made.status, 1, made.stderr);
  const replay = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...replay, choices: "", finding: { kind: "leak", message: NASTY } }));
  const shown = await caposSmp(["check", "--replay", file]);
  noneHidden(t, shown.stdout, "the text");
  const json = await caposSmp(["check", "--replay", file, "--json"]);
  noneHidden(t, json.stdout, "--json");
  t.equal(JSON.parse(json.stdout).finding.message, NASTY);
  writeFileSync(file, JSON.stringify({ ...replay, scenario: NASTY }));
  const other = await caposSmp(["check", "--replay", file]);
  t.equal(other.status, 2);
  noneHidden(t, other.stderr, "a mistake");
});

t.test("what a guest prints and throws reads back from JSON that a terminal may show", async (t) => {
  const file = join(t.testdir(), "guest.ts");
  const spelled = JSON.stringify(NASTY).replace(
    /[^ -~]/g,
    (c) => `\\u${`000${c.charCodeAt(0).toString(16)}`.slice(-4)}`,
  );
  writeFileSync(
    file,
    `import { start, type Sys } from "@capos/libos";
     export default function* main(sys: Sys) { yield* start(sys).print(${spelled}); throw new Error(${spelled}) }`,
  );
  const run = await caposSmp(["run", "--cores", "2", "--quiet", "--json", file, `argument ${NASTY}`]);
  t.equal(run.status, 1, run.stderr);
  noneHidden(t, run.stdout, "run --json");
  t.same(JSON.parse(run.stdout).console, [NASTY]);
});
