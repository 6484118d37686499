/** Revoke as its contract says: what ends, what stays, and who is woken, wherever it is. */
import { Method, ObjectType, Right, SlotState, type Sys } from "@capos/abi";
import { cnode, type Os, type SpawnedThread, type Steps, start } from "@capos/libos";
import { Arena, isHeld, remove, revoke, slotOf } from "./support/authority.js";
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
  truly,
} from "./support/kit.js";

const roles: Record<string, Role> = {
  *send(os) {
    os.sys.words[0] = 1;
    return -(yield os.sys.send(os.handed[0], 1));
  },
  *call(os) {
    os.sys.words[0] = 1;
    const n = yield os.sys.call(os.handed[0], 1);
    return n === 1 ? os.sys.words[0] : -n;
  },
  *recv(os) {
    const n = yield os.sys.recv(os.handed[0]);
    return n === 1 ? os.sys.words[0] : -n;
  },
  *wait(os) {
    const n = yield os.sys.wait(os.handed[0]);
    return n === 0 ? os.sys.badge() : -n;
  },
};

export const tests = new GuestTests();
const own = (os: Os) => os.environment.cnode;

/** Fills slots 1 to `count` of a CNode with copies of a capability. */
function* copies(os: Os, space: number, count: number, source: number): Steps<void> {
  for (let i = 1; i <= count; i++) yield* cnode.copy(os.sys, space, i, source, Right.ALL);
}

/** How many of the slots 1 to `count` are live. */
function* alive(os: Os, space: number, count: number): Steps<number> {
  let live = 0;
  for (let i = 1; i <= count; i++) {
    yield* invoke(os.sys, space, Method.CNODE_INSPECT, i);
    if (os.sys.words[3] === SlotState.LIVE) live++;
  }
  return live;
}

/** A chain of copies, each the child of the one before, all but the last moved into a CNode. Gives the last. */
function* chain(os: Os, arena: Arena, space: number, count: number, source: number): Steps<number> {
  const { sys } = os;
  const slots = arena.slot(64);
  let last = source;
  for (let i = 1; i <= count; i++) {
    const next = yield* cnode.copy(sys, own(os), slots + (i % 64), last, Right.ALL);
    if (last !== source) yield* cnode.move(sys, space, i, last);
    last = next;
  }
  return last;
}

tests.add("10,000 copies of one capability die with its revoke; it and its sibling stay", function* (os) {
  const arena = yield* Arena.large(os);
  const endpoint = yield* arena.endpoint();
  const space = yield* arena.make(ObjectType.CNODE, 14);
  const first = yield* arena.copy(endpoint);
  const sibling = yield* arena.copy(endpoint);
  yield* copies(os, space, 10_000, first);
  same(yield* alive(os, space, 10_000), 10_000, "before");
  yield* revoke(os, sibling);
  same(yield* alive(os, space, 10_000), 10_000, "after the sibling's revoke");
  yield* revoke(os, first);
  same(yield* alive(os, space, 10_000), 0, "after the revoke");
  for (const it of [endpoint, first, sibling]) truly(yield* isHeld(os, it), "what stays");
  // The slots can be filled at once.
  yield* copies(os, space, 300, sibling);
  same(yield* alive(os, space, 10_000), 300, "filled again");
  yield* arena.close();
});

tests.add("a chain of 5,000 copies of copies dies with the revoke of any one above", function* (os) {
  const arena = yield* Arena.large(os);
  const endpoint = yield* arena.endpoint();
  const space = yield* arena.make(ObjectType.CNODE, 14);
  const last = yield* chain(os, arena, space, 5000, endpoint);
  const deeper = yield* arena.copy(last);
  // In the middle: what is above it stays.
  const middle = (yield* cnode.inspect(os.sys, space, 2500)).handle;
  yield* cnode.revoke(os.sys, space, middle);
  same(yield* alive(os, space, 5000), 2499, "above the middle, and the middle");
  for (const it of [last, deeper]) truly(!(yield* isHeld(os, it)), "the chain's end");
  yield* revoke(os, endpoint);
  same(yield* alive(os, space, 5000), 0, "after the whole revoke");
  truly(yield* isHeld(os, endpoint), "the source");
  yield* arena.close();
});

