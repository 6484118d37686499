/** The command line around the stress suite. */
import { stress } from "capos";
import t from "tap";
import { caposSmp } from "../support/cli-process.js";

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
  "queue-order",
  "core-storm",
];

t.test("stress --list names every scenario", async (t) => {
  const text = await caposSmp(["stress", "--list"]);
  t.equal(text.status, 0, text.stderr);
  t.same(text.stdout.trimEnd().split("\n"), [...NAMES, "all"]);
  const json = await caposSmp(["stress", "--list", "--json"]);
  t.same(JSON.parse(json.stdout), [...NAMES, "all"]);
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
