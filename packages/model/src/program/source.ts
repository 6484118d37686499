/** Where the program under test comes from, and what is replaced in it. */
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ProgramOptions } from "@capos/explorer/transform";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Where the kernel's packages lie, beside this one: in a clone, or in the package that users install. */
const PACKAGES = here("../../../");
const isClone = basename(PACKAGES) === "packages";

/** Time stands still but for timers, and nothing is traced; guests come with the engine. All the rest is the product's own. */
export const KERNEL_PROGRAM: Omit<ProgramOptions, "edits"> = Object.freeze({
  entry: here("./entry.js"),
  replacements: {
    "kernel/dist/state/build.js": here("./build.js"),
    "trace/dist/writer.js": here("./trace-writer.js"),
    "hal/dist/cpu/clock.js": here("./clock.js"),
  },
  // Not by what is found above: an installed package lies in somebody's repository.
  root: isClone ? dirname(PACKAGES) : PACKAGES,
});
