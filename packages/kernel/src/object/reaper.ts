/**
 * The reaper: ends, empties and finalises what its core was given (see reap-list.ts), in bounded steps
 * between two turns of the core's loop. Whoever gave the work may be dead by now; it is done all the same.
 *
 * An object is finalised when nothing is left that could lead to it: its last capability has been dead for a
 * grace period, its threads, slots and waiters are gone. Then its header leaves the tree; its memory is
 * used again after two more (see retype.ts), an image's place in the store at once (see image.ts).
 */
import { LifeState, ObjectType, Slot } from "@capos/abi";
import { isListed, popFirst, pushFirst, pushLast } from "../capability/reap-list.js";
import { endFinalising, loseBindings, slotsOf, typeOf } from "../capability/slot.js";
import { awaitGrace, publishAwaited } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { TRACED } from "../state/build.js";
import { type Core, EXPIRING, REAPING } from "../state/core.js";
import {
  Cleaning,
  KernelArea,
  Monitor,
  Notification,
  ObjectHeader,
  Process,
  Reap,
  Thread,
  ThreadState,
} from "../state/layout.js";
import { headerOf } from "../state/objects.js";
import type {
  CNodeRef,
  HeaderRef,
  ImageRef,
  MonitorRef,
  ObjectRef,
  ProcessRef,
  SlotRef,
  ThreadRef,
} from "../state/references.js";
import { TraceEvent } from "../state/trace-events.js";
import { deleteCapability } from "./delete.js";
import { expireSome } from "./expiry.js";
import { dropImage } from "./image.js";
import { tellLoss, tellMonitor } from "./monitor-tell.js";
import { cleanProcess, endWithoutThreads } from "./process-end.js";
import { CHUNK } from "./revoke.js";
import { Step } from "./step.js";
import { endThread, isEnded } from "./thread-end.js";

/** Objects worked on in one turn. */
const OBJECTS = 16;

/** Does some of what is to be done. Called in each turn of the loop while REAPING or EXPIRING is set. */
export function reap(k: Core): void {
  if ((k.backlog & EXPIRING) !== 0 && !expireSome(k)) k.backlog &= ~EXPIRING;
  if ((k.backlog & REAPING) === 0) return;
  if (k.reapAwaits !== 0) {
    k.reapAwaits = 0;
    publishAwaited(k);
  }
  for (let i = 0; i < OBJECTS; i++) {
    const held = lockTree(k);
    const header = popFirst(held);
    // For whoever takes the core over if its worker dies here.
    k.i32[k.kernelArea + KernelArea.REAP_CURRENT] = header;
    unlockTree(held);
    const isRound = header === 0 || header === k.reapWaiting;
    const step = isRound ? Step.WAIT : work(k, header);
    if (step === Step.DONE) putAside(k, header as HeaderRef);
    else if (header !== 0) giveBack(k, header, step !== Step.WAIT);
    k.i32[k.kernelArea + KernelArea.REAP_CURRENT] = 0;
    if (step === Step.MORE) return;
    // All that is left waits for something that will raise a bit of this core's; those behind one that waits for
    // a grace period wait for a later one.
    if (step === Step.GRACE || isRound) {
      k.backlog &= ~REAPING;
      return;
    }
    if (step === Step.WAIT && k.reapWaiting === 0) k.reapWaiting = header;
  }
}

/** What the core's former worker was reaping when it died is still to be reaped. */
export function resumeReaping(k: Core): void {
  const current = k.kernelArea + KernelArea.REAP_CURRENT;
  const header = k.i32[current] as HeaderRef | 0;
  if (header === 0) return;
  const held = lockTree(k);
  // It may have died after it gave it back, or was done with it.
  const isOwn = k.i32[header + ObjectHeader.REAP_CORE] === k.id + 1;
  if (isOwn && !isListed(held, header)) pushFirst(held, k.id, header);
  unlockTree(held);
  k.i32[current] = 0;
}

/** An object that needs another turn goes back into the list, to the front if it is to be the next. */
function giveBack(k: Core, header: HeaderRef, first: boolean): void {
  const held = lockTree(k);
  if (first) pushFirst(held, k.id, header);
  else pushLast(held, k.id, header);
  unlockTree(held);
}

/** Nothing is to be done of an object any more, unless it was given more work meanwhile. */
function putAside(k: Core, header: HeaderRef): void {
  const held = lockTree(k);
  if (k.i32[header + ObjectHeader.REAP_WORK] !== 0) pushFirst(held, k.id, header);
  else k.i32[header + ObjectHeader.REAP_CORE] = 0;
  unlockTree(held);
}

