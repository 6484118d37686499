/** Capabilities in messages: moved, narrowed, unwrapped; and both sides' ends, at any moment. */
import { handleIndex, Method, ObjectType, Right, SlotState, type Sys } from "@capos/abi";
import { cnode, type Os, process, type SpawnedThread, type Steps, start } from "@capos/libos";
import { Arena, isHeld, quiet, revoke, slotOf } from "./support/authority.js";
import {
  childEnded,
  drop,
  Err,
  ended,
  GuestTests,
  invoke,
  onCores,
  perform,
  type Role,
  same,
  settled,
  spawn,
  spawnChild,
  thread,
  truly,
} from "./support/kit.js";

const roles: Record<string, Role> = {
  /** Receives into a window, and says at another endpoint what came. Arguments: first slot, count, how. */
  *taker(os) {
    const { sys, handed } = os;
    sys.receiveInto(Number(os.args[1]), Number(os.args[2]));
    sys.words[0] = 1;
    const n = os.args[3] === "call" ? yield sys.call(handed[0], 1) : yield sys.recv(handed[0]);
    sys.words[1] = n < 0 ? n : sys.words[0];
    sys.words[0] = n;
    sys.words[2] = sys.arrived();
    for (let i = 0; i < 4; i++) {
      sys.words[3 + i] = sys.capability(i);
      sys.words[7 + i] = sys.unwrapped(i) ? 1 : 0;
    }
    yield sys.send(handed[1], 11);
    return 0;
  },
  /** Sends what it was handed. Arguments: the bits of those to be moved, the rights of all. */
  *giver(os) {
    const { sys } = os;
    const [endpoint, ...gifts] = os.handed;
    sys.words[0] = 42;
    return -(yield pack(
      os,
      sys.send(endpoint!, 1, ...gifts),
      gifts.length,
      Number(os.args[1]),
      Number(os.args[2] ?? 255),
    ));
  },
  /** Answers through a reply that came in a message, or lies in a slot. */
  *answerer(os) {
    const { sys } = os;
    let reply = os.handed[0];
    if (os.args[1] === "comes") {
      const slot = os.slots.take();
      sys.receiveInto(slot, 1);
      if ((yield sys.recv(reply)) !== 0 || sys.arrived() !== 1) return 100;
      reply = sys.capability(0);
      sys.receiveInto(0, 0);
    }
    sys.words[0] = 77;
    return -(yield sys.replyTo(reply, 1));
  },
  *caller(os) {
    os.sys.words[0] = 5;
    const n = yield os.sys.call(os.handed[0], 1);
    return n === 1 ? os.sys.words[0] : -n;
  },
  /** Calls again and again with a slot that it empties each time; ends with 0 if every answer brought one. */
  *collector(os) {
    const { sys } = os;
    const slot = os.slots.take();
    for (let i = 0; i < 200; i++) {
      sys.receiveInto(slot, 1);
      if ((yield sys.call(os.handed[0], 0)) !== 0) return 1;
      if (sys.arrived() !== 1) return 2;
      const handle = sys.capability(0);
      sys.receiveInto(0, 0);
      if ((yield sys.nbSend(handle)) !== Err.WOULD_BLOCK) return 3;
      yield* cnode.delete(sys, os.environment.cnode, slot);
    }
    return 0;
  },
};

function pack(os: Os, trap: number, count: number, moved: number, rights: number): number {
  let it = trap;
  for (let i = 0; i < count; i++) {
    if (((moved >> i) & 1) === 1) it = os.sys.moved(it, i);
    if (rights !== 255) it = os.sys.narrowed(it, i, rights);
  }
  return it;
}

export const tests = new GuestTests();
const own = (os: Os) => os.environment.cnode;

interface Taken {
  readonly count: number;
  readonly word: number;
  readonly arrived: number;
  readonly handles: readonly number[];
  readonly unwrapped: readonly number[];
}

function* report(os: Os, back: number): Steps<Taken> {
  same(yield os.sys.recv(back), 11, "report");
  const w: number[] = [];
  for (let i = 0; i < 11; i++) w.push(os.sys.words[i]);
  return { count: w[0], word: w[1], arrived: w[2], handles: w.slice(3, 7), unwrapped: w.slice(7, 11) };
}

