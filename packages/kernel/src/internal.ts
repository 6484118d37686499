/**
 * The kernel's insides, for tests: no part of its interface.
 */
export { blocksOf, buildTables, type InitResources } from "./boot/tables.js";
export { deleteCapability } from "./capability/delete.js";
export { expireSome } from "./capability/expiry.js";
export { enterWheel, leaveWheel, moveInWheel, nextExpired } from "./capability/expiry-wheel.js";
export { currentSlot, findSlot, refusal } from "./capability/lookup.js";
export { assignReap, handOverReaping } from "./capability/reap-list.js";
export { reap, resumeReaping } from "./capability/reaper.js";
export { makeCNode, objectSizeBits, retype } from "./capability/retype.js";
export type { RetypeResult } from "./capability/retype-result.js";
export { CHUNK, killDescendants, Left, revoke } from "./capability/revoke.js";
export {
  anchorOf,
  deriveSlot,
  endFinalising,
  fillSlot,
  isDying,
  killSlot,
  moveSlot,
  reclaimSlot,
  slotWord,
} from "./capability/slot.js";
export { linkBeside, linkFirst, rotateChildren, takePlace, unlink } from "./capability/tree.js";
export { lockTree, unlockTree } from "./capability/tree-lock.js";
export { Core, EXPIRING, REAPING } from "./core.js";
export {
  graceIsOver,
  leaveGraceWait,
  passGrace,
  requestGrace,
  waitForGrace,
  wakeGraceWaiters,
} from "./grace-period.js";
export { makeSys } from "./guest/sys.js";
export { moveHome } from "./home.js";
export { inspect } from "./inspect/inspect.js";
export { MAX_SLOTS } from "./inspect/tree-copy.js";
export { Vector } from "./interrupts.js";
export { invokeCNode } from "./invoke/cnode-methods.js";
export { invokeMonitor } from "./invoke/monitor-methods.js";
export { bindCSpace, invokeProcess } from "./invoke/process-methods.js";
export { configureThread, startHere } from "./invoke/thread-methods.js";
export { invokeUntyped } from "./invoke/untyped-methods.js";
export { queueThread, takeFrom } from "./ipc/endpoint.js";
export { insert, nextInQueue, remove } from "./ipc/wait-queue.js";
export * from "./layout.js";
export { attend, flushBacklog, owePass } from "./safe-point.js";
export { type Context, GeneratorContext, makeRegisters } from "./thread/context.js";
export { finishDeath } from "./thread/lifecycle.js";
export { cleanProcess, endProcess, linkMade } from "./thread/process-end.js";
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
