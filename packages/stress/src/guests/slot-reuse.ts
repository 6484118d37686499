/**
 * Slots change tenants as fast as they can while others go on using the handles they once had: a stale
 * handle names nothing, never the next tenant. Tenants are badges of one endpoint, so its server says whom it met.
 */
import { ObjectType, Right } from "@capos/abi";
import type { Steps } from "@capos/libos";
import { type Crew, IDS_PER_PLAYER, keep, order, type Player, reports, type Scenario } from "./crew.js";
import { ask, copy, remove, revoke, think } from "./hand.js";
import { serve } from "./revoke-vs-call.js";
import { Id } from "./vocabulary.js";

const SERVER = 1;
const STALE = 2;
const CONTESTED = 3;
const TENANTS = 8;
const MOST_CALLS = 150;
const LAST = -1;

export const slotReuse: Scenario = {
  players: (cores) => Math.max(2, Math.min(4, cores)),

  *round(crew: Crew): Steps<void> {
    const { hand, slots, members, os } = crew;
    const { random } = hand;
    const endpoint = yield* keep(crew, "endpoint", ObjectType.ENDPOINT);
    yield* order(crew, 0, SERVER, 0, endpoint);
    const root = yield* copy(hand, slots, endpoint, Id.ROUND, Id.ROOT);
    const tenants: { handle: number; id: number }[] = [];
    for (let i = 0; i < CONTESTED; i++) tenants.push(yield* moveIn(crew, root, i));
    for (let i = 1; i < members.length; i++) {
      const known = tenants.flatMap(({ handle, id }) => [handle, id]);
      yield* order(crew, i, STALE, i * IDS_PER_PLAYER, ...known);
    }
    for (let turn = 0; turn < TENANTS; turn++) {
      yield* think(hand, 60);
      const i = random.below(CONTESTED);
      const tenant = tenants[i];
      // Out by its own deletion, or with everything that came from the root.
      if (random.chance(70)) yield* remove(hand, slots + 1 + i, tenant.id);
      else yield* revoke(hand, root, Id.ROOT);
      yield* ask(hand, tenant.handle, tenant.id, hand.newId());
      if (random.chance(30)) continue;
      yield* remove(hand, slots + 1 + i, tenant.id);
      tenants[i] = yield* moveIn(crew, root, i);
      yield* ask(hand, tenant.handle, tenant.id, hand.newId());
      yield* ask(hand, tenants[i].handle, tenants[i].id, hand.newId());
    }
    yield* reports(crew, members.length - 1);
    os.sys.words[1] = LAST;
    yield os.sys.call(endpoint, 2);
    yield* reports(crew, 1);
    for (let i = 0; i < CONTESTED; i++) yield* remove(hand, slots + 1 + i, tenants[i].id);
    yield* remove(hand, slots, Id.ROOT);
  },

  *play(player: Player, role: number, numbers: readonly number[]): Steps<void> {
    if (role === SERVER) yield* serve(player, numbers[0]);
    else yield* insist(player, numbers);
  },
};

/** A new tenant in contested slot `i`: its number is its badge. */
function* moveIn({ hand, slots }: Crew, root: number, i: number): Steps<{ handle: number; id: number }> {
  const id = hand.newId();
  const handle = yield* copy(hand, slots + 1 + i, root, Id.ROOT, id, Right.ALL, id);
  return { handle, id };
}

/** Calls through the handles it was given, over and over, whatever has become of them. */
function* insist({ hand }: Player, known: readonly number[]): Steps<void> {
  for (let i = 0; i < MOST_CALLS; i++) {
    const at = 2 * hand.random.below(known.length / 2);
    yield* ask(hand, known[at], known[at + 1], hand.newId());
    yield* think(hand, 6);
  }
}
