/**
 * Notifications: a word of OR-ed bits, and threads that wait for it.
 *
 * BITS is the one word of an object that any core writes: ORs commute, so a signal needs no request to
 * the home and can be sent by an interrupt, which has no thread that could wait for room in a ring.
 * The home alone takes bits and owns the queue. No signal is lost: a signaller ORs BITS, then loads
 * WAITING; a waiter stores WAITING, then looks at BITS again; one of them must see the other. A nudge
 * ("look at this notification") may come late, twice or to a former home, and does no harm.
 */
import { BADGE_IS_NOTIFICATION, Err, Reg, Slot, Trap } from "@capos/abi";
import type { Context } from "@capos/engine";
import { Line, type WordIndex } from "@capos/hal";
import { waitStillHolds } from "../capability/lookup.js";
import { leave, wake } from "../sched/run-queue.js";
import { homeOf } from "../smp/home.js";
import type { Core } from "../state/core.js";
import { KernelArea, Message, Notification, Role, Thread, ThreadState } from "../state/layout.js";
import { traceSignal, traceTake } from "../state/trace.js";
import { TRACED } from "../state/traced.js";
import { takeFrom } from "./endpoint.js";
import { answerMessage, askCancel, askReceive, publishLine, reserveLine, wantSpace } from "./remote.js";
import { insert, remove } from "./wait-queue.js";

/** ORs bits into a notification from any core and wakes who waits. `thread` is who signals, 0 for the kernel. */
export function signal(k: Core, thread: WordIndex, notification: WordIndex, bits: number): void {
  const { i32 } = k;
  if (TRACED) traceSignal(k, thread, notification, bits);
  Atomics.or(i32, notification + Notification.BITS, bits);
  if (Atomics.load(i32, notification + Notification.WAITING) === 0) return;
  if (i32[notification + Notification.HOME] === k.id) attendNotification(k, notification);
  else nudge(k, notification);
}

/** Tells the home to look. If the ring is full the notification itself is the list entry, once for all cores. */
export function nudge(k: Core, notification: WordIndex): void {
  const { i32 } = k;
  const to = homeOf(k, notification);
  if (to === k.id) {
    attendNotification(k, notification);
    return;
  }
  const line = reserveLine(k, to);
  if (line !== 0) {
    i32[line + Line.OBJECT] = notification;
    publishLine(k, to, line, Message.NUDGE);
    return;
  }
  // Held by another list already: that nudge is sent after this signal's OR, so it covers it.
  if (Atomics.compareExchange(i32, notification + Notification.NUDGE_HOLDER, 0, k.id + 1) !== 0) return;
  i32[notification + Notification.NUDGE_NEXT] = i32[k.kernelArea + KernelArea.NUDGE_HEAD]!;
  i32[k.kernelArea + KernelArea.NUDGE_HEAD] = notification;
  k.backlog++;
  wantSpace(k, to);
}

/** Home: gives bits that are there to who waits. */
export function attendNotification(k: Core, notification: WordIndex): void {
  const { i32 } = k;
  for (;;) {
    const waiter = i32[notification + Notification.QUEUE_HEAD]!;
    if (waiter === 0) break;
    if (!waitStillHolds(k, waiter, notification)) {
      leaveQueue(k, notification, waiter);
      complete(k, waiter, Err.REVOKED, 0);
      continue;
    }
    const bits = Atomics.exchange(i32, notification + Notification.BITS, 0);
    if (bits === 0) return;
    if (TRACED) traceTake(k, waiter, notification, bits);
    leaveQueue(k, notification, waiter);
    complete(k, waiter, 0, bits >>> 0);
  }
  const bound = i32[notification + Notification.BOUND_THREAD]!;
  if (bound !== 0 && i32[notification + Notification.BITS] !== 0) interruptReceive(k, bound);
}

/**
 * A bound notification has bits: the thread's receive ends, here at once or, where the endpoint is at
 * home elsewhere, when that core has said which came first.
 */
