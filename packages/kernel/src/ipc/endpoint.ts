/**
 * Endpoints: rendezvous of a sender and a receiver, on one core or between cores. SEND and RECEIVE from the trap
 * through the line to the endpoint's home.
 *
 * A transfer commits here, on the endpoint's home core, at one instant (`rendezvous`): the sender's slot, the
 * receiver's slot and each carried capability are checked, words and capabilities are written, both
 * threads leave their wait. What travels on to another core is a wake-up that carries no authority.
 *
 * HOME is read plainly: it equals this core only if this core owns the endpoint, and only the owner
 * changes it; any other value, however old (a sender's is as old as its lookup), leads to a core that
 * bounces the request.
 */
import { Err, INLINE_MESSAGE_WORDS, isCall, ObjectType, Reg, Right, Slot, Trap } from "@capos/abi";
import type { Context } from "@capos/engine";
import { Attention, raise } from "@capos/hal";
import { lookup } from "../capability/lookup.js";
import { arrivedOf, transferCapabilities, unwrappedOf, windowIsReady } from "../capability/transfer.js";
import { enqueue, enter, goesFirst, leave, switchTo, wake } from "../sched/run-queue.js";
import { homeOf, moveHome, takesRequests } from "../smp/home.js";
import { Answer } from "../state/answer.js";
import { assert } from "../state/assert.js";
import { CHECKED, TRACED } from "../state/build.js";
import { beginCommit, endCommit } from "../state/commit.js";
import { type Core, contextOf } from "../state/core.js";
import {
  Endpoint,
  Internal,
  Message,
  MessageFlag,
  Notification,
  QueueKind,
  Role,
  Thread,
  ThreadState,
} from "../state/layout.js";
import {
  capabilityCount,
  copyWords,
  lineWords,
  saveMessage,
  threadWords,
  wordCount,
} from "../state/message.js";
import type { CoreId, EndpointRef, LineRef, SlotRef, ThreadRef } from "../state/references.js";
import { traceDelivery, tracePass, traceQueue, traceRuns, traceSend } from "../state/trace.js";
import { answerMessage, answerStatus, NO_SENDERS } from "./answer.js";
import { beginAsking, publishLine, reserveLine, waitForRing } from "./line.js";
import { receiveNoSenders, takeNoSenders, tellNoSenders } from "./no-senders.js";
import { callOver, takeBound } from "./notification.js";
import { firstOf, queueThread, takeFrom } from "./queues.js";
import { answerWith, failCall, lendToServer, takeReply } from "./reply.js";
import { askToWait, fillRequest, isHereAndGood, RequestLine } from "./request.js";

// The rendezvous

/**
 * The one transfer: a message goes from a sender to a receiver, both in no queue any more. At the endpoint's home,
 * within a commit. A sender of this core has its words in its registers, one of another core in its thread object
 * or in the line that it asked by. What is left to do is to let a sender that only sends, and a receiver of this
 * core, go on: gives that one's context, or null for one of another core, which is on its way.
 *
 * @param call the number of the sender's call, if the message is one
 */
function rendezvous(
  k: Core,
  endpoint: EndpointRef,
  sender: ThreadRef,
  receiver: ThreadRef,
  message: number,
  call: number,
  badge: number,
  words: Float64Array,
  wordsAt: number,
): Context | null {
  const { i32 } = k;
  if (CHECKED) assert(i32[endpoint + Endpoint.HOME] === k.id, "endpoint home");
  const count = wordCount(message);
  const capabilities = capabilityCount(message);
  if (isCall(message)) {
    i32[receiver + Thread.REPLY_TO] = i32[sender + Thread.NUMBER];
    i32[receiver + Thread.REPLY_CALL] = call;
  }
  if (i32[receiver + Thread.HOME] === k.id) {
    const to = contextOf(k, receiver);
    const { regs } = to;
    copyWords(regs, Reg.WORDS, words, wordsAt, count);
    regs[Reg.BADGE] = badge >>> 0;
    if (capabilities === 0) regs[Reg.ARRIVED] = 0;
    else {
      const arrived = transferCapabilities(k, endpoint, sender, words, capabilities, receiver, to);
      regs[Reg.ARRIVED] = arrivedOf(arrived);
      regs[Reg.UNWRAPPED] = unwrappedOf(arrived);
    }
    to.result = count;
    return to;
  }
  // Into its thread object, which is lent to this core until it is answered.
  copyWords(k.f64, threadWords(receiver), words, wordsAt, count);
  const arrived =
    capabilities === 0 ? 0 : transferCapabilities(k, endpoint, sender, words, capabilities, receiver, null);
  answerMessage(k, receiver, count, badge, arrived);
  return null;
}

