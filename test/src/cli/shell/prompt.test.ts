/** A shell on a terminal: what is typed, completed and remembered, and what comes above the prompt. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import t, { type Test } from "tap";
import { beside, ownTemporaryFolder, WAITS } from "../../machine/support/other-processes.js";
import { caposSmp, ROOT } from "../../support/cli-process.js";
import { checkRestored, TerminalProcess } from "../support/terminal-process.js";

const SERVES = "test/fixtures/cli/serves.ts";

/** A shell on a terminal, with a folder for its state, on a machine beside it. */
async function onTerminal(
  t: Test,
  use: (
    it: TerminalProcess,
    history: string,
    pid: number,
    env: Readonly<Record<string, string>>,
  ) => Promise<void>,
): Promise<void> {
  const { env } = ownTemporaryFolder(t);
  const state = join(t.testdir({}), "state");
  await beside(env, async (pid) => {
    const it = new TerminalProcess(t, ["shell"], { env: { ...env, XDG_STATE_HOME: state } });
    await it.until(/^a shell on the machine in process \d+; help lists its commands\n[\s\S]*capos> $/m);
    await use(it, join(state, "capos-smp", "shell-history"), pid, env);
  });
}

t.test("commands, processes, names, methods, fields and files are completed", async (t) => {
  await onTerminal(t, async (it) => {
    it.press("na\t");
    await it.until(/capos> names/);
    it.press("\r");
    await it.until(/capos> names +\nnames\nlog\nconsole\necho\n/);
    it.press("stop \t");
    await it.until(/capos> stop 6/);
    it.press("\u0015start test/fixtures/cli/serv\t");
    await it.until(/capos> start test\/fixtures\/cli\/serves\.ts /);
    it.press("kv\r");
    await it.until(/serving \\x1b\[2Jto all/);
    it.press("call k\t");
    await it.until(/capos> call kv/);
    it.press("ha\t");
    await it.until(/capos> call kv half/);
    it.press("{\t");
    await it.until(/capos> call kv half \{"x": $/m);
    it.press("4\t");
    await it.until(/capos> call kv half \{"x": 4\}$/m);
    it.press("\r");
    await it.until(/\{"x":2\}/);
    it.press("exit\r");
    const after = await it.end();
    t.equal(after.status, 0);
    checkRestored(t, after);
  });
});

t.test(
  "a completed field goes on with its value, and with the next one, wherever the cursor is",
  async (t) => {
    await onTerminal(t, async (it) => {
      it.press(`start ${SERVES} kv\r`);
      await it.until(/serving/);
      it.press("call kv put \t");
      await it.until(/call kv put \{$/m);
      it.press('\t"a; ca\t"\t');
      await it.until(/call kv put \{"key": "a; ca", "value": $/m);
      it.press("tru\t\u007f\u007f\u007f7\t");
      await it.until(/"value": 7\}$/m);
      it.press("\r");
      it.press('call kv get {"k\t');
      await it.until(/call kv get \{"key": $/m);
      it.press('"a; ca"}\r');
      await it.until(/^\{"value":7\}\ncapos> $/m);

      it.press("call kv put {}\u001b[D\t");
      await it.until(/call kv put \{"key": \}$/m);
      it.press('"c"\t');
      await it.until(/call kv put \{"key": "c", "value": \}$/m);
      it.press("3\t\r");
      it.press(`call kv get {"k": "c"}${"\u001b[D".repeat('": "c"}'.length)}\t`);
      await it.until(/call kv get \{"key": "c"\}$/m);
      it.press("\r");
      await it.until(/^\{"value":3\}\ncapos> $/m);
      it.press(`call kv ha {"x": 8}${"\u001b[D".repeat(' {"x": 8}'.length)}\t`);
      await it.until(/call kv half \{"x": 8\}$/m);
      it.press("\r");
      await it.until(/^\{"x":4\}\ncapos> $/m);
      it.press("exit\r");
      await it.end();
    });
  },
);

t.test("a file whose name has blanks is completed, in quotes and without", async (t) => {
  await onTerminal(t, async (it, _, __, { TMPDIR }) => {
    writeFileSync(join(TMPDIR!, "my guest.ts"), readFileSync(join(ROOT, "test/fixtures/cli/arguments.ts")));
    it.press(`start "${TMPDIR}/my g\t`);
    await it.until(/start "[^"]*\/my guest\.ts" $/m);
    it.press(`\u0015start ${TMPDIR}/my\t`);
    await it.until(/start [^"]*\/my\\ guest\.ts $/m);
    it.press("of it\r");
    await it.until(/^\d+ my guest\.ts: exited with status 0$/m);
    it.press("exit\r");
    await it.end();
  });
});

t.test("what comes above a line of several rows stays there, and Ctrl-C gives up all of them", async (t) => {
  await onTerminal(t, async (it, _, __, env) => {
    it.press(`start ${SERVES} kv\r`);
    await it.until(/serving/);
    it.press("x".repeat(150));
    await it.until(/^capos> x{93}\nx{57}$/m);
    await caposSmp(["shell", "-c", "call kv fail"], { env });
    await it.until(
      /faulted: [^\n]*\n(?:[^\n]*\n)?(?: {4}at [^\n]*\n)* {4}at main [^\n]*\ncapos> x{93}\nx{57}$/m,
    );
    it.press("\u0003");
    await it.until(/at main [^\n]*\ncapos> x{93}\nx{57}\^C\ncapos> $/m);
    it.press("exit\r");
    checkRestored(t, await it.end());
  });
});

t.test("what was typed is there again in the next shell, in a file that is its user's alone", async (t) => {
  await onTerminal(t, async (it, history, pid) => {
    it.press("names\r");
    await it.until(/^echo$/m);
    it.press(" caps 5\r");
    await it.until(/CSpace of echo/);
    it.press("exit\r");
    await it.end();
    t.equal(readFileSync(history, "utf8"), "names\nexit\n", "without what begins with a blank");
    if (process.platform !== "win32") {
      t.equal(statSync(history).mode & 0o777, 0o600);
      t.equal(statSync(join(history, "..")).mode & 0o777, 0o700);
    }
    t.ok(pid > 0);
  });
});

t.test("Ctrl-C gives up a line or a command, and Ctrl-D leaves", async (t) => {
  await onTerminal(t, async (it) => {
    it.press("nonsense\u0003");
    await it.until(/nonsense\^C\ncapos> $/m);
    it.press(`start ${SERVES}\r`);
    await it.until(/serving/);
    it.press("call store never\r");
    await it.until(/call store never\n/);
    it.press("\u0003");
    await it.until(/call store never\n\^C\ncapos> $/m);
    it.press("log\r\u0003");
    await it.until(/capos> log\n\^C\ncapos> $/m);
    it.press("nobody\r");
    await it.until(/command: there is no nobody; /);
    it.press("\u0004");
    const after = await it.end();
    t.equal(after.status, 0, "mistakes were told, leaving is none");
    checkRestored(t, after);
  });
});

t.test("a program that ends, and the log, are told above a line that is being typed", async (t) => {
  await onTerminal(t, async (it) => {
    it.press("start test/fixtures/cli/greet.ts you\rhal");
    await it.until(/hello you\n\d+ greet\.ts: exited with status 7\n/);
    await it.until(/capos> hal$/m);
    it.press("\u0015log debug\r");
    await it.until(/capos> log debug\n/);
    it.press("\u0003");
    it.press("exit\r");
    const after = await it.end();
    t.equal(after.status, 0, after.text.slice(-2000));
  });
});

t.test(
  "a machine that ends under a shell is told, with status 1, and the terminal is given back",
  async (t) => {
    await onTerminal(t, async (it, _, pid) => {
      it.press("ca");
      process.kill(pid, "SIGINT");
      const after = await it.end();
      t.equal(after.status, 1);
      t.match(after.text, /capos-smp: the machine in process \d+ has ended/);
      checkRestored(t, after);
    });
  },
);

t.test("a history that cannot be kept is told once", async (t) => {
  const { env } = ownTemporaryFolder(t);
  await beside(env, async () => {
    // A file stands where the folder has to be.
    const it = new TerminalProcess(t, ["shell"], {
      env: { ...env, XDG_STATE_HOME: join(process.cwd(), "package.json") },
    });
    await it.until(/capos> $/m);
    it.press("names\r");
    await it.until(/no history is kept: [\s\S]*^echo$/m);
    it.press("names\rexit\r");
    const after = await it.end();
    t.equal(after.text.split("no history is kept").length, 2);
  });
});

t.test("run --shell has the program's output and the shell in one terminal", async (t) => {
  const it = new TerminalProcess(t, ["run", "--shell", "--cores", "2", "--memory", "64", WAITS], {
    env: { XDG_STATE_HOME: t.testdir({}) },
  });
  await it.until(/exit ends the machine/);
  await it.until(/waiting/);
  it.press("ps\r");
  await it.until(/6 +waits\.ts +1 +1 +waits +1 +yes/);
  it.press("stop 6\r");
  await it.until(/the program has ended, status 1\n/);
  it.press("names\r");
  await it.until(/^echo\ncapos> $/m);
  it.press("exit\r");
  const after = await it.end();
  t.equal(after.status, 1, "the program's");
  checkRestored(t, after);
});
