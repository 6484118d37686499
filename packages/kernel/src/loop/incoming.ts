/**
 * What arrives from other cores: rings drained at a safe point, one function a kind of message.
 */
import { Err, Slot } from "@capos/abi";
import { Attention, CoreArea, Line, RINGS_SHIFT, TraceEvent, type WordIndex } from "@capos/hal";
import { slotStillNames } from "../capability/lookup.js";
import {
  acceptFrom,
  firstOf,
  giveNoSenders,
  handOver,
  handOverRemote,
  queueThread,
  saveFromLine,
  takeFrom,
} from "../ipc/endpoint.js";
import { takeOrphan } from "../ipc/no-senders.js";
import { leaveQueue, lowerWaiting, nudge, queueWaiter } from "../ipc/notification.js";
import { answerMessage, answerStatus, saveWindow } from "../ipc/remote.js";
import { acceptAnswer } from "../ipc/reply.js";
import { invokeRemote } from "../object/thread.js";
import { finishDeath } from "../object/thread-end.js";
import { restart, wake } from "../sched/run-queue.js";
import { ringDoorbell } from "../smp/doorbell.js";
import { moveHome } from "../smp/home.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import {
  Endpoint,
  Internal,
  KernelArea,
  Message,
  MessageFlag,
  Notification,
  QueueKind,
  Role,
  Thread,
  ThreadState,
} from "../state/layout.js";
import { lineWords, threadCapabilities, threadWords } from "../state/message.js";
import { traceAnswered, traceDelivery, tracePop, traceQueue, traceTake } from "../state/trace.js";
import { TRACED } from "../state/traced.js";

/**
 * Drains the rings whose bells were in the attention word, each up to one lap: all lines that were there
 * when the safe point began, and never an endless stream.
 */
export function drainRings(k: Core, attention: number): void {
  const group = k.ringGroup;
  for (let bells = (attention & Attention.RINGS) >>> RINGS_SHIFT; bells !== 0; bells &= bells - 1) {
    const first = (31 - Math.clz32(bells & -bells)) * group;
    for (let from = first; from < first + group && from < k.coreCount; from++) drain(k, from);
  }
  // Who finds its ring full says so and pokes.
  if ((attention & Attention.POKE) !== 0) ringBack(k);
}

function drain(k: Core, from: number): void {
  const { i32 } = k;
  for (let i = k.ring.lines; i > 0; i--) {
    const line = k.ring.peek(from);
    if (line === 0) return;
    i32[k.area + CoreArea.MESSAGES_IN]!++;
    if (TRACED) tracePop(k, from, line);
    // The line is read and given back within the handling of this one message: nothing refers to it later.
    beginCommit(k);
    accept(k, line, k.ring.kind(line));
    k.ring.release(from);
    endCommit(k);
  }
  // A lap was not enough: come again at the next safe point.
  k.ring.keepPending(from);
}

/** Tells producers that found their ring full that there is room. */
function ringBack(k: Core): void {
  for (let half = 0; half * 32 < k.coreCount; half++) {
    const word = k.kernelArea + KernelArea.SPACE_WANTED + half;
    if (Atomics.load(k.i32, word) === 0) continue;
    for (let mask = Atomics.exchange(k.i32, word, 0); mask !== 0; mask &= mask - 1) {
      ringDoorbell(k, half * 32 + 31 - Math.clz32(mask & -mask), Attention.POKE);
    }
  }
}

