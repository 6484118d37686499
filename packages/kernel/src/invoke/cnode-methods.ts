/** Methods of CNodes: filling and emptying slots of one's own process or of a child's. */
import { Err, Method, makeHandle, ObjectType, Right, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import { findSlot, hasRight } from "../capability/lookup.js";
import { deriveSlot, isDying, killSlot, reclaimSlot } from "../capability/slot.js";
import { lockTree, unlockTree } from "../capability/tree-lock.js";
import { beginCommit, endCommit } from "../commit.js";
import type { Core } from "../core.js";
import { waitForGrace } from "../grace-period.js";
import { failCall } from "../ipc/reply.js";
import type { Context } from "../thread/context.js";
import { wakeIfHere } from "../thread/lifecycle.js";
import { answer, handle, integer, refuse } from "./arguments.js";

export function invokeCNode(
  k: Core,
  thread: WordIndex,
  context: Context,
  cnodeSlot: WordIndex,
  method: number,
): void {
  const { i32 } = k;
  const slots = 2 ** ((i32[cnodeSlot]! >>> SlotBits.SIZE_SHIFT) & 63);
  const index = integer(context, 1);
  if (method < Method.CNODE_COPY || method > Method.CNODE_INSPECT) return;
  if (!(index >= 1 && index < slots)) {
    refuse(context, Err.RANGE, 1, slots - 1);
    return;
  }
  const slot = i32[cnodeSlot + Slot.OBJECT]! + index * Slot.WORDS;
  if (method === Method.CNODE_INSPECT) {
    if (hasRight(k, cnodeSlot, Right.READ)) inspect(k, context, slot, index);
    else context.result = Err.DENIED;
  } else if (!hasRight(k, cnodeSlot, Right.WRITE)) context.result = Err.DENIED;
  else if (method === Method.CNODE_DELETE) deleteSlot(k, context, slot);
  else derive(k, thread, context, slot, index, method);
}

function inspect(k: Core, context: Context, slot: WordIndex, index: number): void {
  const word = Atomics.load(k.i32, slot);
  const generation = k.i32[slot + Slot.GENERATION]!;
  answer(
    context,
    (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT,
    (word & SlotBits.RIGHTS_MASK) >> SlotBits.RIGHTS_SHIFT,
    k.i32[slot + Slot.BADGE]! >>> 0,
    word & SlotBits.STATE_MASK,
    (word >>> SlotBits.SIZE_SHIFT) & 63,
    makeHandle(index, generation),
  );
}

/** Copy and mint: a child of the source, with fewer rights and perhaps a badge. */
function derive(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  index: number,
  method: number,
): void {
  const { i32 } = k;
  const rights = integer(context, 3);
  const badge = method === Method.CNODE_MINT ? context.regs[4]! : 0;
  if (rights < 0 || rights > Right.ALL) {
    refuse(context, Err.RANGE, 0, Right.ALL);
    return;
  }
  if (method === Method.CNODE_MINT && !(badge >= 1 && badge <= 0xffff_ffff && Math.floor(badge) === badge)) {
    refuse(context, Err.RANGE, 1, 0xffff_ffff);
    return;
  }
  lockTree(k);
  let status: number = Err.OK;
  let dying = false;
  const source = findSlot(k, thread, handle(context, 2));
  if (source === 0) status = Err.BAD_CAP;
  else {
    const word = i32[source]!;
    const type = (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT;
    if (type === ObjectType.UNTYPED || type === ObjectType.REPLY) status = Err.UNSUPPORTED;
    else if (method === Method.CNODE_MINT && (word & SlotFlag.BADGED) !== 0) status = Err.DENIED;
    else if (!reclaimSlot(k, slot)) {
      dying = isDying(k, slot);
      status = Err.SLOT_OCCUPIED;
    }
  }
  if (status === Err.OK) {
    beginCommit(k);
    deriveSlot(k, source, slot, rights, badge | 0);
    endCommit(k);
  }
  unlockTree(k);
  if (dying) waitForGrace(k, thread, i32[slot + Slot.STAMP]!);
  else if (status === Err.OK) answer(context, makeHandle(index, i32[slot + Slot.GENERATION]!));
  else context.result = status;
}

/** Delete returns at once; whoever needs the slot next waits for its grace period. An empty slot is no error. */
function deleteSlot(k: Core, context: Context, slot: WordIndex): void {
  const { i32 } = k;
  lockTree(k);
  const word = Atomics.load(i32, slot);
  const live = (word & SlotBits.STATE_MASK) === SlotState.LIVE;
  const isReply = live && (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT === ObjectType.REPLY;
  const caller = isReply ? i32[slot + Slot.OBJECT]! : 0;
  const call = i32[slot + Slot.BADGE]!;
  if (live) killSlot(k, slot);
  unlockTree(k);
  context.result = Err.OK;
  // A reply that nobody can give any more. Last: the caller may take the core.
  if (caller !== 0) wakeIfHere(k, failCall(k, caller, call, Err.PEER_DIED));
}
