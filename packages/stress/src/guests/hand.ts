/**
 * A hand: what a thread of the stress suite does to capabilities, each time with an entry in the history.
 *
 * The entry's begin is read from the clock right before the operation and its end is that of the entry
 * itself, so the operation lies within. What fails is recorded like what works: the answer says which.
 */
import { Err, isMemoryFault, Method, type ObjectType, Right, type Sys } from "@capos/abi";
import type { Steps } from "@capos/libos";
import { Random } from "./random.js";
import { Kind } from "./vocabulary.js";

export class Hand {
  /** OBJECT of number 0 of the round that is being played. */
  base = 0;
  /** Entries of the round so far. */
  entries = 0;
  random = new Random(0);
  /** Signalled when there are so many entries: somebody waits for it. 0 for nothing, or once it is done. */
  pace = 0;
  paceEntries = 0;
  #nextId = 0;

  constructor(
    readonly sys: Sys,
    readonly debug: number,
    readonly cnode: number,
  ) {}

  /** Begins a round: entries are about it, numbers are given from `firstId` on. */
  begin(base: number, seed: number, firstId: number): void {
    this.base = base;
    this.random = new Random(seed);
    this.#nextId = firstId;
    this.entries = 0;
  }

  /** A number for something new. */
  newId(): number {
    return this.#nextId++;
  }
}

/** The machine's clock, in nanoseconds. */
export function* clock({ sys, debug }: Hand): Steps<number> {
  sys.words[0] = Method.DEBUG_CLOCK;
  yield sys.call(debug, 1);
  return sys.words[0];
}

/** Writes an entry. While the history is full, the host is behind: others go on. */
export function* record(
  hand: Hand,
  startNs: number,
  kind: Kind,
  id: number,
  a: number,
  b: number,
  c: number,
): Steps<void> {
  const { sys, debug } = hand;
  const { words } = sys;
  hand.entries++;
  for (;;) {
    words[0] = Method.DEBUG_RECORD;
    words[1] = startNs;
    words[2] = kind;
    words[3] = hand.base + id;
    words[4] = a;
    words[5] = b;
    words[6] = c;
    if ((yield sys.call(debug, 7)) === Err.OK) break;
    yield sys.yield();
  }
  if (hand.pace !== 0 && hand.entries >= hand.paceEntries) yield* keepPace(hand);
}

/** Tells whoever waits for it how far this hand has come, once. */
export function* keepPace(hand: Hand): Steps<void> {
  const { pace } = hand;
  hand.pace = 0;
  if (pace !== 0) yield hand.sys.notify(pace);
}

/** Turns of a loop after which a guest's checks have noticed a few times that it runs for long. */
const LONG_RUN = 4096;

/** Uses the core for a while: nothing, a few traps, a long run without one, or the rest of its turn. */
export function* think(hand: Hand, most: number): Steps<void> {
  const { sys, random } = hand;
  const turns = random.below(most + 1);
  for (let i = 0; i < turns; i++) yield sys.nothing();
  if (random.chance(3)) yield sys.yield();
  // Grace periods count a core in a long run as passed.
  if (random.chance(10)) for (let i = 0; i < LONG_RUN; i++);
}

/** Copies a capability into a slot as number `id`; the copy's handle, or 0. With a badge above 0 it is minted. */
export function* copy(
  hand: Hand,
  slot: number,
  source: number,
  sourceId: number,
  id: number,
  rights: number = Right.ALL,
  badge = 0,
): Steps<number> {
  const { sys, cnode } = hand;
  const { words } = sys;
  const start = yield* clock(hand);
  words[0] = badge === 0 ? Method.CNODE_COPY : Method.CNODE_MINT;
  words[1] = slot;
  words[2] = source;
  words[3] = rights;
  words[4] = badge;
  const answer = yield sys.call(cnode, 5);
  const handle = answer >= 0 ? words[0] : 0;
  yield* record(hand, start, Kind.MAKE, id, sourceId, answer, badge);
  return handle;
}

/** Makes one object from untyped memory in a slot, as number `id`. Its handle, or 0. */
export function* make(
  hand: Hand,
  slot: number,
  untyped: number,
  untypedId: number,
  id: number,
  type: ObjectType,
  sizeBits = 0,
): Steps<number> {
  const { sys, cnode } = hand;
  const { words } = sys;
  const start = yield* clock(hand);
  words[0] = Method.UNTYPED_RETYPE;
  words[1] = type;
  words[2] = sizeBits;
  words[3] = 1;
  words[4] = cnode;
  words[5] = slot;
  const answer = yield sys.call(untyped, 6);
  yield* record(hand, start, Kind.MAKE, id, untypedId, answer, 0);
  return answer >= 0 ? yield* handleIn(hand, slot) : 0;
}

/** The handle of whatever is in a slot. */
export function* handleIn({ sys, cnode }: Hand, slot: number): Steps<number> {
  sys.words[0] = Method.CNODE_INSPECT;
  sys.words[1] = slot;
  yield sys.call(cnode, 2);
  return sys.words[5];
}

