/**
 * Methods of threads. What changes a started thread runs on its home core: here if that is this one,
 * else there, for the invoker, by one line.
 */
import {
  Err,
  LifeState,
  MAX_MESSAGE_WORDS,
  Method,
  ObjectType,
  Reg,
  Right,
  Slot,
  SlotFlag,
} from "@capos/abi";
import { type Context, makeRegisters } from "@capos/engine";
import { CoreArea, CoreState, coreArea, type WordIndex } from "@capos/hal";
import { hasRight, lookupArgument, slotStillNames } from "../capability/lookup.js";
import { deriveSlot, reclaimSlot } from "../capability/slot.js";
import { attendNotification } from "../ipc/notification.js";
import { answerStatus, askInvoke } from "../ipc/remote.js";
import { startAgain } from "../sched/progress.js";
import { dequeue, enqueue, preempt, yieldTo } from "../sched/run-queue.js";
import { ensureGrace, requestGrace, waitForGrace } from "../smp/grace-period.js";
import { homeOf, moveHome } from "../smp/home.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { kindOf } from "../state/kinds.js";
import {
  Anchor,
  Internal,
  Message,
  Notification,
  Process,
  Restart,
  Tables,
  Thread,
  ThreadState,
} from "../state/layout.js";
import { copyWords, threadWords, wordCount } from "../state/message.js";
import { traceThread } from "../state/trace.js";
import { TRACED } from "../state/traced.js";
import { answer, handle, integer, refuse } from "./arguments.js";
import { linkThread } from "./process-end.js";
import { endThread, isEnded } from "./thread-end.js";

export function invokeThread(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): void {
  const { i32 } = k;
  const target = i32[slot + Slot.OBJECT]!;
  if (method === Method.THREAD_STATUS) {
    if (hasRight(k, slot, Right.READ)) status(k, context, target);
    else context.result = Err.DENIED;
    return;
  }
  if (method < Method.THREAD_CONFIGURE || method > Method.THREAD_PRIORITY) return;
  if (!hasRight(k, slot, Right.WRITE)) {
    context.result = Err.DENIED;
    return;
  }
  switch (method) {
    case Method.THREAD_CONFIGURE:
      configure(k, thread, context, target);
      break;
    case Method.THREAD_START:
      start(k, thread, context, target);
      break;
    case Method.THREAD_DESTROY:
      context.result = Err.OK;
      if (!destroy(k, thread, target)) awaitDeath(k, thread, target);
      break;
    case Method.THREAD_BIND:
      bind(k, thread, context, target);
      break;
    case Method.THREAD_PRIORITY:
      setPriority(k, thread, context, target);
      break;
    default:
      break;
  }
}

/**
 * True for a thread that has its home: what is done to it before its configuration would be done on the
 * wrong core, and the core on which it died may have left the machine.
 */
function isPlaced(k: Core, target: WordIndex): boolean {
  return k.i32[target + Thread.NUMBER] !== 0 && k.i32[target + Thread.STATE] !== ThreadState.DEAD;
}

/** Runs a method here, or at the target's home; then the invoker waits and its result comes with the answer. */
function atHome(
  k: Core,
  thread: WordIndex,
  context: Context,
  target: WordIndex,
  method: Method,
  a = 0,
  b = 0,
): void {
  const { i32 } = k;
  const home = i32[target + Thread.HOME]!;
  if (!isPlaced(k, target)) context.result = Err.BUSY;
  else if (home === k.id) {
    // The result first: the method may end or preempt the invoker itself.
    context.result = Err.OK;
    const result = perform(k, target, method, a, b);
    if (result === Internal.RETRY) startAgain(k, thread);
    else context.result = result;
  } else askInvoke(k, thread, home, Message.INVOKE, target, method, a, b);
}

/** The other end of `atHome`. */
export function invokeRemote(
  k: Core,
  invoker: WordIndex,
  target: WordIndex,
  method: number,
  a: number,
  b: number,
): void {
  const result = perform(k, target, method, a, b);
  const again = method === Method.THREAD_DESTROY && isDying(k, target);
  answerStatus(k, invoker, again ? Internal.RETRY : result);
}

/** Runs a method on the target's home core. */
function perform(k: Core, target: WordIndex, method: number, a: number, b: number): number {
  switch (method) {
    case Method.THREAD_START:
      return startHere(k, target);
    case Method.THREAD_DESTROY:
      destroyHere(k, target);
      return Err.OK;
    case Method.THREAD_BIND:
      return bindHere(k, target, a, b);
    case Method.THREAD_PRIORITY:
      setPriorityHere(k, target, a);
      return Err.OK;
    default:
      return Err.UNSUPPORTED;
  }
}

function status(k: Core, context: Context, target: WordIndex): void {
  const { i32 } = k;
  answer(
    context,
    Atomics.load(i32, target + Thread.LIFE),
    Atomics.load(i32, target + Thread.STATE),
    i32[target + Thread.HOME]!,
    i32[target + Thread.PRIORITY]!,
    i32[target + Thread.EXIT_STATUS]!,
  );
}