// SEND

/** What a SEND line says besides who asks and through what. */
export const enum SendLine {
  /** Where a caller takes capabilities: see `packWindow`. */
  WINDOW = 5,
  /** The trap: words and capabilities of the message. */
  MESSAGE = 6,
  /** Of a call, its number. */
  CALL = 7,
  /** Up to four doubles; else the words are in the thread object. */
  WORDS = 8,
}

/** Traps SEND and NB_SEND. */
export function sendOnly(k: Core, thread: ThreadRef, context: Context, blocking: boolean): Answer {
  const slot = lookup(k, thread, context, ObjectType.ENDPOINT, Right.SEND);
  return slot === 0 ? Answer.DONE : send(k, thread, context, slot, Role.SENDER, blocking);
}

/** A send or call on the endpoint in `slot`, looked up in this trap. */
export function send(
  k: Core,
  thread: ThreadRef,
  context: Context,
  slot: SlotRef,
  role: Role.SENDER | Role.CALLER,
  blocking: boolean,
): Answer {
  const { i32 } = k;
  const endpoint = i32[slot + Slot.OBJECT] as EndpointRef;
  const message = context.trap;
  if (context.foundHome !== k.id || i32[endpoint + Endpoint.HOME] !== k.id) {
    // Who does not wait asks only where somebody does: see wouldBlock.
    if (!blocking && i32[endpoint + Endpoint.KIND] !== QueueKind.RECEIVERS) {
      context.result = Err.WOULD_BLOCK;
      return Answer.DONE;
    }
    if (TRACED) traceSend(k, thread, slot, endpoint, message);
    return askSend(k, thread, context, slot, endpoint, role, blocking);
  }
  const receiver = firstOf(k, endpoint, QueueKind.RECEIVERS);
  if (receiver !== 0) return sendTo(k, thread, context, slot, endpoint, receiver, role);
  if (!blocking) {
    context.result = Err.WOULD_BLOCK;
    return Answer.DONE;
  }
  i32[thread + Thread.STATE] = ThreadState.QUEUED;
  if (TRACED) {
    traceSend(k, thread, slot, endpoint, message);
    traceQueue(k, thread, endpoint);
  }
  queueThread(k, endpoint, QueueKind.SENDERS, thread, role, slot, i32[slot + Slot.GENERATION], message);
  leave(k);
  return Answer.BLOCKED;
}

