/** The last capability goes: what was waited for ends, what runs stops, what held others lets go, and memory comes back. */
import { handleIndex, LifeState, Method, ObjectType, Right, SlotState, type Sys } from "@capos/abi";
import {
  cnode,
  type Os,
  process,
  type SpawnedThread,
  type Steps,
  start,
  thread,
  untyped,
} from "@capos/libos";
import { Arena, isHeld, quiet, remove, revoke, slotOf } from "./support/authority.js";
import {
  drop,
  Err,
  ended,
  failed,
  GuestTests,
  invoke,
  onCores,
  perform,
  type Role,
  same,
  settled,
  spawn,
  spawnChild,
  truly,
  work,
} from "./support/kit.js";

const roles: Record<string, Role> = {
  *send(os) {
    return -(yield os.sys.send(os.handed[0], 0));
  },
  *call(os) {
    return -(yield os.sys.call(os.handed[0], 0));
  },
  *recv(os) {
    return -(yield os.sys.recv(os.handed[0]));
  },
  *wait(os) {
    return -(yield os.sys.wait(os.handed[0]));
  },
  /** Signals for ever. */
  *traps(os) {
    for (;;) yield os.sys.notify(os.handed[0]);
  },
  /** Signals now and then, and works in between. */
  *works(os) {
    for (;;) {
      work(20_000);
      yield os.sys.notify(os.handed[0]);
    }
  },
  *yields(os) {
    for (;;) yield os.sys.yield();
  },
  /** Waits for a grace period after the other. */
  *grace(os) {
    const { sys, environment } = os;
    for (;;) yield* invoke(sys, environment.debug, Method.DEBUG_GRACE_PERIOD);
  },
  *idle(os) {
    yield os.sys.wait(os.handed[0]);
    return 0;
  },
};

export const tests = new GuestTests();
const own = (os: Os) => os.environment.cnode;

for (const role of ["send", "call", "recv", "wait"]) {
  onCores(
    tests,
    `the delete of the last capability wakes who blocks in ${role} through it`,
    function* (os, core) {
      const arena = yield* Arena.of(os);
      const object = yield* arena.make(role === "wait" ? ObjectType.NOTIFICATION : ObjectType.ENDPOINT);
      // Who waits through the very capability that goes: another's would keep the object.
      const threads: SpawnedThread[] = [];
      for (let i = 0; i < 6; i++)
        threads.push(yield* spawn(os, role, [object], { core: (core + i) % os.cores, slots: 1 }));
      yield* settled(os, ...threads);
      const copy = yield* arena.copy(object);
      yield* remove(os, copy);
      for (const it of threads)
        same((yield* thread.status(os.sys, it.handle)).state, LifeState.RUNNING, "not the last");
      yield* remove(os, object);
      same(
        yield* ended(os, ...threads),
        threads.map(() => failed(Err.REVOKED)),
        "who waited",
      );
      yield* drop(os, ...threads);
      yield* arena.close();
    },
  );
}

for (const role of ["send", "call", "recv", "wait", "traps", "works", "yields", "grace"]) {
  onCores(
    tests,
    `the delete of a thread's last capability returns when it has stopped, from ${role}`,
    function* (os, core) {
      const { sys } = os;
      const arena = yield* Arena.of(os);
      const object = yield* arena.make(
        role === "send" || role === "call" || role === "recv" ? ObjectType.ENDPOINT : ObjectType.NOTIFICATION,
      );
      const before = yield* untyped.info(sys, os.environment.untyped);
      for (let i = 0; i < 5; i++) {
        const it = yield* spawn(os, role, [object], { core, priority: 50, slots: 1 });
        for (let n = 0; n < i; n++) yield sys.yield();
        const second = yield* arena.copy(it.handle);
        yield* remove(os, it.handle);
        same((yield* thread.status(sys, second)).state, LifeState.RUNNING, "one capability is left");
        yield* remove(os, second);
        if (role === "traps" || role === "works") {
          yield sys.poll(object);
          for (let n = 0; n < 20; n++) {
            same(yield sys.poll(object), Err.WOULD_BLOCK, "it has stopped");
            yield sys.yield();
          }
        } else if (role === "send" || role === "call")
          same(yield sys.nbRecv(object), Err.WOULD_BLOCK, "no message");
        else if (role === "recv") same(yield sys.nbSend(object), Err.WOULD_BLOCK, "no receiver");
        os.slots.give(handleIndex(it.handle));
        os.slots.give(it.firstSlot, it.slotCount);
      }
      truly(before.leftBytes > 0, "memory");
      yield* arena.close();
    },
  );
}

tests.add(
  "a CNode that holds itself goes with its last capability outside, and all that it holds",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const minted = yield* arena.mint(endpoint, 5);
    for (let i = 0; i < 3; i++) {
      const space = yield* arena.make(ObjectType.CNODE, 4);
      yield* cnode.copy(sys, space, 1, space, Right.ALL);
      yield* cnode.copy(sys, space, 2, minted, Right.ALL);
      if (i === 1) yield* cnode.move(sys, space, 3, space);
      else if (i === 2) {
        const copy = yield* arena.copy(space);
        yield* cnode.move(sys, copy, 3, space);
        yield* remove(os, copy);
      } else yield* remove(os, space);
      // What it held is gone: the server of the badge is told.
      same(yield sys.recv(endpoint), 0, "told");
      same([sys.noSenders(), sys.badge()], [true, 5], "that nobody has it");
    }
    yield* arena.close();
  },
);