const WAYS = ["to a receiver that waits", "from a sender that waits", "with a reply"] as const;

interface Passing {
  readonly moved?: number;
  readonly rights?: number;
  readonly window?: number;
  readonly count?: number;
}

/** Sends gifts to a window, through `through` of the endpoint; gives what came. */
function* pass(
  os: Os,
  arena: Arena,
  way: (typeof WAYS)[number],
  core: number,
  endpoint: number,
  through: number,
  gifts: readonly number[],
  { moved = 0, rights = 255, window = 0, count = 0 }: Passing,
): Steps<Taken> {
  const { sys } = os;
  const back = yield* arena.endpoint();
  const threads: SpawnedThread[] = [];
  if (way === "from a sender that waits") {
    threads.push(yield* spawn(os, "giver", [through, ...gifts], { core, args: [moved, rights] }));
    yield* settled(os, ...threads);
    threads.push(yield* spawn(os, "taker", [endpoint, back], { args: [window, count, "recv"] }));
  } else {
    const how = way === "with a reply" ? "call" : "recv";
    threads.push(yield* spawn(os, "taker", [endpoint, back], { core, args: [window, count, how] }));
    yield* settled(os, ...threads);
    sys.receiveInto(0, 0);
    if (how === "call") same(yield sys.recv(endpoint), 1, "the call");
    sys.words[0] = 42;
    const trap = how === "call" ? sys.reply(1, ...gifts) : sys.send(through, 1, ...gifts);
    same(yield pack(os, trap, gifts.length, moved, rights), 0, "given");
  }
  const taken = yield* report(os, back);
  same([taken.count, taken.word], [1, 42], "the message");
  yield* ended(os, ...threads);
  yield* drop(os, ...threads);
  return taken;
}

for (const way of WAYS) {
  onCores(
    tests,
    `each of four is moved or copied for itself, with fewer rights, ${way}`,
    function* (os, core) {
      const arena = yield* Arena.of(os);
      const endpoint = yield* arena.endpoint();
      const objects: number[] = [];
      for (let i = 0; i < 4; i++) objects.push(yield* arena.endpoint());
      for (const moved of [0b0101, 0b1111, 0b1000]) {
        const gifts: number[] = [];
        const children: number[] = [];
        for (let i = 0; i < 4; i++) {
          gifts.push(yield* arena.mint(objects[i], 50 + i, Right.ALL & ~Right.WRITE));
          children.push(yield* arena.copy(gifts[i]));
        }
        const window = arena.slot(4);
        const rights = Right.SEND | Right.REVOKE | Right.WRITE;
        const taken = yield* pass(os, arena, way, core, endpoint, endpoint, gifts, {
          moved,
          rights,
          window,
          count: 4,
        });
        same(taken.arrived, 4, "arrived");
        for (let i = 0; i < 4; i++) {
          const slot = yield* slotOf(os, window + i);
          const isMoved = ((moved >> i) & 1) === 1;
          same(
            [slot.badge, slot.rights, slot.handle],
            [50 + i, Right.SEND | Right.REVOKE, taken.handles[i]],
            "what came",
          );
          same(yield* isHeld(os, gifts[i]), !isMoved, "the giver's");
          yield* revoke(os, taken.handles[i]);
          // What was derived from the moved one is the receiver's to revoke.
          same(yield* isHeld(os, children[i]), !isMoved, "its child");
          if (!isMoved) {
            yield* revoke(os, gifts[i]);
            truly(!(yield* isHeld(os, taken.handles[i])), "a copy ends with what it was copied from");
          }
        }
      }
      yield* arena.close();
    },
  );

  onCores(
    tests,
    `an occupied slot, a missing GRANT or a dead one stops the rest, moved or not, ${way}`,
    function* (os, core) {
      const { sys } = os;
      const arena = yield* Arena.of(os);
      const endpoint = yield* arena.endpoint();
      const object = yield* arena.endpoint();
      for (const moved of [0, 0b1111]) {
        for (const wrong of [
          "occupied",
          "no GRANT",
          "dead",
          "narrow window",
          "deaf",
          "no handle",
          "untyped",
        ]) {
          if (wrong === "untyped" && moved !== 0) continue;
          const gifts: number[] = [];
          for (let i = 0; i < 4; i++) gifts.push(yield* arena.mint(object, 60 + i));
          const window = arena.slot(4);
          let [count, stops] = [4, 2];
          if (wrong === "occupied") yield* cnode.copy(sys, own(os), window + 2, object, 0);
          else if (wrong === "no GRANT") gifts[2] = yield* arena.mint(object, 62, Right.ALL & ~Right.GRANT);
          else if (wrong === "dead") yield* cnode.delete(sys, own(os), handleIndex(gifts[2]));
          else if (wrong === "narrow window") count = 2;
          else if (wrong === "no handle") gifts[2] = Number.NaN;
          else if (wrong === "untyped") gifts[2] = yield* arena.make(ObjectType.UNTYPED, 6);
          else [count, stops] = [0, 0];
          const held = gifts.map((it) => it);
          const taken = yield* pass(os, arena, way, core, endpoint, endpoint, gifts, {
            moved,
            window,
            count,
          });
          same(taken.arrived, stops, `${wrong}: arrived`);
          for (let i = 0; i < 4; i++) {
            const slot = yield* slotOf(os, window + i);
            if (i < stops) same([slot.state, slot.badge], [SlotState.LIVE, 60 + i], `${wrong}: slot ${i}`);
            else if (!(wrong === "occupied" && i === 2))
              truly(slot.state !== SlotState.LIVE, `${wrong}: slot ${i}`);
            const gone = (wrong === "dead" || wrong === "no handle") && i === 2;
            if (!gone)
              same(yield* isHeld(os, held[i]), !(moved !== 0 && i < stops), `${wrong}: the giver's ${i}`);
          }
          yield* revoke(os, object);
        }
      }
      yield* arena.close();
    },
  );
}

