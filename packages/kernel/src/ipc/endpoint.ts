/**
 * Endpoints: rendezvous of a sender and a receiver.
 *
 * A transfer commits here, on the endpoint's home core, at one instant: the sender's slot, the
 * receiver's slot and each carried capability are checked, words and capabilities are written, both
 * threads leave their wait. What travels on to another core is a wake-up that carries no authority.
 *
 * HOME is read plainly: it equals this core only if this core owns the endpoint, and only the owner
 * changes it; any other value, however old (a sender's is as old as its lookup), leads to a core that
 * bounces the request.
 */
import { Err, Reg, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import { Attention, raise, type WordIndex } from "@capos/hal";
import { waitStillHolds } from "../capability/lookup.js";
import { arrivedOf, transferCapabilities, unwrappedOf } from "../capability/transfer.js";
import { enqueue, leave, switchTo, wake } from "../sched/run-queue.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import { Endpoint, QueueKind, Role, Thread, ThreadState } from "../state/layout.js";
import { capabilityCount, copyWords, threadCapabilities, threadWords, wordCount } from "../state/message.js";
import { traceDelivery, tracePass, traceQueue, traceRuns, traceSend } from "../state/trace.js";
import { TRACED } from "../state/traced.js";
import { receiveOrphan, tellNoSenders } from "./no-senders.js";
import { answerMessage, answerStatus, askReceive, askSend, NO_SENDERS } from "./remote.js";
import { insert, remove } from "./wait-queue.js";

/** Traps SEND, NB_SEND and CALL on the endpoint in `slot`, looked up in this trap. */
export function send(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  role: Role,
  blocking: boolean,
): void {
  const { i32 } = k;
  const endpoint = i32[slot + Slot.OBJECT]!;
  const message = context.trap;
  if (context.foundHome !== k.id || i32[endpoint + Endpoint.HOME] !== k.id) {
    if (TRACED) traceSend(k, thread, slot, endpoint, message);
    askSend(k, thread, context, slot, endpoint, role, blocking);
    return;
  }
  const receiver = firstOf(k, endpoint, QueueKind.RECEIVERS);
  if (receiver === 0) {
    if (!blocking) {
      context.result = Err.WOULD_BLOCK;
      return;
    }
    i32[thread + Thread.STATE] = ThreadState.QUEUED;
    if (TRACED) {
      traceSend(k, thread, slot, endpoint, message);
      traceQueue(k, thread, endpoint);
    }
    queueThread(k, endpoint, QueueKind.SENDERS, thread, role, slot, i32[slot + Slot.GENERATION]!, message);
    leave(k);
    return;
  }
  beginCommit(k);
  takeFrom(k, endpoint, receiver);
  if (role === Role.CALLER) {
    i32[thread + Thread.STATE] = ThreadState.AWAITING_REPLY;
    i32[receiver + Thread.REPLY_TO] = i32[thread + Thread.NUMBER]!;
    i32[receiver + Thread.REPLY_CALL] = i32[thread + Thread.CALL_NUMBER]!;
  } else context.result = Err.OK;
  if (i32[receiver + Thread.HOME] === k.id) {
    const to = k.contexts[i32[receiver + Thread.NUMBER]!]!;
    if (TRACED) tracePass(k, thread, slot, endpoint, receiver, message, context.regs);
    handOver(
      k,
      endpoint,
      thread,
      to,
      receiver,
      message,
      i32[slot + Slot.BADGE]!,
      context.regs,
      Reg.WORDS,
      Reg.CAPABILITIES,
    );
    if (role === Role.CALLER) {
      if (i32[receiver + Thread.PRIORITY]! >= k.topReady) {
        // Direct switch: the server runs next, on what is left of the caller's quantum.
        switchTo(k, receiver, to);
        if (TRACED) traceRuns(k);
      } else {
        leave(k);
        wake(k, receiver);
      }
    } else wake(k, receiver);
  } else {
    if (role === Role.CALLER) {
      lendToServer(k, thread, context.regs);
      leave(k);
    }
    if (TRACED) traceSend(k, thread, slot, endpoint, message);
    handOverRemote(
      k,
      endpoint,
      thread,
      receiver,
      message,
      i32[slot + Slot.BADGE]!,
      context.regs,
      Reg.WORDS,
      Reg.CAPABILITIES,
    );
  }
  endCommit(k);
}

/** Traps RECV and NB_RECV, and the second half of REPLY_RECV. True if the thread blocked (and no longer runs). */
export function receive(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  blocking: boolean,
): boolean {
  const { i32 } = k;
  const endpoint = i32[slot + Slot.OBJECT]!;
  if (i32[endpoint + Endpoint.HOME] !== k.id) {
    askReceive(k, thread, context, slot, endpoint, blocking);
    return true;
  }
  if (i32[endpoint + Endpoint.ORPHANS] !== 0 && receiveOrphan(k, endpoint, context)) return false;
  const sender = firstOf(k, endpoint, QueueKind.SENDERS);
  if (sender !== 0) {
    beginCommit(k);
    acceptFrom(k, endpoint, sender, thread, context);
    endCommit(k);
    return false;
  }
  if (!blocking) {
    context.result = Err.WOULD_BLOCK;
    return false;
  }
  i32[thread + Thread.STATE] = ThreadState.QUEUED;
  queueThread(k, endpoint, QueueKind.RECEIVERS, thread, Role.RECEIVER, slot, i32[slot + Slot.GENERATION]!, 0);
  leave(k);
  return true;
}

/** A message of a queued sender goes to a receiver; `context` is null for a receiver on another core. */
export function acceptFrom(
  k: Core,
  endpoint: WordIndex,
  sender: WordIndex,
  receiver: WordIndex,
  context: Context | null,
): void {
  const { i32 } = k;
  const message = i32[sender + Thread.MESSAGE]!;
  const role = i32[sender + Thread.ROLE]!;
  const badge = i32[i32[sender + Thread.WAIT_SLOT]! + Slot.BADGE]!;
  const senderIsHere = i32[sender + Thread.HOME] === k.id;
  const from = senderIsHere ? k.contexts[i32[sender + Thread.NUMBER]!]! : null;
  takeFrom(k, endpoint, sender);
  if (role === Role.CALLER) {
    i32[receiver + Thread.REPLY_TO] = i32[sender + Thread.NUMBER]!;
    // Its home may be ending it just now: then the reply is stale, or given to one that is owed an answer.
    i32[receiver + Thread.REPLY_CALL] = Atomics.load(i32, sender + Thread.CALL_NUMBER);
    if (from !== null) {
      i32[sender + Thread.STATE] = ThreadState.AWAITING_REPLY;
      if (context === null) lendToServer(k, sender, from.regs);
    } else i32[sender + Thread.ROLE] = Role.REPLY_OWED;
  }
  const words = from !== null ? from.regs : k.f64;
  const wordsAt = from !== null ? Reg.WORDS : threadWords(sender);
  const capabilitiesAt = from !== null ? Reg.CAPABILITIES : threadCapabilities(sender);
  if (context !== null) {
    if (TRACED) traceDelivery(k, endpoint, sender, receiver, message, words, wordsAt);
    handOver(k, endpoint, sender, context, receiver, message, badge, words, wordsAt, capabilitiesAt);
  } else handOverRemote(k, endpoint, sender, receiver, message, badge, words, wordsAt, capabilitiesAt);
  if (role === Role.SENDER) {
    if (from !== null) {
      from.result = Err.OK;
      wake(k, sender);
    } else answerStatus(k, sender, Err.OK);
  }
}

/** Writes a message into the register file of a receiver on this core. */
export function handOver(
  k: Core,
  endpoint: WordIndex,
  sender: WordIndex,
  to: Context,
  receiver: WordIndex,
  message: number,
  badge: number,
  words: Float64Array,
  wordsAt: number,
  capabilitiesAt: number,
): void {
  const { regs } = to;
  const count = wordCount(message);
  copyWords(regs, Reg.WORDS, words, wordsAt, count);
  regs[Reg.BADGE] = badge >>> 0;
  if (capabilityCount(message) === 0) regs[Reg.ARRIVED] = 0;
  else {
    const arrived = transferCapabilities(
      k,
      endpoint,
      sender,
      words,
      capabilitiesAt,
      capabilityCount(message),
      receiver,
      regs[Reg.RECEIVE_WINDOW]!,
      regs[Reg.RECEIVE_COUNT]!,
      regs,
      Reg.CAPABILITIES,
    );
    regs[Reg.ARRIVED] = arrivedOf(arrived);
    regs[Reg.UNWRAPPED] = unwrappedOf(arrived);
  }
  to.result = count;
}

/** The same for a receiver on another core: into its thread object, which is lent to this core until it is answered. */
export function handOverRemote(
  k: Core,
  endpoint: WordIndex,
  sender: WordIndex,
  receiver: WordIndex,
  message: number,
  badge: number,
  words: Float64Array,
  wordsAt: number,
  capabilitiesAt: number,
): void {
  const { i32 } = k;
  const count = wordCount(message);
  if (TRACED) traceDelivery(k, endpoint, sender, receiver, message, words, wordsAt);
  copyWords(k.f64, threadWords(receiver), words, wordsAt, count);
  const arrived =
    capabilityCount(message) === 0
      ? 0
      : transferCapabilities(
          k,
          endpoint,
          sender,
          words,
          capabilitiesAt,
          capabilityCount(message),
          receiver,
          i32[receiver + Thread.RECEIVE_WINDOW]!,
          i32[receiver + Thread.RECEIVE_COUNT]!,
          k.f64,
          threadCapabilities(receiver),
        );
  answerMessage(k, receiver, count, badge, arrived);
}

/** Lends a caller of this core to a server elsewhere that will answer it, and says where it takes capabilities. */
export function lendToServer(k: Core, thread: WordIndex, regs: Float64Array): void {
  k.i32[thread + Thread.RECEIVE_WINDOW] = regs[Reg.RECEIVE_WINDOW]!;
  k.i32[thread + Thread.RECEIVE_COUNT] = regs[Reg.RECEIVE_COUNT]!;
  k.i32[thread + Thread.ROLE] = Role.REPLY_OWED;
}

/** Puts a thread into the endpoint's queue. A sender on this core keeps its words in its registers. */
export function queueThread(
  k: Core,
  endpoint: WordIndex,
  kind: QueueKind,
  thread: WordIndex,
  role: Role,
  slot: WordIndex,
  generation: number,
  message: number,
): void {
  const { i32 } = k;
  i32[thread + Thread.ROLE] = role;
  i32[thread + Thread.WAIT_SLOT] = slot;
  i32[thread + Thread.WAIT_GENERATION] = generation;
  i32[thread + Thread.WAIT_EPOCH] = k.graceEpoch;
  i32[thread + Thread.MESSAGE] = message;
  insert(k, endpoint, thread);
  i32[endpoint + Endpoint.KIND] = kind;
}

/** Takes a thread out of the endpoint's queue. */
export function takeFrom(k: Core, endpoint: WordIndex, thread: WordIndex): void {
  const { i32 } = k;
  remove(k, endpoint, thread);
  i32[thread + Thread.ROLE] = Role.NONE;
  if (i32[endpoint + Endpoint.QUEUE_HEAD] === 0) i32[endpoint + Endpoint.KIND] = QueueKind.EMPTY;
}

/**
 * The first thread of a kind whose slot is still good, or 0. The others are woken with ERR_REVOKED:
 * what a thread waits through is checked at the instant of transfer, not when it began to wait.
 */
export function firstOf(k: Core, endpoint: WordIndex, kind: QueueKind): WordIndex {
  const { i32 } = k;
  while (i32[endpoint + Endpoint.KIND] === kind) {
    const thread = i32[endpoint + Endpoint.QUEUE_HEAD]!;
    if (waitStillHolds(k, thread, endpoint)) return thread;
    takeFrom(k, endpoint, thread);
    finishWait(k, thread, Err.REVOKED);
  }
  return 0;
}

/**
 * Ends the wait of a thread that is in no queue any more, in the middle of another's trap: that one must
 * not lose the core before it is done, or it would be ready and in a queue at once. So a thread that is
 * more urgent gets its turn at the next safe point.
 */
export function finishWait(k: Core, thread: WordIndex, status: number): void {
  if (k.i32[thread + Thread.HOME] === k.id) {
    k.contexts[k.i32[thread + Thread.NUMBER]!]!.result = status;
    enqueue(k, thread);
    raise(k.memory, k.attention, Attention.POKE);
  } else answerStatus(k, thread, status);
}

/** Tells a receiver that is in no queue any more, on whatever core, that a minted badge has no descendants left. */
export function giveNoSenders(k: Core, receiver: WordIndex, badge: number): void {
  if (k.i32[receiver + Thread.HOME] !== k.id) {
    answerMessage(k, receiver, 0, badge | 0, NO_SENDERS);
    return;
  }
  tellNoSenders(k.contexts[k.i32[receiver + Thread.NUMBER]!]!, badge);
  enqueue(k, receiver);
  raise(k.memory, k.attention, Attention.POKE);
}

/** A sender asks from another core and no receiver waits: its words go from the line to its thread object. */
export function saveFromLine(k: Core, thread: WordIndex, wordsAt: number, message: number): void {
  copyWords(k.f64, threadWords(thread), k.f64, wordsAt, wordCount(message));
}
