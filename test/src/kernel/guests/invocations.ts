/** Invocations of kernel objects: each against each bad argument, and each without its right. */
import { Err, Method, ObjectType, Right, SlotState, type Sys } from "@capos/abi";
import { cnode, type Os, process, start, untyped } from "@capos/libos";
import {
  CEILING,
  debug,
  drop,
  GuestTests,
  invoke,
  perform,
  type Role,
  same,
  spawn,
  thread,
  truly,
  work,
} from "./support/kit.js";
import { NO_HANDLES } from "./support/no-handles.js";

const roles: Record<string, Role> = {
  /** Keeps its core from safe points for a while, again and again. */
  *busy(os) {
    for (;;) {
      work(300_000);
      yield os.sys.nothing();
    }
  },
};

export const tests = new GuestTests();

const inspect = (os: Os, index: number) => cnode.inspect(os.sys, os.environment.cnode, index);

tests.add("an invocation without the right answers DENIED", function* (os) {
  const { sys, environment } = os;
  const target = yield* os.make(ObjectType.THREAD);
  const child = yield* os.make(ObjectType.PROCESS);
  const space = yield* os.make(ObjectType.CNODE, 4);
  const endpoint = yield* os.endpoint();
  const notification = yield* os.notification();
  const without = (handle: number, right: number) => os.copy(handle, Right.ALL & ~right);
  const watcher = yield* os.make(ObjectType.MONITOR);
  const W = Right.WRITE;
  const denied: [string, number, ...number[]][] = [
    ["copy", yield* without(space, W), Method.CNODE_COPY, 1, endpoint, 255],
    ["mint", yield* without(space, W), Method.CNODE_MINT, 1, endpoint, 255, 1],
    ["delete", yield* without(space, W), Method.CNODE_DELETE, 1],
    ["inspect", yield* without(space, Right.READ), Method.CNODE_INSPECT, 1],
    [
      "retype into",
      environment.untyped,
      Method.UNTYPED_RETYPE,
      ObjectType.ENDPOINT,
      0,
      1,
      yield* without(space, W),
      1,
    ],
    ["configure process", yield* without(child, W), Method.PROCESS_CONFIGURE, space, 0, 0, 0],
    ["configure process with", child, Method.PROCESS_CONFIGURE, yield* without(space, W), 0, 0, 0],
    ["watch", yield* without(watcher, W), Method.MONITOR_WATCH, child, notification],
    ["watch what", watcher, Method.MONITOR_WATCH, yield* without(child, Right.READ), notification],
    ["watch with", watcher, Method.MONITOR_WATCH, child, yield* without(notification, Right.SEND)],
    ["monitor status", yield* without(watcher, Right.READ), Method.MONITOR_STATUS],
    ["process status", yield* without(child, Right.READ), Method.PROCESS_STATUS],
    ["process number", yield* without(child, Right.READ), Method.PROCESS_NUMBER],
    ["kill", yield* without(child, W), Method.PROCESS_KILL],
    ["ceiling", yield* without(child, W), Method.PROCESS_CEILING, 5],
    ["configure thread", yield* without(target, W), Method.THREAD_CONFIGURE, environment.process, os.core, 1],
    [
      "configure thread in",
      target,
      Method.THREAD_CONFIGURE,
      yield* without(environment.process, W),
      os.core,
      1,
    ],
    ["start", yield* without(target, W), Method.THREAD_START],
    ["destroy", yield* without(target, W), Method.THREAD_DESTROY],
    ["bind", yield* without(target, W), Method.THREAD_BIND, notification],
    ["bind to", environment.thread, Method.THREAD_BIND, yield* without(notification, Right.RECEIVE)],
    ["priority", yield* without(target, W), Method.THREAD_PRIORITY, 5],
    ["thread status", yield* without(target, Right.READ), Method.THREAD_STATUS],
  ];
  for (const [what, handle, ...words] of denied) same(yield* invoke(sys, handle, ...words), Err.DENIED, what);
  for (let i = 1; i < 16; i++)
    truly((yield* cnode.inspect(sys, space, i)).state !== SlotState.LIVE, `slot ${i}`);
  same((yield* thread.status(sys, target)).state, 0, "the thread is new");
  same((yield* process.status(sys, child)).state, 0, "the process is new");
});

