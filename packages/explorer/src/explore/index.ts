/**
 * The explorer: runs the schedules of a program on shared memory. Knows nothing of what the program is about: it imports
 * no other package of the workspace.
 */
export { Explorer } from "./explorer.js";
export { Frontier, type SavedFrontier } from "./frontier.js";
export { OP_NAMES, Op, UNUSED } from "./operation.js";
export type { Coroutine, Runtime, Site } from "./runtime.js";
export type {
  BacktrackRequest,
  Failure,
  FrameState,
  Replay,
  SliceResult,
  Strategy,
  TraceStep,
  Unit,
} from "./types.js";
export { VirtualCores } from "./virtual-cores.js";
export { exploreWhole, type Whole, type WholeOptions } from "./whole.js";
export type { FailureKind, Finding, World } from "./world.js";
