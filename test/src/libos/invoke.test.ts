import { Method, ObjectType, packBytes, type Sys, utf8Encode } from "@capos/abi";
import { METHODS } from "@capos/abi/methods";
import {
  addressSpace,
  cnode,
  debug,
  frame,
  imageControl,
  irq,
  monitor,
  pageTable,
  port,
  process as processObject,
  type Steps,
  thread as threadObject,
  untyped,
} from "@capos/libos";
import t from "tap";
import { type FakeThread, type Invoked, World } from "./support/fake.js";

/** Runs steps against one kernel object and gives the words it was called with. */
function invoked(steps: (sys: Sys, handle: number) => Steps<unknown>, answer: readonly number[] = []) {
  const world = new World();
  let words: number[] = [];
  const object: Invoked = (caller, registers) => {
    words = [...registers.slice(0, caller.trap.count)];
    registers.set(answer);
    return answer.length;
  };
  const thread: FakeThread = world.thread((sys) => steps(sys, handle));
  const handle: number = thread.put(1, object);
  world.run();
  return { words, value: (thread.ended as { value: unknown }).value };
}

t.test("each invocation sends its method and arguments as the ABI says, and unpacks its answer", (t) => {
  const packed = (text: string) => {
    const words: number[] = [];
    packBytes(words, 0, utf8Encode(text), 0, utf8Encode(text).length);
    return words;
  };
  const table: [string, (sys: Sys, handle: number) => Steps<unknown>, number[], number[], unknown][] = [
    [
      "retype",
      (s, h) => untyped.retype(s, h, ObjectType.CNODE, 4, 2, 11, 12),
      [Method.UNTYPED_RETYPE, ObjectType.CNODE, 4, 2, 11, 12],
      [0],
      undefined,
    ],
    ["info", (s, h) => untyped.info(s, h), [Method.UNTYPED_INFO], [64, 32], { sizeBytes: 64, leftBytes: 32 }],
    ["copy", (s, h) => cnode.copy(s, h, 5, 6, 7), [Method.CNODE_COPY, 5, 6, 7], [99], 99],
    ["mint", (s, h) => cnode.mint(s, h, 5, 6, 7, 8), [Method.CNODE_MINT, 5, 6, 7, 8], [99], 99],
    ["delete", (s, h) => cnode.delete(s, h, 5), [Method.CNODE_DELETE, 5], [0], undefined],
    [
      "inspect",
      (s, h) => cnode.inspect(s, h, 5),
      [Method.CNODE_INSPECT, 5],
      [6, 255, 1, 2, 3, 4, 5, -1],
      { type: 6, rights: 255, badge: 1, state: 2, sizeBits: 3, handle: 4, flags: 5, expiresInNs: null },
    ],
    [
      "configure process",
      (s, h) => processObject.configure(s, h, 5, 6, "näme", 3),
      [Method.PROCESS_CONFIGURE, 5, 6, 3, 5, ...packed("näme")],
      [0],
      undefined,
    ],
    ["verify", (s, h) => processObject.verify(s, h, 5, 6), [Method.PROCESS_VERIFY, 5, 6], [1], true],
    ["watch", (s, h) => monitor.watch(s, h, 5, 6), [Method.MONITOR_WATCH, 5, 6], [0], undefined],
    [
      "monitor status",
      (s, h) => monitor.status(s, h),
      [Method.MONITOR_STATUS],
      [1, 3, 0, 7, 8],
      { ended: true, state: 3, status: 0, line: 7, column: 8 },
    ],
    ["move", (s, h) => cnode.move(s, h, 5, 6), [Method.CNODE_MOVE, 5, 6], [99], 99],
    ["revoke", (s, h) => cnode.revoke(s, h, 5), [Method.CNODE_REVOKE, 5], [0], undefined],
    ["seal", (s, h) => cnode.seal(s, h, 5, 6, 7), [Method.CNODE_SEAL, 5, 6, 7], [99], 99],
    ["unseal", (s, h) => cnode.unseal(s, h, 5, 6, 7), [Method.CNODE_UNSEAL, 5, 6, 7], [99], 99],
    ["expire", (s, h) => cnode.expire(s, h, 5, 6, 7, 8), [Method.CNODE_EXPIRE, 5, 6, 7, 8], [99], 99],
    [
      "process status",
      (s, h) => processObject.status(s, h),
      [Method.PROCESS_STATUS],
      [3, 1, 7, 8, 4, ...packed("oops")],
      { state: 3, status: 1, line: 7, column: 8, fault: "oops" },
    ],
    ["kill", (s, h) => processObject.kill(s, h), [Method.PROCESS_KILL], [0], undefined],
    [
      "configure thread",
      (s, h) => threadObject.configure(s, h, 5, 1, 200),
      [Method.THREAD_CONFIGURE, 5, 1, 200],
      [0],
      undefined,
    ],
    ["start", (s, h) => threadObject.start(s, h, [5, 6]), [Method.THREAD_START, 5, 6], [0], undefined],
    ["destroy", (s, h) => threadObject.destroy(s, h), [Method.THREAD_DESTROY], [0], undefined],
    ["bind", (s, h) => threadObject.bind(s, h, 5), [Method.THREAD_BIND, 5], [0], undefined],
    ["priority", (s, h) => threadObject.priority(s, h, 5), [Method.THREAD_PRIORITY, 5], [0], undefined],
    [
      "thread status",
      (s, h) => threadObject.status(s, h),
      [Method.THREAD_STATUS],
      [1, 2, 3, 4, 5],
      { state: 1, ipcState: 2, core: 3, priority: 4, exitReason: 5 },
    ],
    ["write", (s, h) => port.write(s, h, [1, 2, 3], 1), [Method.PORT_WRITE, 2, 2 + 3 * 256], [2], 2],
    ["read", (s, h) => port.read(s, h), [Method.PORT_READ], [2, 1 + 2 * 256], [1, 2]],
    ["read at the end", (s, h) => port.read(s, h), [Method.PORT_READ], [-1], null],
    ["clock", (s, h) => debug.clock(s, h), [Method.DEBUG_CLOCK], [123], 123],
    ["heap", (s, h) => debug.heap(s, h), [Method.DEBUG_HEAP], [123], 123],
    [
      "print",
      (s, h) => debug.print(s, h, "text"),
      [Method.DEBUG_PRINT, 4, ...packed("text")],
      [0],
      undefined,
    ],
    ["halt", (s, h) => debug.halt(s, h, 3), [Method.DEBUG_HALT, 3], [0], undefined],
    [
      "machine",
      (s, h) => debug.machine(s, h),
      [Method.DEBUG_MACHINE],
      [4, 2, 256, 1, 7],
      { cores: 4, hardwareThreads: 2, memoryMiB: 256, core: 1, seed: 7 },
    ],
    ["grace period", (s, h) => debug.gracePeriod(s, h), [Method.DEBUG_GRACE_PERIOD], [12], 12],
    [
      "panic",
      (s, h) => debug.panic(s, h, "text"),
      [Method.DEBUG_PANIC, 4, ...packed("text")],
      [0],
      undefined,
    ],
    [
      "core",
      (s, h) => debug.core(s, h, 2),
      [Method.DEBUG_CORE, 2],
      [1, 2, 3, 4, 5, 6, 7, 8],
      {
        traps: 1,
        contextSwitches: 2,
        gracePeriods: 3,
        halts: 4,
        messagesIn: 5,
        messagesOut: 6,
        bounces: 7,
        incarnation: 8,
      },
    ],
    [
      "process callers",
      (s, h) => processObject.callers(s, h),
      [Method.PROCESS_CALLERS],
      [4, ...packed("abcd")],
      [...utf8Encode("abcd")],
    ],
    ["process number", (s, h) => processObject.number(s, h), [Method.PROCESS_NUMBER], [7], 7],
    [
      "record",
      (s, h) => debug.record(s, h, 1, 2, 3, 4, 5, 6),
      [Method.DEBUG_RECORD, 1, 2, 3, 4, 5, 6],
      [0],
      undefined,
    ],
    [
      "history",
      (s, h) => debug.history(s, h, 2),
      [Method.DEBUG_HISTORY, 2],
      [1, 2, 3, 4, 5, 6, 7, 8],
      { startNs: 1, endNs: 2, thread: 3, kind: 4, object: 5, a: 6, b: 7, c: 8 },
    ],
    ["dump", (s, h) => debug.dump(s, h), [Method.DEBUG_DUMP], [0], undefined],
    ["take image", (s, h) => imageControl.take(s, h, 7, 5, 9), [Method.IMAGE_CONTROL_TAKE, 7, 5, 9], [6], 6],
    ["bind interrupt", (s, h) => irq.bind(s, h, 5), [Method.IRQ_BIND, 5], [0], undefined],
    ["ceiling", (s, h) => processObject.ceiling(s, h, 5), [Method.PROCESS_CEILING, 5], [0], undefined],
    ["use address space", (s, h) => processObject.use(s, h, 5), [Method.PROCESS_USE, 5], [0], undefined],
    ["fault handler", (s, h) => processObject.faults(s, h, 5), [Method.PROCESS_FAULTS, 5], [0], undefined],
    ["map frame", (s, h) => frame.map(s, h, 5, 4096, 3), [Method.FRAME_MAP, 5, 4096, 3], [0], undefined],
    ["unmap frame", (s, h) => frame.unmap(s, h), [Method.FRAME_UNMAP], [0], undefined],
    ["protect frame", (s, h) => frame.protect(s, h, 1), [Method.FRAME_PROTECT, 1], [0], undefined],
    [
      "frame info",
      (s, h) => frame.info(s, h),
      [Method.FRAME_INFO],
      [12, 0, -1],
      { sizeBits: 12, rights: 0, address: null },
    ],
    [
      "part of frame",
      (s, h) => frame.part(s, h, 5, 6, 12, 8192),
      [Method.FRAME_PART, 5, 6, 12, 8192],
      [99],
      99,
    ],
    ["zero frame", (s, h) => frame.zero(s, h), [Method.FRAME_ZERO], [0], undefined],
    ["copy frame", (s, h) => frame.copy(s, h, 5), [Method.FRAME_COPY, 5], [0], undefined],
    ["map page table", (s, h) => pageTable.map(s, h, 5, 4096), [Method.PAGE_TABLE_MAP, 5, 4096], [3], 3],
    ["unmap page table", (s, h) => pageTable.unmap(s, h), [Method.PAGE_TABLE_UNMAP], [0], undefined],
    [
      "query page",
      (s, h) => addressSpace.query(s, h, 4096),
      [Method.ADDRESS_SPACE_QUERY, 4096],
      [3, 12, 1, 0],
      { rights: 3, pageBits: 12, accessed: true, dirty: false },
    ],
    [
      "sample pages",
      (s, h) => addressSpace.sample(s, h, 4096, 64, 1),
      [Method.ADDRESS_SPACE_SAMPLE, 4096, 64, 1],
      [1, 2, 3, 4],
      { accessedLow: 1, accessedHigh: 2, dirtyLow: 3, dirtyHigh: 4 },
    ],
  ];
  for (const [name, steps, words, answer, value] of table)
    t.same(invoked(steps, answer), { words, value }, name);
  const called = new Set(table.map(([, , words]) => words[0]));
  t.same(
    METHODS.flatMap((object) => object.methods.filter((method) => !called.has(method.number))),
    [],
    "every method has a row",
  );
  t.end();
});

t.test("a port takes at most 372 bytes of a write", (t) => {
  const { words } = invoked((s, h) => port.write(s, h, Array(1000).fill(1)), [372]);
  t.equal(words.length, 64);
  t.equal(words[1], port.MAX_BYTES);
  t.end();
});
