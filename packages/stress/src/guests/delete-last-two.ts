/**
 * Two players delete the last two capabilities to something at the same time: it ends once.
 *
 * Half of the things are badges: the slot they were minted in has lost its descendants then, and the
 * endpoint's receiver hears of it, once. The others are objects: when all of a block's have gone, the
 * whole block can be had again, and a thread among them has ended.
 */
import { Err, Method, ObjectType, Right } from "@capos/abi";
import { type Steps, thread } from "@capos/libos";
import {
  type Crew,
  endRoundMemory,
  keep,
  order,
  type Player,
  reports,
  roundMemory,
  type Scenario,
} from "./crew.js";
import { clock, copy, make, record, remove, signal, think } from "./hand.js";
import { Id, Kind } from "./vocabulary.js";

const DELETER = 1;
const BADGES = 4;
const OBJECTS = 4;
/** log2 of the bytes of the block that a round's objects are made from. */
const BLOCK_BITS = 13;
/** Grace periods after which everything of a deleted object is gone. */
const PATIENCE = 1000;
/** What a deleter is told of a thing: slot and number, and its handle if it can be signalled. */
const NUMBERS = 3;

export const deleteLastTwo: Scenario = {
  players: () => 2,

  *round(crew: Crew): Steps<void> {
    const { hand, slots, os } = crew;
    const { random } = hand;
    const { sys } = os;
    const endpoint = yield* keep(crew, "endpoint", ObjectType.ENDPOINT);
    const block = yield* roundMemory(crew, slots, BLOCK_BITS);
    yield* record(hand, yield* clock(hand), Kind.MAKE, Id.ROOT, Id.ROUND, 0, 0);
    const tasks: number[][] = [[], []];
    let slot = slots + 1;
    const badges: number[] = [];
    for (let i = 0; i < BADGES; i++) {
      const id = hand.newId();
      badges.push(id);
      const minted = yield* copy(hand, slot++, endpoint, Id.ROUND, id, Right.ALL, id);
      const first = hand.newId();
      const handle = yield* copy(hand, slot, minted, id, first);
      tasks[0].push(slot++, first, 0);
      const second = hand.newId();
      // A sibling of the first, or its child.
      const isChild = random.chance(50);
      yield* copy(hand, slot, isChild ? handle : minted, isChild ? first : id, second);
      tasks[1].push(slot++, second, 0);
    }
    for (let i = 0; i < OBJECTS; i++) {
      const id = hand.newId();
      const type = random.pick(TYPES);
      const canSignal = type === ObjectType.NOTIFICATION;
      const handle = yield* make(hand, slot, block, Id.ROOT, id, type, type === ObjectType.CNODE ? 3 : 0);
      tasks[0].push(slot++, id, canSignal ? handle : 0);
      const second = hand.newId();
      const copied = yield* copy(hand, slot, handle, id, second);
      tasks[1].push(slot++, second, canSignal ? copied : 0);
      if (type === ObjectType.THREAD && random.chance(50)) {
        yield* thread.configure(sys, handle, os.environment.process, random.pick(crew.cores), 100);
      }
    }
    yield* order(crew, 0, DELETER, 0, ...tasks[0]);
    yield* order(crew, 1, DELETER, 0, ...tasks[1]);
    yield* reports(crew, 2);
    yield* hear(crew, endpoint);
    yield* settle(crew, block);
    for (const [i, id] of badges.entries()) yield* remove(hand, slots + 1 + 3 * i, id);
    // Nothing that was minted had descendants again.
    yield* hear(crew, endpoint);
    yield* endRoundMemory(crew);
  },

  *play(player: Player, _role: number, numbers: readonly number[]): Steps<void> {
    const { hand } = player;
    // Both go through the same things in the same order, at nearly the same time.
    for (let i = 0; i < numbers.length; i += NUMBERS) {
      const [slot, id, handle] = [numbers[i], numbers[i + 1], numbers[i + 2]];
      yield* think(hand, 2);
      if (handle !== 0) yield* signal(hand, handle, id);
      yield* remove(hand, slot, id);
      if (handle !== 0) yield* signal(hand, handle, id);
    }
  },
};

const TYPES: readonly ObjectType[] = Object.freeze([
  ObjectType.NOTIFICATION,
  ObjectType.ENDPOINT,
  ObjectType.CNODE,
  ObjectType.THREAD,
  ObjectType.MONITOR,
  ObjectType.SEALER,
]);

/** Notes every badge that the endpoint says to be without senders. */
function* hear({ hand, os }: Crew, endpoint: number): Steps<void> {
  const { sys } = os;
  for (;;) {
    const start = yield* clock(hand);
    const answer = yield sys.nbRecv(endpoint);
    if (answer === Err.WOULD_BLOCK) return;
    if (answer < 0 || !sys.noSenders()) throw new Error(`an endpoint that nobody calls answers ${answer}`);
    yield* record(hand, start, Kind.NO_SENDERS, sys.badge(), 0, answer, 0);
  }
}

/** Waits until all of the block's objects are gone, and notes what of the block can be had. */
function* settle({ hand, os }: Crew, block: number): Steps<void> {
  const { sys } = os;
  const { words } = sys;
  for (let tries = 0; ; tries++) {
    words[0] = Method.UNTYPED_INFO;
    yield sys.call(block, 1);
    const [size, left] = [words[0], words[1]];
    if (left === size || tries === PATIENCE) {
      yield* record(hand, yield* clock(hand), Kind.AUDIT, Id.ROOT, size, 0, left);
      return;
    }
    words[0] = Method.DEBUG_GRACE_PERIOD;
    yield sys.call(hand.debug, 1);
  }
}