function accept(k: Core, line: WordIndex, kind: number): void {
  switch (kind & MessageFlag.KIND_MASK) {
    case Message.SEND:
      onSend(k, line, kind);
      break;
    case Message.REPLY:
      onReply(k, line, kind);
      break;
    case Message.ANSWER:
      onAnswer(k, line, kind);
      break;
    case Message.RECEIVE:
      onReceive(k, line, kind);
      break;
    case Message.WAIT:
      onWait(k, line, kind);
      break;
    case Message.NUDGE:
      nudge(k, k.i32[line + Line.OBJECT]!);
      break;
    case Message.CANCEL:
      onCancel(k, line);
      break;
    case Message.INVOKE:
      invokeRemote(
        k,
        k.i32[line + Line.THREAD]!,
        k.i32[line + Line.OBJECT]!,
        k.i32[line + Line.COUNT]!,
        k.i32[line + Line.SLOT]!,
        k.i32[line + Line.GENERATION]!,
      );
      break;
    case Message.REHOME:
      onRehome(k, line);
      break;
    default:
      throw new Error(`a ring line of kind ${kind}`);
  }
}

/**
 * True if a request has come to the home of its object through a slot that still names it. If not the
 * thread is answered: it tries again, or its capability is gone.
 */
function isHereAndGood(k: Core, line: WordIndex, object: WordIndex): boolean {
  const { i32 } = k;
  const thread = i32[line + Line.THREAD]!;
  // Endpoint and notification keep HOME at the same offset.
  if (i32[object + Endpoint.HOME] !== k.id) {
    i32[k.area + CoreArea.BOUNCES]!++;
    if (TRACED) k.tracer.put2(TraceEvent.BOUNCE, i32[thread + Thread.NUMBER]!, object);
    answerStatus(k, thread, Internal.RETRY);
    return false;
  }
  // The instant of transfer: what the thread's core saw when it looked the slot up may be over.
  if (slotStillNames(k, i32[line + Line.SLOT]!, i32[line + Line.GENERATION]!, object)) return true;
  answerStatus(k, thread, Err.REVOKED);
  return false;
}

/** A thread of another core sends to an endpoint that it believes to be at home here. */
function onSend(k: Core, line: WordIndex, kind: number): void {
  const { i32 } = k;
  const endpoint = i32[line + Line.OBJECT]!;
  const thread = i32[line + Line.THREAD]!;
  const slot = i32[line + Line.SLOT]!;
  const generation = i32[line + Line.GENERATION]!;
  const message = i32[line + Line.COUNT]!;
  if (!isHereAndGood(k, line, endpoint)) return;
  const call = (kind & MessageFlag.CALL) !== 0;
  const inThread = (kind & MessageFlag.IN_THREAD) !== 0;
  const receiver = firstOf(k, endpoint, QueueKind.RECEIVERS);
  if (receiver === 0) {
    if ((kind & MessageFlag.NON_BLOCKING) !== 0) {
      answerStatus(k, thread, Err.WOULD_BLOCK);
      return;
    }
    if (call) saveWindow(k, thread, i32[line + Line.BADGE]!);
    if (!inThread) saveFromLine(k, thread, lineWords(line), message);
    if (TRACED) traceQueue(k, thread, endpoint);
    queueThread(
      k,
      endpoint,
      QueueKind.SENDERS,
      thread,
      call ? Role.CALLER : Role.SENDER,
      slot,
      generation,
      message,
    );
    return;
  }
  takeFrom(k, endpoint, receiver);
  if (call) {
    saveWindow(k, thread, i32[line + Line.BADGE]!);
    i32[receiver + Thread.REPLY_TO] = i32[thread + Thread.NUMBER]!;
    i32[receiver + Thread.REPLY_CALL] = i32[line + Line.EXTRA]!;
    i32[thread + Thread.ROLE] = Role.REPLY_OWED;
  }
  const badge = i32[slot + Slot.BADGE]!;
  const wordsAt = inThread ? threadWords(thread) : lineWords(line);
  if (i32[receiver + Thread.HOME] === k.id) {
    if (TRACED) traceDelivery(k, endpoint, thread, receiver, message, k.f64, wordsAt);
    handOver(
      k,
      endpoint,
      thread,
      k.contexts[i32[receiver + Thread.NUMBER]!]!,
      receiver,
      message,
      badge,
      k.f64,
      wordsAt,
      threadCapabilities(thread),
    );
    wake(k, receiver);
  } else
    handOverRemote(k, endpoint, thread, receiver, message, badge, k.f64, wordsAt, threadCapabilities(thread));
  if (!call) answerStatus(k, thread, Err.OK);
}

