/** How all of a machine's threads are started. */
import { setFlagsFromString } from "node:v8";

/**
 * Nothing of the process's environment and command line reaches a machine's thread: neither what Node reads there
 * (NODE_OPTIONS, NODE_DEBUG, NODE_V8_COVERAGE) nor what packages do.
 */
export const SEALED = Object.freeze({
  env: Object.freeze({}) as Record<string, string>,
  // Node 20.19.0 ends the whole process when a thread is terminated while it loads a module by require; import is safe.
  execArgv: ["--no-experimental-require-module"],
});

/**
 * Flags of V8 are the process's, and reach every thread of it. Set before a machine's first thread starts.
 */
const V8_FLAGS: readonly string[] = Object.freeze([
  // A core's loop is one hot path through many small functions. With V8's default budget the compiler inlines about
  // half of it; a same-core call costs a fifth more.
  "--max-inlined-bytecode-size-cumulative=9000",
  "--max-inlined-bytecode-size-absolute=9000",
  "--max-inlined-bytecode-size=1500",
  // Where one of these is set it overrides the limits that a thread is given; 0 is not set. Heaps that are there
  // already, the main thread's before all, keep theirs.
  "--max-old-space-size=0",
  "--max-heap-size=0",
  "--max-semi-space-size=0",
  "--min-semi-space-size=0",
  "--initial-heap-size=0",
  "--initial-old-space-size=0",
]);

/** Sets V8's flags for the threads of machines. Again, and from several machines, is fine. */
export function setFlags(): void {
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
}
