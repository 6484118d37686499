/**
 * From a trap number to the operation: what a guest asked for when it yielded.
 */
import {
  Err,
  LifeState,
  MAX_MESSAGE_CAPABILITIES,
  makeHandle,
  ObjectType,
  Reg,
  Right,
  Slot,
  SlotBits,
  SlotState,
  Trap,
} from "@capos/abi";
import type { Context } from "@capos/engine";
import type { WordIndex } from "@capos/hal";
import { currentSlot, findSlot, lookup, lookupArgument, refusal } from "../capability/lookup.js";
import { fillSlot, isDying, killSlot, reclaimSlot, slotWord } from "../capability/slot.js";
import { receive, send } from "../ipc/endpoint.js";
import { signal, takeBound, wait } from "../ipc/notification.js";
import { answerWith, failCall, lendToSlot, takeReply } from "../ipc/reply.js";
import { invoke } from "../object/invoke.js";
import { endThread, faultThread } from "../object/thread-end.js";
import { progressOf } from "../sched/progress.js";
import { enter, rotate, wake } from "../sched/run-queue.js";
import { graceIsOver, waitForGrace } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import { Process, Role, Thread } from "../state/layout.js";
import { isMessage } from "../state/message.js";
import { traceRuns } from "../state/trace.js";
import { TRACED } from "../state/traced.js";

/** Performs the trap in `context.trap` for the running thread. Whatever it answers is in `context.result` unless the thread blocked. */
export function dispatch(k: Core, thread: WordIndex, context: Context): void {
  const trap = context.trap;
  if (!isMessage(trap)) {
    context.result = Err.RANGE;
    return;
  }
  switch (trap & 0xff) {
    case Trap.CALL:
      call(k, thread, context);
      break;
    case Trap.REPLY_RECV:
      replyReceive(k, thread, context);
      break;
    case Trap.SEND:
      sendOnly(k, thread, context, true);
      break;
    case Trap.RECV:
      receiveOnly(k, thread, context, true);
      break;
    case Trap.REPLY:
      reply(k, thread, context);
      break;
    case Trap.NB_SEND:
      sendOnly(k, thread, context, false);
      break;
    case Trap.NB_RECV:
      receiveOnly(k, thread, context, false);
      break;
    case Trap.NOTIFY: {
      const slot = lookup(k, thread, context, ObjectType.NOTIFICATION, Right.SEND);
      if (slot < 0) context.result = slot;
      else {
        context.result = Err.OK;
        signal(k, thread, k.i32[slot + Slot.OBJECT]!, k.i32[slot + Slot.BADGE]! || 1);
      }
      break;
    }
    case Trap.WAIT:
    case Trap.POLL: {
      const slot = lookup(k, thread, context, ObjectType.NOTIFICATION, Right.RECEIVE);
      if (slot < 0) context.result = slot;
      else wait(k, thread, context, slot, (trap & 0xff) === Trap.WAIT);
      break;
    }
    case Trap.YIELD:
      context.result = Err.OK;
      rotate(k);
      break;
    case Trap.NULL:
    case Trap.PREEMPTED:
      context.result = Err.OK;
      break;
    case Trap.EXIT:
      exit(k, thread, context.regs[Reg.SECOND]!);
      break;
    case Trap.SAVE_REPLY:
      saveReply(k, thread, context);
      break;
    default:
      context.result = Err.UNSUPPORTED;
  }
}

