/**
 * Retype: the only allocator. Untyped memory becomes objects, all of them or none.
 *
 * An untyped's watermark (in units of 64 bytes) moves up only: memory below it belongs to children.
 * Objects are naturally aligned, so no two can overlap.
 */
import {
  Err,
  MAX_CNODE_BITS,
  MAX_RETYPE_COUNT,
  MIN_CNODE_BITS,
  ObjectType,
  Right,
  Slot,
  SlotBits,
  SlotState,
} from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import { beginCommit, endCommit } from "../commit.js";
import type { Core } from "../core.js";
import { waitForGrace } from "../grace-period.js";
import { CNodeHeader, Endpoint, Notification, Process, Tables, Thread } from "../layout.js";
import type { RetypeResult } from "./retype-result.js";
import { fillSlot, isDying, reclaimSlot, slotWord } from "./slot.js";
import { lockTree, unlockTree } from "./tree-lock.js";

const UNIT_BITS = 6;
const UNIT_WORDS = 16;

/** log2 of an object's size in bytes, or 0 where the type cannot be retyped or the size is out of range. */
export function objectSizeBits(type: number, sizeBits: number): number {
  switch (type) {
    case ObjectType.UNTYPED:
      return sizeBits >= UNIT_BITS && sizeBits <= 31 ? sizeBits : 0;
    case ObjectType.CNODE:
      return sizeBits >= MIN_CNODE_BITS && sizeBits <= MAX_CNODE_BITS ? sizeBits + UNIT_BITS : 0;
    case ObjectType.FRAME:
      return 12;
    case ObjectType.ENDPOINT:
    case ObjectType.NOTIFICATION:
      return UNIT_BITS;
    case ObjectType.THREAD:
      return 10;
    case ObjectType.PROCESS:
      return 9;
    default:
      return 0;
  }
}

/**
 * Makes `count` objects from the untyped in `untyped` and publishes them in the window of the CNode at
 * `cnode` that starts at index `first`.
 */
export function retype(
  k: Core,
  thread: WordIndex,
  untyped: WordIndex,
  type: number,
  sizeBits: number,
  count: number,
  cnode: WordIndex,
  cnodeSlots: number,
  first: number,
  result: RetypeResult,
): void {
  const { i32 } = k;
  const bits = objectSizeBits(type, sizeBits);
  result.detail = 0;
  if (
    bits === 0 ||
    !(count >= 1 && count <= MAX_RETYPE_COUNT) ||
    !(first >= 1 && first + count <= cnodeSlots)
  ) {
    result.status = Err.RANGE;
    return;
  }
  lockTree(k);
  // Looked up without the lock: whoever killed it meanwhile was first.
  if ((Atomics.load(i32, untyped) & SlotBits.STATE_MASK) !== SlotState.LIVE) {
    unlockTree(k);
    result.status = Err.BAD_CAP;
    return;
  }
  const untypedUnits = 2 ** (((i32[untyped]! >>> SlotBits.SIZE_SHIFT) & 63) - UNIT_BITS);
  const units = 2 ** (bits - UNIT_BITS);
  const start = Math.ceil(i32[untyped + Slot.WATERMARK]! / units) * units;
  let dying = 0;
  result.status = Err.OK;
  for (let i = 0; i < count; i++) {
    const slot = cnode + (first + i) * Slot.WORDS;
    if (reclaimSlot(k, slot)) continue;
    if (isDying(k, slot)) dying = slot;
    else result.status = Err.SLOT_OCCUPIED;
  }
  if (result.status === Err.OK && start + units * count > untypedUnits) {
    result.status = Err.NO_MEMORY;
    result.detail = (untypedUnits - i32[untyped + Slot.WATERMARK]!) * 64;
  }
  if (result.status !== Err.OK || dying !== 0) {
    unlockTree(k);
    if (result.status === Err.OK) waitForGrace(k, thread, i32[dying + Slot.STAMP]!);
    return;
  }
  beginCommit(k);
  const base = i32[untyped + Slot.OBJECT]!;
  for (let i = 0; i < count; i++) {
    const object = base + (start + units * i) * UNIT_WORDS;
    makeObject(k, type, object, units * UNIT_WORDS, sizeBits);
    const word = slotWord(
      type,
      Right.ALL,
      0,
      type === ObjectType.CNODE || type === ObjectType.UNTYPED ? sizeBits : bits,
    );
    fillSlot(k, cnode + (first + i) * Slot.WORDS, word, object, 0, untyped);
  }
  i32[untyped + Slot.WATERMARK] = start + units * count;
  endCommit(k);
  unlockTree(k);
}

/** Brings an object into its first state. Its memory reads as zero: it was never anything else. */
function makeObject(k: Core, type: number, object: WordIndex, words: number, sizeBits: number): void {
  const { i32 } = k;
  switch (type) {
    case ObjectType.ENDPOINT:
      i32[object + Endpoint.HOME] = k.id;
      break;
    case ObjectType.NOTIFICATION:
      i32[object + Notification.HOME] = k.id;
      break;
    case ObjectType.THREAD:
      i32[object + Thread.HOME] = k.id;
      break;
    case ObjectType.PROCESS:
      i32[object + Process.NUMBER] = i32[k.tables + Tables.NEXT_PROCESS]!++;
      break;
    case ObjectType.CNODE:
      makeCNode(k, object, words, sizeBits);
      break;
    default:
      break;
  }
}

/** A new CNode's slots start at a generation that no slot ever had: no handle to what was here before fits. */
export function makeCNode(k: Core, cnode: WordIndex, words: number, bits: number): void {
  const { i32 } = k;
  const generation = i32[k.tables + Tables.NEXT_GENERATION]!++;
  for (let slot = cnode; slot < cnode + words; slot += Slot.WORDS) i32[slot + Slot.GENERATION] = generation;
  i32[cnode + CNodeHeader.BITS] = bits;
}
