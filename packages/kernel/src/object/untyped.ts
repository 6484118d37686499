/** Methods of untyped memory. */
import {
  Err,
  factsOf,
  MAX_RETYPE_COUNT,
  Method,
  ObjectType,
  objectBits,
  Right,
  Slot,
  SlotBits,
} from "@capos/abi";
import type { Context } from "@capos/engine";
import type { WordIndex } from "@capos/hal";
import { hasRight, lookupArgument } from "../capability/lookup.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { Thread } from "../state/layout.js";
import { TraceEvent } from "../state/trace-events.js";
import { answer, finish, handle, integer, refuse, unsupported } from "./arguments.js";
import { retype } from "./retype.js";

export function invokeUntyped(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): Answer {
  const { i32 } = k;
  if (method === Method.UNTYPED_INFO) {
    const bytes = 2 ** ((i32[slot]! >>> SlotBits.SIZE_SHIFT) & 63);
    const used = i32[slot + Slot.FIRST_CHILD] === 0 ? 0 : i32[slot + Slot.WATERMARK]! * 64;
    return answer(context, bytes, bytes - used);
  }
  if (method !== Method.UNTYPED_RETYPE) return unsupported(context);
  if (!hasRight(k, slot, Right.WRITE)) return finish(context, Err.DENIED);
  const request = k.retype;
  request.untyped = slot;
  request.type = integer(context, 1);
  request.sizeBits = integer(context, 2);
  request.count = integer(context, 3);
  request.cnodeSlot = lookupArgument(k, thread, context, handle(context, 4), ObjectType.CNODE, Right.WRITE);
  request.first = integer(context, 5);
  if (request.cnodeSlot === 0) return Answer.DONE;
  const { type, count } = request;
  if (objectBits(type, request.sizeBits) === 0) {
    const size = factsOf(type)?.size ?? null;
    return size === null ? finish(context, Err.BAD_TYPE) : refuse(context, Err.RANGE, size.low, size.high);
  }
  if (!(count >= 1 && count <= MAX_RETYPE_COUNT)) return refuse(context, Err.RANGE, 1, MAX_RETYPE_COUNT);
  const result = retype(k, thread, context, request);
  if (TRACED && result === Answer.DONE) {
    const number = i32[thread + Thread.NUMBER]!;
    k.tracer.put5(TraceEvent.CAPABILITY_RETYPE, number, type, count, slot, context.result);
  }
  return result;
}
