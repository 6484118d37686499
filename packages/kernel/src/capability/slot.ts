/**
 * Filling and emptying slots. All of it under the tree lock.
 */
import { type ObjectType, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import type { Core } from "../core.js";
import { graceIsOver, requestGrace } from "../grace-period.js";

/** Word 0 of a live slot. */
export function slotWord(type: ObjectType, rights: number, flags: number, sizeBits: number): number {
  return (
    SlotState.LIVE |
    (type << SlotBits.TYPE_SHIFT) |
    (rights << SlotBits.RIGHTS_SHIFT) |
    flags |
    (sizeBits << SlotBits.SIZE_SHIFT)
  );
}

/** Publishes a capability in an empty slot, as the first child of `parent` (0 for none). */
export function fillSlot(
  k: Core,
  slot: WordIndex,
  word: number,
  object: WordIndex,
  badge: number,
  parent: WordIndex,
): void {
  const { i32 } = k;
  i32[slot + Slot.OBJECT] = object;
  i32[slot + Slot.BADGE] = badge;
  i32[slot + Slot.WATERMARK] = 0;
  i32[slot + Slot.FIRST_CHILD] = 0;
  i32[slot + Slot.PARENT] = parent;
  i32[slot + Slot.PREVIOUS_SIBLING] = 0;
  i32[slot + Slot.NEXT_SIBLING] = 0;
  if (parent !== 0) {
    const sibling = i32[parent + Slot.FIRST_CHILD]!;
    i32[slot + Slot.NEXT_SIBLING] = sibling;
    if (sibling !== 0) i32[sibling + Slot.PREVIOUS_SIBLING] = slot;
    i32[parent + Slot.FIRST_CHILD] = slot;
  }
  // Last: whoever sees LIVE sees the rest.
  Atomics.store(i32, slot, word);
}

/** Writes a copy of a live slot with fewer rights into an empty one, as its child. A badge other than 0 is minted. */
export function deriveSlot(
  k: Core,
  source: WordIndex,
  destination: WordIndex,
  rights: number,
  badge: number,
): void {
  const { i32 } = k;
  const word = i32[source]!;
  const kept = word & ((rights << SlotBits.RIGHTS_SHIFT) | ~SlotBits.RIGHTS_MASK);
  const minted = badge !== 0 ? SlotFlag.BADGED | SlotFlag.MINTED : 0;
  fillSlot(
    k,
    destination,
    (kept & ~SlotFlag.MINTED) | minted,
    i32[source + Slot.OBJECT]!,
    badge !== 0 ? badge : i32[source + Slot.BADGE]!,
    source,
  );
}

/**
 * Kills a slot: its children become its parent's. It stays DEAD until the grace period that starts now
 * is over, because a core that looked it up before may still be reading its words.
 */
export function killSlot(k: Core, slot: WordIndex): void {
  const { i32 } = k;
  Atomics.store(i32, slot, SlotState.DEAD);
  i32[slot + Slot.STAMP] = requestGrace(k);
  const parent = i32[slot + Slot.PARENT]!;
  const previous = i32[slot + Slot.PREVIOUS_SIBLING]!;
  const next = i32[slot + Slot.NEXT_SIBLING]!;
  if (previous !== 0) i32[previous + Slot.NEXT_SIBLING] = next;
  else if (parent !== 0) i32[parent + Slot.FIRST_CHILD] = next;
  if (next !== 0) i32[next + Slot.PREVIOUS_SIBLING] = previous;
  for (let child = i32[slot + Slot.FIRST_CHILD]!; child !== 0; ) {
    const after = i32[child + Slot.NEXT_SIBLING]!;
    i32[child + Slot.PARENT] = parent;
    i32[child + Slot.PREVIOUS_SIBLING] = 0;
    const first = parent === 0 ? 0 : i32[parent + Slot.FIRST_CHILD]!;
    i32[child + Slot.NEXT_SIBLING] = first;
    if (first !== 0) i32[first + Slot.PREVIOUS_SIBLING] = child;
    if (parent !== 0) i32[parent + Slot.FIRST_CHILD] = child;
    child = after;
  }
}

/**
 * True if a slot can be filled. A DEAD one whose grace period is over becomes EMPTY here, one
 * generation on, so that every handle to its former tenant is stale. A slot at its last generation
 * stays DEAD for good.
 */
export function reclaimSlot(k: Core, slot: WordIndex): boolean {
  const { i32 } = k;
  const state = Atomics.load(i32, slot) & SlotBits.STATE_MASK;
  if (state === SlotState.EMPTY) return true;
  if (state !== SlotState.DEAD || !graceIsOver(k, i32[slot + Slot.STAMP]!)) return false;
  if (i32[slot + Slot.GENERATION] === LAST_GENERATION) return false;
  i32[slot + Slot.GENERATION] = (i32[slot + Slot.GENERATION]! + 1) | 0;
  Atomics.store(i32, slot, SlotState.EMPTY);
  return true;
}

/** True if a slot will become empty when its grace period is over. */
export function isDying(k: Core, slot: WordIndex): boolean {
  return (
    (Atomics.load(k.i32, slot) & SlotBits.STATE_MASK) === SlotState.DEAD &&
    k.i32[slot + Slot.GENERATION] !== LAST_GENERATION
  );
}

const LAST_GENERATION = -1;