tests.add("every object answers UNSUPPORTED to a method that it does not know", function* (os) {
  const { sys, environment } = os;
  const methods = [
    0,
    -1,
    0.5,
    Number.NaN,
    2 ** 31,
    2 ** 40,
    1e300,
    0x0f,
    0x12,
    0x1f,
    0x29,
    0x2f,
    0x39,
    0x3f,
    0x46,
    0x4f,
    0x7b,
    0x7f,
    0xff,
  ];
  const own: Record<string, number> = {
    cnode: 0x20,
    process: 0x30,
    thread: 0x40,
    untyped: 0x10,
    debug: 0x70,
  };
  for (const [name, high] of Object.entries(own)) {
    const handle = environment[name as "cnode"];
    for (const method of methods)
      same(yield* invoke(sys, handle, method, 1, 1, 1, 1, 1, 1), Err.UNSUPPORTED, `${name} ${method}`);
    for (let method = 0x10; method < 0x80; method++) {
      if (method >> 4 === high >> 4) continue;
      same(yield* invoke(sys, handle, method, 1, 1, 1, 1, 1, 1), Err.UNSUPPORTED, `${name} ${method}`);
    }
    same(yield sys.call(handle, 0), Err.UNSUPPORTED, `${name} without a method`);
  }
});

tests.add("copy and mint against every bad argument: the error, and nothing changed", function* (os) {
  const { sys, environment } = os;
  const space = yield* os.make(ObjectType.CNODE, 3);
  const endpoint = yield* os.endpoint();
  yield* cnode.copy(sys, space, 7, endpoint, Right.SEND);
  const full = (yield* cnode.inspect(sys, space, 7)).handle;
  const bad = [-1, 0, 8, 0.5, Number.NaN, 2 ** 31, 2 ** 32 + 1, 1e300, Number.NEGATIVE_INFINITY];
  for (const method of [Method.CNODE_COPY, Method.CNODE_MINT]) {
    const copy = (...words: number[]) => invoke(sys, space, method, ...words, 9);
    for (const slot of bad) {
      same(yield* copy(slot, endpoint, 255), Err.RANGE, `slot ${slot}`);
      same([sys.words[0], sys.words[1]], [1, 7], "the permitted range");
    }
    for (const source of NO_HANDLES) same(yield* copy(1, source, 255), Err.BAD_CAP, `source ${source}`);
    // A handle of the CNode that is named, not of the caller's CSpace.
    same(yield* copy(1, full, 255), Err.BAD_CAP, "a handle of another CSpace");
    for (const rights of [-1, 256, 0.5, Number.NaN, 2 ** 32 + 3, 1e300])
      same(yield* copy(1, endpoint, rights), Err.RANGE, `rights ${rights}`);
    same(yield* copy(7, endpoint, 255), Err.SLOT_OCCUPIED, "an occupied slot");
    same(yield* copy(1, environment.untyped, 255), Err.UNSUPPORTED, "untyped memory");
  }
  for (const method of [Method.CNODE_DELETE, Method.CNODE_INSPECT]) {
    for (const slot of bad)
      same(yield* invoke(sys, space, method, slot), Err.RANGE, `method ${method} slot ${slot}`);
  }
  for (let i = 1; i < 7; i++)
    truly((yield* cnode.inspect(sys, space, i)).state !== SlotState.LIVE, `slot ${i}`);
  same((yield* cnode.inspect(sys, space, 7)).rights, Right.SEND, "the occupied slot");
  // A delete of an empty slot is no error; one of its own slot is final.
  same(yield* invoke(sys, space, Method.CNODE_DELETE, 1), 0, "delete of an empty slot");
});

