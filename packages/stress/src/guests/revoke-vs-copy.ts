/**
 * Players copy copies of copies, use them and delete some, on all cores, while their common ancestor is
 * revoked.
 */
import { ObjectType, Right } from "@capos/abi";
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
import { checkSilence, copy, drain, remove, revoke, signal, think } from "./hand.js";
import { Id } from "./vocabulary.js";

const COPIER = 1;
const MOST_OPERATIONS = 300;
const OPERATIONS_AFTERWARDS = 4;
/** Slots that a copier fills and empties. */
const SLOTS = 12;

export const revokeVsCopy: Scenario = {
  players: (cores) => Math.max(1, Math.min(4, cores - 1)),

  *round(crew: Crew): Steps<void> {
    const { hand, slots, members } = crew;
    const { random } = hand;
    const notification = yield* keep(crew, "notification", ObjectType.NOTIFICATION);
    const root = yield* copy(hand, slots, notification, Id.ROUND, Id.ROOT);
    const made = [{ handle: root, id: Id.ROOT as number }];
    yield* planPace(crew, 0, members.length - 1, MOST_OPERATIONS);
    for (let i = 0; i < members.length; i++) {
      const source = random.pick(made);
      const id = hand.newId();
      const badge = random.chance(20) && source.id === Id.ROOT ? 1 + random.below(1 << 30) : 0;
      const handle = yield* copy(hand, slots + 1 + i, source.handle, source.id, id, Right.ALL, badge);
      made.push({ handle, id });
      yield* order(crew, i, COPIER, (i + 1) * IDS_PER_PLAYER, handle, id);
    }
    yield* race(crew);
    yield* revoke(hand, root, Id.ROOT);
    // A signal that was under way must have come by now, or never comes.
    yield* drain(hand, notification);
    for (const { handle, id } of made.slice(1)) yield* signal(hand, handle, id);
    yield* reports(crew, members.length);
    yield* checkSilence(hand, notification, Id.ROOT);
    yield* signal(hand, root, Id.ROOT);
    yield* remove(hand, slots, Id.ROOT);
  },

  *play(player: Player, _role: number, numbers: readonly number[]): Steps<void> {
    yield* copyAround(player, numbers[0], numbers[1]);
  },
};

/** Copies, uses and deletes at random from one capability on, until it has found it gone for a while. */
export function* copyAround(player: Player, handle: number, id: number): Steps<void> {
  const { hand, slots } = player;
  const { random } = hand;
  const held = [{ handle, id, slot: 0 }];
  let after = OPERATIONS_AFTERWARDS;
  for (let i = 0; i < MOST_OPERATIONS && after > 0; i++) {
    const at = random.below(held.length);
    const source = held[at];
    const what = random.below(10);
    let worked = true;
    if (what < 4 && held.length <= SLOTS) {
      const slot = freeSlot(held, slots);
      const copied = hand.newId();
      const fresh = yield* copy(hand, slot, source.handle, source.id, copied);
      if (fresh === 0) worked = false;
      else held.push({ handle: fresh, id: copied, slot });
    } else if (what < 8 || at === 0) worked = yield* signal(hand, source.handle, source.id);
    else {
      yield* remove(hand, source.slot, source.id);
      // Gone for good: nothing may come of it.
      yield* signal(hand, source.handle, source.id);
      held.splice(at, 1);
    }
    if (!worked) after--;
    yield* think(hand, 3);
  }
  for (const { slot, id: last } of held) if (slot !== 0) yield* remove(hand, slot, last);
}

function freeSlot(held: readonly { readonly slot: number }[], first: number): number {
  for (let slot = first; ; slot++) if (!held.some((one) => one.slot === slot)) return slot;
}
