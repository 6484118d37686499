/**
 * Methods of threads. What changes a started thread runs on its home core: here if that is this one,
 * else there, for the invoker, by one line.
 */
import { Err, LifeState, Method, Reg, Slot } from "@capos/abi";
import { type Context, makeRegisters } from "@capos/engine";
import { CoreArea, CoreState, coreArea } from "@capos/hal";
import { slotStillNames } from "../capability/lookup.js";
import { bindSlot, reclaimSlot } from "../capability/slot.js";
import { answerStatus } from "../ipc/answer.js";
import { beginAsking, publishLine, reserveLine, waitForRing } from "../ipc/line.js";
import { askRehome, attendNotification, canMove } from "../ipc/notification.js";
import { requeue } from "../ipc/queues.js";
import { askRequeue } from "../ipc/requeue.js";
import { progressOf } from "../sched/progress.js";
import { dequeue, enqueue, preempt, yieldTo } from "../sched/run-queue.js";
import { ensureGrace, requestGrace, waitForGrace } from "../smp/grace-period.js";
import { homeOf, moveHome } from "../smp/home.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { kindOf } from "../state/kinds.js";
import {
  Internal,
  Message,
  Notification,
  ObjectHeader,
  Process,
  Restart,
  Tables,
  Thread,
  ThreadState,
} from "../state/layout.js";
import { copyWords, threadWords } from "../state/message.js";
import { Binding } from "../state/objects.js";
import type {
  CoreId,
  ImageRef,
  LineRef,
  NotificationRef,
  ProcessRef,
  QueueRef,
  SlotRef,
  ThreadRef,
} from "../state/references.js";
import { traceThread } from "../state/trace.js";
import { answer, finish, refuse } from "./arguments.js";
import { linkThread } from "./process-end.js";
import { endNew, endThread, isEnded } from "./thread-end.js";

/**
 * True for a thread that has its home: what is done to it before its configuration would be done on the
 * wrong core, and the core on which it died may have left the machine.
 */
function isPlaced(k: Core, target: ThreadRef): boolean {
  return k.i32[target + Thread.NUMBER] !== 0 && k.i32[target + Thread.STATE] !== ThreadState.DEAD;
}

/** An INVOKE: run a method at the home of its target. Up to two numbers travel. */
export const enum InvokeLine {
  /** The invoker. */
  THREAD = 1,
  TARGET = 2,
  METHOD = 3,
  A = 4,
  B = 5,
}

/** Runs a method here, or at the target's home; then the invoker waits and its result comes with the answer. */
function atHome(
  k: Core,
  thread: ThreadRef,
  context: Context,
  target: ThreadRef,
  method: Method,
  a = 0,
  b = 0,
): Answer {
  const home = k.i32[target + Thread.HOME] as CoreId;
  if (!isPlaced(k, target)) return finish(context, Err.BUSY);
  if (home !== k.id) return askInvoke(k, thread, home, target, method, a, b);
  // The result first: the method may end or preempt the invoker itself.
  context.result = Err.OK;
  const result = perform(k, target, method, a, b);
  return result === Internal.RETRY ? Answer.AGAIN : finish(context, result);
}

/** Asks another thread's home, for the running thread. */
function askInvoke(
  k: Core,
  thread: ThreadRef,
  to: CoreId,
  target: ThreadRef,
  method: Method,
  a: number,
  b: number,
): Answer {
  const { i32 } = k;
  const line = reserveLine(k, to);
  if (line === 0) return waitForRing(k, thread, to);
  i32[line + InvokeLine.THREAD] = thread;
  i32[line + InvokeLine.TARGET] = target;
  i32[line + InvokeLine.METHOD] = method;
  i32[line + InvokeLine.A] = a;
  i32[line + InvokeLine.B] = b;
  beginAsking(k, thread, to);
  publishLine(k, to, line, Message.INVOKE);
  return Answer.BLOCKED;
}

/** Home: the other end of `atHome`. */
export function onInvoke(k: Core, line: LineRef): void {
  const { i32 } = k;
  const invoker = i32[line + InvokeLine.THREAD] as ThreadRef;
  const target = i32[line + InvokeLine.TARGET] as ThreadRef;
  const method = i32[line + InvokeLine.METHOD];
  const result = perform(k, target, method, i32[line + InvokeLine.A], i32[line + InvokeLine.B]);
  const again = method === Method.THREAD_DESTROY && isDying(k, target);
  answerStatus(k, invoker, again ? Internal.RETRY : result);
}

/** Runs a method on the target's home core. */
function perform(k: Core, target: ThreadRef, method: number, a: number, b: number): number {
  switch (method) {
    case Method.THREAD_START:
      return startHere(k, target);
    case Method.THREAD_DESTROY:
      destroyHere(k, target);
      return Err.OK;
    case Method.THREAD_BIND:
      return bindHere(k, target, a as SlotRef, b);
    case Method.THREAD_PRIORITY:
      return setPriorityHere(k, target, a);
    default:
      return Err.UNSUPPORTED;
  }
}

