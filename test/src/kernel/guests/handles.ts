/** Handles and rights: what a number names, for whom, and what a copy may. */
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
import { cnode, type Os, process, type Steps, spawnProcess, start } from "@capos/libos";
import { GuestTests, invoke, perform, type Role, same, truly } from "./support/kit.js";
import { NO_HANDLES } from "./support/no-handles.js";

const roles: Record<string, Role> = {
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
};

export const tests = new GuestTests();

const inspect = (os: Os, index: number) => cnode.inspect(os.sys, os.environment.cnode, index);

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

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
