/**
 * A queue whose waiters change their priorities: while some send and call, one receives and a thread that waits is
 * destroyed, another gives them all other priorities, whatever they are at. Nobody is lost by it. When all is quiet
 * and everybody waits who is to, they are served by the priorities that they were given last.
 */
import { Method, ObjectType, Right } from "@capos/abi";
import { type Steps, spawnThread } from "@capos/libos";
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
  takeBack,
  VISITOR,
} from "./crew.js";
import { ask, clock, copy, type Hand, record, remove, revoke, send, think } from "./hand.js";
import { Id, Kind } from "./vocabulary.js";

const SERVER = 1;
const CHANGER = 2;
const SENDER = 3;
const WAITER = 4;

/** Members by what they are in every round; the others send. */
const enum Place {
  SERVER = 0,
  CHANGER = 1,
  FIRST_SENDER = 2,
}

/** Serial numbers that are none: the server is to go, or the message is in nobody's history. */
const LAST = -1;
const NOBODYS = -2;
const MESSAGES = 6;
const CHANGES = 60;
/** The visitor has sent its last by then, so that whoever is less urgent has a turn. */
const MOST_OF_VISITOR = 100;
/** Priorities above that of the crew: below it the other crews would have them wait. */
const SPAN = 8;
/** What a visitor is lent. */
const SLOTS = 4;
/** log2 of the bytes for one thread. */
const MEMORY_BITS = 15;
/** Of the leader's slots: behind those of the badges. */
const MEMORY_SLOT = 40;
/** Traps after which a core has taken all lines that were in its rings before. */
const SETTLING = 16;
/** What the kernel says of a thread that waits in a queue, and of one that waits for another core. */
const QUEUED = 3;
const REMOTE = 5;

/** A badge of its own for a sender. It is revoked by what it was minted as. */
interface Badge {
  readonly place: number;
  readonly minted: number;
  readonly mintedId: number;
  readonly handle: number;
  readonly id: number;
}

export const queueOrder: Scenario = {
  players: (cores) => Math.max(4, Math.min(8, cores * 2)),

  *round(crew: Crew): Steps<void> {
    const endpoint = yield* keep(crew, "endpoint", ObjectType.ENDPOINT);
    const usual = yield* usualPriority(crew);
    yield* race(crew, endpoint, usual);
    yield* serveInOrder(crew, endpoint, usual);
    for (const { thread } of crew.members) yield* setPriority(crew.hand, thread.handle, usual);
  },

  *play(player: Player, role: number, numbers: readonly number[]): Steps<void> {
    if (role === SERVER) yield* serve(player, numbers);
    else if (role === CHANGER) yield* change(player, numbers);
    else if (role === SENDER) yield* sendAll(player, numbers);
    else yield* waitToBeServed(player, numbers);
  },

  /** Sends what nobody counts until it is destroyed. */
  *visit({ os, hand }: Player): Steps<number> {
    const { sys } = os;
    const [base, id, seed, endpoint, never] = os.handed as [number, number, number, number, number];
    hand.begin(base, seed, 0);
    for (let i = 0; i < MOST_OF_VISITOR; i++) {
      const start = yield* clock(hand);
      sys.words[0] = hand.base;
      sys.words[1] = NOBODYS;
      yield hand.random.chance(50) ? sys.call(endpoint, 2) : sys.send(endpoint, 2);
      yield* record(hand, start, Kind.ACT, id, 1, 0, 0);
      yield* think(hand, 3);
    }
    yield sys.wait(never);
    return 0;
  },
};

