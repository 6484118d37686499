/** The modules that a core's worker runs: the kernel without trace points, and with. */
export const CORE_PROGRAM = new URL("./core.js", import.meta.url);
export const TRACED_CORE_PROGRAM = new URL("./core-traced.js", import.meta.url);

/** The module that the chipset's worker runs. */
export const CHIPSET_PROGRAM = new URL("./chipset.mjs", import.meta.url);
