/**
 * Sweeping: the home of an endpoint or notification wakes whoever waits at it through a capability that has
 * ended. At a safe point, at most 256 threads a turn; the core reports no grace period before it has
 * swept what was flagged before that period was asked for (see sweep-list.ts).
 *
 * What is flagged when a batch begins is the batch; what is flagged later waits for the next one. So a
 * storm of kills on other cores cannot keep this core from reporting.
 */
import { Err, ObjectType, SlotBits, SlotState } from "@capos/abi";
import { slotStillNames } from "../capability/lookup.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { Endpoint, KernelArea, LAST_IN_LIST, Notification, QueueKind, Thread } from "../state/layout.js";
import type { EndpointRef, QueueRef, SlotRef, ThreadRef } from "../state/references.js";
import { finishWait } from "./answer.js";
import { giveNoSenders } from "./endpoint.js";
import { takeNoSenders } from "./no-senders.js";
import { firstOf, leaveQueue, takeFrom } from "./queues.js";
import { nextInQueue } from "./wait-queue.js";

/** Queued threads looked at in one turn, and objects begun. */
const STEPS = 256;

/** Begins a batch, if none is under way. False if one is: what was flagged since then is not in it. */
export function beginSweeps(k: Core): boolean {
  const { i32, kernelArea } = k;
  if (i32[kernelArea + KernelArea.SWEEP_BATCH] !== 0 || i32[kernelArea + KernelArea.SWEEP_CURRENT] !== 0)
    return false;
  if (Atomics.load(i32, kernelArea + KernelArea.SWEEP_HEAD) === 0) return true;
  const held = lockTree(k);
  i32[kernelArea + KernelArea.SWEEP_BATCH] = i32[kernelArea + KernelArea.SWEEP_HEAD];
  Atomics.store(i32, kernelArea + KernelArea.SWEEP_HEAD, 0);
  unlockTree(held);
  return true;
}

/** Goes on with the batch; true when it is done. */
export function sweepQueues(k: Core): boolean {
  const { i32, kernelArea } = k;
  for (let steps = STEPS; ; ) {
    let object = i32[kernelArea + KernelArea.SWEEP_CURRENT] as QueueRef | 0;
    if (object === 0) {
      object = nextOfBatch(k);
      if (object === 0) return true;
      i32[object + Endpoint.SWEEP_CURSOR] = i32[object + Endpoint.QUEUE_HEAD];
    }
    steps = sweepSome(k, object, steps);
    if (steps <= 0) return false;
    i32[kernelArea + KernelArea.SWEEP_CURRENT] = 0;
    finishSweep(k, object);
  }
}

/** From here on a kill flags the object anew. */
function nextOfBatch(k: Core): QueueRef | 0 {
  const { i32, kernelArea } = k;
  const object = i32[kernelArea + KernelArea.SWEEP_BATCH] as QueueRef | 0;
  if (object === 0) return 0;
  const held = lockTree(k);
  const next = i32[object + Endpoint.SWEEP_NEXT];
  i32[object + Endpoint.SWEEP_NEXT] = 0;
  unlockTree(held);
  i32[kernelArea + KernelArea.SWEEP_BATCH] = next === LAST_IN_LIST ? 0 : next;
  i32[kernelArea + KernelArea.SWEEP_CURRENT] = object;
  return object;
}

/** Looks at some of those that wait; answers how many steps are left, 0 if there are none or the queue goes on. */
function sweepSome(k: Core, object: QueueRef, steps: number): number {
  const { i32 } = k;
  // Moved since: it had no queue then, and who enters it there is checked there.
  if (i32[object + Endpoint.HOME] !== k.id) return steps - 1;
  // The object itself is a step: any number may be flagged that nobody waits at.
  let left = steps - 1;
  for (let thread = i32[object + Endpoint.SWEEP_CURSOR] as ThreadRef | 0; thread !== 0 && left > 0; left--) {
    // Before the thread leaves the queue; whoever leaves it otherwise moves the cursor on: see wait-queue.ts.
    const next = nextInQueue(k, thread);
    i32[object + Endpoint.SWEEP_CURSOR] = next;
    if (
      !slotStillNames(
        k,
        i32[thread + Thread.WAIT_SLOT] as SlotRef,
        i32[thread + Thread.WAIT_GENERATION],
        object,
      )
    ) {
      leaveQueue(k, object, thread, i32[thread + Thread.ROLE]);
      finishWait(k, thread, Err.REVOKED);
    }
    thread = next;
  }
  return i32[object + Endpoint.SWEEP_CURSOR] === 0 ? left : 0;
}

/** What else a kill may mean at the object: a bound thread that is bound no more, a receiver to be told of an orphan. */
function finishSweep(k: Core, object: QueueRef): void {
  const { i32 } = k;
  if (i32[object + Endpoint.HOME] !== k.id) return;
  if (
    (i32[object + Endpoint.HEADER] & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT ===
    ObjectType.NOTIFICATION
  ) {
    const bound = i32[object + Notification.BOUND_THREAD] as ThreadRef | 0;
    if (bound === 0 || (i32[bound + Thread.BINDING] & SlotBits.STATE_MASK) === SlotState.LIVE) return;
    i32[bound + Thread.BOUND_NOTIFICATION] = 0;
    i32[object + Notification.BOUND_THREAD] = 0;
    return;
  }
  const endpoint = object as EndpointRef;
  while (i32[endpoint + Endpoint.NO_SENDERS] !== 0) {
    const receiver = firstOf(k, endpoint, QueueKind.RECEIVERS);
    if (receiver === 0) return;
    const badge = takeNoSenders(k, endpoint);
    if (badge < 0) return;
    takeFrom(k, endpoint, receiver);
    giveNoSenders(k, receiver, badge);
  }
}
