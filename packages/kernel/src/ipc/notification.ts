/**
 * Notifications: a word of OR-ed bits, and threads that wait for it.
 *
 * BITS is the one word of an object that any core writes: ORs commute, so a signal needs no request to
 * the home and can be sent by an interrupt, which has no thread that could wait for room in a ring.
 * They are taken by exchange, all at once and by one: by whoever polls, on any core, and by the home for those
 * who wait. The home alone owns the queue: bits that it signals itself go to who waits without a detour. No signal is
 * lost: a signaller elsewhere ORs BITS, then loads WAITING; a waiter stores WAITING, then looks at BITS again; one of
 * them must see the other. WAITING stays when a wait ends, so that who waits again need not store it: the home
 * takes it back when a nudge finds that nobody waits. A nudge
 * ("look at this notification") may come late, twice or to a former home, or find that somebody has polled, and does
 * no harm.
 *
 * WAIT, NUDGE and REHOME from the trap through the line to the home.
 */
import { BADGE_IS_NOTIFICATION, Err, ObjectType, Reg, Right, Slot, SlotBits, Trap } from "@capos/abi";
import type { Context } from "@capos/engine";
import { lookup, waitStillHolds } from "../capability/lookup.js";
import { leave, wake } from "../sched/run-queue.js";
import { homeOf, moveHome } from "../smp/home.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import { type Core, contextOf } from "../state/core.js";
import {
  Endpoint,
  Internal,
  KernelArea,
  Message,
  MessageFlag,
  Notification,
  Role,
  Thread,
  ThreadState,
} from "../state/layout.js";
import type {
  CoreId,
  EndpointRef,
  LineRef,
  NotificationRef,
  QueueRef,
  SlotRef,
  ThreadRef,
} from "../state/references.js";
import { traceSignal, traceTake } from "../state/trace.js";
import { answerMessage, answerStatus } from "./answer.js";
import { askCancel } from "./cancel.js";
import { beginAsking, publishLine, reserveLine, waitForRing, wantSpace } from "./line.js";
import { leaveNotification, queueWaiter, takeFrom } from "./queues.js";
import { askToWait, isHereAndGood, RequestLine } from "./request.js";

/** A NUDGE: look at this notification. Carries no authority. */
export const enum NudgeLine {
  NOTIFICATION = 2,
}

/** A REHOME: a notification is to live where a thread does, or an endpoint where somebody receives who does not wait. */
export const enum RehomeLine {
  /** Who waits for the answer; 0 for nobody. */
  THREAD = 1,
  OBJECT = 2,
  /** The core that it moves to. */
  TO = 3,
}

/** Trap NOTIFY. */
export function notify(k: Core, thread: ThreadRef, context: Context): Answer {
  const slot = lookup(k, thread, context, ObjectType.NOTIFICATION, Right.SEND);
  if (slot === 0) return Answer.DONE;
  context.result = Err.OK;
  signal(k, thread, k.i32[slot + Slot.OBJECT] as NotificationRef, k.i32[slot + Slot.BADGE] || 1);
  return Answer.DONE;
}

/** ORs bits into a notification from any core and wakes who waits. `thread` is who signals, 0 for the kernel. */
export function signal(k: Core, thread: ThreadRef | 0, notification: NotificationRef, bits: number): void {
  const { i32 } = k;
  if (TRACED) traceSignal(k, thread, notification, bits);
  if (i32[notification + Notification.HOME] === k.id) {
    const waiter = firstWaiter(k, notification);
    if (waiter !== 0) {
      // As if it had ORed them: what others do so after the look stays for whoever comes next.
      giveBits(k, notification, waiter, bits | takeBits(k, notification));
      return;
    }
    Atomics.or(i32, notification + Notification.BITS, bits);
    attendBound(k, notification);
    return;
  }
  Atomics.or(i32, notification + Notification.BITS, bits);
  if (Atomics.load(i32, notification + Notification.WAITING) !== 0) nudge(k, notification);
}

/** Takes the bits that are there. The look first: where there are none, it leaves the line where it is. */
function takeBits(k: Core, notification: NotificationRef): number {
  const { i32 } = k;
  if (Atomics.load(i32, notification + Notification.BITS) === 0) return 0;
  return Atomics.exchange(i32, notification + Notification.BITS, 0);
}

/**
 * Home: takes the bits for one who is about to wait. If there are none, others see from here on that somebody waits:
 * nobody but this core takes WAITING back, so where it stands already the look has come after it.
 */
function takeOrWait(k: Core, notification: NotificationRef): number {
  const { i32 } = k;
  const bits = takeBits(k, notification);
  if (bits !== 0 || i32[notification + Notification.WAITING] !== 0) return bits;
  // WAITING before the second look: a signal that missed WAITING has its bits seen here.
  Atomics.store(i32, notification + Notification.WAITING, 1);
  return takeBits(k, notification);
}

