/** Capabilities: in messages, as handles, their rights; and each invocation against each bad argument. */
import {
  Err,
  handleGeneration,
  handleIndex,
  Method,
  makeHandle,
  ObjectType,
  Right,
  SlotState,
  type Sys,
} from "@capos/abi";
import { cnode, type Os, process, type Steps, spawnProcess, start, untyped } from "@capos/libos";
import {
  CEILING,
  debug,
  drop,
  ended,
  GuestTests,
  invoke,
  onCores,
  perform,
  type Role,
  same,
  settled,
  spawn,
  thread,
  truly,
  work,
} from "./support/kit.js";

const roles: Record<string, Role> = {
  /** Receives once into a window and reports count, arrivals and handles. The window is what the arguments say. */
  *taker(os) {
    const { sys, handed } = os;
    sys.receiveInto(Number(os.args[1]), Number(os.args[2]));
    const n = yield sys.recv(handed[0]);
    sys.words[1] = sys.words[0];
    sys.words[0] = n;
    sys.words[2] = sys.arrived();
    for (let i = 0; i < 4; i++) sys.words[3 + i] = sys.capability(i);
    yield sys.send(handed[1], 7);
    return 0;
  },

  /** As taker, with a call instead of a receive. */
  *asker(os) {
    const { sys, handed } = os;
    sys.receiveInto(Number(os.args[1]), Number(os.args[2]));
    sys.words[0] = 1;
    const n = yield sys.call(handed[0], 1);
    sys.words[1] = sys.words[0];
    sys.words[0] = n;
    sys.words[2] = sys.arrived();
    for (let i = 0; i < 4; i++) sys.words[3 + i] = sys.capability(i);
    yield sys.send(handed[1], 7);
    return 0;
  },

  /** Sends one word and the capabilities handed over after the endpoint. */
  *giver(os) {
    const { sys, handed } = os;
    sys.words[0] = 42;
    const [endpoint, ...gifts] = handed;
    return -(yield sys.send(endpoint!, 1, ...gifts));
  },

  /** Answers one call through the saved reply it was handed, with one capability. */
  *answerer(os) {
    const { sys, handed } = os;
    sys.words[0] = 43;
    return -(yield sys.replyTo(handed[0], 1, handed[1]));
  },

  /** In a process of its own: tries the handles in its arguments and all around; 0 if none names anything. */
  *prober(os) {
    const { sys } = os;
    const own = new Set([
      os.environment.cnode,
      os.environment.process,
      os.environment.thread,
      os.environment.names,
    ]);
    const { log, console, debug, image } = os.environment;
    for (const handle of [log, console, debug, image, ...os.handed]) own.add(handle);
    for (const text of os.args.slice(1)) {
      const foreign = Number(text);
      for (let index = 0; index < 600; index++) {
        const handle = makeHandle(index, handleGeneration(foreign));
        if (own.has(handle)) continue;
        if ((yield sys.call(handle, 0)) !== Err.BAD_CAP) return 1;
        if ((yield sys.poll(handle)) !== Err.BAD_CAP) return 2;
      }
      if ((yield sys.nbSend(foreign, 0)) !== Err.BAD_CAP) return 3;
    }
    return 0;
  },

  /** Keeps its core from safe points for a while, again and again. */
  *busy(os) {
    for (;;) {
      work(300_000);
      yield os.sys.nothing();
    }
  },
};

export const tests = new GuestTests();

/** What a taker or asker reports. */
interface Taken {
  readonly count: number;
  readonly word: number;
  readonly arrived: number;
  readonly handles: readonly number[];
}

function* report(os: Os, back: number): Steps<Taken> {
  const { sys } = os;
  same(yield sys.recv(back), 7, "report");
  const { words } = sys;
  return {
    count: words[0],
    word: words[1],
    arrived: words[2],
    handles: [words[3], words[4], words[5], words[6]],
  };
}

const inspect = (os: Os, index: number) => cnode.inspect(os.sys, os.environment.cnode, index);

/** How messages with capabilities travel: receiver first, sender first, as an answer, as an answer by a saved reply. */
const WAYS = ["to a waiting receiver", "from a queued sender", "with a reply", "with a saved reply"] as const;

