/**
 * The kernel's insides, for tests and for the model: no part of its interface.
 */
export { blocksOf, buildTables, type InitResources } from "./boot/tables.js";
export { enterWheel, leaveWheel, moveInWheel, nextExpired } from "./capability/expiry-wheel.js";
export { currentSlot, findSlot, refusal } from "./capability/lookup.js";
export { assignReap, handOverReaping } from "./capability/reap-list.js";
export {
  bindSlot,
  derivePart,
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
export { AnswerLine } from "./ipc/answer.js";
export { CancelLine } from "./ipc/cancel.js";
export { SendLine } from "./ipc/endpoint.js";
export { NudgeLine, RehomeLine } from "./ipc/notification.js";
export { queueThread, requeue, takeFrom } from "./ipc/queues.js";
export { RequestLine } from "./ipc/request.js";
export { insert, nextInQueue, remove } from "./ipc/wait-queue.js";
export { run } from "./loop/loop.js";
export { attend, flushBacklog, owePass } from "./loop/safe-point.js";
export * as decoders from "./object/decode.js";
export { deleteCapability } from "./object/delete.js";
export { expireSome } from "./object/expiry.js";
export { frameMap } from "./object/frame.js";
export { bindImage, imageAt } from "./object/image.js";
export {
  invokeCNode,
  invokeImageControl,
  invokeMonitor,
  invokeProcess,
  invokeThread,
  invokeUntyped,
} from "./object/invoke.js";
export { pageTableMap } from "./object/page-table.js";
export { bindCSpace, processUse } from "./object/process.js";
export { cleanProcess, endProcess, linkChild } from "./object/process-end.js";
export { reap, resumeReaping } from "./object/reaper.js";
export { makeCNode, type RetypeRequest, retype } from "./object/retype.js";
export { CHUNK, killDescendants, Left, revoke } from "./object/revoke.js";
export { configureThread, InvokeLine, startHere } from "./object/thread.js";
export { finishDeath } from "./object/thread-end.js";
export {
  charge,
  dequeue,
  enqueue,
  enter,
  goesFirst,
  leave,
  preempt,
  QUANTUM_NS,
  refreshTop,
  restart,
  rotate,
  stopTicking,
  switchTo,
  TICK_NS,
  takeNext,
  wake,
} from "./sched/run-queue.js";
export {
  graceIsOver,
  leaveGraceWait,
  passGrace,
  requestGrace,
  waitForGrace,
  wakeGraceWaiters,
} from "./smp/grace-period.js";
export { moveHome } from "./smp/home.js";
export { type Locked, lockTree, unlockTree } from "./smp/tree-lock.js";
export { watchRing } from "./smp/watched-ring.js";
export { Answer } from "./state/answer.js";
export { Core, type CoreParts, EXPIRING, REAPING } from "./state/core.js";
export type {
  CNodeRef,
  CoreId,
  EndpointRef,
  HeaderRef,
  ImageRef,
  LineRef,
  MonitorRef,
  NodeRef,
  NotificationRef,
  ObjectRef,
  PhysicalAddress,
  ProcessRef,
  QueueRef,
  SlotRef,
  ThreadRef,
} from "./state/references.js";
export { Vector } from "./state/vectors.js";
