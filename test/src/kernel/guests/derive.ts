/** Deriving: copies of copies, moves, deletes in the middle, seals, limits in time, and what others can see of it. */
import { Err, handleIndex, Method, ObjectType, Right, SlotFlag, SlotState, type Sys } from "@capos/abi";
import { cnode, type Os, process, start, untyped } from "@capos/libos";
import { Arena, contents, isHeld, quiet, remove, revoke, slotOf } from "./support/authority.js";
import {
  childEnded,
  drop,
  ended,
  failed,
  GuestTests,
  invoke,
  onCores,
  perform,
  type Role,
  same,
  spawn,
  spawnChild,
  truly,
  work,
} from "./support/kit.js";

const roles: Record<string, Role> = {
  /** Calls with a number and ends with what it is answered. */
  *caller(os) {
    os.sys.words[0] = 5;
    const n = yield os.sys.call(os.handed[0], 1);
    return n === 1 ? os.sys.words[0] : -n;
  },
  /** Keeps its core from safe points for a while, again and again. */
  *busy(os) {
    for (;;) {
      work(300_000);
      yield os.sys.nothing();
    }
  },
  /** In a process of its own: notifies what its maker puts into slot 50, once it is there. */
  *puppet(os) {
    const { sys, environment } = os;
    for (;;) {
      const slot = yield* cnode.inspect(sys, environment.cnode, 50);
      if (slot.state === SlotState.LIVE && (yield sys.notify(slot.handle)) === 0) break;
      yield sys.yield();
    }
    yield sys.notify(os.handed[0]);
    for (let handle = 0; ; ) {
      const slot = yield* cnode.inspect(sys, environment.cnode, 50);
      if (slot.state === SlotState.LIVE) handle = slot.handle;
      else return handle === 0 || (yield sys.notify(handle)) === Err.BAD_CAP ? 0 : 1;
      yield sys.yield();
    }
  },
};

export const tests = new GuestTests();

const own = (os: Os) => os.environment.cnode;

tests.add(
  "a copy of a copy is the copy's child: it ends with the copy's revoke, the source and its other copy stay",
  function* (os) {
    const arena = yield* Arena.of(os);
    const source = yield* arena.endpoint();
    const first = yield* arena.copy(source);
    const sibling = yield* arena.copy(source);
    const second = yield* arena.copy(first);
    const third = yield* arena.copy(second);
    const cousin = yield* arena.copy(sibling);
    yield* revoke(os, first);
    for (const [handle, held] of [
      [source, true],
      [first, true],
      [sibling, true],
      [cousin, true],
      [second, false],
      [third, false],
    ] as const)
      same(yield* isHeld(os, handle), held, `handle ${handleIndex(handle)}`);
    same(yield os.sys.nbSend(second), Err.BAD_CAP, "the copy's copy");
    same(yield os.sys.nbSend(first), Err.WOULD_BLOCK, "the copy");
    yield* arena.close();
  },
);

tests.add(
  "what was derived from a deleted capability becomes its parent's: revoking that ends it",
  function* (os) {
    const arena = yield* Arena.of(os);
    const source = yield* arena.endpoint();
    const middle = yield* arena.copy(source);
    const below = [yield* arena.copy(middle), yield* arena.mint(middle, 3), yield* arena.copy(middle, 0)];
    const beside = yield* arena.copy(source);
    yield* remove(os, middle);
    for (const it of [...below, beside]) truly(yield* isHeld(os, it), "stays after the delete");
    yield* revoke(os, beside);
    for (const it of below) truly(yield* isHeld(os, it), "is no child of the other copy");
    yield* revoke(os, source);
    for (const it of [...below, beside]) truly(!(yield* isHeld(os, it)), "ends with the source's revoke");
    truly(yield* isHeld(os, source), "the source");
    yield* arena.close();
  },
);

