/**
 * REPLY: the right to answer one call, once.
 *
 * While it is not moved out, the reply lives in the server's thread object (REPLY_TO, REPLY_CALL),
 * which only the server's core reads, so a call allocates nothing and locks nothing. It names the call by
 * the caller's call number: the number is raised when the call ends, whichever way, and every older
 * reply is stale from then on.
 */
import { Err, INLINE_MESSAGE_WORDS, makeHandle, ObjectType, Reg, Right, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import { findSlot, lookupArgument } from "../capability/lookup.js";
import { fillSlot, isDying, killSlot, reclaimSlot, slotWord } from "../capability/slot.js";
import { transferCapabilities } from "../capability/transfer.js";
import { wake } from "../sched/run-queue.js";
import { waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import { beginCommit, endCommit } from "../state/commit.js";
import { type Core, contextOf } from "../state/core.js";
import { Message, MessageFlag, Process, Role, Thread, ThreadState } from "../state/layout.js";
import { capabilityCount, copyWords, lineWords, threadWords, wordCount } from "../state/message.js";
import type { CoreId, HeaderRef, LineRef, ProcessRef, SlotRef, ThreadRef } from "../state/references.js";
import { traceAnswered, traceReply } from "../state/trace.js";
import { AnswerLine, finishAsking, sendAnswer } from "./answer.js";
import { publishLine, reserveLine } from "./line.js";

/** Trap REPLY: answers the call received last, or the one of a saved reply, which it uses up. */
export function reply(k: Core, thread: ThreadRef, context: Context): Answer {
  const handle = context.regs[Reg.SECOND];
  let caller: ThreadRef | 0;
  let call: number;
  if (handle === 0) {
    if (k.i32[thread + Thread.REPLY_TO] === 0) {
      context.result = Err.NO_REPLY;
      return Answer.DONE;
    }
    caller = takeReply(k, thread);
    call = k.i32[thread + Thread.REPLY_CALL];
  } else {
    const slot = lookupArgument(k, thread, context, handle, ObjectType.REPLY, Right.SEND);
    if (slot === 0) return Answer.DONE;
    const held = lockTree(k);
    // Of two threads that use the same saved reply one finds it gone.
    const mine = findSlot(k, thread, handle) === slot;
    caller = k.i32[slot + Slot.OBJECT] as ThreadRef;
    call = k.i32[slot + Slot.BADGE];
    if (mine) killSlot(held, slot);
    unlockTree(held);
    if (!mine) {
      context.result = Err.BAD_CAP;
      return Answer.DONE;
    }
  }
  context.result = Err.OK;
  if (caller === 0) return Answer.DONE;
  beginCommit(k);
  const awakened = answerWith(k, thread, context, context.trap, caller, call);
  endCommit(k);
  if (awakened !== 0) wake(k, awakened);
  return Answer.DONE;
}

/**
 * Answers a call with the message in `context`. Gives the caller if it is on this core and is to be
 * woken by whoever called, else 0 (on its way, or nobody waits any more).
 */
export function answerWith(
  k: Core,
  server: ThreadRef,
  context: Context,
  message: number,
  caller: ThreadRef,
  call: number,
): ThreadRef | 0 {
  const { i32 } = k;
  const count = wordCount(message);
  const capabilities = capabilityCount(message);
  if (i32[caller + Thread.HOME] !== k.id) {
    // Over already: its fields are another call's.
    if (Atomics.load(i32, caller + Thread.CALL_NUMBER) !== call) return 0;
    // Others may use the receive slots of a caller that is gone.
    if (capabilities !== 0 && !claimReply(k, caller)) return 0;
    if (TRACED) traceReply(k, i32[server + Thread.NUMBER], caller, count, context.regs, Reg.WORDS);
    // The caller is blocked, its receive slots and words are the replier's to fill until it is answered.
    const arrived =
      capabilities === 0 ? 0 : transferCapabilities(k, 0, server, context.regs, capabilities, caller, null);
    answerCall(k, caller, call, count, context.regs, Reg.WORDS, arrived, capabilities !== 0);
    return 0;
  }
  if (i32[caller + Thread.CALL_NUMBER] !== call || !awaitsReply(i32[caller + Thread.STATE])) return 0;
  const to = contextOf(k, caller);
  const { regs } = to;
  if (TRACED) traceReply(k, i32[server + Thread.NUMBER], caller, count, context.regs, Reg.WORDS);
  copyWords(regs, Reg.WORDS, context.regs, Reg.WORDS, count);
  regs[Reg.BADGE] = 0;
  if (capabilities === 0) regs[Reg.ARRIVED] = 0;
  else {
    regs[Reg.ARRIVED] = transferCapabilities(k, 0, server, context.regs, capabilities, caller, to);
    // Nothing is unwrapped on the way back; what the caller received last may have been.
    regs[Reg.UNWRAPPED] = 0;
  }
  endCall(k, caller, call);
  to.result = count;
  return caller;
}

/** A call of this core was answered here: whatever the caller lent to other cores is its own again. */
function endCall(k: Core, caller: ThreadRef, call: number): void {
  k.i32[caller + Thread.CALL_NUMBER] = call + 1;
  // A reply that is still owed, as far as the core knows that it asked, would be taken for that of its next request.
  k.i32[caller + Thread.ROLE] = Role.NONE;
}

/** A caller on this core waits for its reply in one of two states: its call was taken here, or elsewhere. */
export function awaitsReply(state: number): boolean {
  return state === ThreadState.AWAITING_REPLY || state === ThreadState.REMOTE;
}

/**
 * Answers a call from another core. Up to four words travel in the line.
 *
 * `claimed` says that `claimReply` was true for it: what writes more than a line needs that.
 */
function answerCall(
  k: Core,
  caller: ThreadRef,
  call: number,
  status: number,
  words: Float64Array,
  wordsAt: number,
  arrived: number,
  claimed: boolean,
): void {
  const { i32 } = k;
  const to = i32[caller + Thread.HOME] as CoreId;
  const count = Math.max(status, 0);
  if (count <= INLINE_MESSAGE_WORDS && !claimed) {
    const line = reserveLine(k, to);
    if (line !== 0) {
      copyWords(k.f64, lineWords(line), words, wordsAt, count);
      i32[line + AnswerLine.THREAD] = caller;
      i32[line + AnswerLine.NUMBER] = call;
      i32[line + AnswerLine.STATUS] = status;
      i32[line + AnswerLine.COUNT] = count;
      i32[line + AnswerLine.BADGE] = 0;
      i32[line + AnswerLine.ARRIVED] = arrived;
      // Plainly: nothing but the line is written, and of two answers a dead caller drops the second.
      i32[caller + Thread.ROLE] = Role.NONE;
      publishLine(k, to, line, Message.REPLY);
      return;
    }
  }
  if (!claimed && !claimReply(k, caller)) return;
  copyWords(k.f64, threadWords(caller), words, wordsAt, count);
  sendAnswer(k, caller, Message.REPLY | MessageFlag.IN_THREAD, status, call, count, 0, arrived);
}

/**
 * Who takes ROLE from REPLY_OWED decides: a server that replies, the core that the caller asked, which
 * may be giving the call up for it, or its own core, if it dies. Until the reply has come the thread's
 * receive slots, words and answer fields are the server's, and it is not dead.
 */
function claimReply(k: Core, caller: ThreadRef): boolean {
  const was = Atomics.compareExchange(k.i32, caller + Thread.ROLE, Role.REPLY_OWED, Role.REPLYING);
  return was === Role.REPLY_OWED;
}

/** Ends a call with an error: the server died or let go of the reply. Gives the caller to be woken here, or 0. */
export function failCall(k: Core, caller: ThreadRef, call: number, error: Err): ThreadRef | 0 {
  const { i32 } = k;
  if (i32[caller + Thread.HOME] !== k.id) {
    if (Atomics.load(i32, caller + Thread.CALL_NUMBER) === call) {
      if (TRACED) traceReply(k, 0, caller, error, k.f64, 0);
      answerCall(k, caller, call, error, k.f64, 0, 0, false);
    }
    return 0;
  }
  if (i32[caller + Thread.CALL_NUMBER] !== call || !awaitsReply(i32[caller + Thread.STATE])) return 0;
  const to = contextOf(k, caller);
  if (TRACED) traceReply(k, 0, caller, error, k.f64, 0);
  endCall(k, caller, call);
  to.result = error;
  return caller;
}

/** The answer to a call from this core has come. True if it was what a dying caller was owed. */
export function onReply(k: Core, line: LineRef, kind: number): boolean {
  const { i32 } = k;
  const thread = i32[line + AnswerLine.THREAD] as ThreadRef;
  const state = i32[thread + Thread.STATE];
  if (state === ThreadState.DYING) return true;
  if (i32[thread + Thread.CALL_NUMBER] !== i32[line + AnswerLine.NUMBER] || !awaitsReply(state)) return false;
  i32[thread + Thread.CALL_NUMBER]++;
  if (TRACED) traceAnswered(k, thread, i32[line + AnswerLine.STATUS]);
  // The server has written all that it claimed to write: see claimReply.
  if ((kind & MessageFlag.IN_THREAD) !== 0) i32[thread + Thread.ROLE] = Role.NONE;
  finishAsking(k, line, kind, thread);
  return false;
}

/** Lends a caller of this core to a server elsewhere that will answer it, and says where it takes capabilities. */
export function lendToServer(k: Core, thread: ThreadRef, regs: Float64Array): void {
  k.i32[thread + Thread.RECEIVE_WINDOW] = regs[Reg.RECEIVE_WINDOW];
  k.i32[thread + Thread.RECEIVE_COUNT] = regs[Reg.RECEIVE_COUNT];
  k.i32[thread + Thread.ROLE] = Role.REPLY_OWED;
}

/** Trap SAVE_REPLY: moves the reply to the call received last into an empty slot, where a thread of any core may use it. */
export function saveReply(k: Core, thread: ThreadRef, context: Context): Answer {
  const { i32 } = k;
  const index = context.regs[Reg.SECOND];
  const process = i32[thread + Thread.PROCESS] as ProcessRef;
  if (!(index >= 1 && index < i32[process + Process.CSPACE_SLOTS] && (index | 0) === index)) {
    context.result = Err.RANGE;
    return Answer.DONE;
  }
  if (i32[thread + Thread.REPLY_TO] === 0) {
    context.result = Err.NO_REPLY;
    return Answer.DONE;
  }
  const slot = (i32[process + Process.CSPACE] + index * Slot.WORDS) as SlotRef;
  const held = lockTree(k);
  const isEmpty = reclaimSlot(held, slot);
  const dying = !isEmpty && isDying(k, slot);
  const stamp = i32[slot + Slot.STAMP];
  if (isEmpty) context.result = moveReply(held, thread, context, slot, index);
  unlockTree(held);
  if (dying) return waitForGrace(k, thread, stamp);
  if (!isEmpty) context.result = Err.SLOT_OCCUPIED;
  return Answer.DONE;
}

function moveReply(k: Locked, thread: ThreadRef, context: Context, slot: SlotRef, index: number): Err {
  const { i32 } = k;
  const caller = takeReply(k, thread);
  const call = i32[thread + Thread.REPLY_CALL];
  // Nobody waits for it any more.
  if (caller === 0 || Atomics.load(i32, caller + Thread.CALL_NUMBER) !== call) return Err.PEER_DIED;
  lendToSlot(k, caller, call);
  // A child of the caller, with whom it dies. It can be given away: its holder is who answers.
  const word = slotWord(ObjectType.REPLY, Right.SEND | Right.GRANT, 0, 0);
  fillSlot(k, slot, word, caller, call, (caller + Thread.HEADER) as HeaderRef);
  context.regs[Reg.CAPABILITIES] = makeHandle(index, i32[slot + Slot.GENERATION]);
  return Err.OK;
}

/** A reply moves into a slot, where a thread of any core may use it: its caller lends what it would to a server there. */
function lendToSlot(k: Core, caller: ThreadRef, call: number): void {
  const { i32 } = k;
  if (i32[caller + Thread.HOME] !== k.id || i32[caller + Thread.CALL_NUMBER] !== call) return;
  if (i32[caller + Thread.STATE] === ThreadState.AWAITING_REPLY)
    lendToServer(k, caller, contextOf(k, caller).regs);
}

/**
 * Takes the reply that a thread holds; the call's number is then in REPLY_CALL. Gives the caller, 0 if it
 * is gone. A caller is named by its thread number: the table has nobody, or the number's next thread, whose
 * calls have other numbers, once it is dead, so that no reply ever leads to memory that is something else.
 */
export function takeReply(k: Core, server: ThreadRef): ThreadRef | 0 {
  const number = k.i32[server + Thread.REPLY_TO];
  k.i32[server + Thread.REPLY_TO] = 0;
  return number === 0 ? 0 : (k.i32[k.threadTable + number] as ThreadRef | 0);
}