export function threadStatus(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const target = i32[self + Slot.OBJECT] as ThreadRef;
  return answer(
    context,
    Atomics.load(i32, target + Thread.LIFE),
    Atomics.load(i32, target + Thread.STATE),
    i32[target + Thread.HOME] as CoreId,
    i32[target + Thread.PRIORITY],
    i32[target + Thread.EXIT_STATUS],
  );
}

/** Once; gives the thread its number. */
export function threadConfigure(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const { process, core, priority } = k.operands;
  const target = i32[self + Slot.OBJECT] as ThreadRef;
  const status = configureThread(
    k,
    target,
    i32[process + Slot.OBJECT] as ProcessRef,
    core as CoreId,
    priority,
  );
  return status === Err.NO_RESOURCE ? refuse(context, status) : finish(context, status);
}

/** Gives a new thread its process, home, priority and number. */
export function configureThread(
  k: Core,
  target: ThreadRef,
  process: ProcessRef,
  core: CoreId,
  priority: number,
): number {
  const { i32 } = k;
  // The tree lock also orders this: two invokers of one thread, and the search for a number.
  const held = lockTree(k);
  let result: number = Err.BUSY;
  const online = Atomics.load(i32, coreArea(k.memory, core) + CoreArea.STATE) === CoreState.ONLINE;
  if (!online) result = Err.NOT_FOUND;
  else if (
    i32[target + Thread.NUMBER] === 0 &&
    i32[target + Thread.HEADER + ObjectHeader.REFERENCES] !== 0 &&
    Atomics.load(i32, target + Thread.LIFE) === LifeState.NEW &&
    Atomics.load(i32, process + Process.LIFE) === LifeState.RUNNING
  ) {
    const number = i32[process + Process.THREADS_LEFT] === 0 ? 0 : freeNumber(held);
    result = number === 0 ? Err.NO_RESOURCE : Err.OK;
    if (number !== 0) {
      i32[process + Process.THREADS_LEFT]--;
      linkThread(held, process, target);
      i32[target + Thread.CALL_NUMBER] = i32[i32[k.tables + Tables.CALL_NUMBERS] + number];
      i32[target + Thread.HOME] = core;
      i32[target + Thread.PRIORITY] = priority;
      i32[target + Thread.PROCESS] = process;
      i32[target + Thread.IMAGE] = i32[process + Process.IMAGE];
      i32[target + Thread.INDEX] = Atomics.add(i32, process + Process.NEXT_INDEX, 1);
      i32[target + Thread.NUMBER] = number;
      Atomics.add(i32, process + Process.THREADS, 1);
      Atomics.store(i32, k.threadTable + number, target);
      if (TRACED) traceThread(k, target);
    }
  }
  unlockTree(held);
  return result;
}

/** A number that no thread has; 0 if all are taken. */
function freeNumber(k: Locked): number {
  const { i32 } = k;
  const limit = i32[k.tables + Tables.THREAD_LIMIT];
  let number = i32[k.tables + Tables.THREAD_HINT];
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
export function threadStart(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32, operands } = k;
  const target = i32[self + Slot.OBJECT] as ThreadRef;
  if (i32[target + Thread.NUMBER] === 0 || Atomics.load(i32, target + Thread.LIFE) !== LifeState.NEW)
    return finish(context, Err.BUSY);
  copyWords(k.f64, threadWords(target), context.regs, operands.payload, operands.wordCount);
  i32[target + Thread.START_WORDS] = operands.wordCount;
  return atHome(k, thread, context, target, Method.THREAD_START);
}

/** Home: a thread that is configured becomes ready. Its guest is made when it first runs. */
export function startHere(k: Core, target: ThreadRef): number {
  const { i32 } = k;
  if (i32[target + Thread.STATE] !== ThreadState.INACTIVE || i32[target + Thread.LIFE] !== LifeState.NEW)
    return Err.BUSY;
  const regs = makeRegisters();
  copyWords(regs, Reg.WORDS, k.f64, threadWords(target), i32[target + Thread.START_WORDS]);
  k.contexts[i32[target + Thread.NUMBER]] = kindOf(k, i32[target + Thread.IMAGE] as ImageRef).make(regs);
  Atomics.store(i32, target + Thread.LIFE, LifeState.RUNNING);
  i32[target + Thread.RESTART] = Restart.START;
  enqueue(k, target);
  yieldTo(k, target);
  return Err.OK;
}

/**
 * Ends a thread. One that is still owed an answer may be given a message with it, and capabilities in its window: who
 * destroyed it goes on when it is dead. After a grace period the core that it asked has read what it was
 * asked; the trap starts again then, and looks.
 */
