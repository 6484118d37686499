/**
 * Methods of threads. What changes a started thread runs on its home core: here if that is this one,
 * else there, for the invoker, by one line.
 */
import { Err, LifeState, MAX_MESSAGE_WORDS, Method, ObjectType, Reg, Right, Slot } from "@capos/abi";
import { CoreArea, CoreState, coreArea, type WordIndex } from "@capos/hal";
import { hasRight, lookupArgument } from "../capability/lookup.js";
import { lockTree, unlockTree } from "../capability/tree-lock.js";
import type { Core } from "../core.js";
import { requestGrace, waitForGrace } from "../grace-period.js";
import { homeOf } from "../hot-plug.js";
import { copyWords, threadWords, wordCount } from "../ipc/message.js";
import { attendNotification } from "../ipc/notification.js";
import { answerStatus, askInvoke } from "../ipc/remote.js";
import { Internal, Message, Notification, Process, Restart, Tables, Thread, ThreadState } from "../layout.js";
import { type Context, GeneratorContext, makeRegisters } from "../thread/context.js";
import { endThread, isEnded } from "../thread/lifecycle.js";
import { dequeue, enqueue, preempt, yieldTo } from "../thread/run-queue.js";
import { answer, handle, integer, refuse } from "./arguments.js";

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
      if (!destroy(k, thread, target, false)) awaitDeath(k, thread, target);
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
  argument: number,
): void {
  const home = k.i32[target + Thread.HOME]!;
  if (!isPlaced(k, target)) context.result = Err.BUSY;
  else if (home === k.id) {
    // The result first: the method may end or preempt the invoker itself.
    context.result = Err.OK;
    const result = perform(k, target, method, argument);
    context.result = result;
  } else askInvoke(k, thread, home, Message.INVOKE, target, method, argument, 0);
}

/** The other end of `atHome`. */
export function invokeRemote(
  k: Core,
  invoker: WordIndex,
  target: WordIndex,
  method: number,
  argument: number,
): void {
  const result = perform(k, target, method & 0xffff, argument);
  const again = (method & RETRY_AFTER) !== 0 || (method === Method.THREAD_DESTROY && isDying(k, target));
  answerStatus(k, invoker, again ? Internal.RETRY : result);
}

/** Beside a method: the invoker's trap is to start again instead of ending (a kill that goes on to the next thread). */
const RETRY_AFTER = 0x10000;

/** Runs a method on the target's home core. */
function perform(k: Core, target: WordIndex, method: number, argument: number): number {
  switch (method) {
    case Method.THREAD_START:
      return startHere(k, target);
    case Method.THREAD_DESTROY:
      destroyHere(k, target);
      return Err.OK;
    case Method.THREAD_BIND:
      return bindHere(k, target, argument);
    case Method.THREAD_PRIORITY:
      setPriorityHere(k, target, argument);
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
  else context.result = configureThread(k, target, i32[process + Slot.OBJECT]!, core, priority);
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
    Atomics.load(i32, target + Thread.LIFE) === LifeState.NEW &&
    Atomics.load(i32, process + Process.LIFE) === LifeState.RUNNING
  ) {
    const number = freeNumber(k);
    result = number === 0 ? Err.NO_RESOURCE : Err.OK;
    if (number !== 0) {
      i32[target + Thread.HOME] = core;
      i32[target + Thread.PRIORITY] = priority;
      i32[target + Thread.PROCESS] = process;
      i32[target + Thread.CSPACE] = i32[process + Process.CSPACE]!;
      i32[target + Thread.CSPACE_SLOTS] = i32[process + Process.CSPACE_SLOTS]!;
      i32[target + Thread.IMAGE] = i32[process + Process.IMAGE]!;
      i32[target + Thread.INDEX] = Atomics.add(i32, process + Process.NEXT_INDEX, 1);
      i32[target + Thread.NUMBER] = number;
      Atomics.add(i32, process + Process.THREADS, 1);
      Atomics.store(i32, k.threadTable + number, target);
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
  atHome(k, thread, context, target, Method.THREAD_START, 0);
}

/** Home: a thread that is configured becomes ready. Its guest is made when it first runs. */
export function startHere(k: Core, target: WordIndex): number {
  const { i32 } = k;
  if (i32[target + Thread.STATE] !== ThreadState.INACTIVE || i32[target + Thread.LIFE] !== LifeState.NEW)
    return Err.BUSY;
  const regs = makeRegisters();
  copyWords(regs, Reg.WORDS, k.f64, threadWords(target), i32[target + Thread.START_WORDS]!);
  k.contexts[i32[target + Thread.NUMBER]!] = new GeneratorContext(regs);
  Atomics.store(i32, target + Thread.LIFE, LifeState.RUNNING);
  i32[target + Thread.RESTART] = Restart.START;
  enqueue(k, target);
  yieldTo(k, target);
  return Err.OK;
}

/**
 * Ends a thread. True if the invoker's trap is not over: it asked another core, or waits for the ring.
 * With `again` the invoker's trap starts again after the answer.
 */
export function destroy(k: Core, thread: WordIndex, target: WordIndex, again: boolean): boolean {
  const { i32 } = k;
  const home = i32[target + Thread.HOME]!;
  if (isDying(k, target)) return false;
  if (home !== k.id && isPlaced(k, target)) {
    askInvoke(
      k,
      thread,
      home,
      Message.INVOKE,
      target,
      again ? Method.THREAD_DESTROY | RETRY_AFTER : Method.THREAD_DESTROY,
      0,
      0,
    );
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
export function isDying(k: Core, target: WordIndex): boolean {
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
  const home = homeOf(k, notification);
  const wanted = i32[target + Thread.HOME]!;
  if (home === wanted) atHome(k, thread, context, target, Method.THREAD_BIND, notification);
  else if (home !== k.id) askInvoke(k, thread, home, Message.REHOME, notification, 0, wanted, 0);
  else if (
    i32[notification + Notification.QUEUE_HEAD] !== 0 ||
    i32[notification + Notification.BOUND_THREAD] !== 0
  )
    context.result = Err.BUSY;
  else {
    Atomics.store(i32, notification + Notification.HOME, wanted);
    atHome(k, thread, context, target, Method.THREAD_BIND, notification);
  }
}

function bindHere(k: Core, target: WordIndex, notification: WordIndex): number {
  const { i32 } = k;
  if (i32[notification + Notification.HOME] !== k.id) return Internal.RETRY;
  if (i32[target + Thread.BOUND_NOTIFICATION] !== 0 || i32[notification + Notification.BOUND_THREAD] !== 0)
    return Err.BUSY;
  if (isEnded(i32[target + Thread.STATE]!)) return Err.BUSY;
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
