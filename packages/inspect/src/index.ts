/**
 * A machine's kernel state, read from its memory by whoever looks from outside: the survey behind dumps and
 * `capos-smp inspect`, and the invariants that a machine at rest must keep. Reads physical memory and changes nothing,
 * but for the tree lock, which it takes where it is told to.
 */
export {
  type MachineActivity,
  type ProcessActivity,
  readActivity,
  readCallNumbers,
  type ThreadActivity,
  type WaitActivity,
} from "./activity.js";
export { initStartedNs } from "./boot-times.js";
export { type CoreSnapshot, isInGuest, snapshotCore } from "./core-snapshot.js";
export { coreStateName } from "./cores.js";
export { lineKindName, type ThreadIdentity, threadIdentity } from "./identity.js";
export { inspect } from "./inspect.js";
export { checkState, checkWhenAtRest, type StateProblem } from "./invariants/invariants.js";
export { DEFAULT_LIMITS, type Limits, type Part } from "./part.js";
export { partsOf } from "./parts.js";
export { expectsExpiry, type Standstill, standstill } from "./standstill.js";
export * from "./state.js";
export { whyNoTakeover } from "./takeover.js";
export { dump, headLines, leftOutLine, render } from "./text.js";
export { MAX_SLOTS } from "./tree-copy.js";
export { processName, readyCount, tablesOf } from "./words.js";

/** The module that reads a machine's state for the host: its default export gives a `MachineState`. */
export const INSPECT_PROGRAM = new URL("./program.js", import.meta.url);