tests.add("retype against every bad argument: the error, no object and no memory gone", function* (os) {
  const { sys, environment } = os;
  const space = yield* os.make(ObjectType.CNODE, 3);
  const endpoint = yield* os.endpoint();
  yield* cnode.copy(sys, space, 4, endpoint, 255);
  const left = (yield* untyped.info(sys, environment.untyped)).leftBytes;
  const retype = (type: number, bits: number, count: number, into: number, first: number) =>
    invoke(sys, environment.untyped, Method.UNTYPED_RETYPE, type, bits, count, into, first);
  const E = ObjectType.ENDPOINT;
  for (const type of [
    -1,
    0,
    0.5,
    Number.NaN,
    ObjectType.REPLY,
    ObjectType.DEBUG,
    ObjectType.IO_PORT,
    99,
    2 ** 32 + E,
  ]) {
    same(yield* retype(type, 0, 1, space, 1), Err.BAD_TYPE, `type ${type}`);
  }
  for (const bits of [-1, 5, 32, 0.5, Number.NaN, 2 ** 32 + 12]) {
    same(yield* retype(ObjectType.UNTYPED, bits, 1, space, 1), Err.RANGE, `untyped of 2^${bits}`);
  }
  for (const bits of [-1, 0, 17, 0.5, Number.NaN])
    same(yield* retype(ObjectType.CNODE, bits, 1, space, 1), Err.RANGE, `CNode of 2^${bits}`);
  for (const count of [-1, 0, 1025, 0.5, Number.NaN, 2 ** 31, 2 ** 32 + 1])
    same(yield* retype(E, 0, count, space, 1), Err.RANGE, `count ${count}`);
  for (const first of [-1, 0, 8, 0.5, Number.NaN, 2 ** 31, 2 ** 32 + 1])
    same(yield* retype(E, 0, 1, space, first), Err.RANGE, `first ${first}`);
  same(yield* retype(E, 0, 5, space, 5), Err.RANGE, "a window past the end");
  for (const into of NO_HANDLES) same(yield* retype(E, 0, 1, into, 1), Err.BAD_CAP, `into ${into}`);
  same(yield* retype(E, 0, 1, endpoint, 1), Err.BAD_TYPE, "into an endpoint");
  same(yield* retype(E, 0, 7, space, 1), Err.SLOT_OCCUPIED, "one slot of seven is occupied");
  for (let i = 1; i < 8; i++)
    same((yield* cnode.inspect(sys, space, i)).state === SlotState.LIVE, i === 4, `slot ${i}`);
  same((yield* untyped.info(sys, environment.untyped)).leftBytes, left, "memory left");
});

tests.add("retype that lacks memory makes nothing and says what is left", function* (os) {
  const { sys, environment } = os;
  const at = os.slots.take();
  yield* untyped.retype(sys, environment.untyped, ObjectType.UNTYPED, 10, 1, environment.cnode, at);
  const small = (yield* inspect(os, at)).handle;
  const window = os.slots.take(20);
  const retype = (type: number, bits: number, count: number) =>
    invoke(sys, small, Method.UNTYPED_RETYPE, type, bits, count, environment.cnode, window);
  same(yield* retype(ObjectType.SEALER, 0, 17), Err.NO_MEMORY, "17 sealers in 1024 bytes");
  same(sys.words[0], 1024, "left");
  same(yield* retype(ObjectType.FRAME, 12, 1), Err.NO_MEMORY, "a frame");
  same(yield* retype(ObjectType.UNTYPED, 11, 1), Err.NO_MEMORY, "more than itself");
  for (let i = 0; i < 20; i++) truly((yield* inspect(os, window + i)).state !== SlotState.LIVE, `slot ${i}`);
  same((yield* untyped.info(sys, small)).leftBytes, 1024, "all is left");
  same(yield* retype(ObjectType.SEALER, 0, 15), 0, "15 sealers");
  // One unit is left: aligned objects of two units do not fit, one of one does.
  same(
    yield* invoke(
      sys,
      small,
      Method.UNTYPED_RETYPE,
      ObjectType.UNTYPED,
      7,
      1,
      environment.cnode,
      window + 15,
    ),
    Err.NO_MEMORY,
    "two units",
  );
  same(sys.words[0], 64, "left");
  same(
    yield* invoke(sys, small, Method.UNTYPED_RETYPE, ObjectType.SEALER, 0, 1, environment.cnode, window + 15),
    0,
    "the last",
  );
  same((yield* untyped.info(sys, small)).leftBytes, 0, "nothing is left");
});

tests.add("retype makes each type with all rights, its size, and a state of its own", function* (os) {
  const { sys, environment } = os;
  const types: [number, number, number][] = [
    [ObjectType.ENDPOINT, 0, 7],
    [ObjectType.NOTIFICATION, 0, 7],
    [ObjectType.MONITOR, 0, 8],
    [ObjectType.SEALER, 0, 6],
    [ObjectType.FRAME, 12, 12],
    [ObjectType.THREAD, 0, 10],
    [ObjectType.PROCESS, 0, 10],
    [ObjectType.CNODE, 1, 1],
    [ObjectType.CNODE, 5, 5],
    [ObjectType.UNTYPED, 6, 6],
    [ObjectType.UNTYPED, 13, 13],
  ];
  for (const [type, bits, size] of types) {
    const window = os.slots.take(2);
    yield* untyped.retype(sys, environment.untyped, type, bits, 2, environment.cnode, window);
    for (let i = 0; i < 2; i++) {
      const slot = yield* inspect(os, window + i);
      same(
        [slot.type, slot.rights, slot.badge, slot.state, slot.sizeBits],
        [type, 255, 0, SlotState.LIVE, size],
        `type ${type}`,
      );
    }
  }
});

