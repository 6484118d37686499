/**
 * Homes: which core an endpoint or notification belongs to, and which cores take requests.
 */
import { CoreArea, CoreState, coreArea } from "@capos/hal";
import type { Core } from "../state/core.js";
import { Endpoint } from "../state/layout.js";
import type { CoreId, QueueRef } from "../state/references.js";
import { lockTree, unlockTree } from "./tree-lock.js";

/** The home of an endpoint or notification, which this core adopts if the home has left the machine. */
export function homeOf(k: Core, object: QueueRef): CoreId {
  const { i32 } = k;
  // Both objects keep HOME at the same offset.
  const home = Atomics.load(i32, object + Endpoint.HOME) as CoreId;
  if (Atomics.load(i32, coreArea(k.memory, home) + CoreArea.STATE) !== CoreState.ABSENT) return home;
  const before = Atomics.compareExchange(i32, object + Endpoint.HOME, home, k.id) as CoreId;
  return before === home ? k.id : before;
}

/** True if a core takes requests. */
export function takesRequests(k: Core, core: CoreId): boolean {
  const state = k.i32[coreArea(k.memory, core) + CoreArea.STATE];
  return state !== CoreState.LEAVING && state !== CoreState.ABSENT;
}

/**
 * Moves the home of an endpoint or notification that is this core's and that nobody waits at. False if it
 * cannot move now: a capability to it has just ended and this core is yet to sweep it. Under the tree lock,
 * as whoever flags a queue reads the home there: else it could be in one core's list and another's home.
 */
export function moveHome(k: Core, object: QueueRef, to: CoreId): boolean {
  const held = lockTree(k);
  const free = k.i32[object + Endpoint.SWEEP_NEXT] === 0;
  if (free) Atomics.store(k.i32, object + Endpoint.HOME, to);
  unlockTree(held);
  return free;
}
