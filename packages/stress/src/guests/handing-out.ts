/**
 * Capabilities in replies: takers call, givers answer with a capability, as a copy or moved, and delete
 * their own at once. A reply has derived what it carries before it is back, so that takes nothing away.
 */
import type { Steps } from "@capos/libos";
import type { Player } from "./crew.js";
import { clear, clock, copy, record, remove, signal, think } from "./hand.js";
import { Kind } from "./vocabulary.js";

/** A message that sends a giver home. */
const LAST = -1;
const MOST_CALLS = 150;
const CALLS_AFTERWARDS = 3;
/** Slots that a giver copies into in turn, and a taker receives into. */
const SLOTS = 20;

/** Answers each call with what it was given to hand out, for as long as it has it. */
export function* give({ hand, slots, os }: Player, post: number, handle: number, id: number): Steps<void> {
  const { sys } = os;
  const { random } = hand;
  for (let turn = 0; ; turn++) {
    if ((yield sys.recv(post)) < 0) throw new Error("the post is gone");
    const arriving = sys.words[1];
    if (arriving === LAST) return;
    const slot = slots + (turn % SLOTS);
    const own = hand.newId();
    const copied = random.chance(70) ? yield* copy(hand, slot, handle, id, own) : handle;
    const sent = copied === handle ? id : own;
    if (copied === 0) {
      sys.words[0] = 0;
      yield sys.reply(1);
      continue;
    }
    const moved = sent === own && random.chance(50);
    const start = yield* clock(hand);
    sys.words[0] = 1;
    const trap = sys.reply(1, copied);
    const answer = yield moved ? sys.moved(trap, 0) : trap;
    // Not a moment later: whoever it is on its way to may be on another core.
    if (sent === own && !moved) yield* clear(hand, slot);
    yield* record(hand, start, moved ? Kind.SEND_MOVE : Kind.SEND_COPY, sent, arriving, answer, arriving);
    yield* think(hand, 3);
  }
}

/** Asks for capabilities, uses them and deletes them, until there are none for a while. */
export function* take({ hand, slots, os }: Player, post: number): Steps<void> {
  const { sys } = os;
  const held: { readonly handle: number; readonly id: number; readonly slot: number }[] = [];
  let after = CALLS_AFTERWARDS;
  for (let turn = 0; turn < MOST_CALLS && after > 0; turn++) {
    const slot = slots + (turn % SLOTS);
    const arriving = hand.newId();
    const start = yield* clock(hand);
    sys.words[0] = 0;
    sys.words[1] = arriving;
    sys.receiveInto(slot, 1);
    const answer = yield sys.call(post, 2);
    const arrived = sys.arrived();
    const handle = sys.capability(0);
    const isSent = sys.words[0] === 1;
    sys.receiveInto(0, 0);
    if (isSent) yield* record(hand, start, Kind.ARRIVE, arriving, arriving, answer, arrived);
    if (arrived === 0) after--;
    else {
      held.push({ handle, id: arriving, slot });
      yield* signal(hand, handle, arriving);
    }
    if (held.length > SLOTS / 2) {
      const oldest = held.shift()!;
      yield* signal(hand, oldest.handle, oldest.id);
      yield* remove(hand, oldest.slot, oldest.id);
    }
    yield* think(hand, 3);
  }
  for (const { handle, id, slot } of held) {
    yield* signal(hand, handle, id);
    yield* remove(hand, slot, id);
  }
}
