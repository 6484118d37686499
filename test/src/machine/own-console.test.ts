/** A program whose console is its own, and programs that are handed what the application has. */
import { Err } from "@capos/abi";
import { boot, type CaposMachine, IpcError, type Program, UsageError } from "@capos/machine";
import t from "tap";
import { ROOT } from "../support/cli-process.js";
import { Kv } from "./guests/kv-protocol.js";

t.setTimeout(600_000);

const fixture = (name: string): string => `${ROOT}/test/src/machine/guests/${name}`;

async function linesOf(program: Program): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of program.console!.readable) lines.push(line);
  return lines;
}

for (const process of ["this", "own"] as const) {
  const boots = async (onConsole: (line: string) => void = () => {}): Promise<CaposMachine> =>
    boot({ cores: 2, memoryMiB: 64, process, logLevel: "silent", onConsole });

  t.test(
    `what a program with a console of its own prints and reads is nobody else's, in ${process} process`,
    async (t) => {
      const shared: string[] = [];
      const machine = await boots((line) => shared.push(line));
      const [first, second] = ["one", "two"].map((name) =>
        machine.spawn(fixture("talks.ts"), { console: "own", args: [name] }),
      ) as [Program, Program];
      t.equal(machine.spawn(fixture("talks.ts"), { args: ["prints", "1"] }).console, null);
      const [toFirst, toSecond] = [first, second].map((it) => it.console!.writable.getWriter());
      await toFirst!.write("a\nb");
      await toSecond!.write(new TextEncoder().encode("c\r\n"));
      await toFirst!.write("b\n");
      await toFirst!.close();
      await toSecond!.close();
      t.strictSame(await linesOf(first), ["one a", "one bb", "the end"]);
      t.strictSame(await linesOf(second), ["two c", "the end"]);
      t.match(await first.status, { status: 0, state: "exited" });
      await second.status;
      await machine.run(fixture("talks.ts"), { args: ["prints", "1"] });
      t.ok(shared.every((line) => line === "line 0") && shared.length >= 1, shared.join());
      await machine.halt();
    },
  );
}

t.test("a program waits until its lines are read, and none is lost", async (t) => {
  const machine = await boot({ cores: 2, memoryMiB: 64, logLevel: "silent" });
  const count = 500;
  const program = machine.spawn(fixture("talks.ts"), { console: "own", args: ["prints", String(count)] });
  const reader = program.console!.readable.getReader();
  t.equal((await reader.read()).value, "line 0");
  reader.releaseLock();
  const early = await Promise.race([program.status.then(() => true), machine.inspect().then(() => false)]);
  t.notOk(early, "it has not printed all of it");
  t.strictSame(
    await linesOf(program),
    Array.from({ length: count - 1 }, (_, i) => `line ${i + 1}`),
  );
  t.match(await program.status, { status: 0 });

  const long = machine.spawn(fixture("talks.ts"), { console: "own", args: ["long", "20000"] });
  t.strictSame((await linesOf(long)).join(""), "x".repeat(20000));
  await machine.halt();
});

t.test("a reader that wants no more holds nobody up", async (t) => {
  const machine = await boot({ cores: 2, memoryMiB: 64, logLevel: "silent" });
  const program = machine.spawn(fixture("talks.ts"), { console: "own", args: ["prints", "500"] });
  await program.console!.readable.cancel();
  t.match(await program.status, { status: 0 });
  await machine.halt();
});

t.test(
  "the streams of a program that was killed, could not be built, or lost its machine have ended",
  async (t) => {
    const machine = await boot({ cores: 2, memoryMiB: 64, logLevel: "silent" });
    const killed = machine.spawn(fixture("talks.ts"), { console: "own" });
    await killed.console!.writable.getWriter().write("x\n");
    const reader = killed.console!.readable.getReader();
    t.equal((await reader.read()).value, "echo x");
    await killed.kill();
    t.equal((await reader.read()).done, true);
    // Nobody reads that any more: it is no error to have said it.
    const after = killed.console!.writable;
    t.ok(after.locked);

    const absent = machine.spawn(fixture("no-such-file.ts"), { console: "own" });
    t.strictSame(await linesOf(absent), []);
    await t.rejects(absent.status, UsageError);

    const orphan = machine.spawn(fixture("talks.ts"), { console: "own" });
    await orphan.console!.writable.getWriter().write("x\n");
    const orphans = orphan.console!.readable.getReader();
    await orphans.read();
    const ended = t.rejects(orphan.status, /the machine was halted/);
    await machine.halt();
    await ended;
    t.equal((await orphans.read()).done, true);
  },
);

t.test("what a reference stands for is handed to a program, beside images", async (t) => {
  const printed: string[] = [];
  const machine = await boot({
    ...{ cores: 2, memoryMiB: 64, logLevel: "silent" },
    onConsole: (line) => printed.push(line),
  });
  const served = await machine.serve(Kv, handlers("seven"), {});
  const ask = () =>
    machine.run(fixture("talks.ts"), {
      ...{ args: ["asks"], untyped: 2 ** 16, threads: 4 },
      handed: [served.reference],
    });
  t.match(await ask(), { status: 0, fault: "" });
  t.strictSame(printed, ["seven"]);
  const kept = async () =>
    (await machine.inspect()).cspaces
      .filter(({ holder }) => holder === "init")
      .flatMap(({ capabilities }) => capabilities)
      .filter(({ type }) => type === "endpoint").length;
  const before = await kept();
  const many = await Promise.all(Array.from({ length: 20 }, ask));
  t.ok(
    many.every(({ status }) => status === 0),
    "to as many as like",
  );
  // Nothing of it stays with init, once it has heard that the last of them has ended.
  while ((await kept()) > before);

  served.close();
  t.match(await failure(ask()), { name: "IpcError", code: Err.BAD_CAP });
  for (const handed of [[{}], [1], {}, ["x"]] as never[])
    await t.rejects(machine.run(fixture("talks.ts"), { handed }), {
      name: "UsageError",
      message: "handed: a list of images and references is needed",
    });
  t.throws(() => machine.spawn(fixture("talks.ts"), { console: "other" as "own" }), {
    name: "UsageError",
    message: 'console: "own" is possible, or nothing for that of the machine',
  });
  await t.rejects(machine.run(fixture("talks.ts"), { console: "own" } as object), UsageError);

  const other = await boot({ cores: 2, memoryMiB: 64, logLevel: "silent" });
  const stranger = await other.serve(Kv, handlers("other"), {});
  t.match(await failure(machine.run(fixture("talks.ts"), { handed: [stranger.reference] })), {
    code: Err.BAD_CAP,
  });
  await other.halt();
  await machine.halt();
});

function handlers(value: string) {
  const unused = (): never => {
    throw new IpcError(Err.UNSUPPORTED, "test");
  };
  return {
    ...Object.fromEntries(Kv.methods.map(({ name }) => [name, unused])),
    get: () => ({ value }),
  } as never;
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}
