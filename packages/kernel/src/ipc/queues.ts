/**
 * Who waits at an endpoint or a notification: threads in its queue, and the slots they wait through. The object's
 * home alone changes it.
 */
import { Err } from "@capos/abi";
import { slotStillNames, waitStillHolds } from "../capability/lookup.js";
import type { Core } from "../state/core.js";
import { Endpoint, QueueKind, Role, Thread } from "../state/layout.js";
import type { EndpointRef, NotificationRef, QueueRef, SlotRef, ThreadRef } from "../state/references.js";
import { finishWait } from "./answer.js";
import { insert, remove } from "./wait-queue.js";

/** Puts a thread into the endpoint's queue. A sender on this core keeps its words in its registers. */
export function queueThread(
  k: Core,
  endpoint: EndpointRef,
  kind: QueueKind,
  thread: ThreadRef,
  role: Role,
  slot: SlotRef,
  generation: number,
  message: number,
): void {
  const { i32 } = k;
  enter(k, endpoint, thread, role, slot, generation);
  i32[thread + Thread.MESSAGE] = message;
  i32[endpoint + Endpoint.KIND] = kind;
}

/** Puts a thread into a notification's queue; WAITING must be 1 and BITS have been looked at since. */
export function queueWaiter(
  k: Core,
  notification: NotificationRef,
  thread: ThreadRef,
  slot: SlotRef,
  generation: number,
): void {
  enter(k, notification, thread, Role.WAITER, slot, generation);
}

function enter(
  k: Core,
  object: QueueRef,
  thread: ThreadRef,
  role: Role,
  slot: SlotRef,
  generation: number,
): void {
  const { i32 } = k;
  i32[thread + Thread.ROLE] = role;
  i32[thread + Thread.WAIT_SLOT] = slot;
  i32[thread + Thread.WAIT_GENERATION] = generation;
  i32[thread + Thread.WAIT_EPOCH] = k.graceEpoch;
  insert(k, object, thread);
}

/** Takes a thread out of the endpoint's queue. */
export function takeFrom(k: Core, endpoint: EndpointRef, thread: ThreadRef): void {
  const { i32 } = k;
  remove(k, endpoint, thread);
  i32[thread + Thread.ROLE] = Role.NONE;
  if (i32[endpoint + Endpoint.QUEUE_HEAD] === 0) i32[endpoint + Endpoint.KIND] = QueueKind.EMPTY;
}

/** Takes a thread out of a notification's queue. */
export function leaveNotification(k: Core, notification: NotificationRef, waiter: ThreadRef): void {
  remove(k, notification, waiter);
  k.i32[waiter + Thread.ROLE] = Role.NONE;
}

/** Takes a thread out of whatever queue it is in: it waits at `object`, in its `role`. */
export function leaveQueue(k: Core, object: QueueRef, thread: ThreadRef, role: Role): void {
  if (role === Role.WAITER) leaveNotification(k, object as NotificationRef, thread);
  else takeFrom(k, object as EndpointRef, thread);
}

/**
 * A thread's priority may have changed: one that waits goes to the end of its new one. In a queue of this home.
 *
 * As one that enters, it is looked at: a sweep that is under way could have been about to, and be past its new place.
 */
export function requeue(k: Core, object: QueueRef, thread: ThreadRef): void {
  const { i32 } = k;
  if (i32[thread + Thread.QUEUE_PRIORITY] === i32[thread + Thread.PRIORITY]) return;
  const slot = i32[thread + Thread.WAIT_SLOT] as SlotRef;
  if (slotStillNames(k, slot, i32[thread + Thread.WAIT_GENERATION], object)) {
    remove(k, object, thread);
    insert(k, object, thread);
  } else {
    leaveQueue(k, object, thread, i32[thread + Thread.ROLE]);
    finishWait(k, thread, Err.REVOKED);
  }
}

/**
 * The first thread of a kind whose slot is still good, or 0. The others are woken with ERR_REVOKED:
 * what a thread waits through is checked at the instant of transfer, not when it began to wait.
 */
export function firstOf(k: Core, endpoint: EndpointRef, kind: QueueKind): ThreadRef | 0 {
  const { i32 } = k;
  while (i32[endpoint + Endpoint.KIND] === kind) {
    const thread = i32[endpoint + Endpoint.QUEUE_HEAD] as ThreadRef;
    if (waitStillHolds(k, thread, endpoint)) return thread;
    takeFrom(k, endpoint, thread);
    finishWait(k, thread, Err.REVOKED);
  }
  return 0;
}