tests.add("a revoke needs REVOKE, and a copy without it is no less revoked", function* (os) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const endpoint = yield* arena.endpoint();
  const weak = yield* arena.copy(endpoint, Right.ALL & ~Right.REVOKE);
  const below = yield* arena.copy(weak);
  same(yield* invoke(sys, own(os), Method.CNODE_REVOKE, weak), Err.DENIED, "without the right");
  truly(yield* isHeld(os, below), "nothing happened");
  const readOnly = yield* arena.copy(own(os), Right.READ);
  same(yield* invoke(sys, readOnly, Method.CNODE_REVOKE, endpoint), Err.DENIED, "a CNode without WRITE");
  truly(yield* isHeld(os, weak), "nothing happened");
  yield* revoke(os, endpoint);
  for (const it of [weak, below]) truly(!(yield* isHeld(os, it)), "revoked");
  yield* arena.close();
});

tests.add("a revoke of what has no descendants answers OK, also the hundredth", function* (os) {
  const arena = yield* Arena.of(os);
  const endpoint = yield* arena.endpoint();
  const minted = yield* arena.mint(endpoint, 4);
  for (let i = 0; i < 100; i++) yield* revoke(os, minted);
  for (const it of [endpoint, minted]) truly(yield* isHeld(os, it), "stays");
  yield* arena.close();
});

tests.add("a CNode that lies in the subtree goes with it, and all that is in its slots", function* (os) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const space = yield* arena.make(ObjectType.CNODE, 4);
  const copy = yield* arena.copy(space);
  const endpoint = yield* arena.endpoint();
  const inside = yield* cnode.copy(sys, copy, 3, endpoint, Right.ALL);
  truly(inside > 0, "there");
  yield* cnode.copy(sys, copy, 4, copy, Right.ALL);
  yield* revoke(os, space);
  same(yield* invoke(sys, copy, Method.CNODE_INSPECT, 3), Err.BAD_CAP, "the copy of the CNode");
  // The CNode is not gone: its own capability stays, and what it holds that is not derived from it.
  same((yield* cnode.inspect(sys, space, 3)).state, SlotState.LIVE, "the endpoint in it");
  truly((yield* cnode.inspect(sys, space, 4)).state !== SlotState.LIVE, "the copy of itself in it");
  yield* remove(os, space);
  truly(yield* isHeld(os, endpoint), "the endpoint");
  yield* arena.close();
});

tests.add(
  "all that was made from revoked untyped memory is gone, and what is made from it anew knows nothing of it",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os, 15);
    const types: readonly (readonly [ObjectType, number])[] = [
      [ObjectType.ENDPOINT, 0],
      [ObjectType.NOTIFICATION, 0],
      [ObjectType.CNODE, 4],
      [ObjectType.THREAD, 0],
      [ObjectType.PROCESS, 0],
      [ObjectType.MONITOR, 0],
      [ObjectType.SEALER, 0],
      [ObjectType.UNTYPED, 10],
    ];
    const stale: number[] = [];
    for (let round = 0; round < 4; round++) {
      const made: Record<number, number> = {};
      const at = arena.slot(types.length);
      let slot = at;
      for (const [type, bits] of types) {
        same(
          yield* invoke(sys, arena.untyped, Method.UNTYPED_RETYPE, type, bits, 1, own(os), slot),
          0,
          `type ${type}`,
        );
        made[type] = (yield* slotOf(os, slot++)).handle;
      }
      const endpoint = made[ObjectType.ENDPOINT];
      const space = made[ObjectType.CNODE];
      same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "nobody sends");
      same(yield sys.nbSend(endpoint), Err.WOULD_BLOCK, "nobody receives");
      same(yield sys.poll(made[ObjectType.NOTIFICATION]), Err.WOULD_BLOCK, "no bits");
      for (let i = 1; i < 16; i++)
        same((yield* cnode.inspect(sys, space, i)).state, SlotState.EMPTY, `slot ${i} of the CNode`);
      for (const [what, handle, words] of [
        ["thread", made[ObjectType.THREAD], Method.THREAD_STATUS],
        ["process", made[ObjectType.PROCESS], Method.PROCESS_STATUS],
        ["monitor", made[ObjectType.MONITOR], Method.MONITOR_STATUS],
      ] as const) {
        truly((yield* invoke(sys, handle, words)) >= 0, what);
        same(sys.words[0], 0, `${what} state`);
        if (what === "process") same(sys.words[4], 0, "fault text");
      }
      for (const it of stale) same(yield sys.nbSend(it), Err.BAD_CAP, "a handle of an earlier round");
      // Leave something of everything behind.
      yield* cnode.copy(sys, space, 2, endpoint, Right.ALL);
      yield* cnode.copy(sys, space, 3, space, Right.ALL);
      yield sys.notify(made[ObjectType.NOTIFICATION]);
      const sender = yield* spawn(os, "send", [endpoint]);
      const caller = yield* spawn(os, "call", [endpoint]);
      yield* settled(os, sender, caller);
      same(
        yield* invoke(
          sys,
          made[ObjectType.MONITOR],
          Method.MONITOR_WATCH,
          made[ObjectType.PROCESS],
          made[ObjectType.NOTIFICATION],
        ),
        0,
        "watch",
      );
      same(
        yield* invoke(
          sys,
          made[ObjectType.THREAD],
          Method.THREAD_CONFIGURE,
          os.environment.process,
          os.core,
          20,
        ),
        0,
        "configure",
      );
      for (const [type] of types) stale.push(made[type]);
      yield* revoke(os, arena.untyped);
      same(yield* arena.left(), 2 ** 15, "all is left");
      for (const it of stale) truly(!(yield* isHeld(os, it)), "dead");
      same(yield* ended(os, sender, caller), [failed(Err.REVOKED), failed(Err.REVOKED)], "who waited");
      yield* drop(os, sender, caller);
    }
    yield* arena.close();
  },
);

