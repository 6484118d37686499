/** Shells and machines that end: nothing is left of a shell, and a shell is told of its machine's end. */
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { type BootOptions, boot, type CaposMachine } from "capos";
import { protocol, textUpTo, u32 } from "capos/guest";
import t, { type Test } from "tap";
import { beside, ownTemporaryFolder, socketOf } from "../../machine/support/other-processes.js";
import { BIN, caposSmp, ROOT } from "../../support/cli-process.js";

const SERVES = "test/fixtures/cli/serves.ts";

interface Left {
  readonly memory: { readonly freeBytes: number };
  readonly processes: readonly { readonly name: string }[];
  readonly threads: readonly unknown[];
  readonly cspaces: readonly { readonly holder: string; readonly live: number; readonly reserved: number }[];
}

t.test("a shell that is killed leaves no process, thread, slot or memory behind", async (t) => {
  const { env } = ownTemporaryFolder(t);
  await beside(env, async () => {
    const state = async (): Promise<Left> =>
      JSON.parse((await caposSmp(["inspect", "--json"], { env })).stdout) as Left;
    /** What there is once nothing of a shell is left, and nothing changes any more: the bridge gives up what it held for one. */
    const rest = async () => {
      for (let before = ""; ; ) {
        const now = await state();
        const isAtRest = !now.processes.some(({ name }) => name === "shell" || name === "serves.ts");
        const slots = now.cspaces.map(({ holder, live, reserved }) => [holder, live, reserved]);
        const left = { free: now.memory.freeBytes, threads: now.threads.length, slots };
        const text = JSON.stringify(left);
        if (isAtRest && text === before) return left;
        before = text;
      }
    };
    let before: Awaited<ReturnType<typeof rest>> | null = null;
    for (let i = 0; i < 3; i++) {
      const child = spawn(process.execPath, [BIN, "shell"], { env: { ...process.env, ...env }, cwd: ROOT });
      child.stdin.write(`start ${SERVES}\ncall store never\n`);
      await new Promise<void>((resolve) => {
        child.stdout.on("data", (text) => String(text).includes("serving") && resolve());
      });
      child.kill("SIGKILL");
      const after = await rest();
      // The first has the bridge run, and blocks of memory split that wait for the next.
      if (before !== null) t.same(after, before, `after shell ${i}`);
      before = after;
    }
  });
});

t.test("a shell ends with the machine, with SIGTERM, and with its own guest, and says why", async (t) => {
  const { env } = ownTemporaryFolder(t);
  const run = await beside(env, async (pid) => {
    for (const [signal, status, line] of [
      ["SIGTERM", 143, "terminated"],
      ["SIGINT", 130, "interrupted"],
    ] as const) {
      let sent = false;
      const ended = await caposSmp(["shell", "-c", `start ${SERVES}; call store never`], {
        env,
        onOutput(text, kill) {
          // A second one would end it as it stands, and say nothing.
          if (sent || !text.includes("serving")) return;
          sent = true;
          kill(signal);
        },
      });
      t.match(ended, { status, stderr: `capos-smp: ${line}\n` });
    }
    let sent = false;
    const last = await caposSmp(["shell", "-c", `start ${SERVES}; call store never; names`], {
      env,
      onOutput(text) {
        if (sent || !text.includes("serving")) return;
        sent = true;
        process.kill(pid, "SIGINT");
      },
    });
    t.match(last, { status: 1, stderr: `capos-smp: the machine in process ${pid} has ended\n` });
  });
  t.equal(run.status, 130);
});

t.test("whoever sends nonsense to a shell's socket loses it, and the machine goes on", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  await beside(env, async (pid) => {
    for (const nonsense of [
      "not json\n",
      "{}\n",
      '{"t":"q","m":"names","i":"1","a":[]}\n',
      "[]\n",
      "null\n",
    ]) {
      const socket = connect(socketOf(folder, pid));
      socket.on("error", () => {});
      socket.write(`shell\n${nonsense}`);
      socket.end();
      for await (const _ of socket);
    }
    const { status, stdout } = await caposSmp(["shell", "-c", "names"], { env });
    t.match({ status, stdout }, { status: 0, stdout: /^echo$/m });
  });
});

