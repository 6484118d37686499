/** Shells and machines that end: nothing is left of a shell, and a shell is told of its machine's end. */
import { spawn } from "node:child_process";
import { connect } from "node:net";
import process from "node:process";
import { boot } from "capos";
import t from "tap";
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
      const ended = await caposSmp(["shell", "-c", `start ${SERVES}; call store never`], {
        env,
        onOutput: (text, kill) => text.includes("serving") && kill(signal),
      });
      t.match(ended, { status, stderr: `capos-smp: ${line}\n` });
    }
    const last = await caposSmp(["shell", "-c", `start ${SERVES}; call store never; names`], {
      env,
      onOutput: (text) => text.includes("serving") && process.kill(pid, "SIGINT"),
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

t.test("a machine of an application takes no shell unless it was booted to", async (t) => {
  const { env } = ownTemporaryFolder(t);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = env.TMPDIR;
  try {
    for (const attachable of [false, true]) {
      const machine = await boot({
        cores: 1,
        memoryMiB: 32,
        inspectable: true,
        attachable,
        logLevel: "error",
      });
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
      await machine.halt();
    }
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});

t.test("a shell for which there is no memory, or no machine, is refused in one line", async (t) => {
  const { env } = ownTemporaryFolder(t);
  const none = await caposSmp(["shell", "-c", "ps"], { env });
  t.match(none, {
    status: 2,
    stderr: "capos-smp: no machine is running: start one with capos-smp run, bench or stress\n",
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