tests.add("two CNodes that hold each other live on, and end with the revoke of their memory", function* (os) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const left = yield* arena.make(ObjectType.CNODE, 4);
  const right = yield* arena.make(ObjectType.CNODE, 4);
  yield* cnode.copy(sys, left, 1, right, Right.ALL);
  yield* cnode.copy(sys, right, 1, left, Right.ALL);
  yield* remove(os, left);
  same((yield* cnode.inspect(sys, right, 1)).state, SlotState.LIVE, "held by the other");
  yield* remove(os, right);
  yield* quiet(os);
  truly((yield* arena.left()) < 2 ** 16, "their memory is in use");
  yield* arena.close();
});

tests.add(
  "1,000 CNodes, each in the one before, go with the first; the memory is all there again",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.large(os);
    const endpoint = yield* arena.endpoint();
    const minted = yield* arena.mint(endpoint, 6);
    let [outer, previous] = [0, 0];
    for (let i = 0; i < 1000; i++) {
      const slot = os.slots.take();
      yield* untyped.retype(sys, arena.untyped, ObjectType.CNODE, 1, 1, own(os), slot);
      const next = (yield* slotOf(os, slot)).handle;
      if (previous === 0) outer = next;
      else {
        yield* cnode.copy(sys, previous, 1, next, Right.ALL);
        if (previous !== outer) yield* os.drop(previous);
      }
      previous = next;
    }
    yield* cnode.copy(sys, previous, 1, minted, Right.ALL);
    yield* os.drop(previous);
    yield* quiet(os);
    same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "all are held");
    yield* os.drop(outer);
    same(yield sys.recv(endpoint), 0, "told");
    same([sys.noSenders(), sys.badge()], [true, 6], "the innermost is gone");
    yield* arena.close();
    for (const it of [endpoint, minted]) truly(!(yield* isHeld(os, it)), "all is gone");
  },
);

tests.add(
  "a process whose last capability goes is killed, what it made dies and what it passed on stays",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const stop = yield* arena.notification();
    const child = yield* spawnChild(os, "idle", [stop]);
    // Its own capability to itself keeps it, until it is taken.
    for (const it of [child.process, child.thread]) yield* os.drop(it);
    yield* quiet(os);
    same((yield* cnode.inspect(sys, child.cnode, 2)).type, ObjectType.PROCESS, "it is there");
    const held = (yield* cnode.inspect(sys, child.cnode, 8)).type;
    truly(held !== ObjectType.NONE, "it holds something");
    yield* cnode.delete(sys, child.cnode, 2);
    yield* quiet(os);
    for (let i = 1; i < 128; i++)
      truly((yield* cnode.inspect(sys, child.cnode, i)).state !== SlotState.LIVE, `slot ${i}`);
    truly(yield* isHeld(os, stop), "what it was given");
    yield* os.drop(child.cnode);
    yield* arena.close();
  },
);

tests.add(
  "objects made and deleted three thousand times leave neither slots nor thread numbers nor memory behind",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os, 14);
    const types = [
      ObjectType.ENDPOINT,
      ObjectType.NOTIFICATION,
      ObjectType.MONITOR,
      ObjectType.SEALER,
      ObjectType.THREAD,
      ObjectType.PROCESS,
    ];
    const slot = arena.slot();
    for (let i = 0; i < 3000; i++) {
      const type = types[i % types.length];
      yield* untyped.retype(sys, arena.untyped, type, 0, 1, own(os), slot);
      if (type === ObjectType.THREAD) {
        const it = (yield* slotOf(os, slot)).handle;
        same(
          yield* invoke(sys, it, Method.THREAD_CONFIGURE, os.environment.process, i % os.cores, 20),
          0,
          `thread ${i}`,
        );
      }
      yield* cnode.delete(sys, own(os), slot);
    }
    yield* arena.close();
  },
);

tests.add("copies of what was deleted are its parent's children", function* (os) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const space = yield* arena.make(ObjectType.CNODE, 4);
  const endpoint = yield* arena.endpoint();
  const inside = yield* cnode.copy(sys, space, 1, endpoint, Right.ALL);
  // Copied out of the CNode by a message would be the same: a child of what lies there.
  yield* cnode.copy(sys, own(os), arena.slot(), endpoint, Right.ALL);
  truly(inside > 0, "there");
  const moved = yield* arena.copy(endpoint);
  const child = yield* arena.copy(moved);
  yield* cnode.move(sys, space, 2, moved);
  yield* remove(os, space);
  yield* quiet(os);
  truly(yield* isHeld(os, child), "its child stays when the CNode goes");
  yield* revoke(os, endpoint);
  truly(!(yield* isHeld(os, child)), "and is the endpoint's");
  yield* process.status(sys, os.environment.process);
  yield* arena.close();
});

/** Deletes its own last capability; nothing may come after. */
roles.suicide = function* (os: Os): Steps<number> {
  yield* cnode.delete(os.sys, os.environment.cnode, handleIndex(os.environment.thread));
  yield os.sys.notify(os.handed[0]);
  return 0;
};

onCores(tests, "a thread that deletes its own last capability never runs again", function* (os, core) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const after = yield* arena.notification();
  for (let i = 0; i < 10; i++) {
    const it = yield* spawn(os, "suicide", [after], { core, slots: 1 });
    while (yield* isHeld(os, it.handle)) yield sys.yield();
    yield* quiet(os);
    same(yield sys.poll(after), Err.WOULD_BLOCK, "what comes after");
    yield* os.drop(it.handle);
    os.slots.give(it.firstSlot, it.slotCount);
  }
  yield* arena.close();
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
