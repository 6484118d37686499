/**
 * The stress suite as its user runs it: each name for a short time with a fixed seed, and the command
 * line around it. That the judge would see a violation is what stress-judge and stress-invariants show.
 */
import { type StressDocument, stress } from "capos";
import t from "tap";
import { caposSmp } from "./cli-process.js";

const NAMES = [
  "revoke-vs-call",
  "revoke-vs-transfer",
  "revoke-vs-copy",
  "revoke-vs-retype",
  "revoke-vs-revoke",
  "revoke-vs-kill",
  "revoke-in-flight",
  "delete-last-two",
  "slot-reuse",
  "queue-cancel",
  "core-storm",
];

/** Scenarios in which nobody revokes. */
const WITHOUT_REVOKES = new Set(["delete-last-two"]);

t.test("stress --list names every scenario", async (t) => {
  const text = await caposSmp(["stress", "--list"]);
  t.equal(text.status, 0, text.stderr);
  t.same(text.stdout.trimEnd().split("\n"), [...NAMES, "all"]);
  const json = await caposSmp(["stress", "--list", "--json"]);
  t.same(JSON.parse(json.stdout), [...NAMES, "all"]);
});

for (const name of NAMES) {
  t.test(`${name} finds no violation`, async (t) => {
    const run = await caposSmp(["stress", name, "--cores", "4", "--seconds", "0.4", "--seed", "3", "--json"]);
    t.equal(run.status, 0, run.stderr + run.stdout.slice(0, 4000));
    const { cores, seed, results } = JSON.parse(run.stdout) as StressDocument;
    t.match({ cores, seed }, { cores: 4, seed: 3 });
    t.equal(results.length, 1);
    const result = results[0]!;
    t.equal(result.scenario, name);
    t.same(result.violations, []);
    t.ok(result.rounds > 0, `${result.rounds} rounds`);
    t.ok(result.operations > 50, `${result.operations} operations`);
    t.ok(result.inspections >= 2, "memory was gone through before and after the crews left");
    t.equal(result.revokes > 0, !WITHOUT_REVOKES.has(name), `${result.revokes} revokes`);
  });
}

t.test("all runs each of them and sums up", async (t) => {
  const run = await caposSmp(["stress", "all", "--cores", "2", "--seconds", "0.05", "--json"]);
  t.equal(run.status, 0, run.stderr + run.stdout.slice(0, 4000));
  const { results, total } = JSON.parse(run.stdout) as StressDocument & { total: { operations: number } };
  t.same(
    results.map(({ scenario }) => scenario),
    NAMES,
  );
  t.equal(
    total.operations,
    results.reduce((sum, { operations }) => sum + operations, 0),
  );
});

t.test("without --json a table is printed, and nothing on standard error", async (t) => {
  const run = await caposSmp([
    "stress",
    "revoke-vs-copy",
    "--cores",
    "2",
    "--seconds",
    "0.05",
    "--seed",
    "9",
  ]);
  t.equal(run.status, 0, run.stderr);
  t.equal(run.stderr, "");
  t.match(run.stdout, /^2 cores, seed 9\n/);
  t.match(run.stdout, /│ revoke-vs-copy +│/);
});

t.test("what cannot be run ends with one line that says why, and status 2", async (t) => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["stress"], /which scenario\? One of revoke-vs-call, .*, all/],
    [["stress", "revoke-vs-weather"], /there is no revoke-vs-weather, the scenarios are/],
    [["stress", "core-storm", "--cores", "1"], /at least 2/],
    [["stress", "core-storm", "--cores", "65"], /from 1 to 64/],
    [["stress", "core-storm", "--seconds", "0"], /above 0/],
    [["stress", "core-storm", "--seed", "-1"], /from 0 to/],
    [["stress", "core-storm", "slot-reuse"], /too many arguments/],
  ];
  for (const [args, line] of wrong) {
    const run = await caposSmp(args);
    t.equal(run.status, 2, args.join(" "));
    t.match(run.stderr, line);
    t.equal(run.stderr.trimEnd().split("\n").length, 1, "one line");
    t.equal(run.stdout, "");
  }
});

t.test("an abort ends a run in the middle, machine and all", async (t) => {
  const abort = new AbortController();
  const reason = new Error("enough");
  const run = stress({
    scenario: "revoke-vs-copy",
    cores: 2,
    seconds: 600,
    logLevel: "error",
    signal: abort.signal,
    onProgress: (_scenario, _fraction, { operations }) => {
      if (operations > 0) abort.abort(reason);
    },
  });
  await t.rejects(run, reason);
});
