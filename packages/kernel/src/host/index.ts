/**
 * The kernel seen from the host: where its program is, and how to describe a machine that runs it.
 */

export { DEFAULT_LIMITS, type Limits, type Part } from "../inspect/part.js";
export { partsOf } from "../inspect/parts.js";
export * from "../inspect/state.js";
export { dump, headLines, leftOutLine, render } from "../inspect/text.js";
export { processName } from "../inspect/words.js";
export type { CoreReport, CoreTask } from "../main.js";

/** The module that a core's worker runs. */
export const CORE_PROGRAM = new URL("../core.mjs", import.meta.url);

/** The module that reads a machine's state for the host: its default export gives a `MachineState`. */
export const INSPECT_PROGRAM = new URL("../inspect/program.js", import.meta.url);
export { initStartedNs } from "./boot-times.js";
