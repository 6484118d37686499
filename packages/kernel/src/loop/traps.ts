/**
 * From a trap number to the operation: what a guest asked for when it yielded. Dispatches only.
 */
import { Err, LifeState, ObjectType, Reg, Right, SlotBits, SlotState, Trap } from "@capos/abi";
import { type Context, whyNoStatus } from "@capos/engine";
import { currentSlot, refusal } from "../capability/lookup.js";
import { windowIsReady } from "../capability/transfer.js";
import { receiveNow, receiveOnly, replyReceive, send, sendOnly } from "../ipc/endpoint.js";
import { notify, poll, wait } from "../ipc/notification.js";
import { raisePageFault } from "../ipc/page-fault.js";
import { reply, saveReply } from "../ipc/reply.js";
import { invoke } from "../object/invoke.js";
import { endThread, faultThread } from "../object/thread-end.js";
import { rotate } from "../sched/run-queue.js";
import { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { Role } from "../state/layout.js";
import { isMessage } from "../state/message.js";
import type { ThreadRef } from "../state/references.js";

/** Performs the trap in `context.trap` for the running thread. */
export function dispatch(k: Core, thread: ThreadRef, context: Context): Answer {
  const trap = context.trap;
  if (!isMessage(trap)) {
    context.result = Err.RANGE;
    return Answer.DONE;
  }
  switch (trap & 0xff) {
    case Trap.CALL:
      return call(k, thread, context);
    case Trap.REPLY_RECV:
      return replyReceive(k, thread, context);
    case Trap.SEND:
      return sendOnly(k, thread, context, true);
    case Trap.RECV:
      return receiveOnly(k, thread, context);
    case Trap.REPLY:
      return reply(k, thread, context);
    case Trap.NB_SEND:
      return sendOnly(k, thread, context, false);
    case Trap.NB_RECV:
      return receiveNow(k, thread, context);
    case Trap.NOTIFY:
      return notify(k, thread, context);
    case Trap.WAIT:
      return wait(k, thread, context);
    case Trap.POLL:
      return poll(k, thread, context);
    case Trap.YIELD:
      context.result = Err.OK;
      rotate(k);
      return Answer.DONE;
    case Trap.NULL:
    case Trap.PREEMPTED:
      context.result = Err.OK;
      return Answer.DONE;
    case Trap.EXIT:
      exit(k, thread, context.regs[Reg.SECOND]);
      return Answer.DONE;
    case Trap.FAULT:
      return raisePageFault(k, thread, context);
    case Trap.SAVE_REPLY:
      return saveReply(k, thread, context);
    default:
      context.result = Err.UNSUPPORTED;
      return Answer.DONE;
  }
}

/** A call goes to an endpoint, or invokes the kernel object that it names. */
function call(k: Core, thread: ThreadRef, context: Context): Answer {
  const slot = currentSlot(k, thread, context);
  if (slot === 0) {
    context.result = refusal(k, thread, context.regs[Reg.HANDLE]);
    return Answer.DONE;
  }
  const word = k.i32[slot];
  if (context.regs[Reg.RECEIVE_COUNT] !== 0 && !windowIsReady(k, thread, context)) return Answer.BLOCKED;
  if ((word & CALLABLE) === CALLABLE_ENDPOINT) return send(k, thread, context, slot, Role.CALLER, true);
  if ((word & SlotBits.STATE_MASK) !== SlotState.LIVE) context.result = Err.BAD_CAP;
  else if ((word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT !== ObjectType.ENDPOINT)
    return invoke(k, thread, context, slot);
  else context.result = Err.DENIED;
  return Answer.DONE;
}

/** All that a call on an endpoint asks of its slot, in one comparison: live, an endpoint, with SEND. */
const CALLABLE = SlotBits.STATE_MASK | SlotBits.TYPE_MASK | (Right.SEND << SlotBits.RIGHTS_SHIFT);
const CALLABLE_ENDPOINT =
  SlotState.LIVE | (ObjectType.ENDPOINT << SlotBits.TYPE_SHIFT) | (Right.SEND << SlotBits.RIGHTS_SHIFT);

/** A thread ends with a status: a number from 0 to 255, else it faults. */
export function exit(k: Core, thread: ThreadRef, status: unknown): void {
  if (status === undefined) endThread(k, thread, LifeState.EXITED, 0);
  else if (typeof status === "number" && status >= 0 && status <= 255 && (status | 0) === status) {
    endThread(k, thread, LifeState.EXITED, status);
  } else faultThread(k, thread, new TypeError(whyNoStatus(status)));
}