/** Everybody is given other priorities while they do what they do. */
function* race(crew: Crew, endpoint: number, usual: number): Steps<void> {
  const { hand, slots, members, cores } = crew;
  const { random, sys } = hand;
  const never = yield* keep(crew, "never", ObjectType.NOTIFICATION);
  const os = makingFrom(crew.os, yield* roundMemory(crew, slots + MEMORY_SLOT, MEMORY_BITS));
  const visitorId = hand.newId();
  const visitor = yield* spawnThread(os, {
    core: random.pick(cores),
    slots: SLOTS,
    args: [os.args[0], VISITOR],
    handed: [hand.base, visitorId, random.next(), endpoint, never],
  });
  yield* order(crew, Place.SERVER, SERVER, 0, endpoint, 0);
  const badges: Badge[] = [];
  for (let i = Place.FIRST_SENDER; i < members.length; i++) {
    const badge = yield* badgeFor(crew, endpoint, badges.length);
    badges.push(badge);
    yield* order(crew, i, SENDER, i * IDS_PER_PLAYER, badge.handle, badge.id);
  }
  const changed = members.map(({ thread }) => thread.handle);
  yield* order(crew, Place.CHANGER, CHANGER, 0, usual, visitor.handle, ...changed);
  yield* think(hand, random.chance(50) ? 100 : 2000);
  if (random.chance(50)) {
    const { minted, mintedId } = random.pick(badges);
    yield* revoke(hand, minted, mintedId);
  }
  yield* think(hand, 300);
  const start = yield* clock(hand);
  sys.words[0] = Method.THREAD_DESTROY;
  yield* record(hand, start, Kind.KILL, visitorId, 0, yield sys.call(visitor.handle, 1), 0);
  // All but the server, which is told to go.
  yield* reports(crew, members.length - 1);
  yield* takeBack(os, hand, visitor);
  sys.words[1] = LAST;
  yield sys.call(endpoint, 2);
  yield* reports(crew, 1);
  yield* endRoundMemory(crew);
  for (const badge of badges) yield* forget(crew, badge);
}

/** Everybody waits, has a priority, and only then is served: the urgent first. */
function* serveInOrder(crew: Crew, endpoint: number, usual: number): Steps<void> {
  const { hand, members } = crew;
  const { sys } = hand;
  const waiters = members.slice(Place.FIRST_SENDER);
  const badges: Badge[] = [];
  for (const [i] of waiters.entries()) {
    const badge = yield* badgeFor(crew, endpoint, i);
    badges.push(badge);
    const ready = yield* keep(crew, `ready ${i}`, ObjectType.NOTIFICATION);
    const member = Place.FIRST_SENDER + i;
    // Numbers that it has not had in this round.
    const firstId = (members.length + member) * IDS_PER_PLAYER;
    yield* order(crew, member, WAITER, firstId, badge.handle, badge.id, i, ready);
  }
  const priorities: number[] = [];
  for (const [i, { thread }] of waiters.entries()) {
    yield sys.wait(crew.kept.get(`ready ${i}`)!);
    // It does nothing but send after that. Whoever is less urgent has the core while this waits.
    while (!(yield* isWaiting(hand, thread.handle))) yield* passTime(hand);
    // In two steps, so that its core is asked once at least, and has done all that came before.
    yield* setPriority(hand, thread.handle, usual + SPAN);
    priorities.push(usual + hand.random.below(SPAN));
    yield* setPriority(hand, thread.handle, priorities[i]!);
  }
  yield* order(crew, Place.SERVER, SERVER, Place.SERVER, endpoint, waiters.length, ...priorities);
  yield* reports(crew, members.length - 1);
  for (const badge of badges) yield* forget(crew, badge);
}

/** Gives others priorities, over and over. Whoever is alive takes them. */
function* change({ hand }: Player, numbers: readonly number[]): Steps<void> {
  const { random } = hand;
  const [usual, visitor, ...members] = numbers as [number, number, ...number[]];
  const start = yield* clock(hand);
  let refused = 0;
  for (let i = 0; i < CHANGES; i++) {
    const priority = usual + random.below(SPAN);
    if (random.chance(20)) yield* setPriority(hand, visitor, priority);
    else if ((yield* setPriority(hand, random.pick(members), priority)) < 0) refused++;
    yield* think(hand, 4);
  }
  yield* record(hand, start, Kind.AUDIT, Id.ROUND, 0, 0, refused);
}

