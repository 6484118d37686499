/** Methods of CNodes: filling and emptying slots of one's own process or of a child's. */
import {
  CLOCK_STEP_NS,
  Err,
  Method,
  makeHandle,
  Right,
  Slot,
  SlotBits,
  SlotFlag,
  SlotState,
} from "@capos/abi";
import type { Context } from "@capos/engine";
import { nowNs } from "@capos/hal";
import { enterWheel } from "../capability/expiry-wheel.js";
import { findCarried, isOpenCNode, refusal } from "../capability/lookup.js";
import { deriveSlot, isDying, moveSlot, reclaimSlot, slotsOf, typeOf } from "../capability/slot.js";
import { progressOf } from "../sched/progress.js";
import { requestGrace, waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import { ObjectHeader, Thread } from "../state/layout.js";
import { isUnique } from "../state/objects.js";
import type { CNodeRef, SlotRef, ThreadRef } from "../state/references.js";
import { traceFill, traceSlot } from "../state/trace.js";
import { TraceEvent } from "../state/trace-events.js";
import { answer, finish } from "./arguments.js";
import { deleteCapability, isFinalising } from "./delete.js";
import { revoke } from "./revoke.js";

/** The slot of the invoked CNode that the argument names. */
function slotOf(k: Core, self: SlotRef): SlotRef {
  return (k.i32[self + Slot.OBJECT] + k.operands.slot * Slot.WORDS) as SlotRef;
}

export function cnodeInspect(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const slot = slotOf(k, self);
  const found = Atomics.load(k.i32, slot);
  const generation = k.i32[slot + Slot.GENERATION];
  // Of one that is not live there is nothing to say but that.
  const state = found & SlotBits.STATE_MASK;
  const word = state === SlotState.LIVE ? found : state;
  const expires = (word & SlotFlag.EXPIRES) !== 0;
  return answer(
    context,
    typeOf(word),
    (word & SlotBits.RIGHTS_MASK) >> SlotBits.RIGHTS_SHIFT,
    state === SlotState.LIVE ? k.i32[slot + Slot.BADGE] >>> 0 : 0,
    state,
    (word >>> SlotBits.SIZE_SHIFT) & 63,
    makeHandle(k.operands.slot, generation),
    word & SlotBits.FLAGS_MASK,
    expires ? Math.max(0, k.f64[(slot + Slot.EXPIRY) >> 1] - coarseNowNs()) : -1,
  );
}

export function cnodeRevoke(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32, operands } = k;
  return revoke(k, thread, context, i32[self + Slot.OBJECT] as CNodeRef, slotsOf(i32[self]), operands.root);
}

export function cnodeCopy(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  return fill(k, thread, context, self, Method.CNODE_COPY);
}

export function cnodeMint(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  return fill(k, thread, context, self, Method.CNODE_MINT);
}

export function cnodeMove(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  return fill(k, thread, context, self, Method.CNODE_MOVE);
}

export function cnodeSeal(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  return fill(k, thread, context, self, Method.CNODE_SEAL);
}

export function cnodeUnseal(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  return fill(k, thread, context, self, Method.CNODE_UNSEAL);
}

export function cnodeExpire(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  return fill(k, thread, context, self, Method.CNODE_EXPIRE);
}

/** Copy, mint, move, seal, unseal, expire: a slot of the CNode is filled from a capability of the invoker's. */
function fill(k: Core, thread: ThreadRef, context: Context, self: SlotRef, method: Method): Answer {
  const { i32, operands } = k;
  const slot = slotOf(k, self);
  const held = lockTree(k);
  const source = findCarried(k, thread, operands.source);
  let status = source === 0 ? refusal(k, thread, operands.source) : objection(k, source, method);
  // Looked up without the lock.
  if (status === Err.OK && !isOpenCNode(held, self)) status = Err.BAD_CAP;
  let dying = false;
  if (status === Err.OK && !reclaimSlot(held, slot)) {
    dying = isDying(k, slot);
    status = Err.SLOT_OCCUPIED;
  }
  const stamp = i32[slot + Slot.STAMP];
  if (status === Err.OK) commitFill(held, source as SlotRef, slot, method);
  unlockTree(held);
  if (TRACED && !dying) traceFill(k, thread, method, slot, status);
  if (dying) return waitForGrace(k, thread, stamp);
  if (status === Err.OK) return answer(context, makeHandle(operands.slot, i32[slot + Slot.GENERATION]));
  return finish(context, status);
}