for (const way of WAYS.slice(0, 2)) {
  onCores(
    tests,
    `what names the endpoint it is sent to arrives as its badge, needs GRANT and no slot, ${way}`,
    function* (os, core) {
      const arena = yield* Arena.of(os);
      const endpoint = yield* arena.endpoint();
      const session = yield* arena.mint(endpoint, 9);
      const other = yield* arena.endpoint();
      const window = arena.slot(2);
      for (const moved of [0, 0b111]) {
        const gifts = [yield* arena.copy(session), yield* arena.copy(other), yield* arena.copy(endpoint)];
        const taken = yield* pass(os, arena, way, core, endpoint, session, gifts, {
          moved,
          window,
          count: 1,
        });
        same(taken.arrived, 3, "arrived");
        same(taken.unwrapped, [1, 0, 1, 0], "which are badges");
        same([taken.handles[0], taken.handles[2]], [9, 0], "the badges");
        same(handleIndex(taken.handles[1]), window, "the other takes the window's first slot");
        for (const it of gifts) same(yield* isHeld(os, it), moved === 0, "the giver's");
        yield* cnode.delete(os.sys, own(os), window);
      }
      // Deaf receivers learn badges too; without GRANT nobody learns anything.
      const deaf = yield* pass(os, arena, way, core, endpoint, session, [session], {});
      same([deaf.arrived, deaf.handles[0]], [1, 9], "to the deaf");
      const weak = yield* arena.copy(session, Right.SEND);
      same((yield* pass(os, arena, way, core, endpoint, session, [weak], {})).arrived, 0, "without GRANT");
      yield* arena.close();
    },
  );
}

onCores(
  tests,
  "a reply moved to another thread in a message, and to another process, is answered there",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const [service, pipe] = [yield* arena.endpoint(), yield* arena.endpoint()];
    for (const to of ["thread", "process"]) {
      const caller = yield* spawn(os, "caller", [service]);
      same(yield sys.recv(service), 1, "the call");
      const slot = arena.slot();
      same(yield sys.saveReply(slot), 0, "save");
      const reply = sys.capability(0);
      const server = to === "thread" ? yield* spawn(os, "answerer", [pipe], { core, args: ["comes"] }) : null;
      const child =
        to === "process" ? yield* spawnChild(os, "answerer", [pipe], { core, args: ["comes"] }) : null;
      same(yield sys.moved(sys.send(pipe, 0, reply), 0), 0, "given");
      same(yield* ended(os, caller), [77], "the caller");
      truly(!(yield* isHeld(os, reply)), "it is no longer here");
      if (server !== null) {
        same(yield* ended(os, server), [0], "who answered");
        yield* drop(os, server);
      }
      if (child !== null) {
        const { state, status } = yield* childEnded(os, child);
        same([state, status], [2, 0], "the process that answered");
        yield* process.kill(sys, child.process);
        for (const it of [child.thread, child.cnode, child.process]) yield* os.drop(it);
      }
      yield* drop(os, caller);
    }
    yield* arena.close();
  },
);

