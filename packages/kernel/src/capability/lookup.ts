/**
 * From a handle to a slot: the check that every use of a capability starts with.
 */
import { Err, ObjectType, Reg, Right, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import type { Context } from "@capos/engine";
import { nowNs } from "@capos/hal";
import type { Locked } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { CNode, Endpoint, Process, Thread } from "../state/layout.js";
import type { CNodeRef, ProcessRef, QueueRef, SlotRef, ThreadRef } from "../state/references.js";

const TWO_TO_MINUS_32 = 2 ** -32;
const TWO_TO_32 = 2 ** 32;

/**
 * The live slot that a handle of the thread's CSpace names, or 0.
 *
 * One atomic load; what follows are plain loads, because a LIVE slot's other words change only under
 * the tree lock and every way from LIVE to another tenant leads through a grace period, which this
 * core has not passed since the load.
 */
export function findSlot(k: Core, thread: ThreadRef, handle: number): SlotRef | 0 {
  const { i32 } = k;
  const index = (handle * TWO_TO_MINUS_32) | 0;
  const process = i32[thread + Thread.PROCESS] as ProcessRef;
  if (index <= 0 || index >= i32[process + Process.CSPACE_SLOTS]) return 0;
  const slot = (i32[process + Process.CSPACE] + index * Slot.WORDS) as SlotRef;
  const word = Atomics.load(i32, slot) & USABLE;
  if (word !== SlotState.LIVE && (word !== TIMED || isOver(k, slot))) return 0;
  return isHandle(i32, slot, index, handle) ? slot : 0;
}

/** True if a handle is a slot's own, whole: a fraction, or a number too large to be one, is not. */
function isHandle(i32: Int32Array, slot: SlotRef, index: number, handle: number): boolean {
  return index * TWO_TO_32 + (i32[slot + Slot.GENERATION] >>> 0) === handle;
}

const KIND = SlotBits.STATE_MASK | SlotBits.TYPE_MASK;

/** What says in a slot's first word whether its capability can be used: live, open, and without a time limit. */
const USABLE = SlotBits.STATE_MASK | SlotFlag.SEALED | SlotFlag.EXPIRES;
const TIMED = SlotState.LIVE | SlotFlag.EXPIRES;

/** True once the time of a capability that expires is over. */
export function isOver(k: Core, slot: SlotRef): boolean {
  return nowNs() >= k.f64[(slot + Slot.EXPIRY) >> 1];
}

/** The live slot that a handle in a CNode of `slots` slots names, sealed or over or not; 0 if it names none. */
export function slotIn(k: Core, cnode: CNodeRef, slots: number, handle: number): SlotRef | 0 {
  const { i32 } = k;
  const index = (handle * TWO_TO_MINUS_32) | 0;
  if (index <= 0 || index >= slots) return 0;
  const slot = (cnode + index * Slot.WORDS) as SlotRef;
  if ((Atomics.load(i32, slot) & SlotBits.STATE_MASK) !== SlotState.LIVE) return 0;
  return isHandle(i32, slot, index, handle) ? slot : 0;
}

/** As `findSlot`, of a capability that is to be carried and not used: a sealed one will do. */
export function findCarried(k: Core, thread: ThreadRef, handle: number): SlotRef | 0 {
  const { i32 } = k;
  const process = i32[thread + Thread.PROCESS] as ProcessRef;
  const slot = slotIn(
    k,
    i32[process + Process.CSPACE] as CNodeRef,
    i32[process + Process.CSPACE_SLOTS],
    handle,
  );
  if (slot === 0 || (i32[slot] & SlotFlag.EXPIRES) === 0) return slot;
  return isOver(k, slot) ? 0 : slot;
}

/** Why a handle names nothing that can be used. */
export function refusal(k: Core, thread: ThreadRef, handle: number): Err {
  const { i32 } = k;
  const process = i32[thread + Thread.PROCESS] as ProcessRef;
  const slot = slotIn(
    k,
    i32[process + Process.CSPACE] as CNodeRef,
    i32[process + Process.CSPACE_SLOTS],
    handle,
  );
  if (slot === 0) return Err.BAD_CAP;
  if ((i32[slot] & SlotFlag.EXPIRES) !== 0 && isOver(k, slot)) return Err.EXPIRED;
  return (i32[slot] & SlotFlag.SEALED) !== 0 ? Err.SEALED : Err.BAD_CAP;
}

/**
 * The live slot that the trap's handle names, or 0: `findSlot`, remembered for a thread that uses the
 * same handle again.
 *
 * What was found LIVE may be used until this core next takes part in a grace period: whoever kills a
 * slot asks for one, and neither answers nor reuses the slot before it is over, and it is not over
 * before this core has seen it and raised its epoch. A core that kills a slot itself sets its own
 * GRACE bit and so raises the epoch at its next safe point, before any further trap.
 */
export function currentSlot(k: Core, thread: ThreadRef, context: Context): SlotRef | 0 {
  const handle = context.regs[Reg.HANDLE];
  if (handle === context.foundHandle && context.foundEpoch === k.graceEpoch)
    return context.foundSlot as SlotRef;
  const slot = findSlot(k, thread, handle);
  if (slot !== 0) {
    context.foundHandle = handle;
    context.foundSlot = slot;
    // One with a time limit is looked at each time.
    context.foundEpoch = (k.i32[slot] & SlotFlag.EXPIRES) === 0 ? k.graceEpoch : -1;
    // An endpoint's line changes with every receive; a sender on another core that looked at it each
    // time would fetch it each time.
    if ((k.i32[slot] & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT === ObjectType.ENDPOINT) {
      // A hint, so read plainly: the wrong core bounces.
      context.foundHome = k.i32[k.i32[slot + Slot.OBJECT] + Endpoint.HOME];
    }
  }
  return slot;
}

/** The same for a trap that receives or waits. */
function waitSlot(k: Core, thread: ThreadRef, context: Context): SlotRef | 0 {
  const handle = context.regs[Reg.HANDLE];
  if (handle === context.waitHandle && context.waitEpoch === k.graceEpoch) return context.waitSlot as SlotRef;
  const slot = findSlot(k, thread, handle);
  if (slot !== 0) {
    context.waitHandle = handle;
    context.waitSlot = slot;
    context.waitEpoch = (k.i32[slot] & SlotFlag.EXPIRES) === 0 ? k.graceEpoch : -1;
  }
  return slot;
}

/**
 * The slot that the trap's handle names, if it is of the type and has the right. Else 0, and the context has the
 * refusal.
 */
export function lookup(
  k: Core,
  thread: ThreadRef,
  context: Context,
  type: ObjectType,
  right: number,
): SlotRef | 0 {
  const slot = right === Right.RECEIVE ? waitSlot(k, thread, context) : currentSlot(k, thread, context);
  if (slot !== 0 && isUsable(k.i32[slot], type, right)) return slot;
  const handle = context.regs[Reg.HANDLE];
  context.result = slot === 0 ? refusal(k, thread, handle) : unusable(k.i32[slot], type);
  return 0;
}

/** As `lookup`, for a handle that is an argument. */
export function lookupArgument(
  k: Core,
  thread: ThreadRef,
  context: Context,
  handle: number,
  type: ObjectType,
  right: number,
): SlotRef | 0 {
  const slot = findSlot(k, thread, handle);
  if (slot !== 0 && isUsable(k.i32[slot], type, right)) return slot;
  context.result = slot === 0 ? refusal(k, thread, handle) : unusable(k.i32[slot], type);
  return 0;
}

/** True for the first word of a live slot of the type with the right. */
function isUsable(word: number, type: ObjectType, right: number): boolean {
  return (
    (word & KIND) === ((type << SlotBits.TYPE_SHIFT) | SlotState.LIVE) &&
    ((word >> SlotBits.RIGHTS_SHIFT) & right) === right
  );
}

/** Why a slot that was found is not usable. A remembered one may have been killed since. */
function unusable(word: number, type: ObjectType): Err {
  if ((word & SlotBits.STATE_MASK) !== SlotState.LIVE) return Err.BAD_CAP;
  return (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT === type ? Err.DENIED : Err.BAD_TYPE;
}

/** True while the slot a thread waits through is what it was when the wait began; as for `currentSlot`, within one epoch it is. */
export function waitStillHolds(k: Core, thread: ThreadRef, object: QueueRef): boolean {
  const { i32 } = k;
  if (i32[thread + Thread.WAIT_EPOCH] === k.graceEpoch) return true;
  return slotStillNames(
    k,
    i32[thread + Thread.WAIT_SLOT] as SlotRef,
    i32[thread + Thread.WAIT_GENERATION],
    object,
  );
}

/** True while a slot still is what it was. */
export function slotStillNames(k: Core, slot: SlotRef, generation: number, object: QueueRef): boolean {
  const { i32 } = k;
  return (
    (Atomics.load(i32, slot) & SlotBits.STATE_MASK) === SlotState.LIVE &&
    i32[slot + Slot.GENERATION] === generation &&
    i32[slot + Slot.OBJECT] === object
  );
}

/** True while a slot, or a binding, holds a capability. */
export function isLive(k: Core, slot: SlotRef): boolean {
  return (Atomics.load(k.i32, slot) & SlotBits.STATE_MASK) === SlotState.LIVE;
}

/**
 * True while a slot holds a capability to a CNode that can be filled. One that lies in the CNode itself does not
 * keep it, so it may be alive while that is being emptied.
 */
export function isOpenCNode(k: Locked, slot: SlotRef): boolean {
  const header = k.i32[slot + Slot.OBJECT] + CNode.HEADER;
  return isLive(k, slot) && (k.i32[header] & SlotBits.STATE_MASK) !== SlotState.DEAD;
}

/** True if the slot's capability has the right. */
export function hasRight(k: Core, slot: SlotRef, right: number): boolean {
  return ((k.i32[slot] >> SlotBits.RIGHTS_SHIFT) & right) === right;
}