function* sendAll({ hand }: Player, numbers: readonly number[]): Steps<void> {
  const [handle, id] = numbers as [number, number];
  for (let i = 0; i < MESSAGES; i++) {
    if (hand.random.chance(50)) yield* ask(hand, handle, id, hand.newId());
    else yield* send(hand, handle, id, hand.newId());
  }
}

/** Says that it is about to wait, then waits to be served: nothing else comes in between. */
function* waitToBeServed({ hand, os }: Player, numbers: readonly number[]): Steps<void> {
  const { sys } = os;
  const [handle, id, index, ready] = numbers as [number, number, number, number];
  const serial = hand.newId();
  const start = yield* clock(hand);
  yield sys.notify(ready);
  sys.words[0] = hand.base + id;
  sys.words[1] = serial;
  sys.words[2] = index;
  const answer = yield sys.call(handle, 3);
  yield* record(hand, start, Kind.USE, id, serial, answer, answer >= 0 ? sys.words[0] : 0);
}

/** Answers until it is told to go, or so many as it is told; of these it knows the priorities, and sees the order. */
function* serve({ hand, os }: Player, numbers: readonly number[]): Steps<void> {
  const { sys } = os;
  const [endpoint, count, ...priorities] = numbers as [number, number, ...number[]];
  for (let i = 0; i < SETTLING; i++) yield sys.nothing();
  let before = Number.POSITIVE_INFINITY;
  for (let served = 0; count === 0 || served < count; ) {
    const start = yield* clock(hand);
    const answer = yield sys.recv(endpoint);
    if (answer < 0) throw new Error(`the server's own endpoint answers ${answer}`);
    if (sys.noSenders()) continue;
    const [object, serial, index] = [sys.words[0], sys.words[1], sys.words[2]];
    const badge = sys.badge();
    if (serial === LAST) {
      yield sys.reply(0);
      return;
    }
    if (serial !== NOBODYS) {
      const id = object - hand.base;
      yield* record(hand, start, Kind.DELIVER, id, serial, answer, badge);
      if (count > 0) {
        const priority = priorities[index]!;
        yield* record(hand, start, Kind.AUDIT, id, 1, 0, priority <= before ? 1 : 0);
        before = priority;
      }
      served++;
    }
    sys.words[0] = badge;
    yield sys.reply(1);
  }
}

function* badgeFor({ hand, slots }: Crew, endpoint: number, place: number): Steps<Badge> {
  const mintedId = hand.newId();
  const minted = yield* copy(hand, slots + 2 * place, endpoint, Id.ROUND, mintedId, Right.ALL, mintedId);
  const id = hand.newId();
  const handle = yield* copy(hand, slots + 2 * place + 1, minted, mintedId, id);
  return { place, minted, mintedId, handle, id };
}

function* forget({ hand, slots }: Crew, { place, id, mintedId }: Badge): Steps<void> {
  yield* remove(hand, slots + 2 * place + 1, id);
  yield* remove(hand, slots + 2 * place, mintedId);
}

function* setPriority({ sys }: Hand, thread: number, priority: number): Steps<number> {
  sys.words[0] = Method.THREAD_PRIORITY;
  sys.words[1] = priority;
  return yield sys.call(thread, 2);
}

function* isWaiting({ sys }: Hand, thread: number): Steps<boolean> {
  sys.words[0] = Method.THREAD_STATUS;
  yield sys.call(thread, 1);
  return sys.words[1] === QUEUED || sys.words[1] === REMOTE;
}

/** What the members have when nobody has given them another: as the first round finds it. */
function* usualPriority({ hand, kept, members }: Crew): Steps<number> {
  const known = kept.get("usual priority");
  if (known !== undefined) return known;
  hand.sys.words[0] = Method.THREAD_STATUS;
  yield hand.sys.call(members[0]!.thread.handle, 1);
  kept.set("usual priority", hand.sys.words[3]!);
  return hand.sys.words[3]!;
}

/** Lets others run: blocks for a moment. */
function* passTime({ sys, debug }: Hand): Steps<void> {
  sys.words[0] = Method.DEBUG_GRACE_PERIOD;
  yield sys.call(debug, 1);
}
