/**
 * Replies: the right to answer one call, once.
 *
 * While it is not moved out, the reply lives in the server's thread object (REPLY_TO, REPLY_CALL),
 * which only the server's core reads, so a call allocates nothing and locks nothing. It names the call by
 * the caller's call number: the number is raised when the call ends, whichever way, and every older
 * reply is stale from then on.
 */
import { type Err, Reg } from "@capos/abi";
import type { Context } from "@capos/engine";
import type { WordIndex } from "@capos/hal";
import { arrivedOf, transferCapabilities, unwrappedOf } from "../capability/transfer.js";
import type { Core } from "../state/core.js";
import { Role, Thread, ThreadState } from "../state/layout.js";
import { capabilityCount, copyWords, threadCapabilities, wordCount } from "../state/message.js";
import { traceReply } from "../state/trace.js";
import { TRACED } from "../state/traced.js";
import { lendToServer } from "./endpoint.js";
import { tellNoSenders } from "./no-senders.js";
import { answerCall, claimReply, NO_SENDERS } from "./remote.js";

/**
 * Answers a call with the message in `context`. Answers the caller if it is on this core and is to be
 * woken by whoever called, else 0 (on its way, or nobody waits any more).
 */
export function answerWith(
  k: Core,
  server: WordIndex,
  context: Context,
  message: number,
  caller: WordIndex,
  call: number,
): WordIndex {
  const { i32 } = k;
  const count = wordCount(message);
  const capabilities = capabilityCount(message);
  if (i32[caller + Thread.HOME] !== k.id) {
    // Over already: its fields are another call's.
    if (Atomics.load(i32, caller + Thread.CALL_NUMBER) !== call) return 0;
    // Others may use the receive slots of a caller that is gone.
    if (capabilities !== 0 && !claimReply(k, caller)) return 0;
    if (TRACED) traceReply(k, i32[server + Thread.NUMBER]!, caller, count, context.regs, Reg.WORDS);
    // The caller is blocked, its receive slots and words are the replier's to fill until it is answered.
    const arrived =
      capabilities === 0
        ? 0
        : transferCapabilities(
            k,
            0,
            server,
            context.regs,
            Reg.CAPABILITIES,
            capabilities,
            caller,
            i32[caller + Thread.RECEIVE_WINDOW]!,
            i32[caller + Thread.RECEIVE_COUNT]!,
            k.f64,
            threadCapabilities(caller),
          );
    answerCall(k, caller, call, count, context.regs, Reg.WORDS, arrived, capabilities !== 0);
    return 0;
  }
  if (i32[caller + Thread.CALL_NUMBER] !== call || !awaitsReply(i32[caller + Thread.STATE]!)) return 0;
  const to = k.contexts[i32[caller + Thread.NUMBER]!]!;
  const { regs } = to;
  if (TRACED) traceReply(k, i32[server + Thread.NUMBER]!, caller, count, context.regs, Reg.WORDS);
  copyWords(regs, Reg.WORDS, context.regs, Reg.WORDS, count);
  regs[Reg.BADGE] = 0;
  regs[Reg.ARRIVED] =
    capabilities === 0
      ? 0
      : transferCapabilities(
          k,
          0,
          server,
          context.regs,
          Reg.CAPABILITIES,
          capabilities,
          caller,
          regs[Reg.RECEIVE_WINDOW]!,
          regs[Reg.RECEIVE_COUNT]!,
          regs,
          Reg.CAPABILITIES,
        );
  // Nothing is unwrapped on the way back; what the caller received last may have been.
  if (capabilities !== 0) regs[Reg.UNWRAPPED] = 0;
  endCall(k, caller, call);
  to.result = count;
  return caller;
}

/** A call of this core was answered here: whatever the caller lent to other cores is its own again. */
function endCall(k: Core, caller: WordIndex, call: number): void {
  k.i32[caller + Thread.CALL_NUMBER] = call + 1;
  // A reply that is still owed, as far as the core knows that it asked, would be taken for that of its next request.
  k.i32[caller + Thread.ROLE] = Role.NONE;
}

/** A caller on this core waits for its reply in one of two states: its call was taken here, or elsewhere. */
export function awaitsReply(state: number): boolean {
  return state === ThreadState.AWAITING_REPLY || state === ThreadState.REMOTE;
}

/** Ends a call with an error: the server died or let go of the reply. Answers the caller to be woken here, or 0. */
export function failCall(k: Core, caller: WordIndex, call: number, error: Err): WordIndex {
  const { i32 } = k;
  if (i32[caller + Thread.HOME] !== k.id) {
    if (Atomics.load(i32, caller + Thread.CALL_NUMBER) === call) {
      if (TRACED) traceReply(k, 0, caller, error, k.f64, 0);
      answerCall(k, caller, call, error, k.f64, 0, 0, false);
    }
    return 0;
  }
  if (i32[caller + Thread.CALL_NUMBER] !== call || !awaitsReply(i32[caller + Thread.STATE]!)) return 0;
  const to = k.contexts[i32[caller + Thread.NUMBER]!]!;
  if (TRACED) traceReply(k, 0, caller, error, k.f64, 0);
  endCall(k, caller, call);
  to.result = error;
  return caller;
}

/** A reply moves into a slot, where a thread of any core may use it: its caller lends what it would to a server there. */
export function lendToSlot(k: Core, caller: WordIndex, call: number): void {
  const { i32 } = k;
  if (i32[caller + Thread.HOME] !== k.id || i32[caller + Thread.CALL_NUMBER] !== call) return;
  if (i32[caller + Thread.STATE] === ThreadState.AWAITING_REPLY)
    lendToServer(k, caller, k.contexts[i32[caller + Thread.NUMBER]!]!.regs);
}

/**
 * Takes the reply that a thread holds; the call's number is then in REPLY_CALL. Answers the caller, 0 if it
 * is gone. A caller is named by its thread number: the table has nobody, or the number's next thread, whose
 * calls have other numbers, once it is dead, so that no reply ever leads to memory that is something else.
 */
export function takeReply(k: Core, server: WordIndex): WordIndex {
  const number = k.i32[server + Thread.REPLY_TO]!;
  k.i32[server + Thread.REPLY_TO] = 0;
  return number === 0 ? 0 : k.i32[k.threadTable + number]!;
}

/** What a call from another core was answered: words from the line or from the thread object. */
export function acceptAnswer(
  k: Core,
  thread: WordIndex,
  context: Context,
  wordsAt: number,
  status: number,
  count: number,
  badge: number,
  arrived: number,
): void {
  const { regs } = context;
  copyWords(regs, Reg.WORDS, k.f64, wordsAt, count);
  context.result = status;
  if (arrived === NO_SENDERS) {
    tellNoSenders(context, badge >>> 0);
    return;
  }
  regs[Reg.BADGE] = badge >>> 0;
  regs[Reg.ARRIVED] = arrivedOf(arrived);
  if (arrived === 0) return;
  regs[Reg.UNWRAPPED] = unwrappedOf(arrived);
  copyWords(regs, Reg.CAPABILITIES, k.f64, threadCapabilities(thread), arrivedOf(arrived));
}
