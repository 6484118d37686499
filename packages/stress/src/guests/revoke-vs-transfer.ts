/**
 * Capabilities travel in messages and replies, copied and moved, between cores, while the one they come from is
 * revoked; beside them travel some that come from another one, which is not.
 *
 * Senders send what they hold, or copies made for the journey; receivers use what arrives, pass it no further, and
 * delete it. A message that was sent arrives; the capability in it arrives with it unless it was revoked.
 */
import { ObjectType } from "@capos/abi";
import type { Steps } from "@capos/libos";
import {
  type Crew,
  IDS_PER_PLAYER,
  keep,
  order,
  type Player,
  planPace,
  race,
  reports,
  type Scenario,
} from "./crew.js";
import { clear, clock, copy, type Hand, record, remove, revoke, signal, think } from "./hand.js";
import { give, take } from "./handing-out.js";
import { Id, Kind } from "./vocabulary.js";

const SENDER = 1;
const RECEIVER = 2;
const GIVER = 3;
const TAKER = 4;
const MOST_SENDS = 150;
const SENDS_AFTERWARDS = 3;
/** A message that sends a receiver home. */
const LAST = -1;
/** Slots into which a receiver takes turns to receive; behind them it has one to keep closed. */
const WINDOW = 20;

/** The scenario with so many senders and receivers; with `moves` some capabilities are moved. */
function transfers(senders: number, receivers: number, moves: boolean): Scenario {
  return {
    players: (cores) => Math.min(senders + receivers, Math.max(2, cores - 1)),

    *round(crew: Crew): Steps<void> {
      const { hand, slots, members, os } = crew;
      const { random } = hand;
      const notification = yield* keep(crew, "notification", ObjectType.NOTIFICATION);
      const post = yield* keep(crew, "post", ObjectType.ENDPOINT);
      const taking = Math.max(1, Math.min(receivers, members.length >> 1));
      const root = yield* copy(hand, slots, notification, Id.ROUND, Id.ROOT);
      const safeId = hand.newId();
      const safe = yield* copy(hand, slots + 1, notification, Id.ROUND, safeId);
      yield* planPace(crew, taking, members.length - 1, 3 * MOST_SENDS);
      // In letters that somebody sends, or in answers that somebody asks for.
      const inReplies = moves && random.chance(40);
      const made = [{ handle: root, id: Id.ROOT as number }];
      for (let i = 0; i < members.length; i++) {
        const ids = (i + 1) * IDS_PER_PLAYER;
        if (i < taking !== inReplies) {
          yield* order(crew, i, inReplies ? TAKER : RECEIVER, ids, post);
          continue;
        }
        const source = random.pick(made);
        const id = hand.newId();
        const handle = yield* copy(hand, slots + 2 + i, source.handle, source.id, id);
        made.push({ handle, id });
        if (inReplies) yield* order(crew, i, GIVER, ids, post, handle, id);
        else yield* order(crew, i, SENDER, ids, post, handle, id, safe, safeId, moves ? 1 : 0);
      }
      yield* race(crew);
      yield* revoke(hand, root, Id.ROOT);
      for (const { handle, id } of made.slice(1)) yield* signal(hand, handle, id);
      yield* reports(crew, members.length - taking);
      for (let i = 0; i < taking; i++) {
        os.sys.words[1] = LAST;
        yield os.sys.send(post, 2);
      }
      yield* reports(crew, taking);
      yield* revoke(hand, safe, safeId);
      yield* remove(hand, slots + 1, safeId);
      yield* remove(hand, slots, Id.ROOT);
    },

    *play(player: Player, role: number, numbers: readonly number[]): Steps<void> {
      const [post, handle, id] = numbers as [number, number, number];
      if (role === RECEIVER) yield* receive(player, post);
      else if (role === GIVER) yield* give(player, post, handle, id);
      else if (role === TAKER) yield* take(player, post);
      else yield* send(player, numbers);
    },
  };
}

export const revokeVsTransfer = transfers(2, 2, true);
export const revokeInFlight = transfers(1, 1, false);

function* send(player: Player, numbers: readonly number[]): Steps<void> {
  const [post, handle, id, safe, safeId, moves] = numbers as [number, number, number, number, number, number];
  const { hand, slots } = player;
  const { random } = hand;
  let after = SENDS_AFTERWARDS;
  for (let i = 0; i < MOST_SENDS && after > 0; i++) {
    const isSafe = random.chance(25);
    const from = isSafe ? safe : handle;
    const fromId = isSafe ? safeId : id;
    if (moves === 1 && random.chance(50)) {
      const slot = slots + (i % WINDOW);
      const copied = hand.newId();
      const own = yield* copy(hand, slot, from, fromId, copied);
      if (own === 0) {
        after--;
        continue;
      }
      yield* mail(hand, post, own, copied, true);
      // What was moved is not here any more.
      yield* signal(hand, own, copied);
      yield* clear(hand, slot);
    } else {
      yield* mail(hand, post, from, fromId, false);
      if (!(yield* signal(hand, from, fromId))) after--;
    }
    yield* think(hand, 3);
  }
}

/** Sends one message with a capability in it, to arrive under a new number. */
function* mail(hand: Hand, post: number, handle: number, id: number, moved: boolean): Steps<void> {
  const { sys } = hand;
  const arriving = hand.newId();
  const start = yield* clock(hand);
  sys.words[0] = hand.base + arriving;
  sys.words[1] = arriving;
  const trap = sys.send(post, 2, handle);
  const answer = yield moved ? sys.moved(trap, 0) : trap;
  yield* record(hand, start, moved ? Kind.SEND_MOVE : Kind.SEND_COPY, id, arriving, answer, arriving);
}

function* receive(player: Player, post: number): Steps<void> {
  const { hand, slots, os } = player;
  const { sys } = os;
  const held: { readonly handle: number; readonly id: number; readonly slot: number }[] = [];
  for (let turn = 0; ; turn++) {
    const slot = slots + (turn % WINDOW);
    sys.receiveInto(slot, 1);
    const start = yield* clock(hand);
    const answer = yield sys.recv(post);
    const object = sys.words[0];
    const serial = sys.words[1];
    const arrived = sys.arrived();
    const handle = sys.capability(0);
    sys.receiveInto(0, 0);
    if (serial === LAST) break;
    const id = object - hand.base;
    yield* record(hand, start, Kind.ARRIVE, id, serial, answer, arrived);
    if (arrived > 0) {
      held.push({ handle, id, slot });
      yield* signal(hand, handle, id);
    }
    // Half of the window stays full for a while.
    if (held.length > WINDOW / 2) {
      const oldest = held.shift()!;
      yield* signal(hand, oldest.handle, oldest.id);
      yield* remove(hand, oldest.slot, oldest.id);
    }
  }
  for (const { handle, id, slot } of held) {
    yield* signal(hand, handle, id);
    yield* remove(hand, slot, id);
  }
}
