/** The command line around the checker, with the kernel's own scenarios. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { KERNEL } from "@capos/model";
import t from "tap";
import { caposSmp } from "../support/cli-process.js";

/** A scenario that is explored to its end in a moment, one that is not, and a mutant that is found in a moment. */
const SMALL = "slot-publish";
const LARGE = "use-vs-revoke";
const MUTANT = "no-sleep-recheck";

t.test("check --list and --mutants name everything, with a sentence each", async (t) => {
  for (const [option, items] of [
    ["--list", KERNEL.scenarios],
    ["--mutants", KERNEL.mutants],
  ] as const) {
    const text = await caposSmp(["check", option]);
    t.equal(text.status, 0, text.stderr);
    const lines = text.stdout.trimEnd().split("\n");
    t.same(
      lines.map((line) => line.split(" ")[0]),
      items.map(({ name }) => name),
    );
    t.ok(
      lines.every((line) => /^[a-z0-9-]+ .* [A-Z].*\.$/.test(line)),
      "a sentence",
    );
    const json = await caposSmp(["check", option, "--json"]);
    t.equal(JSON.parse(json.stdout).length, items.length);
  }
});

t.test(
  "a scenario that holds is explored to exhaustion, with status 0 and nothing on standard error",
  async (t) => {
    const run = await caposSmp(["check", SMALL]);
    t.equal(run.status, 0, run.stderr);
    t.equal(run.stderr, "");
    t.match(run.stdout, /^scenario +explored +schedules +steps +steps\/s +s +result\n/);
    t.match(run.stdout, new RegExp(`\\n${SMALL} +exhaustive .* holds\\n`));
    t.match(run.stdout, /\n1 scenario, .*: none fails\n$/);
  },
);

t.test("a mutant is found, saved, and fails again when it is replayed", async (t) => {
  const file = `${t.testdir()}/failure.json`;
  const found = await caposSmp(["check", "--mutant", MUTANT, "--save", file]);
  t.equal(found.status, 1, found.stderr);
  t.match(found.stdout, new RegExp(`^mutant ${MUTANT}: .*\\.\n`));
  t.match(found.stdout, /FAILS: deadlock\n/);
  t.match(found.stdout, /\nstep +core 0 +core 1\n/);
  t.match(found.stdout, /~~ preempted ~~/);
  t.match(found.stdout, /ipc\/notification\.ts:\d+/);
  t.match(found.stdout, /\d+ steps, \d+ preemptions? \(with fewer it does not fail\)\n/);
  t.ok(found.stdout.endsWith(`saved in ${file}; see it again: capos-smp check --replay ${file}\n`));

  const again = await caposSmp(["check", "--replay", file]);
  t.equal(again.status, 1, again.stderr);
  const table = found.stdout.slice(found.stdout.indexOf("\nstep "), found.stdout.indexOf("\ndeadlock: "));
  t.ok(table.length > 500 && again.stdout.includes(table), "the same table");
  const verbose = await caposSmp(["check", "--replay", file, "--verbose"]);
  t.ok(verbose.stdout.split("\n").length > again.stdout.split("\n").length, "more accesses");
  const { counterExample } = JSON.parse((await caposSmp(["check", "--replay", file, "--json"])).stdout);
  t.equal(counterExample.finding.kind, "deadlock");

  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), choices: "" }));
  const harmless = await caposSmp(["check", "--replay", file]);
  t.equal(harmless.status, 0, harmless.stderr);
  t.match(harmless.stdout, /: does not fail any more \(it did: deadlock: .*\)\n$/);
});

t.test("a counter-example never takes the place of a file that is there", async (t) => {
  const cwd = t.testdir({ "mine.json": "mine" });
  const args = ["check", "--mutant", MUTANT, "--quiet"];
  const refused = await caposSmp([...args, "--save", "mine.json"], { cwd });
  t.match(refused, { status: 2, stdout: "", stderr: /^capos-smp: mine\.json exists: .* --force\n$/ });
  t.equal(readFileSync(`${cwd}/mine.json`, "utf8"), "mine");
  t.equal((await caposSmp([...args, "--save", "mine.json", "--force"], { cwd })).status, 1);
  t.not(readFileSync(`${cwd}/mine.json`, "utf8"), "mine");
  for (let i = 0; i < 2; i++) t.equal((await caposSmp(args, { cwd })).status, 1);
  const names = readdirSync(cwd).sort();
  t.match(names, [/^capos-check-.*-2\.json$/, /^capos-check-.*\.json$/, "mine.json"]);
});

t.test("--json prints one document", async (t) => {
  const run = await caposSmp(["check", SMALL, "--json", "--workers", "1"]);
  t.equal(run.status, 0, run.stderr);
  const { workers, results, total } = JSON.parse(run.stdout);
  t.equal(workers, 1);
  t.match(results, [{ scenario: SMALL, outcome: "complete", counterExample: null, saved: null }]);
  t.equal(total.schedules, results[0].counts.schedules);
  t.equal(total.failed, 0);
});