/** Commits a send of the running thread to a receiver that waits. */
function sendTo(
  k: Core,
  thread: ThreadRef,
  context: Context,
  slot: SlotRef,
  endpoint: EndpointRef,
  receiver: ThreadRef,
  role: Role.SENDER | Role.CALLER,
): Answer {
  const { i32 } = k;
  const { regs, trap } = context;
  const isHere = i32[receiver + Thread.HOME] === k.id;
  let answer = Answer.DONE;
  beginCommit(k);
  takeFrom(k, endpoint, receiver);
  if (role === Role.SENDER) context.result = Err.OK;
  else {
    answer = Answer.BLOCKED;
    i32[thread + Thread.STATE] = ThreadState.AWAITING_REPLY;
    if (!isHere) lendToServer(k, thread, regs);
  }
  if (TRACED) {
    if (isHere) tracePass(k, thread, slot, endpoint, receiver, trap, regs);
    else {
      traceSend(k, thread, slot, endpoint, trap);
      traceDelivery(k, endpoint, thread, receiver, trap, regs, Reg.WORDS);
    }
  }
  const call = role === Role.CALLER ? i32[thread + Thread.CALL_NUMBER] : 0;
  const badge = i32[slot + Slot.BADGE];
  const to = rendezvous(k, endpoint, thread, receiver, trap, call, badge, regs, Reg.WORDS);
  if (to !== null && role === Role.CALLER && goesFirst(k, receiver)) {
    // Direct switch: the server runs next, on what is left of the caller's quantum.
    switchTo(k, receiver, to);
    if (TRACED) traceRuns(k);
  } else {
    if (role === Role.CALLER) leave(k);
    if (to !== null) wake(k, receiver);
  }
  endCommit(k);
  return answer;
}

/** A send or call on an endpoint at home elsewhere. */
function askSend(
  k: Core,
  thread: ThreadRef,
  context: Context,
  slot: SlotRef,
  endpoint: EndpointRef,
  role: Role,
  blocking: boolean,
): Answer {
  const { i32, f64 } = k;
  // The hint said this core, and was wrong; or a core that has left the machine.
  if (context.foundHome === k.id || !takesRequests(k, context.foundHome as CoreId))
    context.foundHome = homeOf(k, endpoint);
  const to = context.foundHome as CoreId;
  // It has just become this core's.
  if (to === k.id) return Answer.AGAIN;
  const line = reserveLine(k, to);
  if (line === 0 && !blocking) {
    context.result = Err.WOULD_BLOCK;
    return Answer.DONE;
  }
  if (line === 0) return waitForRing(k, thread, to);
  const message = context.trap;
  const count = wordCount(message);
  let kind = Message.SEND as number;
  if (role === Role.CALLER) {
    i32[line + SendLine.WINDOW] = packWindow(context.regs);
    i32[line + SendLine.CALL] = i32[thread + Thread.CALL_NUMBER];
  }
  if (!blocking) kind |= MessageFlag.NON_BLOCKING;
  if (count <= INLINE_MESSAGE_WORDS && capabilityCount(message) === 0)
    copyWords(f64, lineWords(line), context.regs, Reg.WORDS, count);
  else {
    saveMessage(k, thread, context.regs, message);
    kind |= MessageFlag.IN_THREAD;
  }
  fillRequest(k, line, thread, slot, endpoint);
  i32[line + SendLine.MESSAGE] = message;
  beginAsking(k, thread, to);
  publishLine(k, to, line, kind);
  return Answer.BLOCKED;
}

/** Where a caller takes capabilities, in one word: the slot's index, and above it the count. */
function packWindow(regs: Float64Array): number {
  const count = regs[Reg.RECEIVE_COUNT];
  if (count === 0) return 0;
  return ((count | 0) << WINDOW_SHIFT) | (regs[Reg.RECEIVE_WINDOW] & WINDOW_MASK);
}

const WINDOW_SHIFT = 24;
const WINDOW_MASK = 0xff_ffff;

/** Keeps a caller's receive window in its thread object, for whoever replies. */
function saveWindow(k: Core, thread: ThreadRef, packed: number): void {
  k.i32[thread + Thread.RECEIVE_WINDOW] = packed & WINDOW_MASK;
  k.i32[thread + Thread.RECEIVE_COUNT] = packed >> WINDOW_SHIFT;
}

