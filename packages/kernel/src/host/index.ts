/**
 * The kernel seen from the host: where its program is, and how to describe a machine that runs it.
 */

export type { CoreReport, CoreTask } from "../main.js";
export { dump, processName } from "../panic.js";

/** The module that a core's worker runs. */
export const CORE_PROGRAM = new URL("../core.mjs", import.meta.url);
export { initStartedNs } from "./boot-times.js";
