/**
 * How threads and processes end: by themselves, by a fault, or destroyed by others, in any state.
 *
 * All of it runs on the thread's home core. Whoever the thread owes something gets ERR_PEER_DIED;
 * whatever it waits in is left. A thread that asked another core stays DYING until the one answer came:
 * until then its queue fields and message words are lent.
 */
import { Err, LifeState, Slot, utf8Decode } from "@capos/abi";
import { type Fault, faultOf } from "@capos/engine";
import { isLive } from "../capability/lookup.js";
import { assignReap } from "../capability/reap-list.js";
import { killSlot } from "../capability/slot.js";
import { askCancel } from "../ipc/cancel.js";
import { leaveQueue } from "../ipc/queues.js";
import { failCall, takeReply } from "../ipc/reply.js";
import { dequeue, leave, wake } from "../sched/run-queue.js";
import { powerOff } from "../smp/console.js";
import { leaveGraceWait, unlinkWaiting } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { assert } from "../state/assert.js";
import { CHECKED, TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { KernelPanic } from "../state/kernel-panic.js";
import {
  KernelArea,
  Notification,
  Process,
  Reap,
  Role,
  Tables,
  Thread,
  ThreadState,
} from "../state/layout.js";
import type {
  HeaderRef,
  NotificationRef,
  PhysicalAddress,
  ProcessRef,
  QueueRef,
  SlotRef,
  ThreadRef,
} from "../state/references.js";
import { traceDeath, traceFault } from "../state/trace.js";
import { recordFault } from "./fault.js";
import { endProcess, unlinkThread } from "./process-end.js";

/** Ends a thread of this core, which has a number. `status` is what its process ends with if it decides that. */
export function endThread(k: Core, thread: ThreadRef, life: LifeState, status: number): void {
  const { i32 } = k;
  if (isEnded(i32[thread + Thread.STATE])) return;
  if (CHECKED) assert(i32[thread + Thread.NUMBER] !== 0, "thread number");
  const state = i32[thread + Thread.STATE];
  // In this order: who finds it ended, on any core, finds the status.
  i32[thread + Thread.EXIT_STATUS] = status;
  Atomics.store(i32, thread + Thread.LIFE, life);
  if (TRACED) traceDeath(k, thread, life, status);
  stopWaiting(k, thread, state);
  // A reply to a call that it still waits for is stale from here on.
  Atomics.add(i32, thread + Thread.CALL_NUMBER, 1);
  unbind(k, thread);
  k.contexts[i32[thread + Thread.NUMBER]] = null;
  if (k.turn === thread) k.turn = 0;
  if (state === ThreadState.REMOTE) {
    i32[thread + Thread.STATE] = ThreadState.DYING;
    askCancel(k, thread);
  } else if (state === ThreadState.AWAITING_REPLY && isBeingAnswered(k, thread)) {
    i32[thread + Thread.STATE] = ThreadState.DYING;
  } else finishDeath(k, thread);
  endInProcess(k, thread, life, status);
  if (Atomics.load(i32, thread + Thread.MONITORS) !== 0) tellOfEnd(k, thread);
}

/**
 * Ends a thread that has no number, and so is in no table, no list and no queue, on whatever core. Under the lock that
 * it would be configured under: false if it has a number, and with it a home that has to end it.
 */
export function endNew(k: Core, thread: ThreadRef): boolean {
  const { i32 } = k;
  const held = lockTree(k);
  const isNew = i32[thread + Thread.NUMBER] === 0;
  const ends = isNew && i32[thread + Thread.LIFE] === LifeState.NEW;
  if (ends) {
    Atomics.store(i32, thread + Thread.LIFE, LifeState.KILLED);
    i32[thread + Thread.STATE] = ThreadState.DEAD;
  }
  unlockTree(held);
  if (ends && Atomics.load(i32, thread + Thread.MONITORS) !== 0) tellOfEnd(k, thread);
  return isNew;
}

/** LIFE is stored before the list is looked at; who attaches a monitor looks at LIFE after: one sees the other. */
function tellOfEnd(k: Core, thread: ThreadRef): void {
  const held = lockTree(k);
  assignReap(held, (thread + Thread.HEADER) as HeaderRef, Reap.TELL, k.id);
  unlockTree(held);
}

/** True for a caller that was lent to a server elsewhere, which replies just now; else its reply is stale from here on. */
function isBeingAnswered(k: Core, thread: ThreadRef): boolean {
  const role = thread + Thread.ROLE;
  return Atomics.compareExchange(k.i32, role, Role.REPLY_OWED, Role.NONE) === Role.REPLYING;
}

/** True for a thread that will never run again. */
export function isEnded(state: number): boolean {
  return state === ThreadState.DEAD || state === ThreadState.DYING;
}

/** Nothing of a thread is lent any more; the answer that a DYING one was owed has come. */
export function finishDeath(k: Core, thread: ThreadRef): void {
  const { i32 } = k;
  i32[thread + Thread.STATE] = ThreadState.DEAD;
  // Not before: the core that a receiver asked may have handed it a call after it began to die.
  const caller = takeReply(k, thread);
  if (caller !== 0) wakeIfHere(k, failCall(k, caller, i32[thread + Thread.REPLY_CALL], Err.PEER_DIED));
  const number = i32[thread + Thread.NUMBER];
  const held = lockTree(k);
  // The number's next thread goes on counting: no reply to a call of this one is ever taken for one to it.
  i32[i32[k.tables + Tables.CALL_NUMBERS] + number] = i32[thread + Thread.CALL_NUMBER] + 1;
  Atomics.store(i32, k.threadTable + number, 0);
  unlinkThread(held, thread);
  unlockTree(held);
}

function stopWaiting(k: Core, thread: ThreadRef, state: number): void {
  const { i32 } = k;
  switch (state) {
    case ThreadState.RUNNING:
      leave(k);
      break;
    case ThreadState.READY:
      dequeue(k, thread);
      break;
    case ThreadState.QUEUED:
      leaveQueue(k, i32[thread + Thread.QUEUE] as QueueRef, thread, i32[thread + Thread.ROLE]);
      break;
    case ThreadState.RING_WAIT:
      unlinkWaiting(k, k.kernelArea + KernelArea.RING_WAIT_HEAD, thread);
      k.backlog--;
      break;
    case ThreadState.GRACE_WAIT:
      leaveGraceWait(k, thread);
      break;
    default:
      break;
  }
}

/** Its binding ends, and a reply to it that somebody saved. */
function unbind(k: Core, thread: ThreadRef): void {
  const { i32 } = k;
  const held = lockTree(k);
  const binding = (thread + Thread.BINDING) as SlotRef;
  if (isLive(k, binding)) killSlot(held, binding);
  const reply = i32[thread + Thread.HEADER + Slot.FIRST_CHILD] as SlotRef | 0;
  if (reply !== 0) killSlot(held, reply);
  unlockTree(held);
  const notification = i32[thread + Thread.BOUND_NOTIFICATION] as NotificationRef | 0;
  if (notification === 0) return;
  i32[thread + Thread.BOUND_NOTIFICATION] = 0;
  i32[notification + Notification.BOUND_THREAD] = 0;
}

/** Wakes a caller that `failCall` or `answerWith` found on this core. */
export function wakeIfHere(k: Core, caller: ThreadRef | 0): void {
  if (caller !== 0) wake(k, caller);
}

/** The process ends with its first thread, with its last, and when any of its threads faults. */
function endInProcess(k: Core, thread: ThreadRef, life: LifeState, status: number): void {
  const { i32 } = k;
  const process = i32[thread + Thread.PROCESS] as ProcessRef;
  const last = Atomics.sub(i32, process + Process.THREADS, 1) === 1;
  if (!last && i32[thread + Thread.INDEX] !== 0 && life !== LifeState.FAULTED) return;
  endProcess(k, process, life, status);
  if (process === i32[k.tables + Tables.INIT_PROCESS]) initEnded(k, process);
}

/** Without init nobody can do anything any more: its end is the machine's. */
function initEnded(k: Core, process: ProcessRef): void {
  const { i32, memory } = k;
  if (i32[process + Process.LIFE] === LifeState.EXITED) {
    powerOff(k, i32[process + Process.STATUS]);
    return;
  }
  const base = ((process + Process.FAULT_TEXT) * 4) as PhysicalAddress;
  const text: number[] = [];
  for (let i = 0; i < i32[process + Process.FAULT_BYTES]; i++) text.push(memory.u8[base + i]);
  throw new KernelPanic(
    `init ended: ${utf8Decode(text)} (line ${i32[process + Process.FAULT_LINE]}, column ${i32[process + Process.FAULT_COLUMN]} of its image)`,
  );
}

/** A thread threw, or broke a rule: its process keeps what and where for whoever asks. */
export function faultThread(k: Core, thread: ThreadRef, error: unknown): void {
  endByFault(k, thread, faultOf(error));
}

/** A thread ends by a fault that is described already. */
export function endByFault(k: Core, thread: ThreadRef, fault: Fault): void {
  const { i32 } = k;
  const process = i32[thread + Thread.PROCESS] as ProcessRef;
  i32[thread + Thread.FAULT_LINE] = fault.line;
  i32[thread + Thread.FAULT_COLUMN] = fault.column;
  if (TRACED) traceFault(k, thread, fault.line, fault.column, fault.text);
  if (Atomics.load(i32, process + Process.LIFE) === LifeState.RUNNING) recordFault(k, process, fault);
  endThread(k, thread, LifeState.FAULTED, 1);
}