tests.add(
  "a move keeps the children, the rights and the badge; the old handle is stale, its slot free",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const source = yield* arena.endpoint();
    const minted = yield* arena.mint(source, 77, Right.ALL & ~Right.WRITE);
    const child = yield* arena.copy(minted);
    const slot = arena.slot();
    const moved = yield* cnode.move(sys, own(os), slot, minted);
    same(yield sys.nbSend(minted), Err.BAD_CAP, "the old handle");
    const seen = yield* slotOf(os, moved);
    same([seen.badge, seen.rights, seen.handle], [77, Right.ALL & ~Right.WRITE, moved], "moved");
    truly(yield* isHeld(os, child), "the child");
    const again = yield* cnode.copy(sys, own(os), handleIndex(minted), source, Right.ALL);
    truly(again !== minted, "a new generation");
    yield* revoke(os, moved);
    truly(!(yield* isHeld(os, child)), "the child ends with the moved one's revoke");
    truly(yield* isHeld(os, again), "the old slot's next tenant");
    yield* arena.close();
  },
);

tests.add(
  "a capability moved into another CNode is there and no longer here; nobody can take it from there by this CSpace's handles",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const space = yield* arena.make(ObjectType.CNODE, 3);
    const endpoint = yield* arena.endpoint();
    const child = yield* arena.copy(endpoint);
    const there = yield* cnode.move(sys, space, 5, endpoint);
    same((yield* cnode.inspect(sys, space, 5)).handle, there, "the handle there");
    same(yield sys.nbSend(endpoint), Err.BAD_CAP, "here");
    same(yield* invoke(sys, own(os), Method.CNODE_MOVE, arena.slot(), there), Err.BAD_CAP, "out of there");
    same(yield* invoke(sys, own(os), Method.CNODE_REVOKE, there), Err.BAD_CAP, "revoked by the wrong CNode");
    yield* cnode.revoke(sys, space, there);
    truly(!(yield* isHeld(os, child)), "the child here");
    yield* arena.close();
  },
);

tests.add(
  "a move to an occupied slot, or to where it is, answers SLOT_OCCUPIED and changes nothing",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const other = yield* arena.notification();
    const before = yield* contents(os, own(os));
    for (const to of [endpoint, other])
      same(
        yield* invoke(sys, own(os), Method.CNODE_MOVE, handleIndex(to), endpoint),
        Err.SLOT_OCCUPIED,
        "move",
      );
    same(yield* contents(os, own(os)), before, "the CSpace");
    yield* arena.close();
  },
);

tests.add(
  "untyped memory moves with its watermark and its children, and is never copied, minted, sealed or limited",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const memory = yield* arena.make(ObjectType.UNTYPED, 12);
    const sealer = yield* arena.make(ObjectType.SEALER);
    const window = arena.slot(2);
    yield* untyped.retype(sys, memory, ObjectType.ENDPOINT, 0, 1, own(os), window);
    const before = yield* contents(os, own(os));
    const slot = arena.slot();
    for (const words of [
      [Method.CNODE_COPY, slot, memory, 255],
      [Method.CNODE_MINT, slot, memory, 255, 4],
      [Method.CNODE_SEAL, slot, memory, sealer],
      [Method.CNODE_EXPIRE, slot, memory, 255, 1e9],
    ])
      same(yield* invoke(sys, own(os), ...words), Err.UNSUPPORTED, `method ${words[0]}`);
    same(yield* contents(os, own(os)), before, "the CSpace");
    const moved = yield* cnode.move(sys, own(os), slot, memory);
    same((yield* untyped.info(sys, moved)).leftBytes, 4096 - 128, "what is left");
    same(yield* invoke(sys, memory, Method.UNTYPED_INFO), Err.BAD_CAP, "the old handle");
    yield* untyped.retype(sys, moved, ObjectType.ENDPOINT, 0, 1, own(os), window + 1);
    yield* revoke(os, moved);
    for (const index of [window, window + 1])
      truly((yield* slotOf(os, index)).state !== SlotState.LIVE, "what was made before and after the move");
    same((yield* untyped.info(sys, moved)).leftBytes, 4096, "all is left");
    yield* arena.close();
  },
);

