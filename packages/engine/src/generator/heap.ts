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

/** The heap of one worker. */
export class GuestHeap {
  /** V8's collector, which costs a context to get. */
  #collector: (() => void) | null = null;

  /**
   * Takes V8's collector, once. Costs a millisecond. Runs JavaScript of Node's, which ends the process where the
   * stack ends, so not on a guest's stack; the collector itself is native code, and fits behind its end.
   */
  takeCollector(): void {
    // V8 gives it to contexts that are made while the flag is set. The flag is the process's: another core may
    // have taken it back meanwhile.
    while (this.#collector === null) {
      setFlagsFromString("--expose-gc");
      this.#collector = runInNewContext("globalThis.gc ?? null") as (() => void) | null;
      setFlagsFromString("--no-expose-gc");
    }
  }

  /** True if the guests of this worker hold more than their budget. Runs on a guest's stack. */
  isOverBudget(): boolean {
    if (heapBytes() < HEAP_BUDGET) return false;
    // Up to 200 ms for a full heap.
    this.#collector?.();
    return heapBytes() >= HEAP_LIVE;
  }
}

/** Bytes in use on this worker's JavaScript heap. */
export function heapBytes(): number {
  return getHeapStatistics().used_heap_size;
}
