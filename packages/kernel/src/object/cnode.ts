/** Methods of CNodes: filling and emptying slots of one's own process or of a child's. */
import { Err, Method, makeHandle, ObjectType, Right, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import type { Context } from "@capos/engine";
import { nowNs, type WordIndex } from "@capos/hal";
import { enterWheel } from "../capability/expiry-wheel.js";
import { findCarried, hasRight, isOpenCNode, lookupArgument, refusal } from "../capability/lookup.js";
import { deriveSlot, isDying, moveSlot, reclaimSlot, slotsOf, typeOf } from "../capability/slot.js";
import { progressOf } from "../sched/progress.js";
import { requestGrace, waitForGrace } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import { Anchor, Thread } from "../state/layout.js";
import { isUnique } from "../state/objects.js";
import { traceFill, traceSlot } from "../state/trace.js";
import { TraceEvent } from "../state/trace-events.js";
import { answer, finish, handle, integer, refuse, unsupported } from "./arguments.js";
import { deleteCapability, isFinalising } from "./delete.js";
import { revoke } from "./revoke.js";

export function invokeCNode(
  k: Core,
  thread: WordIndex,
  context: Context,
  cnodeSlot: WordIndex,
  method: number,
): Answer {
  const { i32 } = k;
  if (method < Method.CNODE_COPY || method > Method.CNODE_EXPIRE) return unsupported(context);
  if (!hasRight(k, cnodeSlot, method === Method.CNODE_INSPECT ? Right.READ : Right.WRITE))
    return finish(context, Err.DENIED);
  const slots = slotsOf(i32[cnodeSlot]!);
  const cnode = i32[cnodeSlot + Slot.OBJECT]!;
  if (method === Method.CNODE_REVOKE) return revoke(k, thread, context, cnode, slots, handle(context, 1));
  const index = integer(context, 1);
  if (!(index >= 1 && index < slots)) return refuse(context, Err.RANGE, 1, slots - 1);
  const slot = cnode + index * Slot.WORDS;
  if (method === Method.CNODE_INSPECT) return inspect(k, context, slot, index);
  if (method === Method.CNODE_DELETE) return deleteSlot(k, thread, context, slot);
  return fill(k, thread, context, cnodeSlot, slot, index, method);
}

function inspect(k: Core, context: Context, slot: WordIndex, index: number): Answer {
  const found = Atomics.load(k.i32, slot);
  const generation = k.i32[slot + Slot.GENERATION]!;
  // Of one that is not live there is nothing to say but that.
  const state = found & SlotBits.STATE_MASK;
  const word = state === SlotState.LIVE ? found : state;
  const expires = (word & SlotFlag.EXPIRES) !== 0;
  return answer(
    context,
    typeOf(word),
    (word & SlotBits.RIGHTS_MASK) >> SlotBits.RIGHTS_SHIFT,
    state === SlotState.LIVE ? k.i32[slot + Slot.BADGE]! >>> 0 : 0,
    state,
    (word >>> SlotBits.SIZE_SHIFT) & 63,
    makeHandle(index, generation),
    word & SlotBits.FLAGS_MASK,
    expires ? Math.max(0, k.f64[(slot + Slot.EXPIRY) >> 1]! - nowNs()) : -1,
  );
}

const MAX_BADGE = 0xffff_ffff;

/** Copy, mint, move, seal, unseal, expire: a slot of the CNode is filled from a capability of the invoker's. */
function fill(
  k: Core,
  thread: WordIndex,
  context: Context,
  cnodeSlot: WordIndex,
  slot: WordIndex,
  index: number,
  method: number,
): Answer {
  const { i32 } = k;
  const keepsRights =
    method === Method.CNODE_MOVE || method === Method.CNODE_SEAL || method === Method.CNODE_UNSEAL;
  const rights = keepsRights ? Right.ALL : integer(context, 3);
  if (rights < 0 || rights > Right.ALL) return refuse(context, Err.RANGE, 0, Right.ALL);
  const number = context.regs[4]!;
  const most = method === Method.CNODE_MINT ? MAX_BADGE : Number.MAX_SAFE_INTEGER;
  const hasNumber = method === Method.CNODE_MINT || method === Method.CNODE_EXPIRE;
  if (hasNumber && !(number >= 1 && number <= most && Math.floor(number) === number))
    return refuse(context, Err.RANGE, 1, most);
  lockTree(k);
  const source = findCarried(k, thread, handle(context, 2));
  const sealer = source === 0 ? 0 : sealerFor(k, thread, context, source, method);
  let status = source === 0 ? refusal(k, thread, handle(context, 2)) : objection(k, source, method);
  if (status === Err.OK && sealer < 0) status = sealer;
  // Looked up without the lock.
  if (status === Err.OK && !isOpenCNode(k, cnodeSlot)) status = Err.BAD_CAP;
  let dying = false;
  if (status === Err.OK && !reclaimSlot(k, slot)) {
    dying = isDying(k, slot);
    status = Err.SLOT_OCCUPIED;
  }
  const stamp = i32[slot + Slot.STAMP]!;
  if (status === Err.OK) commitFill(k, source, slot, method, rights, number, sealer);
  unlockTree(k);
  if (TRACED && !dying) traceFill(k, thread, method, slot, status);
  if (dying) return waitForGrace(k, thread, stamp);
  if (status === Err.OK) return answer(context, makeHandle(index, i32[slot + Slot.GENERATION]!));
  return finish(context, status);
}

/** The point of no return: an empty slot is filled from a live one, which lends itself to it. Under the tree lock. */
function commitFill(
  k: Core,
  source: WordIndex,
  slot: WordIndex,
  method: number,
  rights: number,
  number: number,
  brand: number,
): void {
  const { i32 } = k;
  beginCommit(k);
  switch (method) {
    case Method.CNODE_MOVE:
      moveSlot(k, source, slot, Right.ALL);
      break;
    case Method.CNODE_SEAL:
      deriveSlot(k, source, slot, rights, 0, SlotFlag.SEALED);
      i32[slot + Slot.SEALER] = brand;
      break;
    case Method.CNODE_UNSEAL:
      deriveSlot(k, source, slot, rights, 0);
      Atomics.store(i32, slot, i32[slot]! & ~SlotFlag.SEALED);
      break;
    case Method.CNODE_EXPIRE:
      expire(k, source, slot, rights, nowNs() + number);
      break;
    default:
      deriveSlot(k, source, slot, rights, method === Method.CNODE_MINT ? number | 0 : 0);
  }
  endCommit(k);
}

/** The number that a seal is made or opened with, from the sealer in word 3; an `Err` below 0; 0 for other methods. */
function sealerFor(k: Core, thread: WordIndex, context: Context, source: WordIndex, method: number): number {
  if (method !== Method.CNODE_SEAL && method !== Method.CNODE_UNSEAL) return 0;
  const right = method === Method.CNODE_SEAL ? Right.WRITE : Right.READ;
  const sealer = lookupArgument(k, thread, context, handle(context, 3), ObjectType.SEALER, right);
  if (sealer === 0) return context.result;
  const brand = k.i32[k.i32[sealer + Slot.OBJECT]! + Anchor.BRAND]!;
  if (method === Method.CNODE_UNSEAL && k.i32[source + Slot.SEALER] !== brand) return Err.DENIED;
  return brand;
}

/** Why a capability does not lend itself to an operation; OK if it does. */
function objection(k: Core, source: WordIndex, method: number): Err {
  const word = k.i32[source]!;
  if (method === Method.CNODE_MOVE) return Err.OK;
  if (isUnique(typeOf(word))) return Err.UNSUPPORTED;
  const sealed = (word & SlotFlag.SEALED) !== 0;
  if (method === Method.CNODE_UNSEAL) return sealed ? Err.OK : Err.BAD_TYPE;
  if (method === Method.CNODE_SEAL || method === Method.CNODE_MINT) {
    if (sealed) return Err.SEALED;
    if (method === Method.CNODE_MINT && (word & SlotFlag.BADGED) !== 0) return Err.DENIED;
  }
  return Err.OK;
}

/** A copy with a time limit. One that is later than the source's is the source's. */
function expire(k: Core, source: WordIndex, slot: WordIndex, rights: number, timeNs: number): void {
  const inherited =
    (k.i32[source]! & SlotFlag.EXPIRES) !== 0 && k.f64[(source + Slot.EXPIRY) >> 1]! <= timeNs;
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
function deleteSlot(k: Core, thread: WordIndex, context: Context, slot: WordIndex): Answer {
  const { i32 } = k;
  const generation = i32[slot + Slot.GENERATION]!;
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