/** Uses a capability to a notification: signals. True unless it was refused. */
export function* signal(hand: Hand, handle: number, id: number): Steps<boolean> {
  const start = yield* clock(hand);
  const answer = yield hand.sys.notify(handle);
  yield* record(hand, start, Kind.USE, id, 0, answer, 0);
  return answer >= 0;
}

/** Uses a capability to an endpoint: calls its server, which says through which badge the call came. */
export function* ask(hand: Hand, handle: number, id: number, serial: number): Steps<number> {
  const { sys } = hand;
  const start = yield* clock(hand);
  sys.words[0] = hand.base + id;
  sys.words[1] = serial;
  const answer = yield sys.call(handle, 2);
  yield* record(hand, start, Kind.USE, id, serial, answer, answer >= 0 ? sys.words[0] : 0);
  return answer;
}

/** Uses a capability to an endpoint: sends one message without an answer. */
export function* send(hand: Hand, handle: number, id: number, serial: number): Steps<void> {
  const { sys } = hand;
  const start = yield* clock(hand);
  sys.words[0] = hand.base + id;
  sys.words[1] = serial;
  const answer = yield sys.send(handle, 2);
  yield* record(hand, start, Kind.USE, id, serial, answer, 0);
}

/** Deletes what is in a slot. */
export function* remove(hand: Hand, slot: number, id: number): Steps<number> {
  const { sys, cnode } = hand;
  const start = yield* clock(hand);
  sys.words[0] = Method.CNODE_DELETE;
  sys.words[1] = slot;
  const answer = yield sys.call(cnode, 2);
  yield* record(hand, start, Kind.DELETE, id, 0, answer, 0);
  return answer;
}

/** Revokes what was derived from a capability. */
export function* revoke(hand: Hand, handle: number, id: number): Steps<number> {
  const { sys, cnode } = hand;
  const start = yield* clock(hand);
  sys.words[0] = Method.CNODE_REVOKE;
  sys.words[1] = handle;
  const answer = yield sys.call(cnode, 2);
  yield* record(hand, start, Kind.REVOKE, id, 0, answer, 0);
  return answer;
}

/** Empties a slot, without an entry: tidying up. */
export function* clear({ sys, cnode }: Hand, slot: number): Steps<void> {
  sys.words[0] = Method.CNODE_DELETE;
  sys.words[1] = slot;
  yield sys.call(cnode, 2);
}

/** Takes a notification's bits. */
export function* drain({ sys }: Hand, notification: number): Steps<void> {
  yield sys.poll(notification);
}

/** Maps a page of a frame, as number `id`. True unless it was refused. */
export function* mapPage(
  hand: Hand,
  frame: number,
  frameId: number,
  id: number,
  space: number,
  address: number,
): Steps<boolean> {
  const { sys } = hand;
  const { words } = sys;
  const start = yield* clock(hand);
  words[0] = Method.FRAME_MAP;
  words[1] = space;
  words[2] = address;
  words[3] = Right.READ | Right.WRITE;
  const answer = yield sys.call(frame, 4);
  yield* record(hand, start, Kind.MAKE, id, frameId, answer, 0);
  return answer >= 0;
}

/** Ends mapping number `id` of a frame. Refused, it says something of the frame alone. True unless it was. */
export function* unmapPage(hand: Hand, frame: number, frameId: number, id: number): Steps<boolean> {
  const { sys } = hand;
  const start = yield* clock(hand);
  sys.words[0] = Method.FRAME_UNMAP;
  const answer = yield sys.call(frame, 1);
  if (answer >= 0) yield* record(hand, start, Kind.DELETE, id, 0, answer, 0);
  else yield* record(hand, start, Kind.USE, frameId, 0, answer, 0);
  return answer >= 0;
}

/** Stores at an address so often, or until it is refused. */
export function* storeOften(hand: Hand, id: number, address: number, times: number): Steps<void> {
  const { sys } = hand;
  const start = yield* clock(hand);
  let answer: number = Err.OK;
  try {
    for (let i = 0; i < times; i++) sys.store32(address, id);
  } catch (error) {
    if (!isMemoryFault(error)) throw error;
    answer = Err.BAD_CAP;
  }
  yield* record(hand, start, Kind.USE, id, 0, answer, 0);
}

/** Notes what should be and what was found, after a race. */
export function* audit(hand: Hand, id: number, right: number, found: number): Steps<void> {
  const start = yield* clock(hand);
  yield* record(hand, start, Kind.AUDIT, id, right, 0, found);
}

/** Notes whether a notification that was drained has stayed silent since: nobody is left who could signal it. */
export function* checkSilence(hand: Hand, notification: number, id: number): Steps<void> {
  const { sys } = hand;
  const start = yield* clock(hand);
  const isSilent = (yield sys.poll(notification)) === Err.WOULD_BLOCK;
  yield* record(hand, start, Kind.AUDIT, id, 1, 0, isSilent ? 1 : 0);
}
