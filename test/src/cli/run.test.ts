import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Echo } from "@capos/libos";
import { boot } from "@capos/machine";
import t from "tap";
import { caposSmp, node, ROOT } from "../support/cli-process.js";

const fixture = (name: string): string => join("test/fixtures/cli", name);

t.test("a guest's output, input, log and exit status are those of the command", async (t) => {
  const run = await caposSmp(["run", "--cores", "2", fixture("greet.ts"), "you", "me"], {
    input: "one\ntwo\n",
  });
  t.equal(run.stdout, "hello you and me\nread one\nread two\n");
  t.equal(run.status, 7);
  const record = JSON.parse(run.stderr.trim().split("\n").at(-1)!) as Record<string, unknown>;
  t.match(record, { level: 40, msg: "greeting is over", process: "greet.ts" });
});

t.test("with --json a run prints one document", async (t) => {
  const run = await caposSmp(["run", "--json", "--cores", "2", "--log-level", "silent", fixture("greet.ts")]);
  t.match(JSON.parse(run.stdout), { status: 7, state: "exited", fault: "", console: ["hello "] });
});

t.test("a guest that throws is one line with its own file and line, and status 1", async (t) => {
  const run = await caposSmp(["run", "--cores", "2", "--quiet", fixture("throws.ts")]);
  t.equal(run.status, 1);
  t.match(run.stderr, /^capos-smp: test\/fixtures\/cli\/throws\.ts:4:\d+: TypeError: no luck\n$/);
  t.equal(run.stdout, "");
});

t.test(
  "a file that is no guest is refused with one line and status 2, before a machine is built",
  async (t) => {
    const folder = t.testdir({
      "syntax.ts": "export default function* main( {",
      "imports.ts":
        'import { readFileSync } from "node:fs";\nexport default function* main() { readFileSync("/"); }',
      "async.ts": "export default async function main() {}",
      "no-default.ts": "export const a = 1;",
    });
    const cases: [string, RegExp][] = [
      [join(folder, "missing.ts"), /missing\.ts/],
      [folder, /./],
      [join(folder, "syntax.ts"), /syntax\.ts:1:\d+/],
      [join(folder, "imports.ts"), /imports\.ts:1:\d+.*node:fs.*capos\/guest/],
      [join(folder, "async.ts"), /async\.ts:1:\d+/],
      [join(folder, "no-default.ts"), /no default export/],
    ];
    for (const [file, expected] of cases) {
      const run = await caposSmp(["run", file]);
      t.equal(run.status, 2, file);
      t.match(run.stderr, expected);
      t.equal(run.stderr.trim().split("\n").length, 1, `one line: ${run.stderr}`);
      t.notMatch(run.stderr, / at .*:\d+:\d+\)?$/m, "no stack trace");
    }
  },
);

t.test("wrong options are one line that says what is possible, and status 2", async (t) => {
  const cases: [string[], RegExp][] = [
    [["--cores", "65"], /1 to 64/],
    [["--cores", "0"], /1 to 64/],
    [["--cores", "two"], /1 to 64/],
    [["--memory", "8"], /16 to 4096/],
    [["--memory", "5000"], /16 to 4096/],
    [["--log-level", "loud"], /trace, debug, info/],
    [["--no-such-flag"], /--no-such-flag/],
    [["bench", "no-such-suite"], /there is no no-such-suite; bench --list names them/],
    [["bench", "--seconds", "0"], /above 0/],
    [["run"], /file/],
    [["no-such-command"], /there is no no-such-command/],
    [["run", "--core", "9", "--cores", "2", fixture("greet.ts")], /0 to 1/],
  ];
  for (const [args, expected] of cases) {
    const run = await caposSmp([...args]);
    t.equal(run.status, 2, args.join(" "));
    t.match(run.stderr, expected, args.join(" "));
    t.equal(
      run.stderr
        .trim()
        .split("\n")
        .filter((line) => !line.startsWith("[")).length,
      1,
      run.stderr,
    );
  }
});

