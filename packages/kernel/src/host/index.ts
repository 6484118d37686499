/**
 * The kernel seen from the host: where its program is, and how to describe a machine that runs it.
 */

export {
  type MachineActivity,
  type ProcessActivity,
  readActivity,
  readCallNumbers,
  type ThreadActivity,
  type WaitActivity,
} from "../inspect/activity.js";
export { coreStateName } from "../inspect/cores.js";
export { lineKindName, type ThreadIdentity, threadIdentity } from "../inspect/identity.js";
export { DEFAULT_LIMITS, type Limits, type Part } from "../inspect/part.js";
export { partsOf } from "../inspect/parts.js";
export * from "../inspect/state.js";
export { dump, headLines, leftOutLine, render } from "../inspect/text.js";
export { processName, readyCount, tablesOf } from "../inspect/words.js";
export type { CoreReport, CoreTask } from "../main.js";

/** The module that a core's worker runs: the kernel without trace points, and with. */
export const CORE_PROGRAM = new URL("../core.mjs", import.meta.url);
export const TRACED_CORE_PROGRAM = new URL("../core-traced.mjs", import.meta.url);

/** The module that reads a machine's state for the host: its default export gives a `MachineState`. */
export const INSPECT_PROGRAM = new URL("../inspect/program.js", import.meta.url);
export { initStartedNs } from "./boot-times.js";
