/** What each command of a shell does, and what it says of a mistake. */
import { visible } from "@capos/abi";
import t, { type Test } from "tap";
import { beside, ownTemporaryFolder } from "../../machine/support/other-processes.js";
import { caposSmp, type Finished } from "../../support/cli-process.js";

const SERVES = "test/fixtures/cli/serves.ts";
const WAITS = "test/fixtures/cli/waits.ts";

/** Runs scripts at a machine beside it, one after the other. */
async function atMachine(
  test: Test,
  use: (shell: (script: string, ...flags: string[]) => Promise<Finished>, pid: number) => Promise<void>,
): Promise<Finished> {
  const { env } = ownTemporaryFolder(test);
  return beside(env, (pid) =>
    use(
      (script, ...flags) =>
        flags[0] === "piped"
          ? caposSmp(["shell"], { env, input: script })
          : caposSmp(["shell", ...flags, "-c", script], { env }),
      pid,
    ),
  );
}

t.test(
  "a script starts a server, calls it by the types that it tells itself, and it ends with the shell",
  async (t) => {
    await atMachine(t, async (shell) => {
      const all = await shell(
        [
          `start --core 1 --priority 50 --memory 512 ${SERVES} my-store`,
          "methods my-store",
          'call my-store put {"key": "a; \\"b\\" }", "value": 7}',
          'call my-store get {"key": "a; \\"b\\" }"}',
          'call my-store half {"x": 3}; call my-store half {"x": "-Infinity"}',
          "call my-store self",
          'call my-store take {"what": "echo"} # a remark; exit',
          "names",
          "ps",
        ].join("\n"),
      );
      t.match(all, { status: 0, stderr: "" });
      t.match(all.stdout, /^\d+ serves\.ts$/m);
      t.match(all.stdout, /^get\(key: text<=32\): \(value: u32\)$/m);
      t.match(
        all.stdout,
        /^\{"value":7\}\n\{"x":1\.5\}\n\{"x":"-Infinity"\}\n\{"server":"\(capability\)"\}$/m,
      );
      t.match(all.stdout, /^names\nlog\nconsole\necho\nmy-store$/m);
      t.match(all.stdout, /^ *\d+ +serves\.ts +1 +1 +waits +\d+ +yes$/m, "on its core, made by the shell");
      t.match(all.stdout, /^serving \\x1b\[2Jto all$/m, "its output comes here");
      const after = await shell("names; ps");
      t.notMatch(after.stdout, /my-store|serves/);
    });
  },
);

t.test("a program that a shell starts has the images that it imports", async (t) => {
  await atMachine(t, async (shell) => {
    const { status, stdout, stderr } = await shell("start docs/examples/systems/sums.ts; wait");
    t.equal(stderr, "");
    t.match(stdout, /^the numbers below \d+ add up to \d+$/m);
    t.equal(status, 0);
  });
});

t.test("ps, caps, names, methods, call, start and wait print JSON if that is asked for", async (t) => {
  const run = await atMachine(t, async (shell) => {
    const script = `start ${SERVES}; call store half {"x": 1}; names; methods echo; ps; caps 6; kill 1`;
    const { stdout, stderr, status } = await shell(script, "--json");
    t.equal(status, 1);
    t.equal(stderr, "capos-smp: this shell has no capability to process 1\n");
    const documents = stdout
      .split("\n")
      .filter((line) => /^[[{]/.test(line))
      .map((line) => JSON.parse(line));
    const [started, called, names, methods, processes, capabilities] = documents;
    t.same(called, { x: 0.5 });
    t.same(names, ["names", "log", "console", "echo", "store"]);
    t.match(methods, [{ name: "ping", request: { value: "u32" }, reply: { value: "u32" } }, { name: "say" }]);
    t.match(
      processes.find((one: { pid: number }) => one.pid === 6),
      { name: "waits.ts", cores: [1], threads: 1, state: "waits", madeBy: 1, mayEnd: true },
    );
    t.match(
      processes.find((one: { pid: number }) => one.pid === started.pid),
      { name: "serves.ts", mayEnd: true },
    );
    t.match(capabilities[2], { slot: 3, type: "thread", rights: "rwxmscgv", badge: 0 });
    const waited = await shell("start test/fixtures/cli/throws.ts; wait", "--json");
    t.equal(waited.status, 1);
    const end = JSON.parse(waited.stdout.trim().split("\n").at(-1)!);
    t.match(end, { name: "throws.ts", state: "faulted", fault: /throws\.ts:\d+:\d+: / });
  });
  t.equal(run.status, 130);
});

t.test("a program that dies is told with the place in its file, and waiting for it fails", async (t) => {
  await atMachine(t, async (shell) => {
    const died = await shell(`start ${SERVES}; call store fail; wait`);
    t.equal(died.status, 1);
    t.match(
      died.stderr,
      /^capos-smp: \d+ serves\.ts: faulted: .*serves\.ts:\d+:\d+: Error: asked to \\x1b\[31mfail$/m,
    );
    t.match(died.stderr, /^ {4}at fail \(/m);
    t.match(died.stderr, /^capos-smp: store\.fail: ERR_PEER_DIED$/m);
    t.match(died.stderr, /^capos-smp: \d+ failed$/m);
    const ended = await shell("start test/fixtures/cli/greet.ts you; wait");
    t.equal(ended.status, 1);
    t.match(ended.stdout, /^hello you\n\d+ greet\.ts: exited with status 7$/m);
    const fine = await shell("start test/fixtures/cli/arguments.ts a 'b c' ''; wait");
    t.match(fine, { status: 0, stderr: "" });
    t.match(fine.stdout, /arguments\.ts: exited with status 0$/m);
  });
});

t.test("stop ends a program and tells how; kill says nothing; the program of run is one too", async (t) => {
  const run = await atMachine(t, async (shell) => {
    const own = await shell(`start ${WAITS}; ps`);
    const pid = Number(/^(\d+) waits\.ts$/m.exec(own.stdout)![1]);
    t.match(
      await shell(`stop ${pid}`),
      {
        status: 1,
        stderr: `capos-smp: this shell has no capability to process ${pid}\n`,
      },
      "it ended with its shell",
    );
    const [, started] = /^(\d+) waits/m.exec((await shell(`start ${WAITS}`)).stdout)!;
    // Numbers count up: the next shell is one, its program another.
    const next = Number(started) + 2;
    const stopped = await shell(`start ${WAITS}; stop ${next}; stop ${next}; wait ${next}`);
    t.match(stopped.stdout, `${next} waits.ts: killed\n`);
    t.equal(stopped.status, 1, "it did not end well, says wait");
    const killed = await shell(`start ${WAITS}; kill ${next + 2}; names`);
    t.match(killed, { status: 0 });
    const last = await shell("kill 6; ps");
    t.match(last.stderr, /the machine in process \d+ has ended/);
    t.equal(last.status, 1);
  });
  t.equal(run.status, 1);
  t.match(run.stderr, /waits\.ts: killed/);
});

t.test(
  "a mistake is one line that says what to do, and status 2; what cannot be done has status 1",
  async (t) => {
    await atMachine(t, async (shell) => {
      const cases: readonly (readonly [string, number, string])[] = [
        ["statr x", 2, "command: there is no statr; did you mean start? help names all"],
        ["\u001b[2J", 2, "command: there is no \\x1b[2J; help names them"],
        ["help statr", 2, "command: there is no statr; did you mean start? help names all"],
        ["ps all", 2, "ps: as in ps"],
        ["names all", 2, "names: as in names"],
        ["exit 3", 2, "exit: as in exit"],
        ["start", 2, "start: as in start [--core N] [--priority N] [--memory KIB] FILE [ARGS...]"],
        ["start nowhere.ts", 2, "nowhere.ts: "],
        ["start --core", 2, "start: --core: nothing was given, a whole number from 0 to 63 is needed"],
        ["start --core two x.ts", 2, "start: --core: two was given, a whole number from 0 to 63 is needed"],
        [`start --core 5 ${WAITS}`, 2, "core: 5 is out of range, 0 to 1 are possible"],
        [
          `start --priority 150 ${WAITS}`,
          2,
          "start: --priority: 150 was given, a whole number from 0 to 149 is needed",
        ],
        [
          `start --memory 3 ${WAITS}`,
          2,
          "start: --memory: 3 was given, a power of two from 1 to 1048576 is needed",
        ],
        [
          `start --memory 65536 ${WAITS}`,
          1,
          "this shell has not enough memory left: stop a program, or give it more (shell --untyped)",
        ],
        [
          "start --cor 1 x.ts",
          2,
          "start: option: there is no --cor; did you mean --core? help start names all",
        ],
        ["stop", 2, "stop: as in stop PID"],
        ["stop six", 2, "stop: six was given, the number of a process, as ps lists them is needed"],
        ["kill 0", 2, "kill: 0 was given, the number of a process, as ps lists them is needed"],
        ["kill 999", 1, "this shell has no capability to process 999"],
        ["wait 999", 1, "this shell has no capability to process 999"],
        ["caps 999", 1, "caps: there is no process 999; ps lists them"],
        ["methods", 2, "methods: as in methods NAME"],
        ["methods nobody", 1, "nobody has registered nobody"],
        [`methods ${"x".repeat(33)}`, 1, `nobody has registered ${"x".repeat(33)}`],
        ["call echo", 2, 'call: as in call NAME METHOD [{"FIELD": VALUE, ...}]'],
        ["call echo pong", 2, "echo: method: there is no pong; did you mean ping? methods echo names all"],
        ["call echo ping 3", 2, 'call: 3 is no JSON object, as in {"key": "x", "count": 3}'],
        ["call echo ping {x}", 2, 'call: {x} is no JSON object, as in {"key": "x", "count": 3}'],
        ["call echo ping", 2, "echo.ping: value must be an integer from 0 to 4294967295, got undefined"],
        [
          'call echo ping {"value": -1}',
          2,
          "echo.ping: value must be an integer from 0 to 4294967295, got -1",
        ],
        ['call echo ping {"valeu": 1}', 2, "echo.ping: there is no field valeu, there are value"],
        ['call echo say {"text": "x"', 2, "a { that is not closed"],
        ["call echo 'ping", 2, "a ' that is not closed"],
        [
          'call names register {"name": "x", "endpoint": 4}',
          2,
          "names.register: endpoint must be a registered name",
        ],
        ["log loud", 2, "log: level: there is no loud; "],
      ];
      const { stdout, stderr } = await shell(cases.map(([line]) => line).join("\n"), "piped");
      const lines = stderr.trimEnd().split("\n");
      t.equal(stdout, "", "and nothing else is said");
      t.equal(lines.length, cases.length, "one line each");
      cases.forEach(([line, , said], i) => {
        t.ok(
          lines[i]!.startsWith("capos-smp: ") && lines[i]!.includes(said),
          `${visible(line)}: ${lines[i]}`,
        );
      });
      for (const wanted of [1, 2]) {
        const [line] = cases.find(([, status]) => status === wanted)!;
        const failed = await shell(`names; ${line}; kill 998; sp`);
        t.equal(failed.status, wanted, "the status is that of the first that failed");
        t.match(failed.stderr, /there is no sp/, "and the script goes on");
      }
    });
  },
);

t.test("two shells at once start programs of the same name and end their own", async (t) => {
  await atMachine(t, async (shell) => {
    const [one, other] = await Promise.all(
      ["one", "other"].map((name) => shell(`start ${SERVES} ${name}; call ${name} half {"x": 8}; names`)),
    );
    for (const { status, stderr, stdout } of [one!, other!]) {
      t.match({ status, stderr }, { status: 0, stderr: "" });
      t.match(stdout, '{"x":4}');
    }
  });
});
