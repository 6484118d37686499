/** Where the program under test comes from, and what is replaced in it. */
import { fileURLToPath } from "node:url";
import type { ProgramOptions } from "@capos/explorer/transform";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Time stands still but for timers, and nothing is traced; guests come with the engine. All the rest is the product's own. */
export const KERNEL_PROGRAM: Omit<ProgramOptions, "edits"> = Object.freeze({
  entry: here("./entry.js"),
  replacements: {
    "kernel/dist/state/build.js": here("./build.js"),
    "trace/dist/writer.js": here("./trace-writer.js"),
    "hal/dist/cpu/clock.js": here("./clock.js"),
  },
});