t.test("every command explains itself", async (t) => {
  for (const args of [["--help"], ["bench", "--help"], ["run", "--help"]]) {
    const run = await caposSmp(args);
    t.equal(run.status, 0);
    t.match(run.stdout, /--cores <n>/);
  }
});

t.test("a signal ends a machine whose guest never ends, with a status and a line of its own", async (t) => {
  const signals = [
    ["SIGINT", 130, /capos-smp: interrupted\n$/],
    ["SIGTERM", 143, /capos-smp: terminated\n$/],
    ["SIGHUP", 129, /capos-smp: the terminal is gone\n$/],
  ] as const;
  for (const [signal, status, line] of signals) {
    let sent = false;
    const run = await caposSmp(["run", "--cores", "2", fixture("loops.ts")], {
      onOutput(text, kill) {
        if (sent || !text.includes("looping")) return;
        sent = true;
        kill(signal);
      },
    });
    t.equal(run.status, status, signal);
    t.match(run.stderr, line);
  }
});

t.test("a panic prints a readable dump and ends with status 70", async (t) => {
  // A trace of the last moments is left there.
  const cwd = t.testdir();
  const run = await caposSmp(["run", "--cores", "2", "--debug", join(ROOT, fixture("panics.ts"))], { cwd });
  t.equal(run.status, 70);
  t.match(run.stderr, /^PANIC on core 1: KernelPanic: asked for by a test$/m);
  t.match(run.stderr, /^ {2}core 1: state online, .*thread \d+, .*last trap call/m);
  t.match(run.stderr, /^ {2}thread 1: of 1 init, core 0, priority 200, life running, /m);
  t.match(run.stderr, /^ {2}thread \d+: of \d+ panics\.ts, core 1, .*state running/m);
  t.match(run.stderr, /^ {2}root: all that the kernel gave away$/m);
  t.match(run.stderr, /^ {2}memory 0x0: size 4 KiB, for frame 0: boot information$/m);
  t.match(run.stderr, /^ {2}memory 0x[0-9a-f]+: size .*, for free$/m, "to its last line");
  t.match(run.stderr, /capos-smp: the kernel panicked\n$/);
});

t.test("a guest that may halt the machine chooses its exit status", async (t) => {
  const run = await caposSmp(["run", "--cores", "2", "--debug", fixture("halts.ts")]);
  t.equal(run.status, 5, run.stderr);
});

t.test("the README's ping-pong is the example, and runs", async (t) => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const example = readFileSync(join(ROOT, "docs/examples/ping-pong.ts"), "utf8");
  t.ok(readme.includes(example.trim()));
  const run = await caposSmp(["run", "--cores", "2", "docs/examples/ping-pong.ts"]);
  t.equal(run.stdout, "1000 round trips\n");
  t.equal(run.status, 0);
});

t.test("the example of typed capabilities shows what it says", async (t) => {
  const run = await caposSmp(["run", "--cores", "2", "docs/examples/read-only.ts"]);
  t.same(run.stdout.trimEnd().split("\n"), [
    "lent: milk",
    "forced: IpcError: notes.append: ERR_DENIED",
    "taken back: IpcError: notes.read: ERR_BAD_CAP",
    "mine: milk",
  ]);
  t.equal(run.status, 0);
});

t.test("the README's five lines embed a machine", async (t) => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const program = /```ts\n(import \{ boot \} from "capos";[\s\S]*?)```/.exec(readme)?.[1];
  t.type(program, "string");
  t.ok(program!.trim().split("\n").length <= 5);
  // Where an application that depends on capos would stand.
  const file = join(ROOT, "test/dist/readme-embed.mjs");
  writeFileSync(file, program!);
  const run = await node([file]);
  t.equal(run.stderr, "");
  t.equal(run.stdout, "1000 round trips\n");
  t.equal(run.status, 0);
});