/** Roles and what a thread through a revoked capability is answered. */
function* waiters(os: Os, handle: number, role: string, core: number, count: number): Steps<SpawnedThread[]> {
  const threads: SpawnedThread[] = [];
  for (let i = 0; i < count; i++)
    threads.push(yield* spawn(os, role, [handle], { core, slots: 1, priority: 60 + i }));
  return threads;
}

for (const role of ["send", "call", "recv", "wait"]) {
  onCores(
    tests,
    `who blocks in ${role} through a descendant is woken with REVOKED, others stay`,
    function* (os, core) {
      const { sys } = os;
      const arena = yield* Arena.of(os);
      const object = yield* arena.make(role === "wait" ? ObjectType.NOTIFICATION : ObjectType.ENDPOINT);
      // A receiver would be told of a badge that nobody has any more.
      const first = role === "recv" ? yield* arena.copy(object) : yield* arena.mint(object, 1);
      const second = role === "recv" ? yield* arena.copy(object) : yield* arena.mint(object, 2);
      const below = yield* arena.copy(yield* arena.copy(first));
      const third = (os.core + 2) % os.cores;
      const lost = [
        ...(yield* waiters(os, below, role, core, 3)),
        ...(yield* waiters(os, below, role, third, 3)),
        ...(yield* waiters(os, below, role, os.core, 2)),
      ];
      const kept = [
        ...(yield* waiters(os, second, role, core, 2)),
        ...(yield* waiters(os, first, role, third, 1)),
      ];
      yield* settled(os, ...lost, ...kept);
      yield* revoke(os, first);
      same(
        yield* ended(os, ...lost),
        lost.map(() => failed(Err.REVOKED)),
        "who waited through it",
      );
      // The others are still there, in turn, and nobody else.
      if (role === "send" || role === "call") {
        same(yield sys.recv(object), 0, "what comes first");
        same([sys.noSenders(), sys.badge()], [true, 1], "nobody holds what was derived from badge 1");
      }
      for (let i = 0; i < kept.length; i++) {
        if (role === "recv") {
          sys.words[0] = 7;
          same(yield sys.send(object, 1), 0, "send");
        } else if (role === "wait") same(yield sys.notify(object), 0, "notify");
        else {
          same(yield sys.recv(object), 1, "receive");
          truly(sys.badge() === 2 || sys.badge() === 1, `badge ${sys.badge()}`);
          if (role === "call") {
            sys.words[0] = 7;
            same(yield sys.reply(1), 0, "reply");
          }
        }
        // A notification's bits are one waiter's: the next is for the next.
        if (role === "wait") yield* settled(os);
      }
      if (role === "send" || role === "call") same(yield sys.nbRecv(object), Err.WOULD_BLOCK, "nobody else");
      else if (role === "recv") same(yield sys.nbSend(object), Err.WOULD_BLOCK, "nobody else");
      const status = role === "send" ? 0 : role === "wait" ? 1 : 7;
      same(
        yield* ended(os, ...kept),
        kept.map(() => status),
        "the others",
      );
      yield* drop(os, ...lost, ...kept);
      yield* arena.close();
    },
  );
}

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