tests.add("deleting an empty slot, a dead one, or one twice answers OK", function* (os) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const source = yield* arena.endpoint();
  const copy = yield* arena.copy(source);
  const empty = arena.slot();
  yield* revoke(os, source);
  for (const index of [empty, handleIndex(copy), handleIndex(copy), handleIndex(source), handleIndex(source)])
    same(yield* invoke(sys, own(os), Method.CNODE_DELETE, index), 0, `slot ${index}`);
  yield* arena.close();
});

tests.add(
  "an invocation that waits for its receive window first is done all the same, whatever the one before it noted",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const source = yield* arena.endpoint();
    const other = yield* arena.endpoint();
    const slots = [arena.slot(), arena.slot()];
    const busy = yield* spawn(os, "busy", [], { core: (os.core + 1) % os.cores, priority: 40 });
    let carried = yield* arena.copy(other);
    for (let i = 0; i < 20; i++) {
      const copy = yield* cnode.copy(sys, own(os), slots[0], source, 255);
      // A revoke notes which grace period it waits for.
      yield* revoke(os, other);
      // The window's slot was left by a move: it is empty only after a grace period.
      const window = handleIndex(carried);
      carried = yield* cnode.copy(sys, own(os), window, other, 255);
      carried = yield* cnode.move(sys, own(os), slots[1], carried);
      slots[1] = window;
      sys.receiveInto(window, 1);
      sys.words[0] = Method.CNODE_REVOKE;
      sys.words[1] = source;
      same(yield sys.call(own(os), 2), 0, "revoke");
      truly(!(yield* isHeld(os, copy)), "the copy is dead");
      same(yield sys.nbSend(copy), Err.BAD_CAP, "and cannot be used");
    }
    sys.receiveInto(0, 0);
    yield* drop(os, busy);
    yield* arena.close();
  },
);

tests.add("a saved reply moves, never copies, and answers from where it is", function* (os) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const endpoint = yield* arena.endpoint();
  const caller = yield* spawn(os, "caller", [endpoint]);
  same(yield sys.recv(endpoint), 1, "the call");
  const slots = [arena.slot(), arena.slot(), arena.slot()];
  same(yield sys.saveReply(slots[0]), 0, "save");
  const reply = sys.capability(0);
  for (const words of [
    [Method.CNODE_COPY, slots[1], reply, 255],
    [Method.CNODE_MINT, slots[1], reply, 255, 4],
    [Method.CNODE_EXPIRE, slots[1], reply, 255, 1e9],
  ])
    same(yield* invoke(sys, own(os), ...words), Err.UNSUPPORTED, `method ${words[0]}`);
  const moved = yield* cnode.move(sys, own(os), slots[1], reply);
  sys.words[0] = 9;
  same(yield sys.replyTo(reply, 1), Err.BAD_CAP, "by the old handle");
  const again = yield* cnode.move(sys, own(os), slots[2], moved);
  sys.words[0] = 9;
  same(yield sys.replyTo(again, 1), 0, "answer");
  same(yield sys.replyTo(again, 1), Err.BAD_CAP, "a second answer");
  same(yield* ended(os, caller), [9], "the caller");
  yield* drop(os, caller);
  yield* arena.close();
});

tests.add(
  "a saved reply that is deleted or overtaken by its caller's end answers the caller PEER_DIED, or nobody",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    for (const how of ["delete", "end"]) {
      const caller = yield* spawn(os, "caller", [endpoint]);
      same(yield sys.recv(endpoint), 1, "the call");
      const slot = arena.slot();
      same(yield sys.saveReply(slot), 0, "save");
      const reply = sys.capability(0);
      if (how === "delete") {
        yield* remove(os, reply);
        same(yield* ended(os, caller), [failed(Err.PEER_DIED)], "the caller");
        yield* drop(os, caller);
      } else {
        yield* drop(os, caller);
        truly(!(yield* isHeld(os, reply)), "the reply died with its caller");
        same(yield sys.replyTo(reply, 1), Err.BAD_CAP, "an answer to nobody");
      }
    }
    yield* arena.close();
  },
);

