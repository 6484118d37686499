/** What a loop costs the garbage collector of its own worker. */
import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { nearestRank } from "../statistics.js";

/** Below a megabyte for a hundred bytes an operation: most batches see no scavenge. */
const OPERATIONS = 10_000;
const BATCHES = 101;

/**
 * Bytes of JS heap that one operation of `batch` allocates: the median of heap growth over batches,
 * less what an empty batch grows it by. A batch with a scavenge in it shrinks the heap and is left out.
 * `batch` has to be warm: code that is being compiled allocates too.
 */
export function measureAllocation(
  batch: (count: number) => number,
  empty: (count: number) => number,
): number {
  const grown = medianGrowth(batch) - medianGrowth(empty);
  return Math.max(0, grown / OPERATIONS);
}

function medianGrowth(batch: (count: number) => number): number {
  const growths: number[] = [];
  for (let i = 0; i < BATCHES; i++) {
    const before = process.memoryUsage().heapUsed;
    batch(OPERATIONS);
    const growth = process.memoryUsage().heapUsed - before;
    if (growth >= 0) growths.push(growth);
  }
  return growths.length === 0 ? 0 : nearestRank(Float64Array.from(growths).sort(), 0.5);
}

/** Watches the garbage collections of this worker from now on; what it gives ends that, and tells the longest in nanoseconds. */
export function watchCollections(): () => Promise<number> {
  let longestMs = 0;
  const note = (entries: readonly { duration: number }[]) => {
    for (const { duration } of entries) longestMs = Math.max(longestMs, duration);
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: "gc" });
  return async () => {
    // The collector's entries reach the observer by the event loop.
    await turn();
    await turn();
    note(observer.takeRecords());
    observer.disconnect();
    return longestMs * 1e6;
  };
}