/** Sends `gifts` to a window of another thread, one of the ways. */
function* pass(
  os: Os,
  way: (typeof WAYS)[number],
  core: number,
  window: number,
  count: number,
  gifts: readonly number[],
): Steps<Taken> {
  const endpoint = yield* os.endpoint();
  const back = yield* os.endpoint();
  const taken = yield* passBy(os, way, core, window, count, gifts, endpoint, back);
  yield* os.drop(endpoint);
  yield* os.drop(back);
  return taken;
}

function* passBy(
  os: Os,
  way: (typeof WAYS)[number],
  core: number,
  window: number,
  count: number,
  gifts: readonly number[],
  endpoint: number,
  back: number,
): Steps<Taken> {
  const { sys } = os;
  const answer = way === "with a reply" || way === "with a saved reply";
  if (way === "from a queued sender") {
    // The sender here, the receiver there: then the endpoint is at home with the sender.
    const giver = yield* spawn(os, "giver", [endpoint, ...gifts]);
    yield* settled(os, giver);
    const taker = yield* spawn(os, "taker", [endpoint, back], { core, args: [window, count] });
    const taken = yield* report(os, back);
    same(yield* ended(os, giver), [0], "the sender");
    yield* ended(os, taker);
    yield* drop(os, giver, taker);
    return taken;
  }
  const it = yield* spawn(os, answer ? "asker" : "taker", [endpoint, back], { core, args: [window, count] });
  yield* settled(os, it);
  sys.receiveInto(0, 0);
  sys.words[0] = 42;
  if (!answer) same(yield sys.send(endpoint, 1, ...gifts), 0, "send");
  else {
    same(yield sys.recv(endpoint), 1, "the call");
    sys.words[0] = 42;
    if (way === "with a reply") same(yield sys.reply(1, ...gifts), 0, "reply");
    else {
      const slot = os.slots.take();
      same(yield sys.saveReply(slot), 0, "save");
      same(yield sys.replyTo(sys.capability(0), 1, ...gifts), 0, "reply");
      os.slots.give(slot);
    }
  }
  const taken = yield* report(os, back);
  yield* ended(os, it);
  yield* drop(os, it);
  return taken;
}

/** A notification with a badge: a capability that can be told from others. */
function* token(os: Os, badge: number, rights: number = Right.ALL): Steps<number> {
  const plain = yield* os.notification();
  const minted = yield* os.copy(plain, rights, badge);
  yield* os.drop(plain);
  return minted;
}

for (const way of WAYS) {
  onCores(tests, `0 to 4 capabilities arrive in the window in order, ${way}`, function* (os, core) {
    for (let n = 0; n <= 4; n++) {
      const gifts: number[] = [];
      for (let i = 0; i < n; i++) gifts.push(yield* token(os, 100 + i, Right.SEND | Right.GRANT));
      const window = os.slots.take(4);
      const taken = yield* pass(os, way, core, window, 4, gifts);
      same([taken.count, taken.word, taken.arrived], [1, 42, n], "count, word, arrived");
      for (let i = 0; i < 4; i++) {
        const slot = yield* inspect(os, window + i);
        if (i >= n) truly(slot.state !== SlotState.LIVE, `slot ${i} is empty`);
        else {
          same(
            [slot.type, slot.badge, slot.rights],
            [ObjectType.NOTIFICATION, 100 + i, Right.SEND | Right.GRANT],
            `slot ${i}`,
          );
          same(taken.handles[i], slot.handle, `handle ${i}`);
        }
        yield* cnode.delete(os.sys, os.environment.cnode, window + i);
      }
      os.slots.give(window, 4);
      for (const gift of gifts) yield* os.drop(gift);
    }
  });

  onCores(
    tests,
    `what does not fit stops the rest and the message arrives all the same, ${way}`,
    function* (os, core) {
      const good = [yield* token(os, 1), yield* token(os, 2), yield* token(os, 3), yield* token(os, 4)];
      const fixed = yield* token(os, 5, Right.ALL & ~Right.GRANT);
      const dead = yield* token(os, 6);
      yield* os.drop(dead);
      const memory = os.slots.take();
      yield* untyped.retype(
        os.sys,
        os.environment.untyped,
        ObjectType.UNTYPED,
        6,
        1,
        os.environment.cnode,
        memory,
      );
      const bad = (yield* inspect(os, memory)).handle;
      const end = 1024;
      const free = os.slots.take(8);
      const occupied = handleIndex(good[0]);
      const tries: [string, number, number, number[], number][] = [
        ["deaf", 0, 0, good, 0],
        ["slot 0", 0, 4, good, 0],
        ["a window of 0", free, 0, good, 0],
        ["a small window", free, 2, good, 2],
        ["an occupied slot", occupied, 1, good, 0],
        ["a window past the end", end - 2, 4, good, 0],
        ["a window far past the end", 2 ** 30, 4, good, 0],
        ["a negative window", -5, 4, good, 0],
        ["no GRANT", free + 2, 4, [good[0], fixed, good[1]], 1],
        ["untyped memory", free + 3, 4, [good[0], good[1], bad, good[2]], 2],
        ["a dead handle", free + 5, 3, [dead, good[0]], 0],
        ["no handle", free + 5, 3, [Number.NaN, good[0]], 0],
        ["index 0", free + 5, 3, [7, good[0]], 0],
      ];
      for (const [what, window, count, gifts, arrived] of tries) {
        const taken = yield* pass(os, way, core, window, count, gifts);
        same([taken.count, taken.word, taken.arrived], [1, 42, arrived], what);
        for (let i = free; i < free + 8; i++) yield* cnode.delete(os.sys, os.environment.cnode, i);
      }
      same((yield* inspect(os, occupied)).badge, 1, "the occupied slot");
      same((yield* inspect(os, memory)).state, SlotState.LIVE, "the memory is still mine");
      os.slots.give(free, 8);
    },
  );
}

