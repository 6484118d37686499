/**
 * One page, mapped by players on all cores through copies of one capability, while that is revoked: they map, store
 * and unmap at places of their own, some of them in long runs without a trap.
 *
 * A mapping is a thing of its own, made from its capability: a core may go on with it for as long as the revoke has not
 * come back, though the capability is refused already. When it has, the leader clears the page, and nobody's
 * stores may be found in it later.
 */
import { ObjectType, PAGE_BITS, Right } from "@capos/abi";
import { frame, pageTable, process, type Steps } from "@capos/libos";
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
import { audit, copy, mapPage, remove, revoke, storeOften, think, unmapPage } from "./hand.js";
import { Id } from "./vocabulary.js";

const MAPPER = 1;
const MOST_MAPPINGS = 40;
const MAPPINGS_AFTERWARDS = 3;
const MOST_BURSTS = 6;
/** Stores of a burst, and of one in a hundred so many that the guest's checks notice. */
const MOST_STORES = 64;
const LONG_RUN = 4096;

const PAGE_BYTES = 2 ** PAGE_BITS;
/** Where the leader has the page; the players' places are behind it. */
const LEADERS = PAGE_BYTES;
const WORD_BYTES = 4;

export const revokeVsMap: Scenario = {
  players: (cores) => Math.max(1, Math.min(4, cores - 1)),

  *round(crew: Crew): Steps<void> {
    const { hand, slots, members, os } = crew;
    const { sys } = os;
    const { random } = hand;
    const space = yield* spaceOf(crew);
    const page = crew.kept.get("page")!;
    const root = yield* copy(hand, slots, page, Id.ROUND, Id.ROOT);
    const made = [{ handle: root, id: Id.ROOT as number }];
    yield* planPace(crew, 0, members.length - 1, MOST_MAPPINGS);
    for (let i = 0; i < members.length; i++) {
      const source = random.pick(made);
      const id = hand.newId();
      const handle = yield* copy(hand, slots + 1 + i, source.handle, source.id, id);
      made.push({ handle, id });
      yield* order(crew, i, MAPPER, (i + 1) * IDS_PER_PLAYER, handle, id, space, i);
    }
    yield* race(crew);
    yield* revoke(hand, root, Id.ROOT);
    // A store that was under way has landed by now, or never does.
    for (let i = 0; i < members.length; i++) sys.store32(LEADERS + i * WORD_BYTES, 0);
    yield* reports(crew, members.length);
    for (let i = 0; i < members.length; i++)
      yield* audit(hand, Id.ROOT, 0, sys.load32(LEADERS + i * WORD_BYTES));
    yield* remove(hand, slots, Id.ROOT);
  },

  *play({ hand }: Player, _role: number, numbers: readonly number[]): Steps<void> {
    const [handle, id, space, place] = numbers as [number, number, number, number];
    const { random } = hand;
    const address = LEADERS + (1 + place) * PAGE_BYTES;
    let after = MAPPINGS_AFTERWARDS;
    for (let i = 0; i < MOST_MAPPINGS && after > 0; i++) {
      const mapping = hand.newId();
      const isMapped = yield* mapPage(hand, handle, id, mapping, space, address);
      if (!isMapped) after--;
      const bursts = random.below(MOST_BURSTS);
      for (let burst = 0; isMapped && burst < bursts; burst++) {
        const stores = random.chance(10) ? LONG_RUN : 1 + random.below(MOST_STORES);
        yield* storeOften(hand, mapping, address + place * WORD_BYTES, stores);
        yield* think(hand, 3);
      }
      if (!isMapped || !(yield* unmapPage(hand, handle, id, mapping))) continue;
      // Gone for good: nothing may come of it.
      yield* storeOften(hand, mapping, address + place * WORD_BYTES, 1);
    }
  },
};

/** The crew's address space, made for its first round, with the page where the leader has it. */
function* spaceOf(crew: Crew): Steps<number> {
  const { os } = crew;
  const { sys, environment } = os;
  const known = crew.kept.get("space");
  if (known !== undefined) return known;
  const space = yield* keep(crew, "space", ObjectType.ADDRESS_SPACE);
  yield* process.use(sys, environment.process, space);
  for (let level = 3; level > 0; level--)
    yield* pageTable.map(sys, yield* keep(crew, `table ${level}`, ObjectType.PAGE_TABLE), space, LEADERS);
  const page = yield* keep(crew, "page", ObjectType.FRAME, PAGE_BITS);
  yield* frame.map(sys, page, space, LEADERS, Right.READ | Right.WRITE);
  return space;
}
