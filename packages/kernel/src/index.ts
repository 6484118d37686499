/**
 * The kernel: what a core runs. May touch physical memory, its core's part of the machine (hal) and, through their
 * interface, the contexts of guests (engine); knows no guest, no server and no host.
 *
 * Folders from the bottom up, imports pointing down: state, sched, smp, capability, ipc, object, loop, boot.
 */
export { type CoreReport, type CoreTask, runCore } from "./main.js";
export type { CoreParts } from "./state/core.js";
