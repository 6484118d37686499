/** How programs are run and started: what may be said of a run, and what ends it. */
import { type BootOptions, boot, MachineError, type RunOptions, UsageError } from "@capos/machine";
import t from "tap";
import { ROOT } from "../support/cli-process.js";

t.setTimeout(300_000);

const SILENT = { cores: 2, memoryMiB: 64, logLevel: "silent", onConsole() {}, onInput: () => null } as const;
const fixture = (name: string): string => `${ROOT}/test/fixtures/cli/${name}`;
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

/** Boots a machine whose console tells when it has printed a line. */
async function bootHeard(process: "this" | "own", wanted: string) {
  let heard!: () => void;
  const printed = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const onConsole = (line: string): void => {
    if (line === wanted) heard();
  };
  return { machine: await boot({ ...SILENT, process, onConsole }), printed };
}

t.test("an option that is none is refused by name, with those that there are", async (t) => {
  const wrong = { core: 2 } as BootOptions;
  t.match(await failure(boot(wrong)), {
    name: "UsageError",
    message: /^boot: there is no option core, .*cores/,
  });
  const machine = await boot(SILENT);
  for (const options of [{ core: 1 }, { memoryBits: 12 }, { images: [] }] as object[] as RunOptions[])
    t.match(await failure(machine.run(fixture("greet.ts"), options)), {
      message: /^run: there is no option/,
    });
  await machine.halt();
});

t.test("a value that no run can have is refused before the program is built", async (t) => {
  const machine = await boot(SILENT);
  const table: [RunOptions, RegExp][] = [
    [{ timeoutMs: 0 }, /timeoutMs: 0 is out of range/],
    [{ timeoutMs: Number.NaN }, /timeoutMs: NaN is out of range/],
    [{ signal: {} as AbortSignal }, /signal: an AbortSignal is needed/],
  ];
  for (const [options, message] of table) {
    const error = await failure(machine.run("no-such-file.ts", options));
    t.ok(error instanceof UsageError);
    t.match(error, { message });
  }
  for (const [options, message] of [
    [{ cores: [] }, /cores: a list/],
    [{ cores: [1, 2] }, /cores: 2 is out of range/],
    [{ untyped: 100 }, /untyped: 100 bytes are not possible/],
    [{ untyped: 2 ** 31 }, /untyped/],
  ] as [RunOptions, RegExp][])
    t.match(await failure(machine.run(fixture("greet.ts"), options)), { name: "UsageError", message });
  await machine.halt();
});

for (const process of ["this", "own"] as const) {
  t.test(`a run on a machine in ${process} process that takes too long ends with status 124`, async (t) => {
    const machine = await boot({ ...SILENT, process });
    const result = await machine.run(fixture("waits.ts"), { timeoutMs: 100 });
    t.match(result, { status: 124, state: "killed", fault: /waits.ts: ran longer than 100 ms/ });
    t.match(await machine.run(fixture("greet.ts"), { timeoutMs: 2 ** 31 - 1 }), { status: 7, fault: "" });
    await machine.halt();
  });

  t.test(
    `a run on a machine in ${process} process ends when its signal aborts, and fails with the reason`,
    async (t) => {
      const { machine, printed } = await bootHeard(process, "waiting");
      const abort = new AbortController();
      const run = failure(machine.run(fixture("waits.ts"), { signal: abort.signal }));
      await printed;
      const reason = new Error("enough");
      abort.abort(reason);
      t.equal(await run, reason);
      const names = (await machine.inspect()).processes.map(({ name }) => name);
      t.notOk(names.includes("waits.ts"), "nothing of it is left");
      t.equal(await failure(machine.run(fixture("waits.ts"), { signal: abort.signal })), reason, "at once");
      await machine.halt();
    },
  );

  t.test(
    `a program that was started on a machine in ${process} process is killed and its status told`,
    async (t) => {
      const { machine, printed } = await bootHeard(process, "waiting");
      const waits = machine.spawn(fixture("waits.ts"));
      const greets = machine.spawn(fixture("greet.ts"));
      t.not(waits.pid, greets.pid);
      t.match(await greets.status, { status: 7, state: "exited" });
      await printed;
      await waits.kill();
      t.match(await waits.status, { status: 1, state: "killed" });
      await waits.kill();
      await greets.kill();
      await machine.killService("echo");
      await machine.halt();
    },
  );

  t.test(
    `a program on a machine in ${process} process that is killed before it runs never runs`,
    async (t) => {
      const lines: string[] = [];
      const machine = await boot({ ...SILENT, process, onConsole: (line) => void lines.push(line) });
      const program = machine.spawn(fixture("greet.ts"));
      await program.kill();
      t.match(await program.status, { state: "killed" });
      t.same(lines, []);
      await machine.halt();
    },
  );
}

t.test("what is disposed of is ended", async (t) => {
  const { machine, printed } = await bootHeard("this", "waiting");
  const program = machine.spawn(fixture("waits.ts"));
  await printed;
  await program[Symbol.asyncDispose]();
  t.match(await program.status, { state: "killed" });
  await machine[Symbol.asyncDispose]();
  t.match(await machine.ended(), { status: 0 });
  const late = machine.spawn(fixture("greet.ts"));
  t.ok((await failure(late.status)) instanceof MachineError);
});

t.test("a machine in this process cannot be left to itself, and says so", async (t) => {
  const machine = await boot(SILENT);
  t.throws(() => machine.unref(), { name: "UsageError", message: /process: "own"/ });
  t.equal(machine.ref(), machine);
  await machine.halt();
});