/** A thread of another core receives. With nothing queued the endpoint moves to it instead, but for one that comes again. */
function onReceive(k: Core, line: WordIndex, kind: number): void {
  const { i32 } = k;
  const endpoint = i32[line + Line.OBJECT]!;
  const thread = i32[line + Line.THREAD]!;
  const slot = i32[line + Line.SLOT]!;
  const generation = i32[line + Line.GENERATION]!;
  if (!isHereAndGood(k, line, endpoint)) return;
  const badge = i32[endpoint + Endpoint.ORPHANS] === 0 ? -1 : takeOrphan(k, endpoint);
  if (badge >= 0) {
    giveNoSenders(k, thread, badge);
    return;
  }
  const sender = firstOf(k, endpoint, QueueKind.SENDERS);
  if (sender !== 0) acceptFrom(k, endpoint, sender, thread, null);
  else if (i32[endpoint + Endpoint.KIND] === QueueKind.EMPTY && (kind & MessageFlag.STAY) === 0) {
    // The home follows its receivers: from now on every request that comes here is bounced. (Or, if it has
    // to be swept first, comes again, and is queued.)
    moveHome(k, endpoint, i32[thread + Thread.HOME]!);
    answerStatus(k, thread, Internal.RETRY);
  } else if ((kind & MessageFlag.NON_BLOCKING) !== 0) answerStatus(k, thread, Err.WOULD_BLOCK);
  else queueThread(k, endpoint, QueueKind.RECEIVERS, thread, Role.RECEIVER, slot, generation, 0);
}

/** A thread of another core waits at a notification. */
function onWait(k: Core, line: WordIndex, kind: number): void {
  const { i32 } = k;
  const notification = i32[line + Line.OBJECT]!;
  const thread = i32[line + Line.THREAD]!;
  const slot = i32[line + Line.SLOT]!;
  const generation = i32[line + Line.GENERATION]!;
  if (!isHereAndGood(k, line, notification)) return;
  if (canMove(k, notification) && (kind & MessageFlag.STAY) === 0) {
    moveHome(k, notification, i32[thread + Thread.HOME]!);
    answerStatus(k, thread, Internal.RETRY);
    return;
  }
  const blocking = (kind & MessageFlag.NON_BLOCKING) === 0;
  if (blocking) Atomics.store(i32, notification + Notification.WAITING, 1);
  const bits = Atomics.exchange(i32, notification + Notification.BITS, 0);
  if (bits !== 0) {
    if (TRACED) traceTake(k, thread, notification, bits);
    answerMessage(k, thread, 0, bits, 0);
    lowerWaiting(k, notification);
  } else if (blocking) queueWaiter(k, notification, thread, slot, generation);
  else answerStatus(k, thread, Err.WOULD_BLOCK);
}

/** A notification stays where a thread waits at it or is bound to it. */
function canMove(k: Core, notification: WordIndex): boolean {
  return (
    k.i32[notification + Notification.QUEUE_HEAD] === 0 &&
    k.i32[notification + Notification.BOUND_THREAD] === 0
  );
}

/** A thread binds a notification: it must live where the thread does. */
function onRehome(k: Core, line: WordIndex): void {
  const { i32 } = k;
  const notification = i32[line + Line.OBJECT]!;
  const isHere = i32[notification + Notification.HOME] === k.id;
  const stays = isHere && !canMove(k, notification);
  if (isHere && !stays) moveHome(k, notification, i32[line + Line.SLOT]!);
  answerStatus(k, i32[line + Line.THREAD]!, stays ? Err.BUSY : Internal.RETRY);
}

