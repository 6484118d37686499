/**
 * Players make objects from untyped memory, and untyped memory from untyped memory, use and delete them,
 * while the whole block is revoked. When the revoke is back nothing made from it is left: all of it can be
 * had again as one object.
 */
import { Method, ObjectType } from "@capos/abi";
import type { Steps } from "@capos/libos";
import {
  type Crew,
  endRoundMemory,
  IDS_PER_PLAYER,
  order,
  type Player,
  planPace,
  race,
  reports,
  roundMemory,
  type Scenario,
} from "./crew.js";
import { clear, clock, handleIn, make, record, remove, revoke, signal, think } from "./hand.js";
import { Id, Kind } from "./vocabulary.js";

const MAKER = 1;
/** log2 of the bytes of the block, of a player's part of it, and of a part of that. */
const BLOCK_BITS = 17;
const PART_BITS = 13;
const PIECE_BITS = 10;
const MOST_OPERATIONS = 250;
const OPERATIONS_AFTERWARDS = 3;
const SLOTS = 16;
/** log2 of the bytes of a slot. */
const SLOT_BITS = 6;

export const revokeVsRetype: Scenario = {
  players: (cores) => Math.max(1, Math.min(4, cores - 1)),

  *round(crew: Crew): Steps<void> {
    const { hand, slots, members, os } = crew;
    const { random } = hand;
    const block = yield* roundMemory(crew, slots + members.length, BLOCK_BITS);
    yield* record(hand, yield* clock(hand), Kind.MAKE, Id.ROOT, Id.ROUND, 0, 0);
    yield* planPace(crew, 0, members.length - 1, MOST_OPERATIONS);
    for (let i = 0; i < members.length; i++) {
      const id = hand.newId();
      const part = yield* make(hand, slots + i, block, Id.ROOT, id, ObjectType.UNTYPED, PART_BITS);
      // Some make their objects from the very block that is revoked.
      const direct = random.chance(25);
      const ids = (i + 1) * IDS_PER_PLAYER;
      yield* order(crew, i, MAKER, ids, direct ? block : part, direct ? Id.ROOT : id);
    }
    yield* race(crew);
    yield* revoke(hand, block, Id.ROOT);
    yield* reports(crew, members.length);
    yield* revoke(hand, block, Id.ROOT);
    const { words } = os.sys;
    words[0] = Method.UNTYPED_INFO;
    yield os.sys.call(block, 1);
    const [size, left] = [words[0], words[1]];
    yield* record(hand, yield* clock(hand), Kind.AUDIT, Id.ROOT, size, 0, left);
    if (random.chance(20)) yield* reuse(crew, block);
    for (let i = 0; i < members.length; i++) yield* clear(hand, slots + i);
    yield* endRoundMemory(crew);
  },

  *play(player: Player, _role: number, numbers: readonly number[]): Steps<void> {
    const [source, sourceId] = numbers as [number, number];
    const { hand, slots } = player;
    const { random } = hand;
    const held: { handle: number; id: number; slot: number; type: ObjectType }[] = [
      { handle: source, id: sourceId, slot: 0, type: ObjectType.UNTYPED },
    ];
    let after = OPERATIONS_AFTERWARDS;
    for (let i = 0; i < MOST_OPERATIONS && after > 0; i++) {
      const one = random.pick(held);
      let worked = true;
      if (one.type === ObjectType.UNTYPED && held.length <= SLOTS) {
        const type = random.pick(TYPES);
        const slot = freeSlot(held, slots);
        const id = hand.newId();
        const bits = type === ObjectType.UNTYPED ? PIECE_BITS : type === ObjectType.CNODE ? 3 : 0;
        const handle = yield* make(hand, slot, one.handle, one.id, id, type, bits);
        if (handle === 0) worked = false;
        else held.push({ handle, id, slot, type });
      } else if (one.type === ObjectType.NOTIFICATION && random.chance(60)) {
        worked = yield* signal(hand, one.handle, one.id);
      } else if (one.slot !== 0) {
        yield* remove(hand, one.slot, one.id);
        held.splice(held.indexOf(one), 1);
      }
      if (!worked) after--;
      yield* think(hand, 3);
    }
    for (const { slot, id } of held) if (slot !== 0) yield* remove(hand, slot, id);
  },
};

const TYPES: readonly ObjectType[] = Object.freeze([
  ObjectType.NOTIFICATION,
  ObjectType.NOTIFICATION,
  ObjectType.ENDPOINT,
  ObjectType.CNODE,
  ObjectType.UNTYPED,
  ObjectType.SEALER,
  ObjectType.MONITOR,
]);

/** The whole block as one CNode: it fits, and every slot of it is empty, for its memory is zero. */
function* reuse(crew: Crew, block: number): Steps<void> {
  const { hand, slots, os } = crew;
  const { words } = os.sys;
  const slot = slots + crew.members.length + 1;
  const count = 2 ** (BLOCK_BITS - SLOT_BITS);
  const id = hand.newId();
  const cnode = yield* make(hand, slot, block, Id.ROOT, id, ObjectType.CNODE, BLOCK_BITS - SLOT_BITS);
  yield* record(hand, yield* clock(hand), Kind.AUDIT, id, 1, 0, cnode === 0 ? 0 : 1);
  let full = 0;
  for (let i = 1; i < count; i += 1 + hand.random.below(64)) {
    words[0] = Method.CNODE_INSPECT;
    words[1] = i;
    yield os.sys.call(cnode, 2);
    if (words[3] !== 0 || words[0] !== 0) full++;
  }
  yield* record(hand, yield* clock(hand), Kind.AUDIT, id, 0, 0, full);
  yield* revoke(hand, block, Id.ROOT);
  if ((yield* handleIn(hand, slot)) === cnode) yield* signal(hand, cnode, id);
}

function freeSlot(held: readonly { readonly slot: number }[], first: number): number {
  for (let slot = first; ; slot++) if (!held.some((one) => one.slot === slot)) return slot;
}