function call(k: Core, thread: WordIndex, context: Context): void {
  const slot = currentSlot(k, thread, context);
  if (slot === 0) {
    context.result = refusal(k, thread, context.regs[Reg.HANDLE]!);
    return;
  }
  const word = k.i32[slot]!;
  if (context.regs[Reg.RECEIVE_COUNT] !== 0 && !windowIsReady(k, thread, context)) return;
  if ((word & CALLABLE) === CALLABLE_ENDPOINT) send(k, thread, context, slot, Role.CALLER, true);
  else if ((word & SlotBits.STATE_MASK) !== SlotState.LIVE) context.result = Err.BAD_CAP;
  else if ((word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT !== ObjectType.ENDPOINT)
    invoke(k, thread, context, slot);
  else context.result = Err.DENIED;
}

/** All that a call on an endpoint asks of its slot, in one comparison: live, an endpoint, with SEND. */
const CALLABLE = SlotBits.STATE_MASK | SlotBits.TYPE_MASK | (Right.SEND << SlotBits.RIGHTS_SHIFT);
const CALLABLE_ENDPOINT =
  SlotState.LIVE | (ObjectType.ENDPOINT << SlotBits.TYPE_SHIFT) | (Right.SEND << SlotBits.RIGHTS_SHIFT);

/**
 * A receive slot that was deleted a moment ago is empty only after its grace period. Who needs it next
 * waits: false, and the trap starts again then.
 */
function windowIsReady(k: Core, thread: WordIndex, context: Context): boolean {
  const { i32 } = k;
  const first = context.regs[Reg.RECEIVE_WINDOW]! | 0;
  const count = Math.min(context.regs[Reg.RECEIVE_COUNT]! | 0, MAX_MESSAGE_CAPABILITIES);
  const process = i32[thread + Thread.PROCESS]!;
  if (first <= 0 || first + count > i32[process + Process.CSPACE_SLOTS]!) return true;
  for (let index = first; index < first + count; index++) {
    const slot = i32[process + Process.CSPACE]! + index * Slot.WORDS;
    if (!isDying(k, slot)) continue;
    // Under the lock: whoever killed it stores DEAD before the stamp.
    lockTree(k);
    const stamp = i32[slot + Slot.STAMP]!;
    unlockTree(k);
    if (graceIsOver(k, stamp)) continue;
    // The trap's first dispatch may end here: what it finds in its next is not to be another trap's progress.
    progressOf(k, thread);
    waitForGrace(k, thread, stamp);
    return false;
  }
  return true;
}

function sendOnly(k: Core, thread: WordIndex, context: Context, blocking: boolean): void {
  const slot = lookup(k, thread, context, ObjectType.ENDPOINT, Right.SEND);
  if (slot < 0) context.result = slot;
  else send(k, thread, context, slot, Role.SENDER, blocking);
}

function receiveOnly(k: Core, thread: WordIndex, context: Context, blocking: boolean): void {
  const slot = lookup(k, thread, context, ObjectType.ENDPOINT, Right.RECEIVE);
  if (slot < 0) {
    context.result = slot;
    return;
  }
  if (context.regs[Reg.RECEIVE_COUNT] !== 0 && !windowIsReady(k, thread, context)) return;
  // A receive lets go of the call received before: one thread holds one reply.
  const caller = takeReply(k, thread);
  const failed = caller !== 0 ? failCall(k, caller, k.i32[thread + Thread.REPLY_CALL]!, Err.PEER_DIED) : 0;
  if (k.i32[thread + Thread.BOUND_NOTIFICATION] === 0 || !takeBound(k, thread, context))
    receive(k, thread, context, slot, blocking);
  // Last: a waker may be preempted, and a trap that is not finished must not be.
  if (failed !== 0) wake(k, failed);
}

/** Answers the call and waits for the next: the loop of every server. The caller runs next if nobody is more urgent. */
function replyReceive(k: Core, thread: WordIndex, context: Context): void {
  const { i32 } = k;
  const slot = lookup(k, thread, context, ObjectType.ENDPOINT, Right.RECEIVE);
  if (slot < 0) {
    context.result = slot;
    return;
  }
  if (context.regs[Reg.RECEIVE_COUNT] !== 0 && !windowIsReady(k, thread, context)) return;
  if (i32[thread + Thread.REPLY_TO] === 0) {
    context.result = Err.NO_REPLY;
    return;
  }
  beginCommit(k);
  const caller = takeReply(k, thread);
  const awakened =
    caller === 0 ? 0 : answerWith(k, thread, context, context.trap, caller, i32[thread + Thread.REPLY_CALL]!);
  endCommit(k);
  // From here on only the receive is left to do, should it have to start again.
  context.trap = Trap.RECV;
  if (i32[thread + Thread.BOUND_NOTIFICATION] !== 0 && takeBound(k, thread, context)) {
    if (awakened !== 0) wake(k, awakened);
    return;
  }
  const blocked = receive(k, thread, context, slot, true);
  if (awakened === 0) return;
  if (blocked && k.current === 0 && i32[awakened + Thread.PRIORITY]! >= k.topReady) {
    enter(k, awakened);
    if (TRACED) traceRuns(k);
  } else wake(k, awakened);
}

function reply(k: Core, thread: WordIndex, context: Context): void {
  const handle = context.regs[Reg.SECOND]!;
  let caller: WordIndex;
  let number: number;
  if (handle === 0) {
    if (k.i32[thread + Thread.REPLY_TO] === 0) {
      context.result = Err.NO_REPLY;
      return;
    }
    caller = takeReply(k, thread);
    number = k.i32[thread + Thread.REPLY_CALL]!;
  } else {
    const slot = lookupArgument(k, thread, handle, ObjectType.REPLY, Right.SEND);
    if (slot < 0) {
      context.result = slot;
      return;
    }
    lockTree(k);
    // Of two threads that use the same saved reply one finds it gone.
    const mine = findSlot(k, thread, handle) === slot;
    caller = k.i32[slot + Slot.OBJECT]!;
    number = k.i32[slot + Slot.BADGE]!;
    if (mine) killSlot(k, slot);
    unlockTree(k);
    if (!mine) {
      context.result = Err.BAD_CAP;
      return;
    }
  }
  context.result = Err.OK;
  if (caller === 0) return;
  beginCommit(k);
  const awakened = answerWith(k, thread, context, context.trap, caller, number);
  endCommit(k);
  if (awakened !== 0) wake(k, awakened);
}

function saveReply(k: Core, thread: WordIndex, context: Context): void {
  const { i32 } = k;
  const index = context.regs[Reg.SECOND]!;
  const process = i32[thread + Thread.PROCESS]!;
  if (!(index >= 1 && index < i32[process + Process.CSPACE_SLOTS]! && (index | 0) === index)) {
    context.result = Err.RANGE;
    return;
  }
  if (i32[thread + Thread.REPLY_TO] === 0) {
    context.result = Err.NO_REPLY;
    return;
  }
  const slot = i32[process + Process.CSPACE]! + index * Slot.WORDS;
  lockTree(k);
  if (reclaimSlot(k, slot)) {
    const caller = takeReply(k, thread);
    const call = i32[thread + Thread.REPLY_CALL]!;
    if (caller === 0 || Atomics.load(i32, caller + Thread.CALL_NUMBER) !== call) {
      // Nobody waits for it any more.
      unlockTree(k);
      context.result = Err.PEER_DIED;
      return;
    }
    lendToSlot(k, caller, call);
    // A child of the caller, with whom it dies. It can be given away: its holder is who answers.
    const word = slotWord(ObjectType.REPLY, Right.SEND | Right.GRANT, 0, 0);
    fillSlot(k, slot, word, caller, call, caller + Thread.ANCHOR);
    context.regs[Reg.CAPABILITIES] = makeHandle(index, i32[slot + Slot.GENERATION]!);
    context.result = Err.OK;
    unlockTree(k);
    return;
  }
  const dying = isDying(k, slot);
  const stamp = i32[slot + Slot.STAMP]!;
  unlockTree(k);
  if (dying) waitForGrace(k, thread, stamp);
  else context.result = Err.SLOT_OCCUPIED;
}

/** A thread ends with a status: a number from 0 to 255, else it faults. */
export function exit(k: Core, thread: WordIndex, status: unknown): void {
  if (status === undefined) endThread(k, thread, LifeState.EXITED, 0);
  else if (typeof status === "number" && status >= 0 && status <= 255 && (status | 0) === status) {
    endThread(k, thread, LifeState.EXITED, status);
  } else faultThread(k, thread, new Error("a thread must end with a status from 0 to 255"));
}