/** Home: a thread of another core sends to an endpoint that it believes to be here. */
export function onSend(k: Core, line: LineRef, kind: number): void {
  const { i32 } = k;
  if (!isHereAndGood(k, line)) return;
  const endpoint = i32[line + RequestLine.OBJECT] as EndpointRef;
  const thread = i32[line + RequestLine.THREAD] as ThreadRef;
  const slot = i32[line + RequestLine.SLOT] as SlotRef;
  const message = i32[line + SendLine.MESSAGE];
  const inThread = (kind & MessageFlag.IN_THREAD) !== 0;
  const receiver = firstOf(k, endpoint, QueueKind.RECEIVERS);
  if (receiver === 0 && (kind & MessageFlag.NON_BLOCKING) !== 0) {
    answerStatus(k, thread, Err.WOULD_BLOCK);
    return;
  }
  if (isCall(message)) saveWindow(k, thread, i32[line + SendLine.WINDOW]);
  if (receiver === 0) {
    // It waits without its line: its words go to its thread object.
    if (!inThread) copyWords(k.f64, threadWords(thread), k.f64, lineWords(line), wordCount(message));
    if (TRACED) traceQueue(k, thread, endpoint);
    const role = isCall(message) ? Role.CALLER : Role.SENDER;
    const generation = i32[line + RequestLine.GENERATION];
    queueThread(k, endpoint, QueueKind.SENDERS, thread, role, slot, generation, message);
    return;
  }
  takeFrom(k, endpoint, receiver);
  if (isCall(message)) i32[thread + Thread.ROLE] = Role.REPLY_OWED;
  const wordsAt = inThread ? threadWords(thread) : lineWords(line);
  if (TRACED) traceDelivery(k, endpoint, thread, receiver, message, k.f64, wordsAt);
  const call = i32[line + SendLine.CALL];
  const badge = i32[slot + Slot.BADGE];
  const to = rendezvous(k, endpoint, thread, receiver, message, call, badge, k.f64, wordsAt);
  if (to !== null) wake(k, receiver);
  if (!isCall(message)) answerStatus(k, thread, Err.OK);
}

// RECEIVE

/** Trap RECV. */
export function receiveOnly(k: Core, thread: ThreadRef, context: Context): Answer {
  const slot = lookup(k, thread, context, ObjectType.ENDPOINT, Right.RECEIVE);
  if (slot === 0) return Answer.DONE;
  if (context.regs[Reg.RECEIVE_COUNT] !== 0 && !windowIsReady(k, thread, context)) return Answer.BLOCKED;
  // A receive lets go of the call received before: one thread holds one reply.
  const caller = takeReply(k, thread);
  const failed = caller !== 0 ? failCall(k, caller, k.i32[thread + Thread.REPLY_CALL], Err.PEER_DIED) : 0;
  const answer = receiveOrBits(k, thread, context, slot, true);
  // Last: a waker may be preempted, and a trap that is not finished must not be.
  if (failed !== 0) wake(k, failed);
  return answer;
}

/** Trap NB_RECV. One that finds nothing has changed nothing: it still owes the call received before. */
export function receiveNow(k: Core, thread: ThreadRef, context: Context): Answer {
  const { i32 } = k;
  const slot = lookup(k, thread, context, ObjectType.ENDPOINT, Right.RECEIVE);
  if (slot === 0) return Answer.DONE;
  if (wouldBlock(k, thread, i32[slot + Slot.OBJECT] as EndpointRef)) {
    context.result = Err.WOULD_BLOCK;
    return Answer.DONE;
  }
  if (context.regs[Reg.RECEIVE_COUNT] !== 0 && !windowIsReady(k, thread, context)) return Answer.BLOCKED;
  // Set aside: a call that is received takes their place.
  const owed = i32[thread + Thread.REPLY_TO];
  const call = i32[thread + Thread.REPLY_CALL];
  const caller = takeReply(k, thread);
  const answer = receiveOrBits(k, thread, context, slot, false);
  if (answer === Answer.AGAIN || (answer === Answer.DONE && context.result < 0)) {
    i32[thread + Thread.REPLY_TO] = owed;
    return answer;
  }
  // Let go of now that there is a message, or, at another core, was somebody who had one.
  const failed = caller !== 0 ? failCall(k, caller, call, Err.PEER_DIED) : 0;
  if (failed !== 0) wake(k, failed);
  return answer;
}