/** Does a step of an object's work: ending first, then telling, then finalising. */
function work(k: Core, header: HeaderRef): Step {
  const { i32 } = k;
  const type = typeOf(i32[header]);
  const object = (header - headerOf(type, 0)) as ObjectRef;
  const wanted = Atomics.load(i32, header + ObjectHeader.REAP_WORK);
  let step = Step.DONE;
  if ((wanted & Reap.END) !== 0) {
    step =
      type === ObjectType.THREAD ? endOne(k, object as ThreadRef) : cleanProcess(k, object as ProcessRef);
    if (step === Step.DONE) take(k, header, Reap.END);
  }
  // Whoever is told that a process has ended finds nothing of it left.
  if (step === Step.DONE && (wanted & Reap.TELL) !== 0) {
    if (type === ObjectType.MONITOR) tellLoss(k, object as MonitorRef);
    else if (tellMonitor(k, type, object)) return Step.MORE;
  }
  if (step === Step.DONE && (wanted & Reap.FINALISE) !== 0) {
    step = finalise(k, header, type, object);
    if (step === Step.DONE) take(k, header, Reap.FINALISE);
  }
  return step;
}

function take(k: Core, header: HeaderRef, done: Reap): void {
  Atomics.and(k.i32, header + ObjectHeader.REAP_WORK, ~done);
}

function endOne(k: Core, thread: ThreadRef): Step {
  if (!isEnded(k.i32[thread + Thread.STATE])) endThread(k, thread, LifeState.KILLED, 0);
  return Step.DONE;
}

/** Nothing may be left of an object whose last capability is dead. */
function finalise(k: Core, header: HeaderRef, type: ObjectType, object: ObjectRef): Step {
  const left = empty(k, header, type, object);
  if (left !== Step.DONE) return left;
  const { i32 } = k;
  // Cores that found the last capability alive may be using the object until then.
  if (awaitGrace(k, i32[header + Slot.STAMP])) return Step.GRACE;
  const held = lockTree(k);
  endFinalising(held, header);
  if (type === ObjectType.IMAGE) dropImage(held, object as ImageRef);
  unlockTree(held);
  if (TRACED) k.tracer.put2(TraceEvent.OBJECT_FINALISED, type, object);
  return Step.DONE;
}

function empty(k: Core, header: HeaderRef, type: ObjectType, object: ObjectRef): Step {
  const { i32 } = k;
  switch (type) {
    case ObjectType.THREAD:
      return emptyThread(k, object as ThreadRef);
    case ObjectType.PROCESS:
      return emptyProcess(k, object as ProcessRef);
    case ObjectType.CNODE:
      return emptyCNode(k, header, object as CNodeRef);
    case ObjectType.NOTIFICATION:
      // Threads that waited were swept; one core may still have it in its list of nudges.
      return Atomics.load(i32, object + Notification.NUDGE_HOLDER) === 0 ? Step.DONE : Step.WAIT;
    case ObjectType.MONITOR:
      return emptyMonitor(k, object as MonitorRef);
    default:
      // An endpoint's waiters were swept when its capabilities died; a process holds its image by a capability.
      return Step.DONE;
  }
}

function emptyMonitor(k: Core, monitor: MonitorRef): Step {
  const held = lockTree(k);
  // Its own end is no news.
  k.i32[monitor + Monitor.ENDED] = 1;
  loseBindings(held, ObjectType.MONITOR, monitor);
  unlockTree(held);
  return Step.DONE;
}

/** Home: the thread stops, whatever it does; what others owe it has come. */
function emptyThread(k: Core, thread: ThreadRef): Step {
  const { i32 } = k;
  if (i32[thread + Thread.MONITORS] !== 0)
    return tellMonitor(k, ObjectType.THREAD, thread) ? Step.MORE : Step.DONE;
  if (i32[thread + Thread.NUMBER] === 0) return Step.DONE;
  if (!isEnded(i32[thread + Thread.STATE])) endThread(k, thread, LifeState.KILLED, 0);
  const isGone = i32[thread + Thread.STATE] === ThreadState.DEAD && i32[thread + Thread.CANCEL_NEXT] === 0;
  return isGone ? Step.DONE : Step.WAIT;
}

function emptyProcess(k: Core, process: ProcessRef): Step {
  const { i32 } = k;
  if (i32[process + Process.CLEANING] !== Cleaning.DONE) {
    endWithoutThreads(k, process);
    const step = cleanProcess(k, process);
    if (step !== Step.DONE) return step;
  }
  return tellMonitor(k, ObjectType.PROCESS, process) ? Step.MORE : Step.DONE;
}

/** Deletes what is in the next 256 slots. Nobody can fill any: there is no capability to it. */
function emptyCNode(k: Core, header: HeaderRef, cnode: CNodeRef): Step {
  const { i32 } = k;
  const slots = slotsOf(i32[header]);
  const from = Math.max(i32[header + ObjectHeader.CURSOR], 1);
  const to = Math.min(from + CHUNK, slots);
  for (let index = from; index < to; index++) {
    const slot = (cnode + index * Slot.WORDS) as SlotRef;
    if (i32[slot] !== 0) deleteCapability(k, slot, true);
  }
  i32[header + ObjectHeader.CURSOR] = to;
  return to < slots ? Step.MORE : Step.DONE;
}
