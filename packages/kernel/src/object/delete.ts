/**
 * Deleting one capability, by whatever verb: its holder's, the emptying of a CNode, the end of a process.
 */
import { Err, ObjectType, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import { deadWord, detachFinalising, killSlot, typeOf } from "../capability/slot.js";
import { failCall } from "../ipc/reply.js";
import { wake } from "../sched/run-queue.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import type { SlotRef, ThreadRef } from "../state/references.js";

/**
 * Deletes what a slot holds, if anything. With `detach` the slot itself is about to go: it need not learn
 * when the object is gone whose last capability it held.
 */
export function deleteCapability(k: Core, slot: SlotRef, detach: boolean): void {
  const { i32 } = k;
  let caller: ThreadRef | 0 = 0;
  let call = 0;
  const held = lockTree(k);
  const word = Atomics.load(i32, slot);
  if ((word & SlotBits.STATE_MASK) === SlotState.LIVE) {
    if (typeOf(word) === ObjectType.REPLY) {
      caller = i32[slot + Slot.OBJECT] as ThreadRef;
      call = i32[slot + Slot.BADGE];
    }
    killSlot(held, slot);
  }
  if (detach && isFinalising(k, slot)) {
    detachFinalising(held, slot);
    Atomics.store(i32, slot, deadWord(i32[slot]));
  }
  unlockTree(held);
  if (caller === 0) return;
  // A reply that nobody can give any more. Last: the caller may take the core.
  const awakened = failCall(k, caller, call, Err.PEER_DIED);
  if (awakened !== 0) wake(k, awakened);
}

/** True for a slot that held the last capability to an object which is not gone yet. */
export function isFinalising(k: Core, slot: SlotRef): boolean {
  const word = Atomics.load(k.i32, slot);
  return (word & (SlotBits.STATE_MASK | SlotFlag.FINALISING)) === (SlotState.DEAD | SlotFlag.FINALISING);
}