tests.add(
  "a CNode can be filled from itself: a copy of it in one of its own slots is as good as any",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const slot = arena.slot();
    const copy = yield* cnode.copy(sys, own(os), slot, own(os), Right.ALL);
    const second = yield* cnode.copy(sys, copy, arena.slot(), endpoint, Right.SEND);
    same(yield sys.nbSend(second), Err.WOULD_BLOCK, "filled through the copy");
    // It deletes itself, through itself.
    yield* cnode.delete(sys, copy, slot);
    same(yield* invoke(sys, copy, Method.CNODE_INSPECT, slot), Err.BAD_CAP, "the copy");
    same(yield sys.nbSend(second), Err.WOULD_BLOCK, "what it filled");
    yield* arena.close();
  },
);

tests.add(
  "inspect says type, rights, badge, state, size, handle, flags and time, also of what is sealed or no more",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const minted = yield* slotOf(os, yield* arena.mint(endpoint, 0xffff_ffff, Right.SEND));
    same(
      [minted.type, minted.rights, minted.badge, minted.state, minted.sizeBits, minted.expiresInNs],
      [ObjectType.ENDPOINT, Right.SEND, 0xffff_ffff, SlotState.LIVE, 7, null],
      "minted",
    );
    truly((minted.flags & SlotFlag.BADGED) !== 0, "it is badged");
    const copy = yield* slotOf(os, yield* arena.copy(minted.handle));
    truly((copy.flags & SlotFlag.BADGED) !== 0, "its copy is badged");
    same([copy.badge, copy.flags & SlotFlag.MINTED], [0xffff_ffff, 0], "the copy");
    const sealer = yield* arena.make(ObjectType.SEALER);
    const sealed = yield* cnode.seal(sys, own(os), arena.slot(), copy.handle, sealer);
    const shut = yield* slotOf(os, sealed);
    same([shut.type, shut.rights, shut.badge, shut.handle], [copy.type, copy.rights, copy.badge, sealed]);
    truly((shut.flags & SlotFlag.SEALED) !== 0, "it is sealed");
    const limited = yield* cnode.expire(sys, own(os), arena.slot(), endpoint, 255, 60e9);
    const time = (yield* slotOf(os, limited)).expiresInNs!;
    truly(time > 0 && time <= 60e9, `it has ${time} ns left`);
    const empty = yield* slotOf(os, arena.slot());
    same([empty.type, empty.rights], [0, 0], "an empty slot");
    truly(empty.state !== SlotState.LIVE, "an empty slot's state");
    yield* remove(os, limited);
    same((yield* slotOf(os, limited)).state !== SlotState.LIVE, true, "a deleted one's state");
    yield* arena.close();
  },
);

onCores(
  tests,
  "a supervisor fills and empties a slot of its child's CSpace, and the child can and cannot use it",
  function* (os, core) {
    const { sys } = os;
    const [mine, back] = [yield* os.notification(), yield* os.notification()];
    const child = yield* spawnChild(os, "puppet", [back], { core });
    yield* quiet(os);
    same(yield sys.poll(mine), Err.WOULD_BLOCK, "nobody has it yet");
    yield* cnode.mint(sys, child.cnode, 50, mine, Right.SEND, 6);
    same(yield sys.wait(back), 0, "the child has used it");
    same(yield sys.wait(mine), 0, "its signal");
    same(sys.badge(), 6, "with the badge");
    truly(yield* process.verify(sys, child.process, back, Right.SEND), "it holds the one");
    yield* cnode.delete(sys, child.cnode, 50);
    const { state, status, fault } = yield* childEnded(os, child);
    same([state, status, fault], [2, 0, ""], "the child");
    for (const handle of [child.thread, child.cnode, child.process, mine, back]) yield* os.drop(handle);
  },
);

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
