/**
 * A crew: one process of the suite. Its first thread leads, the others are players on cores of their own;
 * they stay for the whole run and get an order each round.
 *
 * A round is: the leader sets up what the race is about, sends the orders, takes part itself, waits
 * until every player has reported, looks at what is left, and tidies up. Everything of a round is in the
 * history before its ROUND_END is, so whoever reads that has the whole round.
 */
import { ObjectType } from "@capos/abi";
import {
  cnode,
  endThread,
  type Os,
  type SpawnedThread,
  type Steps,
  spawnThread,
  untyped,
} from "@capos/libos";
import { clear, clock, Hand, keepPace, record, think } from "./hand.js";
import { Random } from "./random.js";
import { IDS_PER_ROUND, Id, Kind, Order, ROLE_LEAVE, ROUNDS_PER_GUEST, SETTLED } from "./vocabulary.js";

/** What a scenario is made of. */
export interface Scenario {
  /** How many players take part, by the cores there are for this crew. */
  players(cores: number): number;
  /** Plays one round. */
  round(crew: Crew): Steps<void>;
  /** A player's part in it. The numbers are what its order had behind the seed. */
  play(player: Player, role: number, numbers: readonly number[]): Steps<void>;
  /** A thread that is no player: made for a round, with `VISITOR` as its argument, and destroyed in it. */
  visit?(player: Player): Steps<number>;
}

/** The argument of a thread that is to visit. */
export const VISITOR = "visitor";
/** Slots of a visitor's that it may use, if it was lent so many. */
const VISITOR_SLOTS = 4;

/** Slots that a player is lent. */
export const PLAYER_SLOTS = 24;
/** Slots that the leader plays with. */
const LEADER_SLOTS = 64;

/** One who got an order. */
export interface Player {
  readonly os: Os;
  readonly hand: Hand;
  /** The first of its slots. */
  readonly slots: number;
}

/** A player as the leader knows it. */
export interface Member {
  readonly thread: SpawnedThread;
  /** Where it gets its orders. */
  readonly orders: number;
  readonly core: number;
}

export interface Crew extends Player {
  /** Cores that the crew may use. */
  readonly cores: readonly number[];
  readonly members: Member[];
  /** Where players report. */
  readonly reports: number;
  /** Of all that is not about one round: placement, what the next round is like. */
  readonly random: Random;
  /** The player who says when the race is well under way, -1 for none, and after how many entries. */
  pacer: number;
  paceEntries: number;
  /** What a scenario keeps from one round to the next, by name. */
  readonly kept: Map<string, number>;
}

/** What the host gives as arguments: scenario, guest, seed, nanoseconds, cores with commas between. */
const enum Argument {
  SCENARIO = 0,
  GUEST = 1,
  SEED = 2,
  TIME_NS = 3,
  CORES = 4,
}

/** A number that players get so many of for what they make. */
export const IDS_PER_PLAYER = 1024;

/** Leads a crew for as long as the host said. */
export function* lead(os: Os, scenario: Scenario): Steps<number> {
  const random = new Random(Number(os.args[Argument.SEED]));
  const hand = new Hand(os.sys, os.environment.debug, os.environment.cnode);
  const cores = os.args[Argument.CORES].split(",").map(Number);
  const crew: Crew = {
    os,
    hand,
    slots: os.slots.take(LEADER_SLOTS),
    cores,
    members: [],
    reports: yield* os.endpoint(),
    random,
    pacer: -1,
    paceEntries: 0,
    kept: new Map(),
  };
  const players = scenario.players(cores.length);
  for (let i = 0; i < players; i++) yield* join(crew);

  const guest = Number(os.args[Argument.GUEST]);
  const deadlineNs = (yield* clock(hand)) + Number(os.args[Argument.TIME_NS]);
  for (let round = 0; round < ROUNDS_PER_GUEST; round++) {
    hand.begin((guest * ROUNDS_PER_GUEST + round) * IDS_PER_ROUND, random.next(), Id.FREE);
    yield* scenario.round(crew);
    const now = yield* clock(hand);
    yield* record(hand, now, Kind.ROUND_END, 0, 0, 0, 0);
    if (now >= deadlineNs) break;
  }
  // The host looks at memory as the race left it; a line says that it has.
  yield* os.print(SETTLED);
  yield* os.readLine();
  while (crew.members.length > 0) yield* leave(crew, crew.members.pop()!);
  return 0;
}

/** A new player, on the next of the crew's cores or sometimes on any. */
function* join(crew: Crew): Steps<void> {
  const { os, cores, random, members, reports } = crew;
  const core = random.chance(20) ? random.pick(cores) : cores[(members.length + 1) % cores.length];
  const orders = yield* os.endpoint();
  const thread = yield* spawnThread(os, {
    core,
    slots: PLAYER_SLOTS,
    args: [os.args[Argument.SCENARIO]],
    handed: [orders, reports],
  });
  members.push({ thread, orders, core });
}

function* leave({ os }: Crew, { thread, orders }: Member): Steps<void> {
  os.sys.words[Order.ROLE] = ROLE_LEAVE;
  yield os.sys.send(orders, 1);
  yield* endThread(os, thread);
  yield* os.drop(orders);
}

const PACE = "pace";
/** Of a hundred rounds: how many begin with their end. */
const HASTY = 30;

/**
 * Decides how the race will go, before the first order: hastily, or so that one of the members from `first`
 * to `last` is waited for until it has made a number of entries up to `most`.
 */