export function threadDestroy(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const target = k.i32[self + Slot.OBJECT] as ThreadRef;
  context.result = Err.OK;
  if (k.i32[target + Thread.NUMBER] === 0 && endNew(k, target)) return Answer.DONE;
  // After the look: one that is configured has it.
  const home = k.i32[target + Thread.HOME] as CoreId;
  if (!isDying(k, target)) {
    if (home !== k.id && isPlaced(k, target))
      return askInvoke(k, thread, home, target, Method.THREAD_DESTROY, 0, 0);
    destroyHere(k, target);
  }
  if (!isDying(k, target) || target === thread) return Answer.DONE;
  // Somebody more urgent may have been told of the end, and have the core: then the invoker looks when it is its turn.
  return k.current === thread ? waitForGrace(k, thread, requestGrace(k)) : Answer.AGAIN;
}

/** True for a thread that has ended and is owed an answer. */
function isDying(k: Core, target: ThreadRef): boolean {
  return k.i32[target + Thread.STATE] === ThreadState.DYING;
}

function destroyHere(k: Core, target: ThreadRef): void {
  if (!isEnded(k.i32[target + Thread.STATE])) endThread(k, target, LifeState.KILLED, 0);
}

/** A notification that also ends the thread's receives. It moves to the thread's core first. */
export function threadBind(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const { notification: slot } = k.operands;
  const target = i32[self + Slot.OBJECT] as ThreadRef;
  if (!isPlaced(k, target)) return finish(context, Err.BUSY);
  const notification = i32[slot + Slot.OBJECT] as NotificationRef;
  const generation = i32[slot + Slot.GENERATION];
  const home = homeOf(k, notification);
  const wanted = i32[target + Thread.HOME] as CoreId;
  if (home !== wanted) {
    if (home !== k.id) return askRehome(k, thread, notification, home, wanted);
    if (!canMove(k, notification)) return finish(context, Err.BUSY);
    if (!moveHome(k, notification, wanted)) return Answer.AGAIN;
  }
  return atHome(k, thread, context, target, Method.THREAD_BIND, slot, generation);
}

/** Home: derives the thread's binding from the capability that the invoker named, if it still is what it was. */
function bindHere(k: Core, target: ThreadRef, slot: SlotRef, generation: number): number {
  const { i32 } = k;
  const notification = i32[slot + Slot.OBJECT] as NotificationRef;
  const binding = (target + Thread.BINDING) as SlotRef;
  const held = lockTree(k);
  let status: number = Err.OK;
  if (!slotStillNames(k, slot, generation, notification)) status = Err.BAD_CAP;
  else if (i32[notification + Notification.HOME] !== k.id) status = Internal.RETRY;
  else if (
    i32[target + Thread.BOUND_NOTIFICATION] !== 0 ||
    i32[notification + Notification.BOUND_THREAD] !== 0 ||
    isEnded(i32[target + Thread.STATE])
  )
    status = Err.BUSY;
  // The last one's end is not through yet.
  else if (!reclaimSlot(held, binding)) status = Internal.RETRY;
  else bindSlot(held, slot, binding, Binding.THREAD_NOTIFICATION);
  const stamp = i32[binding + Slot.STAMP];
  unlockTree(held);
  if (status === Internal.RETRY) ensureGrace(k, stamp);
  if (status !== Err.OK) return status;
  i32[target + Thread.BOUND_NOTIFICATION] = notification;
  i32[notification + Notification.BOUND_THREAD] = target;
  // As long as a thread is bound a signaller always looks further.
  Atomics.store(i32, notification + Notification.WAITING, 1);
  attendNotification(k, notification);
  return Err.OK;
}

/** What is left to do of a change of priority: see `askRequeue`. In PROGRESS. */
const PRIORITY_STORED = 1;

/** In two phases: the thread's home stores it, and the home of a queue that it waits in moves it there. */
export function threadPriority(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const { priority } = k.operands;
  const target = i32[self + Slot.OBJECT] as ThreadRef;
  if (progressOf(k, thread) === PRIORITY_STORED) return askRequeue(k, thread, context, target);
  const result = atHome(k, thread, context, target, Method.THREAD_PRIORITY, priority);
  // Told to come again it is in its second phase; where the ring was full it is still in its first.
  if (result === Answer.AGAIN || i32[thread + Thread.STATE] === ThreadState.REMOTE)
    i32[thread + Thread.PROGRESS] = PRIORITY_STORED;
  return result;
}

/** Home: a thread in a queue of this core, or ready, goes to the end of its new priority. RETRY: it may wait in one elsewhere. */
function setPriorityHere(k: Core, target: ThreadRef, priority: number): number {
  const { i32 } = k;
  if (i32[target + Thread.PRIORITY] === priority) return Err.OK;
  const state = i32[target + Thread.STATE];
  if (state === ThreadState.READY) dequeue(k, target);
  i32[target + Thread.PRIORITY] = priority;
  if (state === ThreadState.READY) enqueue(k, target);
  else if (state === ThreadState.QUEUED) requeue(k, i32[target + Thread.QUEUE] as QueueRef, target);
  else if (state === ThreadState.REMOTE) return Internal.RETRY;
  if (k.current !== 0 && k.topReady > i32[k.current + Thread.PRIORITY]) preempt(k);
  return Err.OK;
}
