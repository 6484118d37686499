/**
 * Page faults: a load or store that could not be done, told to the process's handler as a call. Its answer is the call's;
 * then the guest tries again.
 *
 * What failed is what the core noted, not what the guest says. The message goes through the process's binding to the
 * handler's endpoint, so whoever takes that capability back has nobody told any more, and whoever waits is woken.
 */
import { Err, FaultWord, Reg, Slot, Trap, TrapShift } from "@capos/abi";
import type { Context } from "@capos/engine";
import { isLive } from "../capability/lookup.js";
import { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { Endpoint, Process, Role, Thread } from "../state/layout.js";
import type { SlotRef, ThreadRef } from "../state/references.js";
import { send } from "./endpoint.js";

const FAULT_MESSAGE = Trap.FAULT | (FaultWord.COUNT << TrapShift.WORDS);

/** Trap FAULT. `NOT_FOUND` without a handler, or without a fault. */
export function raisePageFault(k: Core, thread: ThreadRef, context: Context): Answer {
  const { i32 } = k;
  const { regs } = context;
  const binding = (i32[thread + Thread.PROCESS] + Process.FAULT_BINDING) as SlotRef;
  if (context.faultReason === 0 || !isLive(k, binding)) {
    context.result = Err.NOT_FOUND;
    return Answer.DONE;
  }
  // Whatever else the guest would have sent along.
  context.trap = FAULT_MESSAGE;
  regs[Reg.WORDS + FaultWord.REASON] = context.faultReason;
  regs[Reg.WORDS + FaultWord.IS_STORE] = context.faultIsStore ? 1 : 0;
  regs[Reg.WORDS + FaultWord.ADDRESS] = context.faultAddress;
  regs[Reg.WORDS + FaultWord.THREAD_INDEX] = i32[thread + Thread.INDEX];
  // What is remembered of the handle in its registers is of another endpoint.
  context.foundEpoch = -1;
  context.foundHome = i32[i32[binding + Slot.OBJECT] + Endpoint.HOME];
  return send(k, thread, context, binding, Role.CALLER, true);
}
