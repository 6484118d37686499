/**
 * Retype: the only allocator. Untyped memory becomes objects, all of them or none.
 *
 * An untyped's watermark (in units of 64 bytes) moves up only: memory below it belongs to children.
 * Objects are naturally aligned, so no two can overlap. When no child is left the memory can be used again:
 * two grace periods later, and zeroed. After the first nobody can send a message that names it, after the
 * second every such message has been read.
 */
import { Err, MAX_RETYPE_COUNT, ObjectType, objectBits, Right, Slot, SlotBits, SlotState } from "@capos/abi";
import type { Context } from "@capos/engine";
import { isLive, isOpenCNode } from "../capability/lookup.js";
import { fillSlot, isDying, reclaimSlot, slotsOf, slotWord } from "../capability/slot.js";
import { graceIsOver, nextGrace, waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import { Endpoint, Notification, ObjectHeader, Process, Tables, Thread } from "../state/layout.js";
import { headerOf } from "../state/objects.js";
import type { CNodeRef, ObjectRef, SlotRef, SpaceRef, ThreadRef } from "../state/references.js";
import { makeSpace } from "./address-space.js";
import { finish, refuse } from "./arguments.js";

const UNIT_BITS = 6;
const UNIT_WORDS = 16;
/** Units zeroed while the tree lock is held once: 32 KiB, some 4 µs. */
const ZERO_UNITS = 512;

/** What is to be made: from the untyped in a slot, into a window of the CNode that another slot names. */
export interface RetypeRequest {
  untyped: SlotRef;
  type: number;
  sizeBits: number;
  count: number;
  cnodeSlot: SlotRef;
  /** Index of the window's first slot. */
  first: number;
}

/**
 * Makes objects and publishes them in the window. All that can be refused is before anything is changed; where it has to
 * wait, for memory or for slots, the trap starts again.
 */
export function retype(k: Core, thread: ThreadRef, context: Context, request: RetypeRequest): Answer {
  const { i32 } = k;
  const { untyped, type, sizeBits, count, cnodeSlot, first } = request;
  const bits = objectBits(type, sizeBits);
  const held = lockTree(k);
  // Looked up without the lock: whoever killed one of them meanwhile was first.
  if (!isLive(k, untyped) || !isOpenCNode(held, cnodeSlot)) {
    unlockTree(held);
    return finish(context, Err.BAD_CAP);
  }
  const cnode = i32[cnodeSlot + Slot.OBJECT] as CNodeRef;
  const cnodeSlots = slotsOf(i32[cnodeSlot]);
  if (
    bits === 0 ||
    !(count >= 1 && count <= MAX_RETYPE_COUNT) ||
    !(first >= 1 && first + count <= cnodeSlots)
  ) {
    unlockTree(held);
    return refuse(context, Err.RANGE, 1, cnodeSlots - 1);
  }
  const dying = unreadySlot(held, (cnode + first * Slot.WORDS) as SlotRef, count);
  if (dying === OCCUPIED) {
    unlockTree(held);
    return finish(context, Err.SLOT_OCCUPIED);
  }
  const units = 2 ** (bits - UNIT_BITS);
  const needed = units * count;
  const size = sizeInUnits(i32[untyped]);
  let start = Math.ceil(i32[untyped + Slot.WATERMARK] / units) * units;
  const reset =
    i32[untyped + Slot.FIRST_CHILD] === 0 &&
    i32[untyped + Slot.WATERMARK] !== 0 &&
    (start + needed > size || i32[untyped + Slot.LINK] !== Reset.NONE);
  if ((reset ? needed : start + needed) > size) {
    const isComing = needed <= size && isBeingFreed(held, untyped);
    const left = (reset ? size : size - i32[untyped + Slot.WATERMARK]) * 64;
    unlockTree(held);
    return isComing ? waitForGrace(k, thread, nextGrace(k)) : refuse(context, Err.NO_MEMORY, left);
  }
  if (dying !== 0) {
    const stamp = i32[dying + Slot.STAMP];
    unlockTree(held);
    return waitForGrace(k, thread, stamp);
  }
  if (reset) {
    const waitFor = resetSome(held, untyped);
    if (waitFor !== 0 || i32[untyped + Slot.WATERMARK] !== 0) {
      unlockTree(held);
      return waitFor !== 0 ? waitForGrace(k, thread, waitFor) : Answer.AGAIN;
    }
    start = 0;
  }
  commitRetype(held, request, cnode, start, units);
  unlockTree(held);
  return finish(context, Err.OK);
}

/** The point of no return: the memory from unit `start` on is free, the window empty. */
function commitRetype(
  k: Locked,
  { untyped, type, sizeBits, count, first }: RetypeRequest,
  cnode: CNodeRef,
  start: number,
  units: number,
): void {
  const { i32 } = k;
  beginCommit(k);
  const base = i32[untyped + Slot.OBJECT];
  // What a capability says of an object's size: as it was asked for, where there is a choice.
  const slotBits = type === ObjectType.CNODE ? sizeBits : Math.log2(units) + UNIT_BITS;
  const word = slotWord(type, Right.ALL, 0, slotBits);
  for (let i = 0; i < count; i++) {
    const object = (base + (start + units * i) * UNIT_WORDS) as ObjectRef;
    makeObject(k, type, object, units * UNIT_WORDS, sizeBits);
    fillSlot(k, (cnode + (first + i) * Slot.WORDS) as SlotRef, word, object, 0, untyped);
  }
  i32[untyped + Slot.WATERMARK] = start + units * count;
  endCommit(k);
}

/** Units of 64 bytes in the untyped memory that a capability with this first word names. */
export function sizeInUnits(word: number): number {
  return 2 ** (((word >>> SlotBits.SIZE_SHIFT) & 63) - UNIT_BITS);
}

/** No slot's address: what `unreadySlot` answers for a window that cannot be filled. */
const OCCUPIED = -1;

/** A slot of a window that will be empty, but is not yet; 0 if all are empty, OCCUPIED if one is in use. */
function unreadySlot(k: Locked, window: SlotRef, count: number): SlotRef | typeof OCCUPIED | 0 {
  let unready: SlotRef | 0 = 0;
  for (let slot = window; slot < window + count * Slot.WORDS; slot = (slot + Slot.WORDS) as SlotRef) {
    if (reclaimSlot(k, slot)) continue;
    if (!isDying(k, slot)) return OCCUPIED;
    unready = slot;
  }
  return unready;
}

/** Children looked at while the tree lock is held once. */
const CHILDREN = 1024;

/**
 * True if nothing made from this memory is alive and what is left of it is being finalised: delete does not
 * wait for that, so who retypes next does.
 */
function isBeingFreed(k: Locked, untyped: SlotRef): boolean {
  const { i32 } = k;
  const first = i32[untyped + Slot.FIRST_CHILD];
  if (first === 0) return false;
  for (let child = first, seen = 0; seen < CHILDREN; seen++) {
    if ((i32[child] & SlotBits.STATE_MASK) === SlotState.LIVE) return false;
    child = i32[child + Slot.NEXT_SIBLING];
    if (child === first) return true;
  }
  // So many that the rest was not seen: some of them will be gone when it looks again.
  return true;
}

/** How far childless untyped memory is on its way to be used again; in its slot's LINK. */
const enum Reset {
  NONE = 0,
  /** The first grace period is over, STAMP is the second's. */
  SECOND = 1,
}

/**
 * Brings childless memory nearer to being used again: two grace periods after its last child died it is
 * zeroed from the top down, which lowers the watermark. Answers a grace period to wait for, or 0.
 */
function resetSome(k: Locked, untyped: SlotRef): number {
  const { i32, f64 } = k;
  if (!graceIsOver(k, i32[untyped + Slot.STAMP])) return i32[untyped + Slot.STAMP];
  if (i32[untyped + Slot.LINK] === Reset.NONE) {
    i32[untyped + Slot.LINK] = Reset.SECOND;
    i32[untyped + Slot.STAMP] = nextGrace(k);
    return i32[untyped + Slot.STAMP];
  }
  const used = i32[untyped + Slot.WATERMARK];
  const kept = Math.max(0, used - ZERO_UNITS);
  const base = i32[untyped + Slot.OBJECT];
  const end = (base + used * UNIT_WORDS) >> 1;
  for (let i = (base + kept * UNIT_WORDS) >> 1; i < end; i++) f64[i] = 0;
  i32[untyped + Slot.WATERMARK] = kept;
  if (kept === 0) i32[untyped + Slot.LINK] = Reset.NONE;
  return 0;
}

/** Brings an object into its first state. Its memory reads as zero: it was never anything else, or was reset. */
function makeObject(k: Locked, type: number, object: ObjectRef, words: number, sizeBits: number): void {
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
      i32[object + Process.NUMBER] = i32[k.tables + Tables.NEXT_PROCESS]++;
      break;
    case ObjectType.SEALER:
      i32[object + ObjectHeader.BRAND] = ++i32[k.tables + Tables.NEXT_BRAND];
      break;
    case ObjectType.CNODE:
      makeCNode(k, object as CNodeRef, words);
      break;
    case ObjectType.ADDRESS_SPACE:
      makeSpace(k, object as SpaceRef);
      break;
    default:
      break;
  }
  writeHeader(k, type, object, sizeBits);
}

/** A new CNode's slots start at a generation that no slot ever had: no handle to what was here before fits. */
export function makeCNode(k: Locked, cnode: CNodeRef, words: number): void {
  const { i32 } = k;
  const generation = i32[k.tables + Tables.NEXT_GENERATION]++;
  for (let slot = cnode + Slot.WORDS; slot < cnode + words; slot += Slot.WORDS)
    i32[slot + Slot.GENERATION] = generation;
}

/** An object's header says what it belongs to; EMPTY, so that nothing takes it for a capability. */
export function writeHeader(k: Core, type: ObjectType, object: ObjectRef, sizeBits: number): void {
  const header = headerOf(type, object);
  if (header !== 0) k.i32[header] = (type << SlotBits.TYPE_SHIFT) | ((sizeBits & 63) << SlotBits.SIZE_SHIFT);
}