t.test("a guest that runs longer than it is to ends with status 124 and one line", async (t) => {
  const run = await caposSmp(["run", "--cores", "2", "--timeout", "0.1", fixture("waits.ts")]);
  t.equal(run.status, 124);
  t.match(run.stderr, /^capos-smp: waits\.ts: ran longer than 100 ms$/m);
  const wrong = await caposSmp(["run", "--timeout", "never", fixture("waits.ts")]);
  t.equal(wrong.status, 2);
  t.match(wrong.stderr, /above 0/);
});

t.test("Ctrl-C ends the program, and the machine is switched off as after any other end", async (t) => {
  let sent = false;
  const run = await caposSmp(["run", "--cores", "2", "--own-process", fixture("waits.ts")], {
    onOutput(text, kill) {
      if (sent || !text.includes("waiting")) return;
      sent = true;
      kill("SIGINT");
    },
  });
  t.equal(run.status, 130);
  t.equal(run.signal, null);
  t.match(run.stderr, /capos-smp: interrupted\n$/);
});

t.test("a program that nobody is left to wake is told of, with who waits for what", async (t) => {
  for (const more of [[], ["--own-process"]]) {
    const run = await caposSmp(["run", "--cores", "2", ...more, fixture("stands-still.ts")], {
      onError(text, kill) {
        if (text.includes("thread 3, waits")) kill("SIGINT");
      },
    });
    t.equal(run.status, 130);
    t.match(run.stderr, /^capos-smp: nobody is left who could wake this program, it waits for ever/m);
    t.match(
      run.stderr,
      /^ {2}stands-still\.ts waits for the answer of stands-still\.ts, thread 1, to its call$/m,
    );
    t.match(run.stderr, /^ {2}stands-still\.ts, thread 1, waits for somebody to take its call$/m);
    t.match(run.stderr, /^ {2}stands-still\.ts, thread 2, waits for a signal that nobody is left to give$/m);
    t.match(
      run.stderr,
      /^ {2}stands-still\.ts, thread 3, waits for a name that nobody is left to register$/m,
    );
  }
});

t.test(
  "a program that waits for input, or for a capability's end, is none that nobody could wake",
  async (t) => {
    const machine = await boot({
      cores: 2,
      memoryMiB: 64,
      logLevel: "silent",
      onConsole() {},
      onInput: () => new Promise(() => {}),
    });
    const programs = ["greet.ts", "waits.ts"].map((name) => machine.spawn(join(ROOT, fixture(name))));
    // Until both wait.
    let isAtRest = false;
    while (!isAtRest) {
      const { threads } = await machine.inspect();
      const waiting = threads.filter(
        ({ processName, waits }) => processName.endsWith(".ts") && waits !== null,
      );
      isAtRest = waiting.length === programs.length;
    }
    t.equal(await machine.standstill(), null);
    await machine.halt();
  },
);

t.test(
  "nobody is said to wait for ever while the application could call, or is there to be called",
  async (t) => {
    const machine = await boot({ cores: 2, memoryMiB: 64, logLevel: "silent", onConsole() {} });
    machine.spawn(join(ROOT, fixture("stands-still.ts")));
    const stuck = async (): Promise<void> => {
      while ((await machine.standstill()) === null) await new Promise(setImmediate);
    };
    await stuck();
    const client = machine.client(Echo, "echo");
    t.equal(await machine.standstill(), null, "it has a client");
    t.same(await client.ping({ value: 3 }), { value: 3 });
    t.equal(await machine.standstill(), null);
    client[Symbol.dispose]();
    client[Symbol.dispose]();
    await stuck();
    t.throws(() => machine.client(Echo, "echo", { outstanding: 0 }));
    await stuck();
    const serving = await machine.serve(
      Echo,
      { ping: ({ value }) => ({ value }), say: () => ({}) },
      { name: "e" },
    );
    t.equal(await machine.standstill(), null, "it serves");
    serving.close();
    await stuck();
    await machine.halt();
  },
);
