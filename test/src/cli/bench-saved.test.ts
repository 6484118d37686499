/** Saving, repeating and comparing runs, as a user does. The baselines are quick, and need no machine. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type compareDocuments, isRefused } from "@capos/bench";
import { UsageError } from "@capos/machine/errors";
import { Ajv2020 } from "ajv/dist/2020.js";
import { bench, readDocument } from "capos";
import t from "tap";
import { documentOf, rowOfTrials, trials } from "../bench/support/document.js";
import { caposSmp, ROOT } from "../support/cli-process.js";

const schema = JSON.parse(readFileSync(join(ROOT, "bench/comparison-schema.json"), "utf8")) as object;
const isComparison = new Ajv2020().compile(schema);

/** A run whose one row takes so many nanoseconds, and so many as a file. */
const runOf = (ns: number, turn: number) => documentOf([rowOfTrials("ipc", "yield", trials(ns, turn))]);

t.test("a run is saved with its repetitions, shown again, and measured again to be compared", async (t) => {
  const file = join(t.testdir(), "run.json");
  const options = ["bench", "baseline", "--quiet", "--cores", "1"];
  const saved = await caposSmp([...options, "--repeat", "4", "--seconds", "0.01", "--save", file]);
  t.equal(saved.status, 0, saved.stderr);
  t.match(saved.stdout, /4 repetitions\n/);
  const document = readDocument(file);
  t.match(document.run, { repetitions: 4, secondsPerRow: 0.01 });
  for (const row of document.results) if (!isRefused(row)) t.equal(row.series.length, row.trials.length);

  const usual = join(t.testdirName, "usual.json");
  const [shown, again, once] = await Promise.all([
    caposSmp(["bench", "--from", file]),
    caposSmp(["bench", "--quiet", "--compare", file, "--json"]),
    caposSmp([...options, "--repeat", "1", "--save", usual]),
  ]);
  t.equal(shown.stdout, saved.stdout);
  t.equal(once.status, 0, once.stderr);
  t.match(readDocument(usual).run, { repetitions: 1, secondsPerRow: 0.2 }, "what is not told is as usual");
  t.equal(again.status, 0, "a baseline is never a slowdown of capos");
  const comparison = JSON.parse(again.stdout) as ReturnType<typeof compareDocuments>;
  t.ok(isComparison(comparison), JSON.stringify(isComparison.errors));
  t.match(comparison.after.run, { repetitions: 4, secondsPerRow: 0.01 }, "as the saved one was measured");
  t.equal(comparison.after.machine.cores, 1);
  t.ok(
    comparison.rows.every(({ suite }) => suite === "baseline"),
    "and the same suites",
  );
});

t.test(
  "two saved runs are compared without measuring; a slowdown past the threshold is status 1",
  async (t) => {
    const at = t.testdir({
      "fast.json": JSON.stringify(runOf(50, 0)),
      "slow.json": JSON.stringify(runOf(56, 4)),
    });
    const [fast, slow] = [join(at, "fast.json"), join(at, "slow.json")];
    const compare = (from: string, to: string, ...more: string[]) =>
      caposSmp(["bench", "--from", from, "--compare", to, ...more]);
    const [worse, within, better, json] = await Promise.all([
      compare(slow, fast),
      compare(slow, fast, "--threshold", "15"),
      compare(fast, slow),
      compare(slow, fast, "--json"),
    ]);
    t.equal(worse.status, 1);
    t.match(worse.stdout, /^yield .*\+12\.\d % .* slower: past the threshold$/m);
    t.equal(worse.stderr, "");
    t.equal(within.status, 0);
    t.match(within.stdout, /^yield .* slower$/m);
    t.equal(better.status, 0);
    t.match(better.stdout, /^yield .* faster$/m);
    t.equal(json.status, 1);
    const comparison: unknown = JSON.parse(json.stdout);
    t.ok(isComparison(comparison), JSON.stringify(isComparison.errors));
  },
);

t.test("mistakes are told in one line before anything is measured, and nothing is lost", async (t) => {
  const at = t.testdir({
    "mine.txt": "mine",
    "few.json": JSON.stringify(documentOf([rowOfTrials("ipc", "yield", [50, 51])], 2)),
    "older.json": JSON.stringify({ schema: "capos-bench/1" }),
    "run.json": JSON.stringify(runOf(50, 0)),
  });
  const file = (name: string) => join(at, name);
  const mistakes: [string[], RegExp][] = [
    [["--save", file("mine.txt")], /mine\.txt exists: name another file, or overwrite it with --force/],
    [["--compare", file("older.json")], /is of an older version/],
    [["--compare", file("few.json")], /few\.json has 2 repetitions, .* at least 4: make it with --repeat 10/],
    [["--from", file("few.json"), "--compare", file("run.json")], /few\.json has 2 repetitions/],
    [["ipc", "--from", file("run.json")], /--from: the file says what was measured; name no suite/],
    [["--from", file("run.json"), "--seconds", "1"], /cannot be used with/],
    [["--threshold", "5"], /--threshold is for --compare FILE/],
    [["--force"], /--force is for --save FILE/],
    [
      ["baseline", "--compare", file("run.json")],
      /run\.json has no row that can be compared: measure the same/,
    ],
    [["--compare", file("run.json"), "--repeat", "3"], /--repeat: a comparison needs at least 4/],
    [["--repeat", "0"], /A whole number from 1 to/],
  ];
  const runs = mistakes.map(([args]) => caposSmp(["bench", ...args]));
  for (const [i, { status, stdout, stderr }] of (await Promise.all(runs)).entries()) {
    const [args, words] = mistakes[i];
    t.equal(status, 2, args.join(" "));
    t.equal(stdout, "");
    t.match(stderr, words);
    t.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  }
  t.equal(readFileSync(file("mine.txt"), "utf8"), "mine");
});

t.test("a run that is interrupted saves nothing, and leaves what was there", async (t) => {
  const at = t.testdir({ "run.json": "mine" });
  const args = [
    "bench",
    "ipc",
    "--repeat",
    "1000",
    "--save",
    join(at, "run.json"),
    "--force",
    "--cores",
    "2",
  ];
  let isTold = false;
  const run = await caposSmp(args, {
    onError(text, kill) {
      // A second one would end the process without a word.
      if (!isTold && text.includes("phase 5")) kill("SIGINT");
      isTold ||= text.includes("phase 5");
    },
  });
  t.equal(run.status, 130, run.stderr);
  t.equal(run.stdout, "");
  t.equal(readFileSync(join(at, "run.json"), "utf8"), "mine");
});

t.test("a run without end gives the repetitions that were completed when it is interrupted", async (t) => {
  const repeat = (last: number) => {
    const abort = new AbortController();
    return bench({
      names: ["baseline"],
      seconds: 0.005,
      repetitions: Number.POSITIVE_INFINITY,
      signal: abort.signal,
      onProgress: (_suite, row, _fraction, repetition) => {
        if (repetition === last && row === "await") abort.abort(new Error("enough"));
      },
    });
  };
  const document = await repeat(3);
  t.equal(document.run.repetitions, 2);
  t.ok(document.results.every((row) => isRefused(row) || row.trials.length <= 2));
  t.ok(Date.parse(document.run.started) <= Date.parse(document.run.finished));
  await t.rejects(repeat(1), /enough/, "with none completed there is nothing to give");
  await t.rejects(bench({ names: ["baseline"], repetitions: 1.5 }), UsageError);
});