/** The point of no return: an empty slot is filled from a live one, which lends itself to it. */
function commitFill(k: Locked, source: SlotRef, slot: SlotRef, method: Method): void {
  const { i32, operands } = k;
  beginCommit(k);
  switch (method) {
    case Method.CNODE_MOVE:
      moveSlot(k, source, slot, Right.ALL);
      break;
    case Method.CNODE_SEAL:
      deriveSlot(k, source, slot, Right.ALL, 0, SlotFlag.SEALED);
      i32[slot + Slot.SEALER] = brandOf(k, operands.sealer);
      break;
    case Method.CNODE_UNSEAL:
      deriveSlot(k, source, slot, Right.ALL, 0);
      Atomics.store(i32, slot, i32[slot] & ~SlotFlag.SEALED);
      break;
    case Method.CNODE_EXPIRE:
      expire(k, source, slot, operands.rights, coarseNowNs() + wholeSteps(operands.forNs));
      break;
    default:
      deriveSlot(k, source, slot, operands.rights, method === Method.CNODE_MINT ? operands.badge | 0 : 0);
  }
  endCommit(k);
}

/** The number that a sealer marks with what it closes. */
function brandOf(k: Core, sealer: SlotRef): number {
  return k.i32[k.i32[sealer + Slot.OBJECT] + ObjectHeader.BRAND];
}

/** Why a capability does not lend itself to an operation; OK if it does. */
function objection(k: Core, source: SlotRef, method: number): Err {
  const word = k.i32[source];
  if (method === Method.CNODE_MOVE) return Err.OK;
  if (isUnique(typeOf(word))) return Err.UNSUPPORTED;
  const sealed = (word & SlotFlag.SEALED) !== 0;
  if (method === Method.CNODE_UNSEAL) {
    if (!sealed) return Err.BAD_TYPE;
    return k.i32[source + Slot.SEALER] === brandOf(k, k.operands.sealer) ? Err.OK : Err.DENIED;
  }
  if (method === Method.CNODE_SEAL || method === Method.CNODE_MINT) {
    if (sealed) return Err.SEALED;
    if (method === Method.CNODE_MINT && (word & SlotFlag.BADGED) !== 0) return Err.DENIED;
  }
  return Err.OK;
}

/** The largest whole number of the clock's steps in some nanoseconds, in nanoseconds. */
function wholeSteps(ns: number): number {
  return Math.floor(ns / CLOCK_STEP_NS) * CLOCK_STEP_NS;
}

/**
 * The clock as whoever has no capability to it may learn of it. Rounded before anything is added: of a sum that is
 * rounded the guest's own summand would tell, bit by bit, what was left of the step.
 */
function coarseNowNs(): number {
  return wholeSteps(nowNs());
}

/** A copy with a time limit. One that is later than the source's is the source's. */
function expire(k: Locked, source: SlotRef, slot: SlotRef, rights: number, timeNs: number): void {
  const inherited = (k.i32[source] & SlotFlag.EXPIRES) !== 0 && k.f64[(source + Slot.EXPIRY) >> 1] <= timeNs;
  if (inherited) {
    deriveSlot(k, source, slot, rights, 0);
    return;
  }
  deriveSlot(k, source, slot, rights, 0, SlotFlag.EXPIRES | SlotFlag.TIMED);
  k.f64[(slot + Slot.EXPIRY) >> 1] = timeNs;
  enterWheel(k, slot, nowNs());
}

/**
 * Delete returns at once; whoever needs the slot next waits for its grace period. But the last capability of
 * a thread or process takes it along: then delete returns when that has stopped. An empty slot is no error.
 */
export function cnodeDelete(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const slot = slotOf(k, self);
  const { i32 } = k;
  const generation = i32[slot + Slot.GENERATION];
  // The result first: what else this leads to may end or preempt the invoker itself.
  context.result = Err.OK;
  if (progressOf(k, thread) === 0) {
    if (TRACED) traceSlot(k, TraceEvent.CAPABILITY_DELETE, thread, slot);
    deleteCapability(k, slot, false);
  } else if (i32[thread + Thread.PROGRESS_DETAIL] !== generation) return Answer.DONE;
  if (!isFinalising(k, slot)) return Answer.DONE;
  i32[thread + Thread.PROGRESS] = 1;
  i32[thread + Thread.PROGRESS_DETAIL] = generation;
  // Somebody more urgent may have been told of an end, and have the core: then this one looks when it is its turn.
  return k.current === thread ? waitForGrace(k, thread, requestGrace(k)) : Answer.AGAIN;
}