/**
 * True if a receive finds nothing at an endpoint that is at home elsewhere. KIND and the list are read without asking
 * the home, which may be in a guest for long: that nobody waits was so at the instant of the look, and whoever is on his way was
 * not there yet. That somebody waits is a hint, and what comes of it is the home's to say.
 */
function wouldBlock(k: Core, thread: ThreadRef, endpoint: EndpointRef): boolean {
  const { i32 } = k;
  if (i32[endpoint + Endpoint.HOME] === k.id) return false;
  const bound = i32[thread + Thread.BOUND_NOTIFICATION];
  if (bound !== 0 && Atomics.load(i32, bound + Notification.BITS) !== 0) return false;
  const kind = i32[endpoint + Endpoint.KIND];
  if (kind === QueueKind.SENDERS || Atomics.load(i32, endpoint + Endpoint.NO_SENDERS) !== 0) return false;
  if (kind === QueueKind.EMPTY) callOver(k, endpoint);
  return true;
}

/** Trap REPLY_RECV, the loop of every server: answers the call and waits for the next. The caller runs next if nobody is more urgent. */
export function replyReceive(k: Core, thread: ThreadRef, context: Context): Answer {
  const { i32 } = k;
  const slot = lookup(k, thread, context, ObjectType.ENDPOINT, Right.RECEIVE);
  if (slot === 0) return Answer.DONE;
  if (context.regs[Reg.RECEIVE_COUNT] !== 0 && !windowIsReady(k, thread, context)) return Answer.BLOCKED;
  if (i32[thread + Thread.REPLY_TO] === 0) {
    context.result = Err.NO_REPLY;
    return Answer.DONE;
  }
  beginCommit(k);
  const caller = takeReply(k, thread);
  const awakened =
    caller === 0 ? 0 : answerWith(k, thread, context, context.trap, caller, i32[thread + Thread.REPLY_CALL]);
  endCommit(k);
  // From here on only the receive is left to do, should it have to start again.
  context.trap = Trap.RECV;
  const answer = receiveOrBits(k, thread, context, slot, true);
  if (awakened === 0) return answer;
  if (answer === Answer.BLOCKED && k.current === 0 && goesFirst(k, awakened)) {
    enter(k, awakened);
    if (TRACED) traceRuns(k);
  } else wake(k, awakened);
  return answer;
}

/** A receive, unless the thread's bound notification has bits: then these. */
function receiveOrBits(
  k: Core,
  thread: ThreadRef,
  context: Context,
  slot: SlotRef,
  blocking: boolean,
): Answer {
  if (k.i32[thread + Thread.BOUND_NOTIFICATION] !== 0 && takeBound(k, thread, context)) return Answer.DONE;
  return receive(k, thread, context, slot, blocking);
}

function receive(k: Core, thread: ThreadRef, context: Context, slot: SlotRef, blocking: boolean): Answer {
  const { i32 } = k;
  const endpoint = i32[slot + Slot.OBJECT] as EndpointRef;
  if (i32[endpoint + Endpoint.HOME] !== k.id)
    return askToWait(k, thread, context, slot, endpoint, Message.RECEIVE, blocking);
  if (i32[endpoint + Endpoint.NO_SENDERS] !== 0 && receiveNoSenders(k, endpoint, context)) return Answer.DONE;
  const sender = firstOf(k, endpoint, QueueKind.SENDERS);
  if (sender !== 0) {
    beginCommit(k);
    acceptFrom(k, endpoint, sender, thread);
    endCommit(k);
    return Answer.DONE;
  }
  if (!blocking) {
    context.result = Err.WOULD_BLOCK;
    return Answer.DONE;
  }
  i32[thread + Thread.STATE] = ThreadState.QUEUED;
  queueThread(k, endpoint, QueueKind.RECEIVERS, thread, Role.RECEIVER, slot, i32[slot + Slot.GENERATION], 0);
  leave(k);
  return Answer.BLOCKED;
}

