/**
 * The kernel's insides, for tests: no part of its interface.
 */
export { blocksOf, buildTables, type InitResources } from "./boot/tables.js";
export { findSlot } from "./capability/lookup.js";
export { objectSizeBits, retype } from "./capability/retype.js";
export type { RetypeResult } from "./capability/retype-result.js";
export { deriveSlot, fillSlot, isDying, killSlot, reclaimSlot, slotWord } from "./capability/slot.js";
export { lockTree, unlockTree } from "./capability/tree-lock.js";
export { Core } from "./core.js";
export {
  graceIsOver,
  leaveGraceWait,
  passGrace,
  requestGrace,
  waitForGrace,
  wakeGraceWaiters,
} from "./grace-period.js";
export { inspect } from "./inspect/inspect.js";
export { MAX_SLOTS } from "./inspect/tree-copy.js";
export { Vector } from "./interrupts.js";
export { invokeUntyped } from "./invoke/untyped-methods.js";
export { insert, remove } from "./ipc/wait-queue.js";
export * from "./layout.js";
export { attend } from "./safe-point.js";
export { type Context, GeneratorContext, makeRegisters } from "./thread/context.js";
export {
  dequeue,
  enqueue,
  enter,
  leave,
  preempt,
  QUANTUM_NS,
  refreshTop,
  restart,
  rotate,
  stopQuantum,
  takeNext,
  wake,
} from "./thread/run-queue.js";