/** Process, core, priority. Once; gives the thread its number. */
function configure(k: Core, thread: WordIndex, context: Context, target: WordIndex): void {
  const { i32 } = k;
  const process = lookupArgument(k, thread, handle(context, 1), ObjectType.PROCESS, Right.WRITE);
  const core = integer(context, 2);
  const priority = integer(context, 3);
  if (process < 0) context.result = process;
  else if (!(core >= 0 && core < k.coreCount)) refuse(context, Err.RANGE, 0, k.coreCount - 1);
  else if (!(priority >= 0 && priority <= ceilingOf(k, thread)))
    refuse(context, Err.RANGE, 0, ceilingOf(k, thread));
  else {
    const status = configureThread(k, target, i32[process + Slot.OBJECT]!, core, priority);
    if (status === Err.NO_RESOURCE) refuse(context, status);
    else context.result = status;
  }
}

/** The highest priority that a thread may give: without a ceiling any guest could shut out a core's servers. */
function ceilingOf(k: Core, thread: WordIndex): number {
  return k.i32[k.i32[thread + Thread.PROCESS]! + Process.CEILING]!;
}

/** Gives a new thread its process, home, priority and number. */
export function configureThread(
  k: Core,
  target: WordIndex,
  process: WordIndex,
  core: number,
  priority: number,
): number {
  const { i32 } = k;
  // The tree lock also orders this: two invokers of one thread, and the search for a number.
  lockTree(k);
  let result: number = Err.BUSY;
  const online = Atomics.load(i32, coreArea(k.memory, core) + CoreArea.STATE) === CoreState.ONLINE;
  if (!online) result = Err.NOT_FOUND;
  else if (
    i32[target + Thread.NUMBER] === 0 &&
    i32[target + Thread.ANCHOR + Anchor.REFERENCES] !== 0 &&
    Atomics.load(i32, target + Thread.LIFE) === LifeState.NEW &&
    Atomics.load(i32, process + Process.LIFE) === LifeState.RUNNING
  ) {
    const number = i32[process + Process.THREADS_LEFT] === 0 ? 0 : freeNumber(k);
    result = number === 0 ? Err.NO_RESOURCE : Err.OK;
    if (number !== 0) {
      i32[process + Process.THREADS_LEFT]!--;
      linkThread(i32, process, target);
      i32[target + Thread.CALL_NUMBER] = i32[i32[k.tables + Tables.CALL_NUMBERS]! + number]!;
      i32[target + Thread.HOME] = core;
      i32[target + Thread.PRIORITY] = priority;
      i32[target + Thread.PROCESS] = process;
      i32[target + Thread.IMAGE] = i32[process + Process.IMAGE]!;
      i32[target + Thread.INDEX] = Atomics.add(i32, process + Process.NEXT_INDEX, 1);
      i32[target + Thread.NUMBER] = number;
      Atomics.add(i32, process + Process.THREADS, 1);
      Atomics.store(i32, k.threadTable + number, target);
      if (TRACED) traceThread(k, target);
    }
  }
  unlockTree(k);
  return result;
}

/** A number that no thread has; 0 if all are taken. */
function freeNumber(k: Core): number {
  const { i32 } = k;
  const limit = i32[k.tables + Tables.THREAD_LIMIT]!;
  let number = i32[k.tables + Tables.THREAD_HINT]!;
  for (let i = 1; i < limit; i++) {
    number = number + 1 < limit ? number + 1 : 1;
    if (Atomics.load(i32, k.threadTable + number) === 0) {
      i32[k.tables + Tables.THREAD_HINT] = number;
      return number;
    }
  }
  return 0;
}

/** The words behind the method become the new thread's first message. */
function start(k: Core, thread: WordIndex, context: Context, target: WordIndex): void {
  const { i32 } = k;
  if (i32[target + Thread.NUMBER] === 0 || Atomics.load(i32, target + Thread.LIFE) !== LifeState.NEW) {
    context.result = Err.BUSY;
    return;
  }
  const count = Math.min(wordCount(context.trap), MAX_MESSAGE_WORDS) - 1;
  copyWords(k.f64, threadWords(target), context.regs, Reg.WORDS + 1, count);
  i32[target + Thread.START_WORDS] = count;
  atHome(k, thread, context, target, Method.THREAD_START);
}

/** Home: a thread that is configured becomes ready. Its guest is made when it first runs. */
export function startHere(k: Core, target: WordIndex): number {
  const { i32 } = k;
  if (i32[target + Thread.STATE] !== ThreadState.INACTIVE || i32[target + Thread.LIFE] !== LifeState.NEW)
    return Err.BUSY;
  const regs = makeRegisters();
  copyWords(regs, Reg.WORDS, k.f64, threadWords(target), i32[target + Thread.START_WORDS]!);
  k.contexts[i32[target + Thread.NUMBER]!] = kindOf(k, i32[target + Thread.IMAGE]!).make(regs);
  Atomics.store(i32, target + Thread.LIFE, LifeState.RUNNING);
  i32[target + Thread.RESTART] = Restart.START;
  enqueue(k, target);
  yieldTo(k, target);
  return Err.OK;
}

