/**
 * Many senders wait in one endpoint's queue, under different badges, and one badge after another is
 * revoked: its senders are woken with REVOKED and none of their messages arrives; all others stay in the
 * queue and arrive once.
 */
import { ObjectType, Right } from "@capos/abi";
import type { Steps } from "@capos/libos";
import { type Crew, IDS_PER_PLAYER, keep, order, type Player, reports, type Scenario } from "./crew.js";
import { ask, clear, copy, remove, revoke, send, think } from "./hand.js";
import { serve } from "./revoke-vs-call.js";
import { Id } from "./vocabulary.js";

const SERVER = 1;
const SENDER = 2;
const LAST = -1;
const BADGES = 4;
const MESSAGES = 6;

export const queueCancel: Scenario = {
  players: (cores) => Math.max(5, Math.min(12, cores * 3)),

  *round(crew: Crew): Steps<void> {
    const { hand, slots, members, os } = crew;
    const { random } = hand;
    const endpoint = yield* keep(crew, "endpoint", ObjectType.ENDPOINT);
    const badges: { handle: number; id: number; slot: number }[] = [];
    for (let i = 0; i < BADGES; i++) {
      const mintedId = hand.newId();
      const minted = yield* copy(hand, slots + BADGES + i, endpoint, Id.ROUND, mintedId, Right.ALL, mintedId);
      // What is revoked is a copy: the minted slot keeps a descendant, and nobody is told of its end.
      const id = hand.newId();
      badges.push({ handle: yield* copy(hand, slots + i, minted, mintedId, id), id, slot: slots + i });
    }
    const own: { readonly slot: number; readonly id: number }[] = [];
    const senders = new Map(badges.map(({ id }) => [id, 0]));
    for (let i = 1; i < members.length; i++) {
      const badge = random.pick(badges);
      const id = hand.newId();
      const slot = slots + 2 * BADGES + i;
      const handle = yield* copy(hand, slot, badge.handle, badge.id, id);
      own.push({ slot, id });
      senders.set(badge.id, senders.get(badge.id)! + 1);
      yield* order(crew, i, SENDER, i * IDS_PER_PLAYER, handle, id);
    }
    // Some of the time everybody waits before anybody is served.
    yield* think(hand, random.chance(50) ? 100 : 3000);
    const first = random.below(BADGES);
    let waiting = members.length - 1;
    if (random.chance(60)) {
      const { handle, id } = badges[first];
      yield* revoke(hand, handle, id);
      // Nobody serves them yet: the revoke alone has woken them, or nothing ever does.
      yield* reports(crew, senders.get(id)!);
      waiting -= senders.get(id)!;
    }
    yield* order(crew, 0, SERVER, 0, endpoint);
    for (let i = 1; i < BADGES - 1; i++) {
      const badge = badges[(first + i) % BADGES];
      yield* think(hand, 100);
      yield* revoke(hand, badge.handle, badge.id);
    }
    yield* reports(crew, waiting);
    os.sys.words[1] = LAST;
    yield os.sys.call(endpoint, 2);
    yield* reports(crew, 1);
    for (const { slot, id } of [...badges, ...own]) yield* remove(hand, slot, id);
    for (let i = 0; i < BADGES; i++) yield* clear(hand, slots + BADGES + i);
  },

  *play(player: Player, role: number, numbers: readonly number[]): Steps<void> {
    if (role === SERVER) {
      yield* serve(player, numbers[0]);
      return;
    }
    const [handle, id] = numbers as [number, number];
    const { hand } = player;
    for (let i = 0; i < MESSAGES; i++) {
      if (hand.random.chance(50)) yield* ask(hand, handle, id, hand.newId());
      else yield* send(hand, handle, id, hand.newId());
    }
  },
};
