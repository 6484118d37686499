/** Methods of untyped memory. */
import { Err, factsOf, objectBits, Slot, SlotBits } from "@capos/abi";
import type { Context } from "@capos/engine";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { Thread } from "../state/layout.js";
import type { SlotRef, ThreadRef } from "../state/references.js";
import { TraceEvent } from "../state/trace-events.js";
import { answer, finish, refuse } from "./arguments.js";
import { retype } from "./retype.js";

export function untypedInfo(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const bytes = 2 ** ((i32[self] >>> SlotBits.SIZE_SHIFT) & 63);
  const used = i32[self + Slot.FIRST_CHILD] === 0 ? 0 : i32[self + Slot.WATERMARK] * 64;
  return answer(context, bytes, bytes - used);
}

export function untypedRetype(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { operands } = k;
  const { type, count } = operands;
  if (objectBits(type, operands.sizeBits) === 0) {
    const size = factsOf(type)?.size ?? null;
    return size === null ? finish(context, Err.BAD_TYPE) : refuse(context, Err.RANGE, size.low, size.high);
  }
  const request = k.retype;
  request.untyped = self;
  request.type = type;
  request.sizeBits = operands.sizeBits;
  request.count = count;
  request.cnodeSlot = operands.into;
  request.first = operands.first;
  const result = retype(k, thread, context, request);
  if (TRACED && result === Answer.DONE) {
    const number = k.i32[thread + Thread.NUMBER];
    k.tracer.put5(TraceEvent.CAPABILITY_RETYPE, number, type, count, self, context.result);
  }
  return result;
}
