/**
 * The memory that the guests of one core may use, and who pays when they use more.
 *
 * V8 has a limit for a worker's heap, but ends the whole process when one large allocation meets it, so
 * that limit is far away (hal/src/host/core-pool.ts) and this budget is held by the guests' checks. Who
 * asks for more when it is used up is condemned; the core and its other threads go on.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of a core's JavaScript heap at which garbage is collected on the guest's time. */
const HEAP_BUDGET = 256 * 2 ** 20;
/** What may be left after that. The distance is what a guest can make before it has to pay again. */
const HEAP_LIVE = 224 * 2 ** 20;

/** True if the guests of this worker hold more than their budget. Runs on a guest's stack. */
export function isOverBudget(): boolean {
  if (heapBytes() < HEAP_BUDGET) return false;
  collectGarbage();
  return heapBytes() >= HEAP_LIVE;
}

/** Bytes in use on this worker's JavaScript heap. */
export function heapBytes(): number {
  return getHeapStatistics().used_heap_size;
}

/** Ends the garbage on this worker's JavaScript heap now: up to 200 ms for a full one. */
function collectGarbage(): void {
  // V8 gives its collector to contexts that are made while the flag is set; this is rare enough to make one.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  collect();
}