/** Tells the home to look. If the ring is full the notification itself is the list entry, once for all cores. */
export function nudge(k: Core, notification: NotificationRef): void {
  const { i32 } = k;
  const to = homeOf(k, notification);
  if (to === k.id) {
    attendNotification(k, notification);
    return;
  }
  const line = reserveLine(k, to);
  if (line !== 0) {
    i32[line + NudgeLine.NOTIFICATION] = notification;
    publishLine(k, to, line, Message.NUDGE);
    return;
  }
  // Held by another list already: that nudge is sent after this signal's OR, so it covers it.
  if (Atomics.compareExchange(i32, notification + Notification.NUDGE_HOLDER, 0, k.id + 1) !== 0) return;
  i32[notification + Notification.NUDGE_NEXT] = i32[k.kernelArea + KernelArea.NUDGE_HEAD];
  i32[k.kernelArea + KernelArea.NUDGE_HEAD] = notification;
  k.backlog++;
  wantSpace(k, to);
}

/** Home: gives bits that are there to who waits. */
export function attendNotification(k: Core, notification: NotificationRef): void {
  const { i32 } = k;
  const waiter = firstWaiter(k, notification);
  if (waiter !== 0) {
    const bits = takeBits(k, notification);
    if (bits !== 0) giveBits(k, notification, waiter, bits);
  } else if (i32[notification + Notification.BOUND_THREAD] !== 0) attendBound(k, notification);
  // Nobody has to be told of a signal any more. Whoever waits next says so anew, and then looks.
  else Atomics.store(i32, notification + Notification.WAITING, 0);
}

/** Home: the first who waits through a slot that is still good, or 0. The others are woken with ERR_REVOKED. */
function firstWaiter(k: Core, notification: NotificationRef): ThreadRef | 0 {
  const { i32 } = k;
  for (;;) {
    const waiter = i32[notification + Notification.QUEUE_HEAD] as ThreadRef | 0;
    if (waiter === 0 || waitStillHolds(k, waiter, notification)) return waiter;
    leaveNotification(k, notification, waiter);
    complete(k, waiter, Err.REVOKED, 0);
  }
}

/** Home: ends a wait with bits that were taken for it. */
function giveBits(k: Core, notification: NotificationRef, waiter: ThreadRef, bits: number): void {
  if (TRACED) traceTake(k, waiter, notification, bits);
  leaveNotification(k, notification, waiter);
  complete(k, waiter, 0, bits >>> 0);
}

/** Home: bits that are there end the receive of the bound thread, if there is one. */
function attendBound(k: Core, notification: NotificationRef): void {
  const { i32 } = k;
  const bound = i32[notification + Notification.BOUND_THREAD] as ThreadRef | 0;
  if (bound !== 0 && Atomics.load(i32, notification + Notification.BITS) !== 0) interruptReceive(k, bound);
}

/**
 * A bound notification has bits: the thread's receive ends, here at once or, where the endpoint is at
 * home elsewhere, when that core has said which came first.
 */
function interruptReceive(k: Core, thread: ThreadRef): void {
  const { i32 } = k;
  const state = i32[thread + Thread.STATE];
  if (state === ThreadState.QUEUED && i32[thread + Thread.ROLE] === Role.RECEIVER) {
    // Whoever polls, on another core, may have them by now: then it goes on waiting.
    if (!takeBound(k, thread, contextOf(k, thread))) return;
    takeFrom(k, i32[thread + Thread.QUEUE] as EndpointRef, thread);
    wake(k, thread);
  } else if (state === ThreadState.REMOTE && isReceive(contextOf(k, thread).trap)) {
    askCancel(k, thread);
  }
}

function isReceive(trap: number): boolean {
  const operation = trap & 0xff;
  return operation === Trap.RECV || operation === Trap.REPLY_RECV;
}

/** Takes the bits of a thread's bound notification, if it has any, in place of a message. */
export function takeBound(k: Core, thread: ThreadRef, context: Context): boolean {
  const bits = takeBits(k, k.i32[thread + Thread.BOUND_NOTIFICATION] as NotificationRef);
  if (bits === 0) return false;
  if (TRACED) traceTake(k, thread, k.i32[thread + Thread.BOUND_NOTIFICATION] as NotificationRef, bits);
  context.regs[Reg.BADGE] = BADGE_IS_NOTIFICATION + (bits >>> 0);
  context.regs[Reg.ARRIVED] = 0;
  context.result = 0;
  return true;
}

/** Trap POLL: takes what bits there are, wherever the notification is at home. */
export function poll(k: Core, thread: ThreadRef, context: Context): Answer {
  const { i32 } = k;
  const slot = lookup(k, thread, context, ObjectType.NOTIFICATION, Right.RECEIVE);
  if (slot === 0) return Answer.DONE;
  const notification = i32[slot + Slot.OBJECT] as NotificationRef;
  const bits = takeBits(k, notification);
  if (bits === 0) context.result = Err.WOULD_BLOCK;
  else take(k, thread, context, notification, bits);
  return Answer.DONE;
}

