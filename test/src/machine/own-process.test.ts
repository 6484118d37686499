/** Machines in processes of their own: used like any other, and survived. */
import { constants } from "node:os";
import process from "node:process";
import { type BootOptions, boot, MachineError } from "@capos/machine";
import t from "tap";
import { caposSmp, node, ROOT } from "../support/cli-process.js";

const fixture = (name: string): string => `${ROOT}/test/fixtures/cli/${name}`;
const SMALL = { cores: 2, memoryMiB: 64, logLevel: "silent", process: "own" } as const;

/** Looks until a process is no more. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

t.test("a machine in a process of its own does all that one in this process does", async (t) => {
  const lines: string[] = [];
  const records: string[] = [];
  const kernel: string[] = [];
  const input = ["one\n", "two\n"];
  const options: BootOptions = {
    ...SMALL,
    poweredCores: 1,
    logLevel: "info",
    logDestination: { write: (record: string) => void records.push(record) },
    onConsole: (line) => void lines.push(line),
    onKernel: (text) => void kernel.push(text),
    onInput: () => (input.length === 0 ? null : Buffer.from(input.shift()!)),
  };
  const machine = await boot(options);
  t.not(machine.pid, process.pid);
  t.match(machine, { cores: 2, memoryMiB: 64 });
  t.ok(machine.powerToInitNs > 0);
  t.match(kernel.join(""), /phase 5 of 5/);
  t.same(await machine.run(fixture("greet.ts"), { args: ["a", "b"] }), {
    status: 7,
    state: "exited",
    fault: "",
    stack: [],
  });
  t.same(lines, ["hello a and b", "read one", "read two"]);
  t.match(records.join(""), /greeting is over/);
  t.match(await machine.run(fixture("throws.ts")), {
    status: 1,
    state: "faulted",
    fault: /throws\.ts:4:\d+: TypeError: no luck/,
  });
  await machine.plug(1);
  t.match(await machine.inspect(), { machine: { cores: 2 } });
  await machine.unplug(1);
  await machine.killService("echo");
  await t.rejects(machine.killService("nothing"), { name: "UsageError" });
  await t.rejects(machine.run(fixture("arguments.ts"), { args: ["x".repeat(2e7)] }), { name: "UsageError" });
  t.throws(() => machine.memory, { name: "UsageError" });
  t.match(await machine.halt(9), {
    status: 9,
    panicked: false,
    cores: [{ core: Number }, { core: Number }].slice(0, 1),
  });
  await gone(machine.pid);
});

t.test("options that cannot be are refused as in this process", async (t) => {
  await t.rejects(boot({ ...SMALL, cores: 65 }), {
    name: "UsageError",
    message: /cores: 65 is out of range/,
  });
  await t.rejects(boot({ ...SMALL, onMachine() {} }), { name: "UsageError", message: /onMachine/ });
});

for (const signal of ["SIGKILL", "SIGABRT", "SIGSEGV"] as const) {
  t.test(
    `an application survives the ${signal} of its machine, has its last words, and boots anew`,
    async (t) => {
      const lines: string[] = [];
      let told = "";
      let spoken!: () => void;
      const last = new Promise<void>((resolve) => {
        spoken = resolve;
      });
      const machine = await boot({
        ...SMALL,
        onPanic: (text) => {
          told += text;
        },
        onConsole(line) {
          lines.push(line);
          if (line === "last words") spoken();
        },
      });
      const run = machine.run(fixture("last-words.ts"));
      run.catch(() => {});
      await last;
      process.kill(machine.pid, signal);
      const status = 128 + constants.signals[signal];
      const message = `the process of the machine was ended by ${signal}`;
      await t.rejects(run, { name: "MachineError", message, status, dump: /phase 5 of 5/ });
      await t.rejects(machine.inspect(), { name: "MachineError", message, status });
      t.throws(() => machine.feed(new Uint8Array(1)), MachineError);
      t.match(await machine.halt(), { status, panicked: false });
      t.match(told, /phase 5 of 5/, "what is known is told");
      t.equal(lines.length, 2001);
      const next = await boot({ ...SMALL, onConsole() {} });
      t.match(await next.run(fixture("prints.ts"), { args: ["1"] }), { status: 0 });
      await next.halt();
    },
  );
}

t.test("a machine's process that ends while it boots fails the boot", async (t) => {
  const run = await node([
    "--input-type=module",
    "-e",
    `import { boot } from ${JSON.stringify(`${ROOT}/packages/machine/dist/index.js`)};
     const machine = boot({ cores: 2, memoryMiB: 64, process: "own", onPanic() {}, onKernel(text) {
       const { children } = process.report.getReport().header; void children;
       for (const handle of process._getActiveHandles()) if (handle.kill && handle.pid) handle.kill("SIGKILL");
     } });
     console.log(await machine.then(() => "booted", (error) => error.name + ": " + error.message));`,
  ]);
  t.equal(run.stdout, "MachineError: the process of the machine was ended by SIGKILL\n", run.stderr);
});

t.test("a machine's process does not outlive the application's", async (t) => {
  let pid = 0;
  const run = await node(
    [
      "--input-type=module",
      "-e",
      `import { boot } from ${JSON.stringify(`${ROOT}/packages/machine/dist/index.js`)};
       const machine = await boot(${JSON.stringify(SMALL)});
       console.log(machine.pid);
       await machine.run(${JSON.stringify(fixture("loops.ts"))});`,
    ],
    {
      onOutput(text, kill) {
        if (!text.includes("looping")) return;
        pid = Number.parseInt(text, 10);
        kill("SIGKILL");
      },
    },
  );
  t.equal(run.signal, "SIGKILL");
  t.ok(pid > 0);
  await gone(pid);
});

t.test("run --own-process is as run: output, input, status, JSON, a fault, a panic, Ctrl-C", async (t) => {
  const run = (args: readonly string[], options = {}) =>
    caposSmp(["run", "--own-process", "--cores", "2", "--memory", "64", "--quiet", ...args], options);
  const greeted = await run([fixture("greet.ts"), "you"], { input: "one\ntwo\n" });
  t.match(greeted, { status: 7, stdout: "hello you\nread one\nread two\n" });
  const json = await run(["--json", fixture("greet.ts")]);
  t.match(JSON.parse(json.stdout), { status: 7, state: "exited", console: ["hello "] });
  t.match(await run([fixture("throws.ts")]), {
    status: 1,
    stderr: /throws\.ts:4:\d+: TypeError: no luck\n$/,
  });
  t.match(await run(["--debug", "--trace-ring", "0", fixture("panics.ts")]), {
    status: 70,
    stderr: /PANIC on core \d/,
  });
  const interrupted = await run([fixture("loops.ts")], {
    onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) =>
      text.includes("looping") && kill("SIGINT"),
  });
  t.match(interrupted, { status: 130, stderr: "capos-smp: interrupted\n" });
  const watched = await caposSmp(["top", "--once", "--", "run", "--own-process", fixture("loops.ts")]);
  t.match(watched, { status: 2, stderr: /^capos-smp: --own-process: [^\n]+\n$/ });
});