onCores(
  tests,
  "a window slot in the middle that is occupied keeps what came before it",
  function* (os, core) {
    const gifts = [yield* token(os, 1), yield* token(os, 2), yield* token(os, 3)];
    const window = os.slots.take(3);
    yield* cnode.copy(os.sys, os.environment.cnode, window + 1, gifts[2], Right.ALL);
    const taken = yield* pass(os, "to a waiting receiver", core, window, 3, gifts);
    same(taken.arrived, 1, "arrived");
    same([(yield* inspect(os, window)).badge, (yield* inspect(os, window + 1)).badge], [1, 3], "badges");
    truly((yield* inspect(os, window + 2)).state !== SlotState.LIVE, "the slot after it");
  },
);

onCores(
  tests,
  "a caller on this core that is deaf gets nothing by a saved reply that another core uses",
  function* (os, core) {
    const { sys } = os;
    const endpoint = yield* os.endpoint();
    const back = yield* os.endpoint();
    const gift = yield* token(os, 9);
    const window = os.slots.take(4);
    for (const [first, count, arrived] of [
      [window, 4, 1],
      [0, 0, 0],
      [window + 1, 1, 1],
    ] as const) {
      const it = yield* spawn(os, "asker", [endpoint, back], { args: [first, count] });
      yield* settled(os, it);
      sys.receiveInto(0, 0);
      yield sys.recv(endpoint);
      const slot = os.slots.take();
      yield sys.saveReply(slot);
      const answerer = yield* spawn(os, "answerer", [sys.capability(0), gift], { core });
      const taken = yield* report(os, back);
      same([taken.word, taken.arrived], [43, arrived], "word and arrived");
      if (arrived > 0) same(handleIndex(taken.handles[0]), first, "where");
      yield* ended(os, it, answerer);
      yield* drop(os, it, answerer);
    }
  },
);

onCores(tests, "a receive slot is free again once it was emptied", function* (os, core) {
  const gift = yield* token(os, 7);
  const window = os.slots.take();
  const handles = new Set<number>();
  for (let i = 0; i < 8; i++) {
    const taken = yield* pass(os, "to a waiting receiver", core, window, 1, [gift]);
    same(taken.arrived, 1, `round ${i}`);
    handles.add(taken.handles[0]);
    yield* cnode.delete(os.sys, os.environment.cnode, window);
  }
  same(handles.size, 8, "no handle is ever used twice");
});

/** Answers of a lookup that fails. */
const NO_HANDLES = [
  0,
  1,
  5,
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 32 - 1,
  2 ** 52,
  2 ** 53,
  1e300,
  -(2 ** 40),
];

