/**
 * Several revoke at once: the root, a child of it, a grandchild, some of them twice, while others copy
 * below all of that. Every revoke comes back; one whose own capability went meanwhile says so.
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
import { checkSilence, copy, drain, remove, revoke, signal, think } from "./hand.js";
import { copyAround } from "./revoke-vs-copy.js";
import { Id } from "./vocabulary.js";

const COPIER = 1;
const REVOKER = 2;
const LEVELS = 4;
const MOST_REVOKES = 6;
const MOST_ENTRIES = 200;

export const revokeVsRevoke: Scenario = {
  players: (cores) => Math.max(2, Math.min(5, cores - 1)),

  *round(crew: Crew): Steps<void> {
    const { hand, slots, members } = crew;
    const { random } = hand;
    const notification = yield* keep(crew, "notification", ObjectType.NOTIFICATION);
    const chain = [
      { handle: yield* copy(hand, slots, notification, Id.ROUND, Id.ROOT), id: Id.ROOT as number },
    ];
    for (let level = 1; level < LEVELS; level++) {
      const above = chain[level - 1];
      const id = hand.newId();
      chain.push({ handle: yield* copy(hand, slots + level, above.handle, above.id, id), id });
    }
    let rootIsUsed = false;
    const revokers = Math.max(1, members.length >> 1);
    yield* planPace(crew, revokers, members.length - 1, MOST_ENTRIES);
    for (let i = 0; i < members.length; i++) {
      const ids = (i + 1) * IDS_PER_PLAYER;
      const at = i < revokers ? random.below(LEVELS - 1) : 1 + random.below(LEVELS - 1);
      const { handle, id } = chain[at];
      rootIsUsed ||= at === 0;
      yield* order(crew, i, i < revokers ? REVOKER : COPIER, ids, handle, id);
    }
    yield* race(crew);
    // Not always by the root's own hand: sometimes all of it is left to the players.
    const at = random.below(3);
    yield* revoke(hand, chain[at].handle, chain[at].id);
    for (const { handle, id } of chain.slice(at)) yield* signal(hand, handle, id);
    yield* think(hand, 200);
    yield* revoke(hand, chain[0].handle, Id.ROOT);
    // A signal that was under way must have come by now, or never comes; but for those who hold the root.
    yield* drain(hand, notification);
    for (const { handle, id } of chain.slice(1)) yield* signal(hand, handle, id);
    yield* reports(crew, members.length);
    if (!rootIsUsed) yield* checkSilence(hand, notification, Id.ROOT);
    yield* signal(hand, chain[0].handle, Id.ROOT);
    yield* remove(hand, slots, Id.ROOT);
  },

  *play(player: Player, role: number, numbers: readonly number[]): Steps<void> {
    const [handle, id] = numbers as [number, number];
    if (role === COPIER) {
      yield* copyAround(player, handle, id);
      return;
    }
    const { hand } = player;
    const revokes = 1 + hand.random.below(MOST_REVOKES);
    for (let i = 0; i < revokes; i++) {
      yield* think(hand, 400);
      yield* revoke(hand, handle, id);
      yield* signal(hand, handle, id);
    }
  },
};
