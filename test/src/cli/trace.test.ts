/** `capos-smp trace`, and the traces that are written when something goes wrong. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { caposSmp, ROOT } from "../support/cli-process.js";
import { checkTrace } from "./support/trace-document.js";

const folder = t.testdir();
const guest = (name: string): string => join(ROOT, `test/fixtures/cli/${name}.ts`);
const at = (name: string): string => join(folder, name);

t.test(
  "a run is written as tracks, arrows and counters with names, and its messages are decoded",
  async (t) => {
    const out = at("run.json");
    const protocols = ["--protocols", join(ROOT, "test/src/kernel/guests/support/notes.ts")];
    const run = await caposSmp([
      ...["trace", "--out", out, ...protocols],
      ...["--", "run", "--cores", "2", guest("exchange")],
    ]);
    t.equal(run.status, 0, run.stderr);
    t.equal(run.stdout, "one\ntwo\nthree\n", "the guest's own output");
    t.match(
      run.stderr,
      /^trace: .*run\.json: [\d,]+ events, none lost; open it in https:\/\/ui\.perfetto\.dev/,
    );
    t.equal(run.stderr.trimEnd().split("\n").length, 1, "one line");
    const { traceEvents, otherData } = checkTrace(t, out);
    t.match(otherData, { machines: [{ cores: 2, lost: [0, 0], backwardArrows: 0 }] });

    const named = (kind: string) =>
      traceEvents.filter(({ name }) => name === kind).map(({ args }) => String(args!.name));
    for (const name of ["cores", "init", "console", "names", "exchange.ts"])
      t.ok(named("process_name").includes(name), `process ${name}`);
    for (const name of ["core 0", "core 1", "chipset"]) t.ok(named("thread_name").includes(name), name);
    t.ok(named("thread_name").some((name) => /^exchange\.ts \(thread \d+\)$/.test(name)));

    const names = new Set(traceEvents.map(({ name }) => name));
    for (const name of ["halted", "call", "core 0 run queue", "ring 1 → 0", "core 1 grace periods owed"])
      t.ok(names.has(name), name);
    t.ok(names.has("call console.write"), "arrows have the name of the method");
    const written = traceEvents.filter(
      ({ name, args }) =>
        name === "message.deliver" && (args?.message as { text?: string })?.text === "three",
    );
    t.match(written, [
      { args: { endpoint: /^console/, message: { protocol: "console", method: "write", more: false } } },
    ]);
    const blocked = traceEvents.filter(({ name }) => name === "blocked: call: console");
    t.ok(blocked.length > 0, "what a thread waits for is told");
  },
);

t.test(
  "only the events asked for are there, and what is no event is refused with the nearest there is",
  async (t) => {
    const out = at("some.json");
    const args = ["trace", "--out", out, "--last", "5", "--events", "trap,switch,halt,wake,grace,-grace.ask"];
    const run = await caposSmp([...args, "--", "run", "--cores", "2", guest("exchange")]);
    t.equal(run.status, 0, run.stderr);
    const { traceEvents } = checkTrace(t, out);
    const instants = new Set(traceEvents.filter(({ ph }) => ph === "i").map(({ name }) => name));
    for (const name of instants) t.match(name, /^(grace\.(take|pass|wait|over)|ready|wake)$/);
    t.notOk(
      traceEvents.some(({ ph }) => ph === "s"),
      "without messages there are no arrows",
    );
    const timed = traceEvents.filter(({ ph }) => ph !== "M");
    const first = Math.min(...timed.map(({ ts }) => ts));
    const last = Math.max(...timed.map(({ ts, dur }) => ts + (dur ?? 0)));
    t.ok(last - first <= 5000.01, `--last 5: ${last - first} µs`);

    const typo = await caposSmp(["trace", "--events", "mesage.send", "--", "run", guest("exchange")]);
    t.equal(typo.status, 2);
    t.match(typo.stderr, /there is no mesage\.send; did you mean message\.send\? trace --list names all/);
  },
);

t.test(
  "what cannot be written or does not fit together ends with one line, status 2, and nothing lost",
  async (t) => {
    const there = at("there.json");
    writeFileSync(there, "precious");
    const inner = ["--", "run", guest("exchange")];
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [["--out", there, ...inner], /there\.json exists: name another file, or overwrite it with --force\n$/],
      [["--out", there, "--force", "--", "run", "no-such.ts"], /no such file/],
      [["--out", at("none/x.json"), ...inner], /cannot be written: there is no such folder\n$/],
      [["--out", folder, "--force", ...inner], /is no ordinary file: name another one\n$/],
      [["--last", "5", "--when-full", "stop", ...inner], /the first moments, not the last/],
      [["--ring", "100", ...inner], /power of two/],
      [["--limit", "0", ...inner], /from 1 to/],
      [["--protocols", guest("exchange"), ...inner], /exports no protocol/],
      [["--protocols", "no-such.ts", ...inner], /no such file/],
      [[], /needs a command to run/],
      [["--", "inspect"], /inspect cannot be run/],
      [["--events", "-all", ...inner], /leaves no event/],
    ];
    const runs = await Promise.all(wrong.map(([args]) => caposSmp(["trace", ...args], { cwd: folder })));
    for (const [i, { status, stderr }] of runs.entries()) {
      t.equal(status, 2, wrong[i][0].join(" "));
      t.match(stderr, wrong[i][1]);
    }
    t.equal(readFileSync(there, "utf8"), "precious");
    t.notOk(readdirSync(folder).includes("capos-trace.json"), "nothing is left behind");
  },
);

t.test("a file stops growing at its limit, and Ctrl-C leaves a whole one", async (t) => {
  const out = at("looping.json");
  let seen = false;
  const run = await caposSmp(
    ["trace", "--out", out, "--limit", "1", "--", "run", "--cores", "2", guest("loops")],
    {
      onOutput: (_text, kill) => {
        if (seen) return;
        seen = true;
        const full = setInterval(() => {
          if (statSync(out).size < 700_000) return;
          clearInterval(full);
          kill("SIGINT");
        }, 5);
        t.teardown(() => clearInterval(full));
      },
    },
  );
  t.equal(run.status, 130, run.stderr);
  t.match(run.stderr, /interrupted/);
  t.match(run.stderr, /trace: .*looping\.json: /);
  const { otherData } = checkTrace(t, out);
  t.ok(statSync(out).size < 1.1 * 2 ** 20);
  t.ok(otherData.leftOut >= 0);
});

t.test("a second signal ends it as it stands, with a whole file and nothing beside it", async (t) => {
  const cwd = at("twice");
  mkdirSync(cwd);
  const out = join(cwd, "trace.json");
  writeFileSync(out, "old");
  let seen = false;
  const run = await caposSmp(
    ["trace", "--out", out, "--force", "--", "run", "--cores", "2", guest("loops")],
    {
      onOutput: (_text, kill) => {
        if (seen) return;
        seen = true;
        // Two of a kind may count as one.
        kill("SIGINT");
        kill("SIGTERM");
      },
    },
  );
  t.equal(run.status, 130, run.stderr);
  t.equal(run.signal, null);
  checkTrace(t, out);
  t.same(readdirSync(cwd), ["trace.json"]);
});

t.test(
  "after a panic the trace of the last moments is written by itself; a ring that was off is told",
  async (t) => {
    const cwd = at("panic");
    mkdirSync(cwd);
    const args = ["run", "--debug", "--cores", "2", guest("panics")];
    const run = await caposSmp(args, { cwd });
    t.equal(run.status, 70);
    const [, file] = /trace of the last moments: (capos-trace-[0-9a-f]{8}\.json)/.exec(run.stderr) ?? [];
    t.ok(file, run.stderr);
    const { traceEvents } = checkTrace(t, join(cwd, file!));
    t.ok(traceEvents.some(({ ph, name }) => ph === "M" && name === "thread_name"));
    t.ok(traceEvents.some(({ ph }) => ph === "X"));
    const told = await caposSmp(["run", "--trace-ring", "0", ...args.slice(1)], { cwd });
    t.equal(told.status, 70);
    t.match(told.stderr, /--trace-ring 256/);
    t.equal(readdirSync(cwd).length, 1);
  },
);

t.test("a violation under stress has the trace of its last moments", async (t) => {
  const cwd = at("stress");
  mkdirSync(cwd);
  // Its crews find no memory, which is no fault of the kernel, but the judge cannot know.
  const args = ["stress", "revoke-vs-retype", "--cores", "8", "--memory", "16", "--seconds", "0.1"];
  const run = await caposSmp(args, { cwd });
  t.equal(run.status, 1, run.stderr);
  const [, file] = /trace of the last moments: (capos-trace-[0-9a-f]{8}\.json)/.exec(run.stdout) ?? [];
  t.ok(file, run.stdout);
  checkTrace(t, join(cwd, file!));
});

t.test("the table in the documentation is the declarations'", async (t) => {
  const { stdout } = await caposSmp(["trace", "--list", "--markdown"]);
  const rowsOf = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => line.startsWith("| ") && !line.startsWith("| -"))
      .map((line) => line.replace(/ +/g, " "));
  const documented = readFileSync(join(ROOT, "docs/tracing.md"), "utf8").split("\n## Events\n")[1];
  t.same(rowsOf(documented), rowsOf(stdout));
  const { stdout: json } = await caposSmp(["trace", "--list", "--json"]);
  const list = JSON.parse(json) as { name: string; group: string; fields: object[] }[];
  t.match(
    list.find(({ name }) => name === "message.send"),
    { group: "message", fields: [{ name: "id", kind: "id" }, { name: "thread" }] },
  );
});
