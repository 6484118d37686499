/**
 * Between cores: what a thread asks of an object's home, and what comes back.
 *
 * A request needs room in the ring; a thread that finds none waits and starts its trap again. Each
 * request gets exactly one answer. Answers never wait for room: one that finds the ring full goes into
 * a list threaded through the thread it is for, and leaves when there is room. While a thread is
 * REMOTE, its queue fields, message words and reply fields are lent to the core it asked.
 */
import { INLINE_MESSAGE_WORDS, Reg, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import { Attention, CoreArea, CoreState, coreArea, Line, TraceEvent, type WordIndex } from "@capos/hal";
import { leave, restart } from "../sched/run-queue.js";
import { ringDoorbell } from "../smp/doorbell.js";
import { homeOf, takesRequests } from "../smp/home.js";
import type { Core } from "../state/core.js";
import { KernelArea, Message, MessageFlag, Role, Tables, Thread, ThreadState } from "../state/layout.js";
import {
  capabilityCount,
  copyWords,
  lineWords,
  saveMessage,
  threadWords,
  wordCount,
} from "../state/message.js";
import { tracePush } from "../state/trace.js";
import { TRACED } from "../state/traced.js";

/** In place of the count of capabilities that arrived: no message came, the badge has no senders left. */
export const NO_SENDERS = -1;

/** A free line to a core; 0 if the ring is full or older lines wait for room in it. */
export function reserveLine(k: Core, to: number): WordIndex {
  if (!takesRequests(k, to)) return 0;
  if (k.backlog !== 0 && k.i32[k.kernelArea + KernelArea.OUTBOX_HEAD + to] !== 0) return 0;
  return k.ring.reserve(to);
}

/** Publishes a filled line. */
export function publishLine(k: Core, to: number, line: WordIndex, kind: number): void {
  k.i32[k.area + CoreArea.MESSAGES_OUT]!++;
  if (TRACED) tracePush(k, to, line, kind);
  const woke = k.ring.publish(to, line, kind);
  if (TRACED) k.tracer.put3(TraceEvent.DOORBELL, to, Attention.RINGS, woke ? 1 : 0);
}

/** The running thread asks a core; it blocks until the answer. */
function askBegin(k: Core, thread: WordIndex, to: number): void {
  const { i32 } = k;
  i32[thread + Thread.STATE] = ThreadState.REMOTE;
  i32[thread + Thread.ASKED_CORE] = to;
  i32[thread + Thread.SEQUENCE]!++;
  leave(k);
}

/** The object has just become this core's: the running thread starts its trap again. */
function restartNow(k: Core, thread: WordIndex): void {
  leave(k);
  restart(k, thread);
}

/** A send or call on an endpoint at home elsewhere. */
export function askSend(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  endpoint: WordIndex,
  role: Role,
  blocking: boolean,
): void {
  const { i32, f64 } = k;
  // The hint said this core, and was wrong; or a core that has left the machine.
  if (context.foundHome === k.id || !takesRequests(k, context.foundHome))
    context.foundHome = homeOf(k, endpoint);
  const to = context.foundHome;
  if (to === k.id) {
    restartNow(k, thread);
    return;
  }
  const line = reserveLine(k, to);
  if (line === 0) {
    waitForRing(k, thread, to);
    return;
  }
  const message = context.trap;
  const count = wordCount(message);
  let kind = Message.SEND as number;
  if (role === Role.CALLER) {
    kind |= MessageFlag.CALL;
    i32[line + Line.BADGE] = packWindow(context.regs);
    i32[line + Line.EXTRA] = i32[thread + Thread.CALL_NUMBER]!;
  }
  if (!blocking) kind |= MessageFlag.NON_BLOCKING;
  if (count <= INLINE_MESSAGE_WORDS && capabilityCount(message) === 0)
    copyWords(f64, lineWords(line), context.regs, Reg.WORDS, count);
  else {
    saveMessage(k, thread, context.regs, message);
    kind |= MessageFlag.IN_THREAD;
  }
  i32[line + Line.OBJECT] = endpoint;
  i32[line + Line.THREAD] = thread;
  i32[line + Line.SLOT] = slot;
  i32[line + Line.GENERATION] = i32[slot + Slot.GENERATION]!;
  i32[line + Line.COUNT] = message;
  askBegin(k, thread, to);
  publishLine(k, to, line, kind);
}

/** Where a caller takes capabilities, in one word: the slot's index, and above it the count. */
function packWindow(regs: Float64Array): number {
  const count = regs[Reg.RECEIVE_COUNT]!;
  if (count === 0) return 0;
  return ((count | 0) << WINDOW_SHIFT) | (regs[Reg.RECEIVE_WINDOW]! & WINDOW_MASK);
}

const WINDOW_SHIFT = 24;
const WINDOW_MASK = 0xff_ffff;

/** Home: keeps a caller's receive window in its thread object, for whoever replies. */
export function saveWindow(k: Core, thread: WordIndex, packed: number): void {
  k.i32[thread + Thread.RECEIVE_WINDOW] = packed & WINDOW_MASK;
  k.i32[thread + Thread.RECEIVE_COUNT] = packed >> WINDOW_SHIFT;
}

/** A receive on an endpoint (`Message.RECEIVE`) or wait on a notification (`Message.WAIT`) at home elsewhere. */
export function askReceive(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  object: WordIndex,
  blocking: boolean,
  kind = Message.RECEIVE,
): void {
  const { i32 } = k;
  const to = homeOf(k, object);
  if (to === k.id) {
    restartNow(k, thread);
    return;
  }
  const line = reserveLine(k, to);
  if (line === 0) {
    waitForRing(k, thread, to);
    return;
  }
  i32[thread + Thread.RECEIVE_WINDOW] = context.regs[Reg.RECEIVE_WINDOW]!;
  i32[thread + Thread.RECEIVE_COUNT] = context.regs[Reg.RECEIVE_COUNT]!;
  i32[line + Line.OBJECT] = object;
  i32[line + Line.THREAD] = thread;
  i32[line + Line.SLOT] = slot;
  i32[line + Line.GENERATION] = i32[slot + Slot.GENERATION]!;
  askBegin(k, thread, to);
  // The home follows who receives, but once: of two that receive on two cores each could take it from the other
  // just before that one's trap starts again, and neither would ever come to wait.
  const stay = k.restarted ? MessageFlag.STAY : 0;
  publishLine(k, to, line, kind | stay | (blocking ? 0 : MessageFlag.NON_BLOCKING));
}

/**
 * Runs a method at the home of another thread, or moves a notification (`Message.REHOME`), for the
 * running thread. Up to four numbers travel.
 */
export function askInvoke(
  k: Core,
  thread: WordIndex,
  to: number,
  kind: Message,
  object: WordIndex,
  method: number,
  a: number,
  b: number,
): void {
  const { i32 } = k;
  const line = reserveLine(k, to);
  if (line === 0) {
    waitForRing(k, thread, to);
    return;
  }
  i32[line + Line.OBJECT] = object;
  i32[line + Line.THREAD] = thread;
  i32[line + Line.COUNT] = method;
  i32[line + Line.SLOT] = a;
  i32[line + Line.GENERATION] = b;
  askBegin(k, thread, to);
  publishLine(k, to, line, kind);
}

/** The ring to a core is full: the running thread waits and will start its trap again. */
export function waitForRing(k: Core, thread: WordIndex, to: number): void {
  const { i32 } = k;
  i32[thread + Thread.STATE] = ThreadState.RING_WAIT;
  i32[thread + Thread.ASKED_CORE] = to;
  i32[thread + Thread.WAIT_NEXT] = i32[k.kernelArea + KernelArea.RING_WAIT_HEAD]!;
  i32[k.kernelArea + KernelArea.RING_WAIT_HEAD] = thread;
  if (TRACED) k.tracer.put2(TraceEvent.RING_FULL, i32[thread + Thread.NUMBER]!, to);
  leave(k);
  k.backlog++;
  wantSpace(k, to);
}

/** Asks a core to ring back once it has drained its ring from this core. */
export function wantSpace(k: Core, to: number): void {
  const area = k.i32[k.tables + Tables.KERNEL_AREAS]! + to * KernelArea.SIZE;
  Atomics.or(k.i32, area + KernelArea.SPACE_WANTED + (k.id >> 5), 1 << (k.id & 31));
  // The target may have drained between the full ring and the bit: then nothing would make it look.
  ringDoorbell(k, to, Attention.POKE);
}

/** Answers a thread's request with a status alone. */
export function answerStatus(k: Core, thread: WordIndex, status: number): void {
  sendAnswer(k, thread, Message.ANSWER, status, k.i32[thread + Thread.SEQUENCE]!, 0, 0, 0);
}

/** Answers a receive or wait: the words are in the thread object. */
export function answerMessage(
  k: Core,
  thread: WordIndex,
  count: number,
  badge: number,
  arrived: number,
): void {
  sendAnswer(
    k,
    thread,
    Message.ANSWER | MessageFlag.IN_THREAD,
    count,
    k.i32[thread + Thread.SEQUENCE]!,
    count,
    badge,
    arrived,
  );
}

/**
 * Answers a call from another core. Up to four words travel in the line.
 *
 * `claimed` says that `claimReply` was true for it: what writes more than a line needs that.
 */
export function answerCall(
  k: Core,
  caller: WordIndex,
  call: number,
  status: number,
  words: Float64Array,
  wordsAt: number,
  arrived: number,
  claimed: boolean,
): void {
  const { i32 } = k;
  const to = i32[caller + Thread.HOME]!;
  const count = Math.max(status, 0);
  if (count <= INLINE_MESSAGE_WORDS && !claimed) {
    const line = reserveLine(k, to);
    if (line !== 0) {
      copyWords(k.f64, lineWords(line), words, wordsAt, count);
      i32[line + Line.THREAD] = caller;
      i32[line + Line.EXTRA] = call;
      i32[line + Line.BADGE] = status;
      i32[line + Line.COUNT] = count;
      i32[line + Line.OBJECT] = arrived;
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
export function claimReply(k: Core, caller: WordIndex): boolean {
  const was = Atomics.compareExchange(k.i32, caller + Thread.ROLE, Role.REPLY_OWED, Role.REPLYING);
  return was === Role.REPLY_OWED;
}

function sendAnswer(
  k: Core,
  thread: WordIndex,
  kind: number,
  status: number,
  extra: number,
  count: number,
  badge: number,
  arrived: number,
): void {
  const { i32 } = k;
  const to = i32[thread + Thread.HOME]!;
  i32[thread + Thread.ANSWER_KIND] = kind;
  i32[thread + Thread.ANSWER_STATUS] = status;
  i32[thread + Thread.ANSWER_EXTRA] = extra;
  i32[thread + Thread.ANSWER_COUNT] = count;
  i32[thread + Thread.ANSWER_BADGE] = badge;
  i32[thread + Thread.ANSWER_ARRIVED] = arrived;
  const line = reserveLine(k, to);
  if (line !== 0) {
    fillAnswer(k, to, line, thread);
    return;
  }
  const outbox = k.kernelArea + KernelArea.OUTBOX_HEAD + to;
  i32[thread + Thread.ANSWER_NEXT] = 0;
  if (i32[outbox] === 0) i32[outbox] = thread;
  else i32[i32[outbox + KernelArea.OUTBOX_TAIL - KernelArea.OUTBOX_HEAD]! + Thread.ANSWER_NEXT] = thread;
  i32[outbox + KernelArea.OUTBOX_TAIL - KernelArea.OUTBOX_HEAD] = thread;
  k.backlog++;
  wantSpace(k, to);
}

function fillAnswer(k: Core, to: number, line: WordIndex, thread: WordIndex): void {
  const { i32 } = k;
  i32[line + Line.THREAD] = thread;
  i32[line + Line.EXTRA] = i32[thread + Thread.ANSWER_EXTRA]!;
  i32[line + Line.BADGE] = i32[thread + Thread.ANSWER_STATUS]!;
  i32[line + Line.COUNT] = i32[thread + Thread.ANSWER_COUNT]!;
  i32[line + Line.SLOT] = i32[thread + Thread.ANSWER_BADGE]!;
  i32[line + Line.OBJECT] = i32[thread + Thread.ANSWER_ARRIVED]!;
  publishLine(k, to, line, i32[thread + Thread.ANSWER_KIND]!);
}

/**
 * Asks the core that a REMOTE thread asked to give the request up. That core arbitrates: if the
 * request is still queued it answers CANCELLED, else the answer it sent, or the reply it owes, stands.
 */
export function askCancel(k: Core, thread: WordIndex): void {
  const { i32 } = k;
  i32[thread + Thread.CANCEL_SEQUENCE] = i32[thread + Thread.SEQUENCE]!;
  const to = arbiterOf(k, thread);
  const line = reserveLine(k, to);
  if (line !== 0) {
    fillCancel(k, to, line, thread);
    return;
  }
  // Already in a list: one cancellation is enough, and it leaves for where it is wanted then.
  if (i32[thread + Thread.CANCEL_NEXT] !== 0) return;
  const list = k.kernelArea + KernelArea.CANCEL_HEAD + to;
  i32[thread + Thread.CANCEL_NEXT] = i32[list] === 0 ? LAST : i32[list]!;
  i32[list] = thread;
  k.backlog++;
  wantSpace(k, to);
}

/** End of the list of cancellations: not 0, which means "not in it". */
const LAST = -1;

/**
 * Who arbitrates for a REMOTE thread: the core that it asked. One that has left the machine read all its
 * rings before, so the request is in the queue of an object, whose present home decides, or it was
 * answered, or a reply is owed: this core can see to that itself, by a line in the ring to itself.
 */
function arbiterOf(k: Core, thread: WordIndex): number {
  const { i32 } = k;
  const asked = i32[thread + Thread.ASKED_CORE]!;
  if (i32[coreArea(k.memory, asked) + CoreArea.STATE] !== CoreState.ABSENT) return asked;
  const object = i32[thread + Thread.QUEUE]!;
  return object === 0 ? k.id : homeOf(k, object);
}

/** True while the request that a cancellation in the list is about has not been answered. */
function stillAsks(k: Core, thread: WordIndex): boolean {
  const { i32 } = k;
  const state = i32[thread + Thread.STATE]!;
  return (
    (state === ThreadState.REMOTE || state === ThreadState.DYING) &&
    i32[thread + Thread.CANCEL_SEQUENCE] === i32[thread + Thread.SEQUENCE]
  );
}

function fillCancel(k: Core, to: number, line: WordIndex, thread: WordIndex): void {
  k.i32[line + Line.THREAD] = thread;
  k.i32[line + Line.EXTRA] = k.i32[thread + Thread.CANCEL_SEQUENCE]!;
  publishLine(k, to, line, Message.CANCEL);
}

/** Sends what waits for room in the rings, as far as there is room now. At a safe point. */
export function flushOutboxes(k: Core): void {
  const { i32 } = k;
  for (let to = 0; to < k.coreCount; to++) {
    const outbox = k.kernelArea + KernelArea.OUTBOX_HEAD + to;
    for (let thread = i32[outbox]!; thread !== 0; thread = i32[outbox]!) {
      const line = k.ring.reserve(to);
      if (line === 0) break;
      i32[outbox] = i32[thread + Thread.ANSWER_NEXT]!;
      fillAnswer(k, to, line, thread);
      k.backlog--;
    }
    const cancels = k.kernelArea + KernelArea.CANCEL_HEAD + to;
    for (let thread = i32[cancels]!; thread !== 0; thread = i32[cancels]!) {
      // While it waited here its thread may have been answered, and may ask another core by now: a later
      // request is not to be cancelled in place of the one that was meant.
      const wanted = stillAsks(k, thread);
      if (wanted && arbiterOf(k, thread) === to && reserveLine(k, to) === 0) break;
      const next = i32[thread + Thread.CANCEL_NEXT]!;
      i32[cancels] = next === LAST ? 0 : next;
      i32[thread + Thread.CANCEL_NEXT] = 0;
      k.backlog--;
      // Of one that died meanwhile nothing is lent any more: this core, its home, reaps it.
      if (i32[thread + Thread.STATE] === ThreadState.DEAD) ringDoorbell(k, k.id, Attention.POKE);
      if (wanted) askCancel(k, thread);
    }
    if (i32[outbox] !== 0 || i32[cancels] !== 0) wantSpace(k, to);
  }
}