/** The core of a thread that asked this one wants the request given up. The order here is what decides. */
function onCancel(k: Core, line: WordIndex): void {
  const { i32 } = k;
  const thread = i32[line + Line.THREAD]!;
  const object = i32[thread + Thread.QUEUE]!;
  const role = i32[thread + Thread.ROLE];
  // An answer that left before, or a later request of the same thread, is not what this is about. After the
  // two loads: a thread that has its answer may be in a queue of its own core by now, and raised the number
  // before it went there. With the number unchanged they are what this core wrote.
  if (Atomics.load(i32, thread + Thread.SEQUENCE) !== i32[line + Line.EXTRA]) return;
  if (object !== 0) {
    if (role === Role.WAITER) leaveQueue(k, object, thread);
    else takeFrom(k, object, thread);
  } else if (
    // As it was then: what a thread that has had its answer meanwhile is owed for its next call is not given up.
    role !== Role.REPLY_OWED ||
    // Whoever owes the reply may be giving it on a third core: see claimReply.
    Atomics.compareExchange(i32, thread + Thread.ROLE, Role.REPLY_OWED, Role.NONE) !== Role.REPLY_OWED
  ) {
    return;
  }
  answerStatus(k, thread, Internal.CANCELLED);
}

/** The answer to a call from this core. */
function onReply(k: Core, line: WordIndex, kind: number): void {
  const { i32 } = k;
  const thread = i32[line + Line.THREAD]!;
  const state = i32[thread + Thread.STATE]!;
  if (state === ThreadState.DYING) {
    finishDeath(k, thread);
    return;
  }
  if (i32[thread + Thread.CALL_NUMBER] !== i32[line + Line.EXTRA]) return;
  if (state !== ThreadState.REMOTE && state !== ThreadState.AWAITING_REPLY) return;
  i32[thread + Thread.CALL_NUMBER]!++;
  if (TRACED) traceAnswered(k, thread, i32[line + Line.BADGE]!);
  // The server has written all that it claimed to write: see claimReply.
  if ((kind & MessageFlag.IN_THREAD) !== 0) i32[thread + Thread.ROLE] = Role.NONE;
  finishAsking(k, line, kind, thread, 0);
}

/** The answer to anything else that a thread of this core asked. */
function onAnswer(k: Core, line: WordIndex, kind: number): void {
  const { i32 } = k;
  const thread = i32[line + Line.THREAD]!;
  if (i32[thread + Thread.SEQUENCE] !== i32[line + Line.EXTRA]) return;
  const state = i32[thread + Thread.STATE];
  if (state === ThreadState.DYING) {
    finishDeath(k, thread);
    return;
  }
  if (state !== ThreadState.REMOTE) return;
  // What was lent is its own again, and a cancellation that is on its way comes too late: see onCancel.
  Atomics.add(i32, thread + Thread.SEQUENCE, 1);
  const status = i32[line + Line.BADGE]!;
  if (status === Internal.RETRY || status === Internal.CANCELLED) {
    // Only the registers survive: the trap starts again from its handle.
    k.contexts[i32[thread + Thread.NUMBER]!]!.foundEpoch = -1;
    restart(k, thread);
    return;
  }
  if ((kind & MessageFlag.IN_THREAD) === 0) {
    k.contexts[i32[thread + Thread.NUMBER]!]!.result = status;
    wake(k, thread);
    return;
  }
  finishAsking(k, line, kind, thread, i32[line + Line.SLOT]!);
}

function finishAsking(k: Core, line: WordIndex, kind: number, thread: WordIndex, badge: number): void {
  const { i32 } = k;
  const context = k.contexts[i32[thread + Thread.NUMBER]!]!;
  const wordsAt = (kind & MessageFlag.IN_THREAD) !== 0 ? threadWords(thread) : lineWords(line);
  acceptAnswer(
    k,
    thread,
    context,
    wordsAt,
    i32[line + Line.BADGE]!,
    i32[line + Line.COUNT]!,
    badge,
    i32[line + Line.OBJECT]!,
  );
  wake(k, thread);
}
