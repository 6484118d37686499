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
  if (!compiles())
    throw new Error(
      "this process compiles no code from text: start Node without --disallow-code-generation-from-strings",
    );
}

/** Guests are compiled from the text of their images. */
function compiles(): boolean {
  try {
    return new Function("return true")() as boolean;
  } catch {
    return false;
  }
}