export function* planPace(crew: Crew, first: number, last: number, most: number): Steps<void> {
  const { random } = crew.hand;
  yield* keep(crew, PACE, ObjectType.NOTIFICATION);
  crew.pacer = random.chance(HASTY) ? -1 : first + random.below(last - first + 1);
  crew.paceEntries = 1 + random.below(most);
}

/** Lets the race go on for as long as was planned. */
export function* race(crew: Crew): Steps<void> {
  if (crew.pacer < 0) yield* think(crew.hand, 100);
  else yield crew.os.sys.wait(crew.kept.get(PACE)!);
  crew.pacer = -1;
}

/** Orders member `index` to play a role. It may number what it makes from `firstId` on. */
export function* order(
  crew: Crew,
  index: number,
  role: number,
  firstId: number,
  ...numbers: readonly number[]
): Steps<void> {
  const { words } = crew.os.sys;
  words[Order.ROLE] = role;
  words[Order.BASE] = crew.hand.base;
  words[Order.SEED] = crew.hand.random.next();
  words[Order.IDS] = firstId;
  words[Order.PACE] = index === crew.pacer ? crew.kept.get(PACE)! : 0;
  words[Order.PACE_ENTRIES] = crew.paceEntries;
  for (let i = 0; i < numbers.length; i++) words[Order.REST + i] = numbers[i];
  const answer = yield crew.os.sys.send(crew.members[index].orders, Order.REST + numbers.length);
  if (answer < 0) throw new Error(`player ${index} takes no order: ${answer}`);
}

/** Waits until `count` players have done what they were ordered to. */
export function* reports(crew: Crew, count: number): Steps<void> {
  const { sys } = crew.os;
  for (let i = 0; i < count; i++) {
    const answer = yield sys.recv(crew.reports);
    if (answer < 0) throw new Error(`no report: ${answer}`);
    crew.hand.entries += sys.words[0];
  }
}

/** A thread that comes and goes. */
export function* visit(os: Os, scenario: Scenario): Steps<number> {
  const hand = new Hand(os.sys, os.environment.debug, os.environment.cnode);
  return yield* scenario.visit!({ os, hand, slots: os.environment.freeSlots.take(VISITOR_SLOTS) });
}

/** Takes back what a thread that was destroyed was lent. */
export function* takeBack(os: Os, hand: Hand, thread: SpawnedThread): Steps<void> {
  const slot = Math.floor(thread.handle / 2 ** 32);
  yield* clear(hand, slot);
  os.slots.give(slot);
  for (let lent = thread.firstSlot; lent < thread.firstSlot + thread.slotCount; lent++)
    yield* clear(hand, lent);
  os.slots.give(thread.firstSlot, thread.slotCount);
}

/** A player: does as ordered, and reports how many entries it made. */
export function* follow(os: Os, scenario: Scenario): Steps<number> {
  const { sys } = os;
  const [orders, done] = os.handed as [number, number];
  const hand = new Hand(sys, os.environment.debug, os.environment.cnode);
  const player: Player = { os, hand, slots: os.slots.take(PLAYER_SLOTS) };
  for (;;) {
    const count = yield sys.recv(orders);
    if (count < 0) return 1;
    const role = sys.words[Order.ROLE];
    if (role === ROLE_LEAVE) return 0;
    hand.begin(sys.words[Order.BASE], sys.words[Order.SEED], sys.words[Order.IDS]);
    hand.pace = sys.words[Order.PACE];
    hand.paceEntries = sys.words[Order.PACE_ENTRIES];
    const numbers: number[] = [];
    for (let i = Order.REST; i < count; i++) numbers.push(sys.words[i]);
    yield* scenario.play(player, role, numbers);
    yield* keepPace(hand);
    sys.words[0] = hand.entries;
    yield sys.send(done, 1);
  }
}

/** What the crew keeps under a name, made the first time it is asked for. */
export function* keep(crew: Crew, name: string, type: ObjectType, sizeBits = 0): Steps<number> {
  const known = crew.kept.get(name);
  if (known !== undefined) return known;
  const made = yield* crew.os.make(type, sizeBits);
  crew.kept.set(name, made);
  return made;
}

/**
 * Memory for one round, in slot `slot` of the leader's. It is all of a block that the crew keeps: once the
 * last round's is gone the next one's fits only into the same place, which is used again then.
 */
export function* roundMemory(crew: Crew, slot: number, sizeBits: number): Steps<number> {
  const { os } = crew;
  const { sys, environment } = os;
  const block = yield* keep(crew, "memory", ObjectType.UNTYPED, sizeBits);
  yield* untyped.retype(sys, block, ObjectType.UNTYPED, sizeBits, 1, environment.cnode, slot);
  return (yield* cnode.inspect(sys, environment.cnode, slot)).handle;
}

/** Ends everything that was made from the round's memory, and that itself. */
export function* endRoundMemory(crew: Crew): Steps<void> {
  const { sys, environment } = crew.os;
  yield* cnode.revoke(sys, environment.cnode, crew.kept.get("memory")!);
}

/** An `Os` that makes its objects from another block of memory. */
export function makingFrom(os: Os, block: number): Os {
  const { sys, environment, slots } = os;
  return {
    ...os,
    *make(type, bits = 0) {
      const slot = slots.take();
      yield* untyped.retype(sys, block, type, bits, 1, environment.cnode, slot);
      return (yield* cnode.inspect(sys, environment.cnode, slot)).handle;
    },
  };
}