tests.add("a process has a number that no other has, also when its memory is used again", function* (os) {
  const { sys, environment } = os;
  const numbers = [yield* process.number(sys, environment.process)];
  const block = yield* os.make(ObjectType.UNTYPED, 10);
  for (let i = 0; i < 3; i++) {
    const slot = os.slots.take();
    yield* untyped.retype(sys, block, ObjectType.PROCESS, 0, 1, environment.cnode, slot);
    const { handle } = yield* inspect(os, slot);
    numbers.push(yield* process.number(sys, handle));
    same(yield* process.number(sys, handle), numbers[i + 1], "it keeps it");
    yield* os.drop(handle);
  }
  same(new Set(numbers).size, 4, `${numbers}`);
});

tests.add(
  "an invocation of a process or thread against every bad argument: the error, and nothing changed",
  function* (os) {
    const { sys, environment } = os;
    const target = yield* os.make(ObjectType.THREAD);
    const child = yield* os.make(ObjectType.PROCESS);
    const space = yield* os.make(ObjectType.CNODE, 4);
    const notification = yield* os.notification();
    const junk = [-1, 0.5, Number.NaN, 2 ** 31, 2 ** 32, 1e300, Number.POSITIVE_INFINITY];
    const P = Method.PROCESS_CONFIGURE;
    const W = Method.MONITOR_WATCH;
    const watcher = yield* os.make(ObjectType.MONITOR);
    for (const handle of NO_HANDLES) {
      same(yield* invoke(sys, child, P, handle, 0, 0, 0), Err.BAD_CAP, `CNode ${handle}`);
      same(yield* invoke(sys, watcher, W, handle, notification), Err.BAD_CAP, `watch ${handle}`);
      same(yield* invoke(sys, watcher, W, child, handle), Err.BAD_CAP, `watch with ${handle}`);
      same(
        yield* invoke(sys, target, Method.THREAD_CONFIGURE, handle, os.core, 1),
        Err.BAD_CAP,
        `process ${handle}`,
      );
      same(yield* invoke(sys, environment.thread, Method.THREAD_BIND, handle), Err.BAD_CAP, `bind ${handle}`);
    }
    same(yield* invoke(sys, child, P, notification, 0, 0, 0), Err.BAD_TYPE, "no CNode");
    same(yield* invoke(sys, watcher, W, child, space), Err.BAD_TYPE, "watch by a CNode");
    same(yield* invoke(sys, watcher, W, space, notification), Err.BAD_TYPE, "watch a CNode");
    same(yield* invoke(sys, target, Method.THREAD_CONFIGURE, space, os.core, 1), Err.BAD_TYPE, "no process");
    same(yield* invoke(sys, environment.thread, Method.THREAD_BIND, space), Err.BAD_TYPE, "bind to a CNode");
    const { image } = environment;
    for (const handle of NO_HANDLES)
      same(yield* invoke(sys, child, P, space, handle, 0, 0), Err.BAD_CAP, `image ${handle}`);
    same(yield* invoke(sys, child, P, space, space, 0, 0), Err.BAD_TYPE, "a CNode for an image");
    for (const bytes of [...junk, 33, 7])
      same(yield* invoke(sys, child, P, space, image, 0, bytes), Err.RANGE, `name of ${bytes}`);
    for (const core of [...junk, os.cores]) {
      same(
        yield* invoke(sys, target, Method.THREAD_CONFIGURE, environment.process, core, 1),
        Err.RANGE,
        `core ${core}`,
      );
      same([sys.words[0], sys.words[1]], [0, os.cores - 1], "the permitted range");
    }
    for (const priority of [...junk, 256, CEILING + 1]) {
      same(
        yield* invoke(sys, target, Method.THREAD_CONFIGURE, environment.process, os.core, priority),
        Err.RANGE,
        `priority ${priority}`,
      );
      // Nobody gives more urgency than the ceiling of his process.
      same([sys.words[0], sys.words[1]], [0, CEILING], "the permitted range");
      same(
        yield* invoke(sys, environment.thread, Method.THREAD_PRIORITY, priority),
        Err.RANGE,
        `set priority ${priority}`,
      );
    }
    for (const ceiling of [...junk, 256])
      same(
        yield* invoke(sys, environment.process, Method.PROCESS_CEILING, ceiling),
        Err.RANGE,
        `ceiling ${ceiling}`,
      );
    // Before its time.
    same(yield* invoke(sys, target, Method.THREAD_START), Err.BUSY, "start a thread without a process");
    same(
      yield* invoke(sys, target, Method.THREAD_CONFIGURE, child, os.core, 1),
      Err.BUSY,
      "in a process without a CSpace",
    );
    same((yield* thread.status(sys, target)).state, 0, "the thread is new");
    same((yield* process.status(sys, child)).state, 0, "the process is new");
    // And after it.
    same(yield* invoke(sys, child, P, space, image, 0, 0), 0, "configure");
    same(yield* invoke(sys, child, P, space, image, 0, 0), Err.BUSY, "configure twice");
    same(
      yield* invoke(sys, target, Method.THREAD_CONFIGURE, environment.process, os.core, 1),
      0,
      "configure the thread",
    );
    same(
      yield* invoke(sys, target, Method.THREAD_CONFIGURE, environment.process, os.core, 1),
      Err.BUSY,
      "twice",
    );
    same(yield* invoke(sys, target, Method.THREAD_DESTROY), 0, "destroy");
    same(yield* invoke(sys, target, Method.THREAD_START), Err.BUSY, "start a dead thread");
    same(yield* invoke(sys, target, Method.THREAD_DESTROY), 0, "destroy a dead thread");
    same(yield* invoke(sys, target, Method.THREAD_BIND, notification), Err.BUSY, "bind a dead thread");
  },
);

