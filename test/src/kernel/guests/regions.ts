/** Regions of a process's address space, as libos makes them. */
import { Err, isMemoryFault, type MemoryFault, type Sys } from "@capos/abi";
import { AddressSpace, Frame, type KernelRight, Process, type Steps, start } from "@capos/libos";
import {
  childEnded,
  drop,
  ended,
  GuestTests,
  onCores,
  perform,
  type Role,
  same,
  spawn,
  spawnChild,
  truly,
} from "./support/kit.js";

const PAGE = 4096;
const RIGHTS: readonly KernelRight[] = ["read", "write", "map"];

/** What a load or store throws. */
function faultOf(access: () => unknown): string {
  try {
    access();
  } catch (error) {
    if (isMemoryFault(error)) return (error as MemoryFault).reason;
    throw error;
  }
  return "done";
}

/** Throws unless the steps throw an error of the kernel's. */
function* refused(code: Err, steps: Steps<unknown>): Steps<void> {
  try {
    yield* steps;
  } catch (error) {
    same((error as { code?: number }).code ?? String(error), code);
    return;
  }
  same("nothing was thrown", code);
}

/** The name of what is thrown. */
function* thrown(act: () => Steps<unknown> | undefined): Steps<string> {
  try {
    const steps = act();
    if (steps !== undefined) yield* steps;
  } catch (error) {
    return (error as Error).name;
  }
  return "nothing";
}

const roles: Record<string, Role> = {
  /** Stores in what its process has mapped, then maps a page of its own, at the address told. Handed: the space, the addresses. */
  *neighbour(os) {
    const { sys } = os;
    const [space, shared, named] = os.handed as [number, number, number];
    sys.store32(shared, 41);
    const memory = yield* os.memorySpace(space);
    const own = yield* memory.allocate(PAGE);
    const told = yield* os.cspace.make(Frame, 12);
    yield* memory.map(told, { address: named });
    sys.storeF64(named, own.address);
    return own.address >= 2 ** 40 && own.address !== shared ? 0 : 1;
  },
  /** Maps the frame that it was given, and adds one to what it finds there. */
  *adder(os) {
    const memory = yield* os.memorySpace();
    const region = yield* memory.map(os.cspace.as(Frame, os.handed[0]!, RIGHTS));
    return os.sys.atomicAdd(region.address, 1);
  },
};

export const tests = new GuestTests();

tests.add("a region has the bytes asked for in whole pages, zeros, that end with it", function* (os) {
  const { sys } = os;
  const memory = yield* os.memorySpace();
  truly((yield* os.memorySpace()) === memory, "the process's memory is the same when asked for again");
  for (const [bytes, pages, frames] of [
    [1, 1, 1],
    [PAGE, 1, 1],
    [PAGE + 1, 2, 1],
    [7 * PAGE, 7, 3],
    [2 ** 20, 256, 1],
  ] as const) {
    const region = yield* memory.allocate(bytes);
    same(region.bytes, pages * PAGE, `${bytes} bytes`);
    same(region.frames.length, frames, `frames of ${bytes} bytes`);
    for (let page = 0; page < pages; page += 3) {
      const at = region.address + page * PAGE + 8;
      same(sys.load32(at), 0);
      sys.store32(at, page + 1);
      same(sys.load32(at), page + 1);
    }
    same(
      faultOf(() => sys.load8(region.address + region.bytes)),
      "not-mapped",
      "behind it",
    );
    yield* region.free();
    yield* region.free();
    same(
      faultOf(() => sys.load8(region.address)),
      "not-mapped",
      "after it was freed",
    );
  }
});

tests.add("memory that was freed is used again, any number of times", function* (os) {
  const memory = yield* os.memorySpace();
  const free = os.slots.free;
  for (let round = 0; round < 60; round++) {
    const region = yield* memory.allocate(2 ** 21);
    os.sys.storeF64(region.address + 2 ** 20, round);
    yield* region.free();
  }
  truly(os.slots.free >= free - 4, `slots: ${free} before, ${os.slots.free} after`);
});