onCores(tests, "reply(x) and then delete(x) delivers x, two hundred times", function* (os, core) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const [service, object] = [yield* arena.endpoint(), yield* arena.endpoint()];
  const it = yield* spawn(os, "collector", [service], { core });
  const slot = arena.slot();
  for (let i = 0; i < 200; i++) {
    same(yield sys.recv(service), 0, "the call");
    const gift = yield* cnode.copy(sys, own(os), slot, object, Right.ALL);
    same(yield sys.reply(0, gift), 0, "reply");
    const moving = i % 2 === 0 ? slot : arena.os.slots.take();
    if (moving !== slot) {
      // Across its own move, and another's delete.
      yield* cnode.move(sys, own(os), moving, gift);
      arena.os.slots.give(moving);
    }
    same(yield* invoke(sys, own(os), Method.CNODE_DELETE, moving), 0, "delete");
  }
  same(yield* ended(os, it), [0], "the caller");
  yield* drop(os, it);
  yield* arena.close();
});

onCores(
  tests,
  "a capability revoked while its message waits does not arrive; the message does",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const [endpoint, object] = [yield* arena.endpoint(), yield* arena.endpoint()];
    for (const moved of [0, 1]) {
      const gift = yield* arena.copy(object);
      const giver = yield* spawn(os, "giver", [endpoint, gift], { core, args: [moved] });
      yield* settled(os, giver);
      yield* revoke(os, object);
      const window = arena.slot();
      sys.receiveInto(window, 1);
      same(yield sys.recv(endpoint), 1, "the message");
      same([sys.words[0], sys.arrived()], [42, 0], "what came");
      sys.receiveInto(0, 0);
      truly((yield* slotOf(os, window)).state !== SlotState.LIVE, "the window");
      same(yield* ended(os, giver), [0], "the giver");
      yield* drop(os, giver);
    }
    yield* arena.close();
  },
);

onCores(
  tests,
  "whichever side is destroyed at whatever moment, a moved capability is in one place",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const [endpoint, back, object] = [
      yield* arena.endpoint(),
      yield* arena.endpoint(),
      yield* arena.endpoint(),
    ];
    const other = (os.core + 2) % os.cores;
    for (let i = 0; i < 40; i++) {
      const window = os.slots.take();
      const place = os.slots.take();
      const gift = yield* cnode.mint(sys, own(os), place, object, Right.ALL, 1000 + i);
      const giver = yield* spawn(os, "giver", [endpoint, gift], { core, args: [1], slots: 1, priority: 50 });
      const taker = yield* spawn(os, "taker", [endpoint, back], {
        core: other,
        args: [window, 1, "recv"],
        slots: 1,
        priority: 50,
      });
      for (let n = 0; n < (i % 8) - 1; n++) yield sys.yield();
      const victims = [[giver, taker], [taker, giver], [giver], [taker]][i % 4];
      for (const it of victims) yield* thread.destroy(sys, it.handle);
      if (victims.length === 1) {
        const rest = victims[0] === giver ? taker : giver;
        for (let n = 0; n < 4; n++) yield sys.yield();
        yield* thread.destroy(sys, rest.handle);
      }
      yield* quiet(os);
      const found: number[] = [];
      for (const at of [place, window]) {
        const slot = yield* slotOf(os, at);
        if (slot.state === SlotState.LIVE && slot.badge === 1000 + i) found.push(at);
      }
      same(found.length, 1, `round ${i}: places`);
      same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "no sender is left");
      while ((yield sys.nbRecv(back)) > 0);
      yield* drop(os, giver, taker);
      for (const at of [place, window]) {
        yield* cnode.delete(sys, own(os), at);
        os.slots.give(at);
      }
    }
    yield* arena.close();
  },
);

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