/** Commits a receive: the message of a queued sender, of this core or another, goes to a receiver of this core or another. */
function acceptFrom(k: Core, endpoint: EndpointRef, sender: ThreadRef, receiver: ThreadRef): void {
  const { i32 } = k;
  const message = i32[sender + Thread.MESSAGE];
  const badge = i32[i32[sender + Thread.WAIT_SLOT] + Slot.BADGE];
  const from = i32[sender + Thread.HOME] === k.id ? contextOf(k, sender) : null;
  takeFrom(k, endpoint, sender);
  // Its home may be ending it just now: then the reply is stale, or given to one that is owed an answer. Should that be
  // over by then, the number's next thread began above it: see finishDeath.
  const call = isCall(message) ? Atomics.load(i32, sender + Thread.CALL_NUMBER) : 0;
  if (isCall(message)) {
    if (from === null) i32[sender + Thread.ROLE] = Role.REPLY_OWED;
    else {
      i32[sender + Thread.STATE] = ThreadState.AWAITING_REPLY;
      if (i32[receiver + Thread.HOME] !== k.id) lendToServer(k, sender, from.regs);
    }
  }
  const words = from === null ? k.f64 : from.regs;
  const wordsAt = from === null ? threadWords(sender) : Reg.WORDS;
  if (TRACED) traceDelivery(k, endpoint, sender, receiver, message, words, wordsAt);
  rendezvous(k, endpoint, sender, receiver, message, call, badge, words, wordsAt);
  if (isCall(message)) return;
  if (from === null) answerStatus(k, sender, Err.OK);
  else {
    from.result = Err.OK;
    wake(k, sender);
  }
}

/** Home: a thread of another core receives. With nothing queued the endpoint moves to it instead, but for one that comes again. */
export function onReceive(k: Core, line: LineRef, kind: number): void {
  const { i32 } = k;
  if (!isHereAndGood(k, line)) return;
  const endpoint = i32[line + RequestLine.OBJECT] as EndpointRef;
  const thread = i32[line + RequestLine.THREAD] as ThreadRef;
  const badge = i32[endpoint + Endpoint.NO_SENDERS] === 0 ? -1 : takeNoSenders(k, endpoint);
  if (badge >= 0) {
    giveNoSenders(k, thread, badge);
    return;
  }
  const sender = firstOf(k, endpoint, QueueKind.SENDERS);
  if (sender !== 0) acceptFrom(k, endpoint, sender, thread);
  else if (i32[endpoint + Endpoint.KIND] === QueueKind.EMPTY && (kind & MessageFlag.STAY) === 0) {
    // The home follows its receivers: from now on every request that comes here is bounced. (Or, if it has
    // to be swept first, comes again, and is queued.)
    moveHome(k, endpoint, i32[thread + Thread.HOME] as CoreId);
    answerStatus(k, thread, Internal.RETRY);
  } else if ((kind & MessageFlag.NON_BLOCKING) !== 0) answerStatus(k, thread, Err.WOULD_BLOCK);
  else {
    const slot = i32[line + RequestLine.SLOT] as SlotRef;
    const generation = i32[line + RequestLine.GENERATION];
    queueThread(k, endpoint, QueueKind.RECEIVERS, thread, Role.RECEIVER, slot, generation, 0);
  }
}

/** Tells a receiver that is in no queue any more, on whatever core, that a minted badge has no descendants left. */
export function giveNoSenders(k: Core, receiver: ThreadRef, badge: number): void {
  if (k.i32[receiver + Thread.HOME] !== k.id) {
    answerMessage(k, receiver, 0, badge | 0, NO_SENDERS);
    return;
  }
  tellNoSenders(contextOf(k, receiver), badge);
  enqueue(k, receiver);
  raise(k.memory, k.attention, Attention.POKE);
}