tests.add(
  "a frame is mapped where it is told, if nothing is there, and with no more than its rights",
  function* (os) {
    const { sys, cspace } = os;
    const memory = yield* os.memorySpace();
    const frame = yield* cspace.make(Frame, 13);
    const region = yield* memory.map(frame, { address: 0x60_0000_2000, rights: ["read"] });
    same(region.address, 0x60_0000_2000);
    same(
      faultOf(() => sys.store8(region.address, 1)),
      "not-allowed",
    );
    yield* region.protect(["read", "write"]);
    sys.store8(region.address, 1);
    const other = yield* cspace.make(Frame, 12);
    yield* refused(Err.MAPPED, memory.map(other, { address: 0x60_0000_3000 }));
    yield* refused(Err.BUSY, memory.map(frame));
    yield* refused(Err.RANGE, memory.map(other, { address: 0x60_0000_1001 }));
    yield* refused(Err.RANGE, memory.map(other, { rights: ["write", "execute"] }));
    const copy = yield* cspace.copy(frame, ["read", "map"]);
    yield* refused(Err.DENIED, memory.map(copy));
    const seen = yield* memory.map(copy, { rights: ["read"] });
    same(sys.load8(seen.address), 1, "the same memory twice");
    yield* seen.unmap();
    yield* region.unmap();
    yield* region.unmap();
    const again = yield* memory.map(other, { address: 0x60_0000_2000 });
    same(sys.load8(again.address), 0);
    yield* again.unmap();
    for (const held of [frame, other, copy]) yield* cspace.drop(held);
  },
);

tests.add("a region whose frame is gone gives its addresses back", function* (os) {
  const { cspace } = os;
  const memory = yield* os.memorySpace();
  const frame = yield* cspace.make(Frame, 12);
  const lent = yield* cspace.copy(frame);
  const region = yield* memory.map(lent);
  yield* cspace.revoke(frame);
  same(
    faultOf(() => os.sys.load8(region.address)),
    "not-mapped",
  );
  yield* region.unmap();
  const next = yield* memory.map(frame, { address: region.address });
  yield* next.unmap();
  yield* cspace.drop(frame);
});

tests.add("a region of several frames has no single one, and of 0 bytes there is none", function* (os) {
  const memory = yield* os.memorySpace();
  const region = yield* memory.allocate(3 * PAGE);
  same(yield* thrown(() => region.frame && undefined), "RangeError");
  yield* region.free();
  for (const bytes of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    same(yield* thrown(() => memory.allocate(bytes)), "RangeError", `${bytes} bytes`);
  yield* refused(Err.NO_MEMORY, memory.allocate(2 ** 26));
  yield* (yield* memory.allocate(PAGE)).free();
});

onCores(
  tests,
  "threads of a process share its memory, and each maps in addresses of its own",
  function* (os, core) {
    const { sys } = os;
    const memory = yield* os.memorySpace();
    const region = yield* memory.allocate(PAGE);
    const named = region.address + 2 ** 30;
    const thread = yield* spawn(os, "neighbour", [memory.space.handle, region.address, named], {
      core,
      slots: 24,
    });
    same(yield* ended(os, thread), [0]);
    same(sys.load32(region.address), 41);
    truly(sys.loadF64(named) >= 2 ** 40, "what the other mapped is mapped here too");
    // It is in this thread's range: the kernel says that it is taken, and the next is used.
    const beside = yield* memory.map(yield* os.cspace.make(Frame, 12), { address: named + PAGE });
    yield* beside.unmap();
    yield* drop(os, thread);
    same(
      faultOf(() => sys.load32(named)),
      "not-mapped",
      "what the other mapped ended with it",
    );
    yield* region.free();
  },
);

onCores(tests, "processes that map the same frame see each other's stores", function* (os, core) {
  const memory = yield* os.memorySpace();
  const region = yield* memory.allocate(PAGE);
  os.sys.atomicStore(region.address, 5);
  for (let round = 0; round < 3; round++) {
    const child = yield* spawnChild(os, "adder", [region.frame.handle], { core });
    same((yield* childEnded(os, child)).status, 5 + round);
  }
  same(os.sys.atomicLoad(region.address), 8);
  yield* region.free();
});

tests.add("a process that has an address space is given no second one", function* (os) {
  yield* os.memorySpace();
  const space = yield* os.cspace.make(AddressSpace);
  const own = os.cspace.as(Process, os.environment.process, ["write"]);
  yield* refused(Err.BUSY, own.use(space));
  yield* os.cspace.drop(space);
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