tests.add(
  "a debug method answers RANGE to a core, a status or a count of bytes that cannot be",
  function* (os) {
    const { sys, environment } = os;
    for (const core of [-1, 0.5, Number.NaN, os.cores, 2 ** 32])
      same(yield* invoke(sys, environment.debug, Method.DEBUG_CORE, core), Err.RANGE, `core ${core}`);
    for (const status of [-1, 256, 0.5, Number.NaN, 2 ** 32])
      same(yield* invoke(sys, environment.debug, Method.DEBUG_HALT, status), Err.RANGE, `halt ${status}`);
    for (const count of [-1, 0.5, 500, Number.NaN, 2 ** 32 + 1])
      same(yield* invoke(sys, environment.debug, Method.DEBUG_PRINT, count), 0, `print ${count}`);
  },
);

tests.add("a thread that was destroyed before it was configured can never be configured", function* (os) {
  const { sys, environment } = os;
  const target = yield* os.make(ObjectType.THREAD);
  same(yield* invoke(sys, target, Method.THREAD_DESTROY), 0, "destroy");
  same(
    yield* invoke(sys, target, Method.THREAD_CONFIGURE, environment.process, os.core, 1),
    Err.BUSY,
    "configure",
  );
});

tests.add("a thread that is not configured is neither bound nor given a priority", function* (os) {
  const { sys, environment } = os;
  const notification = yield* os.notification();
  const target = yield* os.make(ObjectType.THREAD);
  same(yield* invoke(sys, target, Method.THREAD_PRIORITY, 7), Err.BUSY, "priority");
  same(yield* invoke(sys, target, Method.THREAD_BIND, notification), Err.BUSY, "bind");
  // Bound to a home that it leaves by its configuration, it would be looked for where it is not.
  const other = (os.core + 1) % os.cores;
  same(yield* invoke(sys, target, Method.THREAD_CONFIGURE, environment.process, other, 40), 0, "configure");
  same(yield* invoke(sys, target, Method.THREAD_BIND, notification), 0, "bind");
  same(yield sys.notify(notification), 0, "notify");
  yield* debug.gracePeriod(sys, environment.debug);
  same(yield* invoke(sys, target, Method.THREAD_DESTROY), 0, "destroy");
});

tests.add(
  "DEBUG_GRACE_PERIOD is a grace period of its own also for a thread that has waited for another",
  function* (os) {
    const { sys, environment } = os;
    const endpoint = yield* os.endpoint();
    const slot = os.slots.take();
    // Where every core is idle or traps all the time nobody ever waits.
    const busy = yield* spawn(os, "busy", [], { core: (os.core + 1) % os.cores });
    let last = yield* debug.gracePeriod(sys, environment.debug);
    for (let i = 0; i < 20; i++) {
      // Filling a slot that was emptied a moment ago waits for a grace period.
      yield* cnode.copy(sys, environment.cnode, slot, endpoint, 255);
      yield* cnode.delete(sys, environment.cnode, slot);
      yield* cnode.copy(sys, environment.cnode, slot, endpoint, 255);
      yield* cnode.delete(sys, environment.cnode, slot);
      const next = yield* debug.gracePeriod(sys, environment.debug);
      truly(
        next - last >= 3,
        `two deletes and one request since ${last} make at least three, not ${next - last}`,
      );
      last = next;
    }
    yield* drop(os, busy);
  },
);

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
