import t from "tap";
import { guest, HostileMachine } from "../support/hostile-machine.js";

const machine = await HostileMachine.boot();
t.teardown(() => machine.ended);

/** A guest with memory at `at`: some pages that can be read and written. */
function mapped(body: string, top = "", pages = 2): string {
  const source = guest(
    `
    const os = start(sys), at = 2 ** 32;
    const space = yield* os.cspace.make(AddressSpace);
    for (let i = 0; i < 3; i++) yield* (yield* os.cspace.make(PageTable)).map(space, at);
    for (let i = 0; i < ${pages}; i++)
      yield* (yield* os.cspace.make(Frame, 12)).map(space, at + i * 4096, ["read", "write"]);
    yield* os.cspace.as(Process, os.environment.process, ["write"]).use(space);
    ${body}`,
    top,
  );
  return source.replace("import {", "import { AddressSpace, Frame, isMemoryFault, PageTable, Process,");
}

const ROOM = { memoryBits: 18 };

t.test("a look at the machine tells address spaces with their mappings as runs of pages", async (t) => {
  const body = `
    sys.store32(at, 1); sys.load8(at + 4096);
    yield* os.print("mapped");
    yield sys.wait(yield* os.notification());`;
  const id = await machine.start(mapped(body, "", 3), ROOM);
  await machine.line("mapped");
  const lines = machine.dump();
  const title = lines.findIndex((line) => /^address space \d+ of guest-\d+\.ts: at 0x/.test(line));
  t.match(lines[title], /3 tables, used on core 1$/);
  const next = lines.findIndex((line, at) => at > title && !line.startsWith("  address "));
  const runs = lines.slice(title + 1, next < 0 ? undefined : next);
  t.match(
    runs[0],
    /^ {2}address 0x100000000: size \d+ KiB, rights rw-, pages of 4 KiB, accessed \d, dirty \d, memory 0x/,
  );
  // Three pages follow each other in memory, or do not.
  const sum = (what: RegExp) => runs.reduce((sum, line) => sum + Number(what.exec(line)?.[1]), 0);
  t.equal(sum(/size (\d+) KiB/), 12);
  t.equal(sum(/accessed (\d+)/), 2);
  t.equal(sum(/dirty (\d+)/), 1);
  t.match(await machine.kill(id), { state: "killed" });
  t.notOk(
    machine.dump().some((line) => line.startsWith("address space")),
    "it went with its process",
  );
});

t.test(
  "whatever is given for an address or a value, memory is what it was or the guest has an error",
  async (t) => {
    const things =
      "[undefined, null, true, '', '1', {}, [], [at], () => at, Symbol.iterator, 1n, NaN, Infinity, -0, 1e-320, { valueOf() { throw 7; } }, new Proxy({}, {})]";
    const body = `
    for (const thing of ${things} as any[]) {
      for (const name of ["load8", "load32", "atomicLoad", "store8", "storeF64", "atomicAdd", "fill", "copy", "compare", "crc32c", "sum16", "text", "putText"])
        for (const args of [[thing], [thing, thing, thing], [at + 4096, thing, 1], [at + 4096, at + 4096, thing]])
          try { (sys as any)[name](...args); } catch (error) {
            if (error !== 7 && !(error instanceof TypeError || error instanceof RangeError || isMemoryFault(error))) throw error;
          }
    }
    sys.store32(at + 8, 5);
    return sys.load32(at + 8);`;
    t.same(await machine.run(mapped(body), ROOM), { state: "exited", status: 5, fault: "" });
    await machine.sound(t, "strange addresses");
  },
);

t.test("loads and stores are whole where the stack ends in them, at any depth", async (t) => {
  const top = `
    function deep(sys: any, at: number, depth: number): number {
      let deepest = depth;
      try { sys.store32(at + (depth % 1024) * 4, depth); sys.copy(at + 4096, at, 64); deepest = deep(sys, at, depth + 1); }
      catch (error) { if (!(error instanceof RangeError)) throw error; }
      return deepest;
    }`;
  const body = `
    for (let turn = 0; turn < 20; turn++) {
      if (deep(sys, at, 0) < 500) return 1;
      sys.store32(at, turn);
      if (sys.load32(at) !== turn) return 2;
    }
    return 0;`;
  t.same(await machine.run(mapped(body, top), ROOM), { state: "exited", status: 0, fault: "" });
  await machine.sound(t, "stacks that ended in a store");
});

t.test("a range that never ends is ended with its guest", async (t) => {
  const ending = await machine.run(mapped("[0].forEach(() => { for (;;) sys.fill(at, 1, 8192); });"), ROOM);
  t.match(ending, { state: "faulted" });
  t.match(ending.fault, /ran for more than/);
  await machine.sound(t, "endless ranges");
});

t.test("the machine is sound after all of them, and halts", async (t) => {
  await machine.sound(t, "everything");
  t.same(machine.machineChecks, []);
  await machine.halt(t);
});
