/**
 * Revoke: ends everything that was derived from a capability.
 *
 * In chunks of at most 256 slots under the tree lock, without a cursor: a killed child gives its place to its
 * own children, so the work is done when the capability has no child left, and whoever begins anew goes
 * on where somebody else stopped. Each slot is killed once. Between two chunks the thread goes through
 * the run queue, so whoever is more urgent runs.
 *
 * It ends: the lock is first come first served, so while one chunk kills 256 slots every other core can
 * add at most one.
 *
 * When the last chunk is done every descendant is DEAD. One grace period later no core holds one that it
 * found LIVE, what was sent through one has been read and refused, and who waited through one has been
 * swept from its queue: see grace-period.ts, incoming.ts, sweep-list.ts.
 */
import { Err, ObjectType, Right, Slot, SlotBits, SlotState } from "@capos/abi";
import type { Context } from "@capos/engine";
import { hasRight, slotIn } from "../capability/lookup.js";
import { killSlot, typeOf } from "../capability/slot.js";
import { rotateChildren } from "../capability/tree.js";
import { progressOf } from "../sched/progress.js";
import { graceIsOver, requestGrace, waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { Thread } from "../state/layout.js";
import type { CNodeRef, NodeRef, SlotRef, ThreadRef } from "../state/references.js";
import { TraceEvent } from "../state/trace-events.js";
import { finish } from "./arguments.js";

/** Slots killed, and entries of page tables cleared, while the tree lock is held once; objects passed over that are being finalised already. */
export const CHUNK = 256;
const PASSED = 1024;

/** What is left of a node's descendants. */
export const enum Left {
  NONE = 0,
  /** Nothing alive, but objects whose end is under way. */
  FINALISING = 1,
  /** More than this chunk could kill. */
  MORE = 2,
  /** So many objects whose end is under way that what is behind them was not seen: some of them must go first. */
  CROWDED = 3,
}

/** Kills some of the descendants of a node. */
export function killDescendants(k: Locked, node: NodeRef): Left {
  const { i32 } = k;
  let first = 0;
  let killed = 0;
  for (let passed = 0; passed < PASSED; ) {
    const child = i32[node + Slot.FIRST_CHILD] as NodeRef | 0;
    if (child === 0) return Left.NONE;
    if ((i32[child] & SlotBits.STATE_MASK) === SlotState.LIVE) {
      if (killed >= CHUNK) return Left.MORE;
      killSlot(k, child as SlotRef);
      killed += 1 + k.entriesCleared;
      k.entriesCleared = 0;
    } else {
      // What is being finalised goes to the end; met again, it says that nothing else is left.
      if (child === first) return Left.FINALISING;
      if (first === 0) first = child;
      rotateChildren(k, node);
      passed++;
    }
  }
  return killed === 0 ? Left.CROWDED : Left.MORE;
}

/**
 * Revokes the capability that `handle` names in a CNode. Answers when nothing can be done any more through
 * what was derived from it; for untyped memory, when nothing of what was made from it is left.
 */
export function revoke(
  k: Core,
  thread: ThreadRef,
  context: Context,
  cnode: CNodeRef,
  slots: number,
  handle: number,
): Answer {
  const { i32 } = k;
  const asked = progressOf(k, thread);
  if (asked !== 0) {
    if (!graceIsOver(k, asked)) return waitForGrace(k, thread, asked);
    if (TRACED) k.tracer.put2(TraceEvent.REVOKE_END, i32[thread + Thread.NUMBER], Err.OK);
    return finish(context, Err.OK);
  }
  const held = lockTree(k);
  const slot = slotIn(k, cnode, slots, handle);
  const allowed = slot !== 0 && hasRight(k, slot, Right.REVOKE);
  const left = allowed ? killDescendants(held, slot) : Left.NONE;
  const isMemory = allowed && typeOf(i32[slot]) === ObjectType.UNTYPED;
  unlockTree(held);
  if (TRACED && allowed) k.tracer.put3(TraceEvent.REVOKE_CHUNK, i32[thread + Thread.NUMBER], slot, left);
  if (!allowed) return finish(context, slot === 0 ? Err.BAD_CAP : Err.DENIED);
  if (left === Left.MORE) return Answer.AGAIN;
  const number = requestGrace(k);
  if (TRACED) k.tracer.put2(TraceEvent.REVOKE_WAIT, i32[thread + Thread.NUMBER], number);
  // Memory is looked at again after it: its objects are gone when their headers have left the tree.
  if (!isMemory || left === Left.NONE) i32[thread + Thread.PROGRESS] = number;
  return waitForGrace(k, thread, number);
}
