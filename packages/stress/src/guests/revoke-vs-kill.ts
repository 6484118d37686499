/**
 * Processes that hold what is being revoked are killed meanwhile. A process that was killed does nothing
 * any more and what it made from its own memory is gone; what it passed on stays, until it is revoked.
 */
import { Method, ObjectType, SlotState } from "@capos/abi";
import {
  cnode,
  encodeEnvironment,
  type Filling,
  monitor,
  type Os,
  type Steps,
  startProcess,
} from "@capos/libos";
import {
  type Crew,
  endRoundMemory,
  IDS_PER_PLAYER,
  keep,
  makingFrom,
  order,
  type Player,
  reports,
  roundMemory,
  type Scenario,
} from "./crew.js";
import { clear, clock, copy, Hand, make, record, remove, revoke, signal, think } from "./hand.js";
import { Id, Kind } from "./vocabulary.js";

const RECEIVER = 1;
const KILLER = 2;
const LAST = -1;
const WINDOW = 16;
const VICTIM_CNODE_BITS = 5;
const VICTIM_MEMORY_BITS = 12;
const MEMORY_BITS = 16;
/** Slots of a victim that it fills itself. */
const VICTIM_SLOTS = 16;
const MOST_DEEDS = 2000;

/** What a victim finds, in the order of its gifts and behind them. */
const enum Given {
  POST = 0,
  CAPABILITY = 1,
  CAPABILITY_ID = 2,
  MEMORY_ID = 3,
  SELF_ID = 4,
  BASE = 5,
  SEED = 6,
  FIRST_ID = 7,
}

export const revokeVsKill: Scenario = {
  players: () => 2,

  *round(crew: Crew): Steps<void> {
    const { hand, slots } = crew;
    const block = yield* roundMemory(crew, slots + 3, MEMORY_BITS);
    const os = makingFrom(crew.os, block);
    const { random } = hand;
    const notification = yield* keep(crew, "notification", ObjectType.NOTIFICATION);
    const ending = yield* keep(crew, "ending", ObjectType.NOTIFICATION);
    const post = yield* keep(crew, "post", ObjectType.ENDPOINT);
    const root = yield* copy(hand, slots, notification, Id.ROUND, Id.ROOT);
    const id = hand.newId();
    const child = yield* copy(hand, slots + 1, root, Id.ROOT, id);
    yield* order(crew, 0, RECEIVER, IDS_PER_PLAYER, post);
    const victim = yield* startVictim(crew, os, block, post, child, id);
    const watch = yield* make(hand, slots + 2, block, Id.ROUND, hand.newId(), ObjectType.MONITOR);
    yield* monitor.watch(os.sys, watch, victim.process, ending);
    yield* order(crew, 1, KILLER, 2 * IDS_PER_PLAYER, victim.process, victim.id);
    yield* think(hand, random.chance(50) ? 200 : 2000);
    const revokedFirst = random.chance(50);
    if (revokedFirst) {
      yield* revoke(hand, root, Id.ROOT);
      yield* signal(hand, child, id);
    }
    yield* reports(crew, 1);
    yield* checkEmpty(crew, victim);
    // Whoever watches hears of it, once.
    const ended = yield* monitor.status(os.sys, watch);
    yield os.sys.wait(ending);
    const again = yield os.sys.poll(ending);
    yield* record(hand, yield* clock(hand), Kind.AUDIT, victim.id, 1, 0, ended.ended && again < 0 ? 1 : 0);
    if (!revokedFirst) {
      // What it passed on does not end with it.
      yield* signal(hand, child, id);
      yield* revoke(hand, root, Id.ROOT);
      yield* signal(hand, child, id);
    }
    os.sys.words[1] = LAST;
    yield os.sys.send(post, 2);
    yield* reports(crew, 1);
    yield* clear(hand, slots + 2);
    for (const handle of [victim.thread, victim.process, victim.cnode]) yield* os.drop(handle);
    yield* remove(hand, slots + 1, id);
    yield* remove(hand, slots, Id.ROOT);
    yield* endRoundMemory(crew);
  },

  *play(player: Player, role: number, numbers: readonly number[]): Steps<void> {
    if (role === RECEIVER) yield* receive(player, numbers[0]);
    else {
      const { hand, os } = player;
      yield* think(hand, hand.random.chance(50) ? 200 : 3000);
      const start = yield* clock(hand);
      os.sys.words[0] = Method.PROCESS_KILL;
      const answer = yield os.sys.call(numbers[0], 1);
      yield* record(hand, start, Kind.KILL, numbers[1], 0, answer, 0);
    }
  },
};

/** A killed process holds nothing any more. */
function* checkEmpty({ hand, os }: Crew, victim: Victim): Steps<void> {
  let held = 0;
  for (let slot = 1; slot < 2 ** VICTIM_CNODE_BITS; slot++) {
    if ((yield* cnode.inspect(os.sys, victim.cnode, slot)).state === SlotState.LIVE) held++;
  }
  yield* record(hand, yield* clock(hand), Kind.AUDIT, victim.id, 0, 0, held);
}

interface Victim {
  readonly process: number;
  readonly thread: number;
  readonly cnode: number;
  readonly id: number;
}