/** Every trap that names a capability, with the error it answered. */
function* everyTrap(os: Os, handle: number): Steps<number[]> {
  const { sys } = os;
  const answers: number[] = [];
  for (const trap of [
    sys.send,
    sys.recv,
    sys.call,
    sys.replyRecv,
    sys.nbSend,
    sys.nbRecv,
    sys.notify,
    sys.wait,
    sys.poll,
  ]) {
    answers.push(yield trap(handle));
  }
  return answers;
}

const all = (error: number) => Array.from({ length: 9 }, () => error);

tests.add("a number that is no handle answers BAD_CAP to every trap", function* (os) {
  for (const handle of NO_HANDLES) same(yield* everyTrap(os, handle), all(Err.BAD_CAP), `handle ${handle}`);
  // Past the end of the CSpace.
  for (const index of [1024, 1025, 2 ** 20])
    same(yield* everyTrap(os, makeHandle(index, 1)), all(Err.BAD_CAP), `index ${index}`);
});

tests.add(
  "a handle goes stale when its slot is emptied, and its slot's next tenant does not answer to it",
  function* (os) {
    const { sys, environment } = os;
    const slot = os.slots.take();
    const source = yield* os.endpoint();
    let previous = 0;
    for (let i = 0; i < 5; i++) {
      const handle = yield* cnode.copy(sys, environment.cnode, slot, source, Right.ALL);
      truly(handle !== previous, "a new handle");
      if (previous !== 0) same(yield* everyTrap(os, previous), all(Err.BAD_CAP), "the stale handle");
      same(yield sys.nbSend(handle, 0), Err.WOULD_BLOCK, "the new handle");
      same(yield sys.nbSend(handle + 1, 0), Err.BAD_CAP, "the next generation");
      same(yield sys.nbSend(handle + 0.5, 0), Err.BAD_CAP, "a fraction");
      same(yield sys.nbSend(-handle, 0), Err.BAD_CAP, "negative");
      yield* cnode.delete(sys, environment.cnode, slot);
      same(yield* everyTrap(os, handle), all(Err.BAD_CAP), "at once after the delete");
      previous = handle;
    }
  },
);

tests.add("index 0 of a CNode never names anything and cannot be filled", function* (os) {
  const { sys, environment } = os;
  const generation = handleGeneration(environment.cnode);
  for (const g of [0, 1, generation]) same(yield* everyTrap(os, g), all(Err.BAD_CAP), "index 0");
  same(
    yield* invoke(sys, environment.cnode, Method.CNODE_COPY, 0, environment.cnode, 255),
    Err.RANGE,
    "copy",
  );
  same([sys.words[0], sys.words[1]], [1, 1023], "the permitted range");
  same(
    yield* invoke(
      sys,
      environment.untyped,
      Method.UNTYPED_RETYPE,
      ObjectType.ENDPOINT,
      0,
      1,
      environment.cnode,
      0,
    ),
    Err.RANGE,
    "retype",
  );
  same(yield* invoke(sys, environment.cnode, Method.CNODE_DELETE, 0), Err.RANGE, "delete");
  same(yield* invoke(sys, environment.cnode, Method.CNODE_INSPECT, 0), Err.RANGE, "inspect");
});

tests.add("a process cannot name another's slots", function* (os) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const notification = yield* os.notification();
  const child = yield* spawnProcess(os, {
    name: "prober",
    image: os.environment.image,
    cnodeBits: 6,
    args: ["prober", ...[endpoint, notification, os.environment.untyped, os.environment.cnode].map(String)],
  });
  for (;;) {
    const status = yield* process.status(sys, child.process);
    if (status.state > 1) {
      same([status.state, status.status, status.fault], [2, 0, ""], "the prober");
      return;
    }
    yield sys.yield();
  }
});

