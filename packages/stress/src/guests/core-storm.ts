/**
 * All cores are in traps: threads copy, signal, call each other and do nothing, as fast as they can, until
 * the leader destroys them, one by one or all that a core has. A thread that was destroyed does nothing
 * any more; whoever waits for it is told.
 */
import { Err, Method, ObjectType, Right } from "@capos/abi";
import { type SpawnedThread, type Steps, spawnThread } from "@capos/libos";
import {
  type Crew,
  endRoundMemory,
  keep,
  makingFrom,
  type Player,
  roundMemory,
  type Scenario,
  takeBack,
  VISITOR,
} from "./crew.js";
import { clear, clock, copy, type Hand, record, revoke, think } from "./hand.js";
import { Id, Kind } from "./vocabulary.js";

/** Slots of a thread in the storm. */
const SLOTS = 4;
const DEEDS_BETWEEN_ENTRIES = 8;
const MOST_ENTRIES = 30;
/** log2 of the bytes for all threads of a round on 64 cores. */
const MEMORY_BITS = 18;

export const coreStorm: Scenario = {
  // Nobody who gets orders: threads come and go.
  players: () => 0,

  *round(crew: Crew): Steps<void> {
    const { hand, slots, cores } = crew;
    const os = makingFrom(crew.os, yield* roundMemory(crew, slots + 1, MEMORY_BITS));
    const { random } = hand;
    const { sys } = os;
    const notification = yield* keep(crew, "notification", ObjectType.NOTIFICATION);
    const meeting = yield* keep(crew, "meeting", ObjectType.ENDPOINT);
    // All that the storm's threads copy comes from it and goes with it.
    const bell = yield* copy(hand, slots, notification, Id.ROUND, Id.ROOT);
    const count = Math.max(2, cores.length - random.below(3));
    const pace = yield* keep(crew, "pace", ObjectType.NOTIFICATION);
    const pacer = random.chance(30) ? -1 : random.below(count);
    const threads: { readonly thread: SpawnedThread; readonly id: number }[] = [];
    for (let i = 0; i < count; i++) {
      const id = hand.newId();
      const signals = i === pacer ? pace : 0;
      const handed = [hand.base, id, random.next(), bell, meeting, signals, 1 + random.below(MOST_ENTRIES)];
      const core = cores[i % cores.length];
      const args = [os.args[0], VISITOR];
      threads.push({ id, thread: yield* spawnThread(os, { core, slots: SLOTS, args, handed }) });
    }
    if (pacer < 0) yield* think(hand, 2000);
    else yield sys.wait(pace);
    if (random.chance(30)) yield* revoke(hand, bell, Id.ROOT);
    while (threads.length > 0) {
      const [{ thread, id }] = threads.splice(random.below(threads.length), 1) as [(typeof threads)[0]];
      const start = yield* clock(hand);
      // By its name, or by taking away the last capability to it.
      sys.words[0] = random.chance(50) ? Method.THREAD_DESTROY : Method.CNODE_DELETE;
      sys.words[1] = Math.floor(thread.handle / 2 ** 32);
      const isDestroy = sys.words[0] === Method.THREAD_DESTROY;
      const answer = yield isDestroy ? sys.call(thread.handle, 1) : sys.call(hand.cnode, 2);
      yield* record(hand, start, Kind.KILL, id, 0, answer, 0);
      // If it were still at it, now would be the time.
      yield* think(hand, 200);
      yield* takeBack(os, hand, thread);
    }
    yield* revoke(hand, bell, Id.ROOT);
    yield* clear(hand, slots);
    yield* endRoundMemory(crew);
  },

  *play(_player: Player): Steps<void> {},

  visit: storm,
};

/** A thread of the storm. It never ends by itself. */
function* storm({ os, slots, hand }: Player): Steps<number> {
  const [base, id, seed, bell, meeting] = os.handed as [number, number, number, number, number];
  const [pace, paceEntries] = os.handed.slice(5) as [number, number];
  hand.begin(base, seed, 0);
  hand.pace = pace;
  hand.paceEntries = paceEntries;
  for (;;) {
    const start = yield* clock(hand);
    for (let i = 0; i < DEEDS_BETWEEN_ENTRIES; i++) yield* deed(hand, slots, bell, meeting);
    yield* record(hand, start, Kind.ACT, id, DEEDS_BETWEEN_ENTRIES, 0, 0);
  }
}

function* deed(hand: Hand, slots: number, bell: number, meeting: number): Steps<void> {
  const { sys, random, cnode } = hand;
  switch (random.below(16)) {
    case 0:
      sys.words[0] = Method.CNODE_COPY;
      sys.words[1] = slots + random.below(SLOTS);
      sys.words[2] = bell;
      sys.words[3] = Right.ALL;
      yield sys.call(cnode, 4);
      break;
    case 1:
      yield* clear(hand, slots + random.below(SLOTS));
      break;
    case 2:
    case 3:
      yield sys.notify(bell);
      break;
    case 4:
      // Whoever meets somebody here answers; whoever meets nobody goes on.
      if ((yield sys.nbRecv(meeting)) >= 0) yield sys.reply(0);
      break;
    case 5: {
      const answer = yield sys.nbSend(meeting, 1);
      if (answer < 0 && answer !== Err.WOULD_BLOCK) throw new Error(`the meeting answers ${answer}`);
      break;
    }
    case 6:
      yield sys.poll(bell);
      break;
    default:
      yield sys.nothing();
  }
}