/** Ends a thread. True if the invoker's trap is not over: it asked another core, or waits for the ring. */
function destroy(k: Core, thread: WordIndex, target: WordIndex): boolean {
  const home = k.i32[target + Thread.HOME]!;
  if (isDying(k, target)) return false;
  if (home !== k.id && isPlaced(k, target)) {
    askInvoke(k, thread, home, Message.INVOKE, target, Method.THREAD_DESTROY, 0, 0);
    return true;
  }
  destroyHere(k, target);
  return false;
}

/**
 * A thread that is still owed an answer may be given a message with it, and capabilities in its window: who
 * destroyed it goes on when it is dead. After a grace period the core that it asked has read what it was
 * asked; the trap starts again then, and looks.
 */
function awaitDeath(k: Core, thread: WordIndex, target: WordIndex): void {
  if (!isDying(k, target) || target === thread) return;
  if (k.current === thread) waitForGrace(k, thread, requestGrace(k));
  // Somebody more urgent was told of the end and has the core: the invoker is ready, and looks when it is its turn.
  else k.i32[thread + Thread.RESTART] = Restart.TRAP;
}

/** True for a thread that has ended and is owed an answer. */
function isDying(k: Core, target: WordIndex): boolean {
  return k.i32[target + Thread.STATE] === ThreadState.DYING;
}

function destroyHere(k: Core, target: WordIndex): void {
  if (!isEnded(k.i32[target + Thread.STATE]!)) endThread(k, target, LifeState.KILLED, 0);
}

/** A notification that also ends the thread's receives. It moves to the thread's core first. */
function bind(k: Core, thread: WordIndex, context: Context, target: WordIndex): void {
  const { i32 } = k;
  const slot = lookupArgument(k, thread, handle(context, 1), ObjectType.NOTIFICATION, Right.RECEIVE);
  if (slot < 0) {
    context.result = slot;
    return;
  }
  if (!isPlaced(k, target)) {
    context.result = Err.BUSY;
    return;
  }
  const notification = i32[slot + Slot.OBJECT]!;
  const generation = i32[slot + Slot.GENERATION]!;
  const home = homeOf(k, notification);
  const wanted = i32[target + Thread.HOME]!;
  if (home === wanted) atHome(k, thread, context, target, Method.THREAD_BIND, slot, generation);
  else if (home !== k.id) askInvoke(k, thread, home, Message.REHOME, notification, 0, wanted, 0);
  else if (
    i32[notification + Notification.QUEUE_HEAD] !== 0 ||
    i32[notification + Notification.BOUND_THREAD] !== 0
  )
    context.result = Err.BUSY;
  else if (!moveHome(k, notification, wanted)) startAgain(k, thread);
  else atHome(k, thread, context, target, Method.THREAD_BIND, slot, generation);
}

/** Home: derives the thread's binding from the capability that the invoker named, if it still is what it was. */
function bindHere(k: Core, target: WordIndex, slot: WordIndex, generation: number): number {
  const { i32 } = k;
  const notification = i32[slot + Slot.OBJECT]!;
  const binding = target + Thread.BINDING;
  lockTree(k);
  let status: number = Err.OK;
  if (!slotStillNames(k, slot, generation, notification)) status = Err.BAD_CAP;
  else if (i32[notification + Notification.HOME] !== k.id) status = Internal.RETRY;
  else if (
    i32[target + Thread.BOUND_NOTIFICATION] !== 0 ||
    i32[notification + Notification.BOUND_THREAD] !== 0 ||
    isEnded(i32[target + Thread.STATE]!)
  )
    status = Err.BUSY;
  // The last one's end is not through yet.
  else if (!reclaimSlot(k, binding)) status = Internal.RETRY;
  else deriveSlot(k, slot, binding, Right.ALL, 0, SlotFlag.BINDING);
  const stamp = i32[binding + Slot.STAMP]!;
  unlockTree(k);
  if (status === Internal.RETRY) ensureGrace(k, stamp);
  if (status !== Err.OK) return status;
  i32[target + Thread.BOUND_NOTIFICATION] = notification;
  i32[notification + Notification.BOUND_THREAD] = target;
  // As long as a thread is bound a signaller always looks further.
  Atomics.store(i32, notification + Notification.WAITING, 1);
  attendNotification(k, notification);
  return Err.OK;
}

function setPriority(k: Core, thread: WordIndex, context: Context, target: WordIndex): void {
  const priority = integer(context, 1);
  if (!(priority >= 0 && priority <= ceilingOf(k, thread)))
    refuse(context, Err.RANGE, 0, ceilingOf(k, thread));
  else atHome(k, thread, context, target, Method.THREAD_PRIORITY, priority);
}

/** Home: a thread in a wait queue keeps its place there until it waits next. */
function setPriorityHere(k: Core, target: WordIndex, priority: number): void {
  const { i32 } = k;
  const ready = i32[target + Thread.STATE] === ThreadState.READY;
  if (ready) dequeue(k, target);
  i32[target + Thread.PRIORITY] = priority;
  if (ready) enqueue(k, target);
  if (k.current !== 0 && k.topReady > i32[k.current + Thread.PRIORITY]!) preempt(k);
}
