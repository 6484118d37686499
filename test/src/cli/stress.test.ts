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
  "revoke-vs-map",
  "revoke-in-flight",
  "delete-last-two",
  "slot-reuse",
  "queue-cancel",
  "queue-order",
  "core-storm",
];

t.test("stress --list names every scenario, and what races in it", async (t) => {
  const text = await caposSmp(["stress", "--list"]);
  t.equal(text.status, 0, text.stderr);
  const lines = text.stdout.trimEnd().split("\n");
  t.same(
    lines.map((line) => line.split(" ")[0]),
    NAMES,
  );
  for (const line of lines) t.match(line, /^\S+ +\S+ .*\S$/);
  const json = await caposSmp(["stress", "--list", "--json"]);
  t.match(
    JSON.parse(json.stdout),
    NAMES.map((name) => ({ name, races: String })),
  );
});

t.test("several scenarios run one after the other, each once, in the order of the list", async (t) => {
  const names = ["slot-reuse", "revoke-vs-copy", "slot-reuse"];
  const run = await caposSmp(["stress", ...names, "--cores", "2", "--seconds", "0.05", "--json"]);
  t.equal(run.status, 0, run.stderr);
  const { results } = JSON.parse(run.stdout) as { results: { scenario: string }[] };
  t.same(
    results.map(({ scenario }) => scenario),
    ["revoke-vs-copy", "slot-reuse"],
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
    [["stress"], /which scenarios\? Names that stress --list shows, or all/],
    [["stress", "revoke-vs-kil"], /there is no revoke-vs-kil; did you mean revoke-vs-kill\?/],
    [["stress", "slot-reuse", "weather"], /there is no weather; stress --list names them/],
    [["stress", "core-storm", "--cores", "1"], /at least 2/],
    [["stress", "core-storm", "--cores", "65"], /from 1 to 64/],
    [["stress", "core-storm", "--seconds", "0"], /above 0/],
    [["stress", "core-storm", "--seed", "-1"], /from 0 to/],
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
    scenarios: ["revoke-vs-copy"],
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
