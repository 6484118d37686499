/** What a core's worker makes sure of before it is a core: that what its host set is in force. */
import { getHeapStatistics } from "node:v8";
import { resourceLimits } from "node:worker_threads";

const MIB = 2 ** 20;

/**
 * Looks at what V8 does in this worker, whatever it was told.
 * @throws Error with one line that says what to do
 */
export function checkHost(): void {
  const heapMiB = getHeapStatistics().heap_size_limit / MIB;
  const askedMiB = resourceLimits.maxOldGenerationSizeMb ?? 0;
  if (heapMiB < askedMiB) {
    throw new Error(
      `V8 gives it ${Math.floor(heapMiB)} MiB of JavaScript heap where ${askedMiB} were set: start Node without options that limit heaps`,
    );
  }
}