tests.add("each trap wants its type of capability", function* (os) {
  const { sys, environment } = os;
  const endpoint = yield* os.endpoint();
  const notification = yield* os.notification();
  for (const handle of [environment.cnode, environment.process, environment.thread, environment.untyped]) {
    same(yield sys.send(handle, 0), Err.BAD_TYPE, "send");
    same(yield sys.recv(handle), Err.BAD_TYPE, "recv");
    same(yield sys.nbSend(handle), Err.BAD_TYPE, "nbSend");
    same(yield sys.nbRecv(handle), Err.BAD_TYPE, "nbRecv");
    same(yield sys.replyRecv(handle), Err.BAD_TYPE, "replyRecv");
    same(yield sys.notify(handle), Err.BAD_TYPE, "notify");
    same(yield sys.wait(handle), Err.BAD_TYPE, "wait");
    same(yield sys.poll(handle), Err.BAD_TYPE, "poll");
    // On a kernel object a call is an invocation; without a word there is no method.
    same(yield sys.call(handle, 0), Err.UNSUPPORTED, "call");
  }
  same(yield sys.send(notification), Err.BAD_TYPE, "send to a notification");
  same(yield sys.call(notification), Err.BAD_TYPE, "call a notification");
  same(yield sys.notify(endpoint), Err.BAD_TYPE, "notify an endpoint");
  same(yield sys.wait(endpoint), Err.BAD_TYPE, "wait at an endpoint");
  same(yield sys.poll(endpoint), Err.BAD_TYPE, "poll an endpoint");
});

tests.add("a trap without the right answers DENIED and nothing happens", function* (os) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const notification = yield* os.notification();
  const noSend = yield* os.copy(endpoint, Right.ALL & ~Right.SEND);
  const noReceive = yield* os.copy(endpoint, Right.ALL & ~Right.RECEIVE);
  for (const trap of [sys.send, sys.call, sys.nbSend]) same(yield trap(noSend), Err.DENIED, "SEND");
  for (const trap of [sys.recv, sys.nbRecv, sys.replyRecv])
    same(yield trap(noReceive), Err.DENIED, "RECEIVE");
  same(yield sys.notify(yield* os.copy(notification, Right.ALL & ~Right.SEND)), Err.DENIED, "notify");
  const deaf = yield* os.copy(notification, Right.ALL & ~Right.RECEIVE);
  for (const trap of [sys.wait, sys.poll]) same(yield trap(deaf), Err.DENIED, "wait and poll");
  same(yield sys.poll(notification), Err.WOULD_BLOCK, "no bit");
  same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "no message");
});

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
    0x35,
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

tests.add("copies never gain rights, whatever is asked for, and a copy of a copy neither", function* (os) {
  const endpoint = yield* os.endpoint();
  for (const rights of [
    0,
    Right.SEND,
    Right.SEND | Right.GRANT,
    Right.READ | Right.RECEIVE,
    255 & ~Right.WRITE,
  ]) {
    const copy = yield* os.copy(endpoint, rights);
    same((yield* inspect(os, handleIndex(copy))).rights, rights, "rights");
    for (const asked of [255, rights, 0, Right.WRITE]) {
      const second = yield* os.copy(copy, asked);
      same((yield* inspect(os, handleIndex(second))).rights, asked & rights, "rights of the copy's copy");
      const minted = yield* os.copy(copy, asked, 3);
      same((yield* inspect(os, handleIndex(minted))).rights, asked & rights, "rights of the minted copy");
      yield* os.drop(second);
      yield* os.drop(minted);
    }
    yield* os.drop(copy);
  }
});

tests.add(
  "a badge is minted once: a badged capability is copied with it and never minted again",
  function* (os) {
    const { sys, environment } = os;
    const endpoint = yield* os.endpoint();
    const minted = yield* os.copy(endpoint, 255, 12);
    const copy = yield* os.copy(minted, 255);
    same((yield* inspect(os, handleIndex(copy))).badge, 12, "the copy's badge");
    const slot = os.slots.take();
    for (const handle of [minted, copy]) {
      same(
        yield* invoke(sys, environment.cnode, Method.CNODE_MINT, slot, handle, 255, 13),
        Err.DENIED,
        "mint again",
      );
    }
    for (const badge of [0, -1, 0.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      same(
        yield* invoke(sys, environment.cnode, Method.CNODE_MINT, slot, endpoint, 255, badge),
        Err.RANGE,
        `badge ${badge}`,
      );
      same([sys.words[0], sys.words[1]], [1, 0xffff_ffff], "the permitted range");
    }
    truly((yield* inspect(os, slot)).state !== SlotState.LIVE, "the slot");
  },
);

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
  same(yield* retype(ObjectType.FRAME, 0, 1), Err.NO_MEMORY, "a frame");
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
    [ObjectType.FRAME, 0, 12],
    [ObjectType.THREAD, 0, 10],
    [ObjectType.PROCESS, 0, 9],
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
