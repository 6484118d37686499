/** Where the program under test comes from, and what is replaced in it. */
import { fileURLToPath } from "node:url";
import type { Edit, ProgramOptions } from "../../transform/program.js";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Time, the host and guests are replaced by deterministic ones; all the rest is the product's own. */
export function kernelProgram(edits: readonly Edit[]): ProgramOptions {
  return {
    entry: here("./entry.js"),
    replacements: {
      "kernel/dist/traced.js": here("./traced.js"),
      "hal/dist/trace/writer.js": here("./trace-writer.js"),
      "hal/dist/clock.js": here("./clock.js"),
      "kernel/dist/thread/context.js": here("./context.js"),
      "kernel/dist/guest/realm-cache.js": here("./realm-cache.js"),
      "kernel/dist/guest/heap.js": here("./heap.js"),
      "kernel/dist/platform.js": here("./platform.js"),
    },
    edits: [
      // All cores see one memory through the same views: by these the explorer knows that an access is shared.
      {
        module: "hal/dist/physical-memory.js",
        find: "const buffer = memory.buffer;",
        replace: "return $host.memory;",
      },
      ...edits,
    ],
  };
}
