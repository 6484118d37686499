/**
 * Many senders wait in one endpoint's queue, under different badges, and one badge after another is
 * revoked: its senders are woken with REVOKED and none of their messages arrives; all others stay in the
 * queue and arrive once.
 */
import { ObjectType, Right } from "@capos/abi";
import type { Steps } from "@capos/libos";
import { type Crew, IDS_PER_PLAYER, keep, order, type Player, reports, type Scenario } from "./crew.js";
import { ask, clock, copy, record, remove, revoke, think } from "./hand.js";
import { serve } from "./revoke-vs-call.js";
import { Id, Kind } from "./vocabulary.js";

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
      const id = i === 0 ? Id.ROOT : hand.newId();
      const slot = slots + i;
      badges.push({ handle: yield* copy(hand, slot, endpoint, Id.ROUND, id, Right.ALL, id), id, slot });
    }
    for (let i = 1; i < members.length; i++) {
      const badge = random.pick(badges);
      const id = hand.newId();
      const handle = yield* copy(hand, slots + BADGES + i, badge.handle, badge.id, id);
      yield* order(crew, i, SENDER, i * IDS_PER_PLAYER, handle, id, badge.id);
    }
    // Some of the time everybody waits before anybody is served.
    yield* think(hand, random.chance(50) ? 100 : 3000);
    const first = random.below(BADGES);
    if (random.chance(60)) yield* revoke(hand, badges[first]!.handle, badges[first]!.id);
    yield* order(crew, 0, SERVER, 0, endpoint);
    for (let i = 1; i < BADGES - 1; i++) {
      const badge = badges[(first + i) % BADGES]!;
      yield* think(hand, 100);
      yield* revoke(hand, badge.handle, badge.id);
    }
    yield* reports(crew, members.length - 1);
    os.sys.words[1] = LAST;
    yield os.sys.call(endpoint, 2);
    yield* reports(crew, 1);
    for (const { slot, id } of badges) yield* remove(hand, slot, id);
    for (let i = 1; i < members.length; i++) yield* remove(hand, slots + BADGES + i, BADGES + i);
  },

  *play(player: Player, role: number, numbers: readonly number[]): Steps<void> {
    if (role === SERVER) {
      yield* serve(player, numbers[0]!);
      return;
    }
    const [handle, id] = numbers as [number, number];
    const { hand } = player;
    for (let i = 0; i < MESSAGES; i++) {
      if (hand.random.chance(50)) yield* ask(hand, handle, id, hand.newId());
      else yield* send(player, handle, id, hand.newId());
    }
  },
};

/** One message without an answer. */
function* send({ hand, os }: Player, handle: number, id: number, serial: number): Steps<void> {
  const { sys } = os;
  const start = yield* clock(hand);
  sys.words[0] = hand.base + id;
  sys.words[1] = serial;
  const answer = yield sys.send(handle, 2);
  yield* record(hand, start, Kind.USE, id, serial, answer, 0);
}