function interruptReceive(k: Core, thread: WordIndex): void {
  const { i32 } = k;
  const state = i32[thread + Thread.STATE];
  if (state === ThreadState.QUEUED && i32[thread + Thread.ROLE] === Role.RECEIVER) {
    takeFrom(k, i32[thread + Thread.QUEUE]!, thread);
    takeBound(k, thread, k.contexts[i32[thread + Thread.NUMBER]!]!);
    wake(k, thread);
  } else if (state === ThreadState.REMOTE && isReceive(k.contexts[i32[thread + Thread.NUMBER]!]!.trap)) {
    askCancel(k, thread);
  }
}

function isReceive(trap: number): boolean {
  const operation = trap & 0xff;
  return operation === Trap.RECV || operation === Trap.REPLY_RECV;
}

/** Takes the bits of a thread's bound notification, if it has any, in place of a message. */
export function takeBound(k: Core, thread: WordIndex, context: Context): boolean {
  const bits = Atomics.exchange(k.i32, k.i32[thread + Thread.BOUND_NOTIFICATION]! + Notification.BITS, 0);
  if (bits === 0) return false;
  if (TRACED) traceTake(k, thread, k.i32[thread + Thread.BOUND_NOTIFICATION]!, bits);
  context.regs[Reg.BADGE] = BADGE_IS_NOTIFICATION + (bits >>> 0);
  context.regs[Reg.ARRIVED] = 0;
  context.result = 0;
  return true;
}

/** Traps WAIT and POLL on the notification in `slot`. */
export function wait(k: Core, thread: WordIndex, context: Context, slot: WordIndex, blocking: boolean): void {
  const { i32 } = k;
  const notification = i32[slot + Slot.OBJECT]!;
  if (i32[notification + Notification.HOME] !== k.id) {
    askReceive(k, thread, context, slot, notification, blocking, Message.WAIT);
    return;
  }
  let bits = Atomics.exchange(i32, notification + Notification.BITS, 0);
  if (bits === 0 && blocking) {
    // WAITING before the second look: a signal that missed WAITING has its bits seen here.
    Atomics.store(i32, notification + Notification.WAITING, 1);
    bits = Atomics.exchange(i32, notification + Notification.BITS, 0);
    if (bits === 0) {
      i32[thread + Thread.STATE] = ThreadState.QUEUED;
      queueWaiter(k, notification, thread, slot, i32[slot + Slot.GENERATION]!);
      leave(k);
      return;
    }
    lowerWaiting(k, notification);
  }
  if (bits === 0) context.result = Err.WOULD_BLOCK;
  else {
    if (TRACED) traceTake(k, thread, notification, bits);
    context.regs[Reg.BADGE] = bits >>> 0;
    context.result = 0;
  }
}

/** Puts a thread into a notification's queue; WAITING must be 1 and BITS have been looked at since. */
export function queueWaiter(
  k: Core,
  notification: WordIndex,
  thread: WordIndex,
  slot: WordIndex,
  generation: number,
): void {
  const { i32 } = k;
  i32[thread + Thread.ROLE] = Role.WAITER;
  i32[thread + Thread.WAIT_SLOT] = slot;
  i32[thread + Thread.WAIT_GENERATION] = generation;
  i32[thread + Thread.WAIT_EPOCH] = k.graceEpoch;
  insert(k, notification, thread);
}

/** WAITING goes back to 0 when nobody waits and no thread is bound. */
export function lowerWaiting(k: Core, notification: WordIndex): void {
  const { i32 } = k;
  if (
    i32[notification + Notification.QUEUE_HEAD] === 0 &&
    i32[notification + Notification.BOUND_THREAD] === 0
  ) {
    Atomics.store(i32, notification + Notification.WAITING, 0);
  }
}

/** Takes a thread out of a notification's queue. */
export function leaveQueue(k: Core, notification: WordIndex, waiter: WordIndex): void {
  remove(k, notification, waiter);
  k.i32[waiter + Thread.ROLE] = Role.NONE;
  lowerWaiting(k, notification);
}

/** Ends a wait. */
function complete(k: Core, waiter: WordIndex, status: number, bits: number): void {
  const { i32 } = k;
  if (i32[waiter + Thread.HOME] === k.id) {
    const context = k.contexts[i32[waiter + Thread.NUMBER]!]!;
    context.regs[Reg.BADGE] = bits;
    context.result = status;
    wake(k, waiter);
  } else answerMessage(k, waiter, status, bits, 0);
}