/** A process with memory of its own, one capability, and somebody to send to. */
function* startVictim(
  crew: Crew,
  os: Os,
  block: number,
  post: number,
  capability: number,
  sourceId: number,
): Steps<Victim> {
  const { hand } = crew;
  const { sys, environment } = os;
  const space = yield* os.make(ObjectType.CNODE, VICTIM_CNODE_BITS);
  const child = yield* os.make(ObjectType.PROCESS);
  const first = yield* os.make(ObjectType.THREAD);
  const id = hand.newId();
  const fill = function* (filling: Filling, core: number): Steps<number[]> {
    const own = yield* filling.give({ handle: space });
    const self = yield* filling.give({ handle: child });
    const debug = yield* filling.give({ handle: environment.debug });
    const postHandle = yield* filling.give({ handle: post });
    const heldId = hand.newId();
    const start = yield* clock(hand);
    const held = yield* filling.give({ handle: capability });
    yield* record(hand, start, Kind.MAKE, heldId, sourceId, 0, 0);
    const memoryId = hand.newId();
    const memory = yield* filling.handleOf(yield* filling.makeMemory(block, VICTIM_MEMORY_BITS));
    // Its memory goes with it, and all that came from that.
    yield* record(hand, yield* clock(hand), Kind.MAKE, memoryId, id, 0, 0);
    return encodeEnvironment({
      cnode: own,
      process: self,
      thread: 0,
      names: 0,
      log: 0,
      console: 0,
      debug,
      untyped: memory,
      image: 0,
      firstFreeSlot: filling.next,
      freeSlotCount: 2 ** VICTIM_CNODE_BITS - filling.next,
      threadIndex: 0,
      core,
      cores: os.cores,
      assets: { first: 0, count: 0, brought: 0 },
      name: "victim",
      args: [os.args[0]],
      handed: [postHandle, held, heldId, memoryId, id, hand.base, hand.random.next(), 3 * IDS_PER_PLAYER],
    });
  };
  const parts = { space, process: child, thread: first };
  yield* startProcess(sys, parts, {
    image: environment.image,
    name: "victim",
    threads: 1,
    cores: [hand.random.pick(crew.cores)],
    priority: 100,
    fill,
  });
  return { process: child, thread: first, cnode: space, id };
}

/** A victim's life: it copies, makes, uses and passes on, until it is killed. */
export function* live(os: Os): Steps<number> {
  const { sys, environment, handed } = os;
  const hand = new Hand(sys, environment.debug, environment.cnode);
  hand.begin(handed[Given.BASE], handed[Given.SEED], handed[Given.FIRST_ID]);
  const { random } = hand;
  const slots = os.slots.take(VICTIM_SLOTS);
  const first = { handle: handed[Given.CAPABILITY], id: handed[Given.CAPABILITY_ID], slot: 0 };
  let held = [first];
  for (let deed = 0; deed < MOST_DEEDS; deed++) {
    const one = random.pick(held);
    const what = random.below(10);
    if (what < 3 && held.length < VICTIM_SLOTS) {
      const slot = slots + held.length - 1;
      const id = hand.newId();
      const makes = random.chance(25);
      const handle = makes
        ? yield* make(hand, slot, environment.untyped, handed[Given.MEMORY_ID], id, ObjectType.NOTIFICATION)
        : yield* copy(hand, slot, one.handle, one.id, id);
      if (handle !== 0) held.push({ handle, id, slot });
    } else if (what < 6) yield* signal(hand, one.handle, one.id);
    else if (what < 9) yield* mail(hand, handed[Given.POST], one.handle, one.id);
    else if (held.length > VICTIM_SLOTS / 2) {
      for (const { slot, id } of held) if (slot !== 0) yield* remove(hand, slot, id);
      held = [first];
    }
    const now = yield* clock(hand);
    yield* record(hand, now, Kind.ACT, handed[Given.SELF_ID], 0, 0, 0);
  }
  // Nothing more to do: it is killed where it waits.
  for (;;) yield sys.wait(yield* os.notification());
}

function* mail(hand: Hand, post: number, handle: number, id: number): Steps<void> {
  const { sys } = hand;
  const arriving = hand.newId();
  const start = yield* clock(hand);
  sys.words[0] = hand.base + arriving;
  sys.words[1] = arriving;
  sys.words[2] = id;
  const answer = yield sys.send(post, 3, handle);
  yield* record(hand, start, Kind.SEND_COPY, id, arriving, answer, arriving);
}

/** Takes what victims pass on, uses it, and keeps some of it for longer than they live. */
function* receive({ hand, slots, os }: Player, post: number): Steps<void> {
  const { sys } = os;
  let held: { readonly handle: number; readonly id: number; readonly slot: number }[] = [];
  for (;;) {
    const slot = slots + held.length;
    sys.receiveInto(slot, 1);
    const start = yield* clock(hand);
    const answer = yield sys.recv(post);
    const [object, serial, source] = [sys.words[0], sys.words[1], sys.words[2]];
    const arrived = sys.arrived();
    const handle = sys.capability(0);
    sys.receiveInto(0, 0);
    if (serial === LAST) break;
    const id = object - hand.base;
    // The sender may not live to say what it sent: the message does.
    yield* record(hand, start, Kind.ARRIVE, id, serial, answer, arrived === 0 ? 0 : 1 + source);
    if (arrived > 0) held.push({ handle, id, slot });
    if (held.length > 0) {
      const one = hand.random.pick(held);
      yield* signal(hand, one.handle, one.id);
    }
    if (held.length === WINDOW) {
      for (const { slot: full, id: old } of held) yield* remove(hand, full, old);
      held = [];
    }
  }
  for (const { handle, id, slot } of held) {
    yield* signal(hand, handle, id);
    yield* remove(hand, slot, id);
  }
}