/** Gives a thread of this core, which runs, bits that it took. */
function take(
  k: Core,
  thread: ThreadRef,
  context: Context,
  notification: NotificationRef,
  bits: number,
): void {
  if (TRACED) traceTake(k, thread, notification, bits);
  context.regs[Reg.BADGE] = bits >>> 0;
  context.result = 0;
}

/** Trap WAIT. */
export function wait(k: Core, thread: ThreadRef, context: Context): Answer {
  const { i32 } = k;
  const slot = lookup(k, thread, context, ObjectType.NOTIFICATION, Right.RECEIVE);
  if (slot === 0) return Answer.DONE;
  const notification = i32[slot + Slot.OBJECT] as NotificationRef;
  if (i32[notification + Notification.HOME] !== k.id)
    return askToWait(k, thread, context, slot, notification, Message.WAIT, true);
  const bits = takeOrWait(k, notification);
  if (bits === 0) {
    i32[thread + Thread.STATE] = ThreadState.QUEUED;
    queueWaiter(k, notification, thread, slot, i32[slot + Slot.GENERATION]);
    leave(k);
    return Answer.BLOCKED;
  }
  take(k, thread, context, notification, bits);
  return Answer.DONE;
}

/** Home: a thread of another core waits. */
export function onWait(k: Core, line: LineRef, kind: number): void {
  const { i32 } = k;
  if (!isHereAndGood(k, line)) return;
  const notification = i32[line + RequestLine.OBJECT] as NotificationRef;
  const thread = i32[line + RequestLine.THREAD] as ThreadRef;
  if (canMove(k, notification) && (kind & MessageFlag.STAY) === 0) {
    moveHome(k, notification, i32[thread + Thread.HOME] as CoreId);
    answerStatus(k, thread, Internal.RETRY);
    return;
  }
  const bits = takeOrWait(k, notification);
  if (bits === 0) {
    const slot = i32[line + RequestLine.SLOT] as SlotRef;
    queueWaiter(k, notification, thread, slot, i32[line + RequestLine.GENERATION]);
    return;
  }
  if (TRACED) traceTake(k, thread, notification, bits);
  answerMessage(k, thread, 0, bits, 0);
}

/** An object stays where a thread waits at it or is bound to it. */
export function canMove(k: Core, object: QueueRef): boolean {
  if (k.i32[object + Endpoint.QUEUE_HEAD] !== 0) return false;
  return isEndpoint(k, object) || k.i32[object + Notification.BOUND_THREAD] === 0;
}

function isEndpoint(k: Core, object: QueueRef): boolean {
  return (
    (k.i32[object + Endpoint.HEADER] & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT === ObjectType.ENDPOINT
  );
}

/** The running thread asks a notification's home to give it to a core; its trap starts again then. */
export function askRehome(
  k: Core,
  thread: ThreadRef,
  notification: NotificationRef,
  home: CoreId,
  to: CoreId,
): Answer {
  const line = reserveLine(k, home);
  if (line === 0) return waitForRing(k, thread, home);
  k.i32[line + RehomeLine.THREAD] = thread;
  k.i32[line + RehomeLine.OBJECT] = notification;
  k.i32[line + RehomeLine.TO] = to;
  beginAsking(k, thread, home);
  publishLine(k, home, line, Message.REHOME);
  return Answer.BLOCKED;
}

/**
 * Has an endpoint that is at home elsewhere, and empty, follow who receives here and does not wait for it. Nobody is
 * answered; where there is no room now, whoever receives next asks again.
 */
export function callOver(k: Core, endpoint: EndpointRef): void {
  const to = homeOf(k, endpoint);
  const line = to === k.id ? 0 : reserveLine(k, to);
  if (line === 0) return;
  k.i32[line + RehomeLine.THREAD] = 0;
  k.i32[line + RehomeLine.OBJECT] = endpoint;
  k.i32[line + RehomeLine.TO] = k.id;
  publishLine(k, to, line, Message.REHOME);
}

/** Home: an object moves to another core, if it can. */
export function onRehome(k: Core, line: LineRef): void {
  const { i32 } = k;
  const object = i32[line + RehomeLine.OBJECT] as QueueRef;
  const thread = i32[line + RehomeLine.THREAD] as ThreadRef | 0;
  const isHere = i32[object + Endpoint.HOME] === k.id;
  const stays = isHere && !canMove(k, object);
  if (isHere && !stays) moveHome(k, object, i32[line + RehomeLine.TO] as CoreId);
  if (thread !== 0) answerStatus(k, thread, stays ? Err.BUSY : Internal.RETRY);
}

/** Ends a wait. */
function complete(k: Core, waiter: ThreadRef, status: number, bits: number): void {
  const { i32 } = k;
  if (i32[waiter + Thread.HOME] === k.id) {
    const context = contextOf(k, waiter);
    context.regs[Reg.BADGE] = bits;
    context.result = status;
    wake(k, waiter);
  } else answerMessage(k, waiter, status, bits, 0);
}
