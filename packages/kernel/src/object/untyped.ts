/** Methods of untyped memory. */
import {
  Err,
  MAX_CNODE_BITS,
  MAX_RETYPE_COUNT,
  MAX_UNTYPED_BITS,
  Method,
  MIN_CNODE_BITS,
  MIN_UNTYPED_BITS,
  ObjectType,
  Right,
  Slot,
  SlotBits,
} from "@capos/abi";
import type { Context } from "@capos/engine";
import { TraceEvent, type WordIndex } from "@capos/hal";
import { hasRight, lookupArgument } from "../capability/lookup.js";
import { slotsOf } from "../capability/slot.js";
import type { Core } from "../state/core.js";
import { Thread } from "../state/layout.js";
import { TRACED } from "../state/traced.js";
import { answer, handle, integer, refuse } from "./arguments.js";
import { objectSizeBits, retype } from "./retype.js";

export function invokeUntyped(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): void {
  const { i32 } = k;
  if (method === Method.UNTYPED_INFO) {
    const bytes = 2 ** ((i32[slot]! >>> SlotBits.SIZE_SHIFT) & 63);
    const used = i32[slot + Slot.FIRST_CHILD] === 0 ? 0 : i32[slot + Slot.WATERMARK]! * 64;
    answer(context, bytes, bytes - used);
    return;
  }
  if (method !== Method.UNTYPED_RETYPE) return;
  if (!hasRight(k, slot, Right.WRITE)) {
    context.result = Err.DENIED;
    return;
  }
  const type = integer(context, 1);
  const sizeBits = integer(context, 2);
  const count = integer(context, 3);
  const cnode = lookupArgument(k, thread, handle(context, 4), ObjectType.CNODE, Right.WRITE);
  const first = integer(context, 5);
  if (cnode < 0) {
    context.result = cnode;
    return;
  }
  if (objectSizeBits(type, sizeBits) === 0) {
    if (type === ObjectType.UNTYPED) refuse(context, Err.RANGE, MIN_UNTYPED_BITS, MAX_UNTYPED_BITS);
    else if (type === ObjectType.CNODE) refuse(context, Err.RANGE, MIN_CNODE_BITS, MAX_CNODE_BITS);
    else context.result = Err.BAD_TYPE;
    return;
  }
  if (!(count >= 1 && count <= MAX_RETYPE_COUNT)) {
    refuse(context, Err.RANGE, 1, MAX_RETYPE_COUNT);
    return;
  }
  const result = k.retypeResult;
  retype(k, thread, slot, type, sizeBits, count, cnode, first, result);
  if (TRACED && k.current === thread)
    k.tracer.put5(
      TraceEvent.CAPABILITY_RETYPE,
      k.i32[thread + Thread.NUMBER]!,
      type,
      count,
      slot,
      result.status,
    );
  // A thread that waits for memory or a slot of the window starts its trap again.
  if (k.current !== thread) return;
  if (result.status === Err.RANGE) refuse(context, Err.RANGE, 1, slotsOf(i32[cnode]!) - 1);
  else if (result.status !== Err.OK) refuse(context, result.status, result.detail, 0);
  else context.result = 0;
}