/** Boots a machine in this process that shells of a temporary folder's find. */
async function withMachine(
  t: Test,
  options: BootOptions,
  use: (machine: CaposMachine, env: Record<string, string>) => Promise<void>,
): Promise<void> {
  const { env } = ownTemporaryFolder(t);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = env.TMPDIR;
  try {
    await using machine = await boot({
      ...({ memoryMiB: 32, inspectable: true, logLevel: "error", onConsole() {} } as const),
      ...options,
    });
    await use(machine, env);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

t.test("a machine of an application takes no shell unless it was booted to", async (t) => {
  for (const attachable of [false, true])
    await withMachine(t, { cores: 1, attachable }, async (_, env) => {
      const { status, stderr } = await caposSmp(["shell", "-c", 'call echo say {"text":"x"}'], { env });
      t.match(
        { status, stderr },
        attachable
          ? { status: 0, stderr: "" }
          : {
              status: 1,
              stderr: `capos-smp: the machine in process ${process.pid} takes no shell: it was not booted to take one\n`,
            },
      );
    });
});

t.test("what an application serves says what it is, and is called as a guest's is", async (t) => {
  await withMachine(t, { cores: 2, memoryMiB: 64, attachable: true }, async (machine, env) => {
    using _ = await machine.serve(
      protocol("adder", {
        add: { request: { left: u32, right: u32 }, reply: { sum: u32 } },
        greet: { request: { whom: textUpTo(8) }, reply: {} },
      }),
      { add: ({ left, right }) => ({ sum: left + right }), greet: () => ({}) },
      { name: "application" },
    );
    const script = [
      "methods application",
      'call application add {"left": 3, "right": 4}',
      'call application add {"left": 3}',
      'call application greet {"whom": "everybody"}',
      "call application subtract",
    ].join("; ");
    t.match(await caposSmp(["shell", "-c", script], { env }), {
      status: 2,
      stdout: 'add(left: u32, right: u32): (sum: u32)\ngreet(whom: text<=8): ()\n{"sum":7}\n',
      stderr:
        "capos-smp: adder.add: right must be an integer from 0 to 4294967295, got undefined\n" +
        "capos-smp: adder.greet: whom must be a text of at most 8 bytes, got 9\n" +
        "capos-smp: application: method: there is no subtract; methods application names them\n",
    });
  });
});

t.test(
  "programs that stand still are not said to while a shell is attached, and are again behind it",
  async (t) => {
    await withMachine(t, { cores: 2, memoryMiB: 64, attachable: true }, async (machine, env) => {
      machine.spawn(join(ROOT, "test/fixtures/cli/stands-still.ts"));
      const stuck = async (): Promise<void> => {
        while ((await machine.standstill()) === null) await new Promise(setImmediate);
      };
      await stuck();
      const child = spawn(process.execPath, [BIN, "shell"], { env: { ...process.env, ...env }, cwd: ROOT });
      child.stdin.write("names\n");
      await new Promise<void>((resolve) => {
        child.stdout.on("data", (text) => String(text).includes("echo") && resolve());
      });
      t.equal(await machine.standstill(), null);
      child.stdin.end();
      await stuck();
    });
  },
);

t.test("a shell for which there is no memory, or no machine, is refused in one line", async (t) => {
  const { env } = ownTemporaryFolder(t);
  const none = await caposSmp(["shell", "-c", "ps"], { env });
  t.match(none, {
    status: 2,
    stderr: "capos-smp: no machine is running: start one with capos-smp run, up, bench or stress\n",
  });
  await beside(env, async () => {
    const large = await caposSmp(["shell", "--untyped", "1024", "-c", "ps"], { env });
    t.equal(large.status, 2);
    t.match(large.stderr, /^capos-smp: .*ERR_NO_MEMORY.*\n$/);
    const odd = await caposSmp(["shell", "--untyped", "3"], { env });
    t.equal(odd.status, 2);
    t.match(odd.stderr, /A power of two from 1 to 1024 is needed\.\n$/);
    const wrong = await caposSmp(["shell", "--machine", "1", "-c", "ps"], { env });
    t.equal(wrong.status, 2);
    t.match(wrong.stderr, /^capos-smp: process 1 runs no machine; machines run in process \d+ /);
  });
});

t.test("run --shell reads its commands from a pipe, and ends with the program's status", async (t) => {
  const { status, stdout, stderr } = await caposSmp(
    ["run", "--shell", "--quiet", "--cores", "2", "--memory", "64", "test/fixtures/cli/greet.ts", "you"],
    { input: 'wait 6\ncall echo ping {"value": 3}\n' },
  );
  t.equal(stderr.includes("capos-smp"), true);
  t.match(stdout, '{"value":3}');
  t.equal(status, 1, "greet ends with 7, so wait fails");
  const json = await caposSmp(["run", "--shell", "--json", "test/fixtures/cli/greet.ts"]);
  t.match(json, { status: 2, stderr: "capos-smp: --shell: --json is for runs without one\n" });
});
