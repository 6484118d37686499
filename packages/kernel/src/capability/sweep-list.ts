/**
 * Queues to sweep: whenever a capability to an endpoint or notification ends, whoever waits through it is
 * to be woken. The killer enters the object in its home's list; the home sweeps the queue at its next
 * safe point, before it reports a grace period. So when the grace period that follows a kill is over,
 * nobody waits through the slot any more, and no queue names it.
 */
import { Attention } from "@capos/hal";
import { ringDoorbell } from "../smp/doorbell.js";
import { homeOf } from "../smp/home.js";
import type { Locked } from "../smp/tree-lock.js";
import { Endpoint, KernelArea, LAST_IN_LIST, Tables } from "../state/layout.js";
import type { QueueRef } from "../state/references.js";

/**
 * Enters an object (endpoint or notification: the same offsets) in its home's list, once.
 *
 * The home is read after the kill. If it moves meanwhile its queue was empty then, and whoever enters it at
 * the new home is checked there, after the kill.
 */
export function flagSweep(k: Locked, object: QueueRef): void {
  const { i32 } = k;
  if (i32[object + Endpoint.SWEEP_NEXT] !== 0) return;
  const home = homeOf(k, object);
  const list = i32[k.tables + Tables.KERNEL_AREAS] + home * KernelArea.SIZE + KernelArea.SWEEP_HEAD;
  const head = i32[list];
  i32[object + Endpoint.SWEEP_NEXT] = head === 0 ? LAST_IN_LIST : head;
  Atomics.store(i32, list, object);
  // A halted core must wake: with this bit it is not counted as passed before it has swept.
  if (head === 0) ringDoorbell(k, home, Attention.POKE);
}