t.test("a limit ends a run with status 0, and the same command goes on", async (t) => {
  const file = `${t.testdir()}/resume.json`;
  const args = ["check", LARGE, "--strategy", "dpor", "--schedules", "5", "--resume", file, "--json"];
  for (const schedules of [5, 10]) {
    const run = await caposSmp(args);
    t.equal(run.status, 0, run.stderr);
    const [result] = JSON.parse(run.stdout).results;
    t.equal(result.outcome, "limit");
    t.equal(result.counts.schedules, schedules);
  }
  const text = await caposSmp(args.slice(0, -1));
  t.match(text.stdout, /the same command goes on \(what is left is in .*resume\.json\)\n$/);
  const without = await caposSmp(["check", LARGE, "--strategy", "dpor", "--schedules", "5"]);
  t.match(without.stdout, /with --resume FILE what is left is kept/);
});

t.test("Ctrl-C ends a run with status 130 and leaves what is left in the file", async (t) => {
  const file = `${t.testdir()}/resume.json`;
  let isSent = false;
  // The first scenario's line says that workers are there and the second one is on its way.
  const run = await caposSmp(["check", SMALL, LARGE, "--strategy", "dpor", "--resume", file], {
    onOutput: (text, kill) => {
      // Once: a second one ends the process at once.
      if (!isSent && text.includes(`${SMALL} `)) {
        isSent = true;
        kill("SIGINT");
      }
    },
  });
  t.equal(run.status, 130, run.stderr);
  t.equal(run.stderr, "capos-smp: interrupted\n");
  const { campaigns } = JSON.parse(readFileSync(file, "utf8"));
  t.equal(campaigns[0].scenario, SMALL);
  t.ok(campaigns[0].counts.schedules > 0);
});

t.test("what cannot be checked ends with one line that says why, and status 2", async (t) => {
  const folder = t.testdir({ damaged: "{", other: '{"format":"other","version":1}' });
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /which scenario\? A name that check --list shows, or all/],
    [["slot-publis"], /there is no slot-publis; did you mean slot-publish\?/],
    [["all", "weather-forecast-2"], /there is no weather-forecast-2; check --list names them/],
    [["--mutant", "skip-grace"], /there is no skip-grace; did you mean skip-grace-period\?/],
    [[SMALL, "--strategy", "luck"], /Allowed choices are dpor, dfs, bounded, pct, random/],
    [[SMALL, "--preemptions", "-1"], /from 0 to 1000/],
    [[SMALL, "--preemptions", "1", "--strategy", "pct"], /--preemptions is for --strategy bounded, not pct/],
    [[SMALL, "--depth", "0"], /from 1 to 1000/],
    [[SMALL, "--seed", "x"], /from 0 to/],
    [[SMALL, "--schedules", "0"], /from 1 to/],
    [[SMALL, "--seconds", "0"], /above 0/],
    [[SMALL, "--workers", "0"], /from 1 to 256/],
    [[SMALL, "--quick", "--strategy", "dfs"], /'--quick' cannot be used with option '--strategy/],
    [[SMALL, LARGE, "--save", `${folder}/x`], /--save: one file for 2 scenarios/],
    [[SMALL, "--inspect-brk"], /--inspect-brk is for --replay FILE/],
    [["--replay", "x", "--inspect-brk", "here:99999"], /a port, or host:port, is needed, not here:99999/],
    [[SMALL, "--replay", `${folder}/damaged`], /the file says which scenario; name none/],
    [["--replay", `${folder}/none`], /there is no such file/],
    [["--replay", `${folder}/damaged`], /is damaged \(no JSON\): run the check again to get a new one/],
    [["--replay", `${folder}/other`], /is no capos-check-replay file/],
    [["--replay", `${folder}/damaged`, "--seed", "1"], /cannot be used with option '--seed/],
    [[SMALL, "--resume", `${folder}/damaged`], /is damaged \(no JSON\): remove it to start anew/],
    [[SMALL, "--resume", `${folder}/other`], /is no capos-check-resume file/],
    [[SMALL, "--resume", `${folder}/none/file`], /cannot be written: there is no such folder/],
  ];
  const runs = await Promise.all(wrong.map(([args]) => caposSmp(["check", ...args])));
  wrong.forEach(([args, line], i) => {
    const run = runs[i];
    t.equal(run.status, 2, `${args.join(" ")}: ${run.stderr}`);
    t.match(run.stderr, line);
    t.equal(run.stderr.trimEnd().split("\n").length, 1, "one line");
  });
  t.notOk(existsSync(`${folder}/x`));
});
