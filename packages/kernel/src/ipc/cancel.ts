/**
 * CANCEL: a thread that asked another core is to wait no more. The core that it asked arbitrates: if the request is
 * still queued it answers CANCELLED, else the answer that it sent, or the reply that it owes, stands. So the thread
 * gets exactly one answer, whichever way.
 *
 * Cancellations that find no room wait in a list threaded through the threads they are for.
 */
import { Attention, CoreArea, CoreState, coreArea } from "@capos/hal";
import { ringDoorbell } from "../smp/doorbell.js";
import { homeOf } from "../smp/home.js";
import type { Core } from "../state/core.js";
import { Internal, KernelArea, LAST_IN_LIST, Message, Role, Thread, ThreadState } from "../state/layout.js";
import type { CoreId, LineRef, QueueRef, ThreadRef } from "../state/references.js";
import { answerStatus } from "./answer.js";
import { publishLine, reserveLine, wantSpace } from "./line.js";
import { leaveQueue } from "./queues.js";

export const enum CancelLine {
  THREAD = 1,
  /** The request that it is about: the thread's SEQUENCE. */
  SEQUENCE = 2,
}

/** Asks the core that a REMOTE thread asked to give the request up. */
export function askCancel(k: Core, thread: ThreadRef): void {
  const { i32 } = k;
  i32[thread + Thread.CANCEL_SEQUENCE] = i32[thread + Thread.SEQUENCE];
  const to = arbiterOf(k, thread);
  const line = reserveLine(k, to);
  if (line !== 0) {
    i32[line + CancelLine.THREAD] = thread;
    i32[line + CancelLine.SEQUENCE] = i32[thread + Thread.CANCEL_SEQUENCE];
    publishLine(k, to, line, Message.CANCEL);
    return;
  }
  // Already in a list: one cancellation is enough, and it leaves for where it is wanted then.
  if (i32[thread + Thread.CANCEL_NEXT] !== 0) return;
  const list = k.kernelArea + KernelArea.CANCEL_HEAD + to;
  i32[thread + Thread.CANCEL_NEXT] = i32[list] === 0 ? LAST_IN_LIST : i32[list];
  i32[list] = thread;
  k.backlog++;
  wantSpace(k, to);
}

/**
 * Who arbitrates for a REMOTE thread: the core that it asked. One that has left the machine read all its
 * rings before, so the request is in the queue of an object, whose present home decides, or it was
 * answered, or a reply is owed: this core can see to that itself, by a line in the ring to itself.
 */
export function arbiterOf(k: Core, thread: ThreadRef): CoreId {
  const { i32 } = k;
  const asked = i32[thread + Thread.ASKED_CORE] as CoreId;
  if (i32[coreArea(k.memory, asked) + CoreArea.STATE] !== CoreState.ABSENT) return asked;
  const object = i32[thread + Thread.QUEUE] as QueueRef | 0;
  return object === 0 ? k.id : homeOf(k, object);
}

/** True while the request that a cancellation in the list is about has not been answered. */
function stillAsks(k: Core, thread: ThreadRef): boolean {
  const { i32 } = k;
  const state = i32[thread + Thread.STATE];
  return (
    (state === ThreadState.REMOTE || state === ThreadState.DYING) &&
    i32[thread + Thread.CANCEL_SEQUENCE] === i32[thread + Thread.SEQUENCE]
  );
}

/** Sends cancellations to a core that wait for room, as far as there is room now; true if some still do. */
export function flushCancels(k: Core, to: CoreId): boolean {
  const { i32 } = k;
  const cancels = k.kernelArea + KernelArea.CANCEL_HEAD + to;
  for (let thread = i32[cancels] as ThreadRef | 0; thread !== 0; thread = i32[cancels] as ThreadRef | 0) {
    // While it waited here its thread may have been answered, and may ask another core by now: a later
    // request is not to be cancelled in place of the one that was meant.
    const wanted = stillAsks(k, thread);
    if (wanted && arbiterOf(k, thread) === to && reserveLine(k, to) === 0) return true;
    const next = i32[thread + Thread.CANCEL_NEXT];
    i32[cancels] = next === LAST_IN_LIST ? 0 : next;
    i32[thread + Thread.CANCEL_NEXT] = 0;
    k.backlog--;
    // Of one that died meanwhile nothing is lent any more: this core, its home, reaps it.
    if (i32[thread + Thread.STATE] === ThreadState.DEAD) ringDoorbell(k, k.id, Attention.POKE);
    if (wanted) askCancel(k, thread);
  }
  return false;
}

/** The core of a thread that asked this one wants the request given up. The order here is what decides. */
export function onCancel(k: Core, line: LineRef): void {
  const { i32 } = k;
  const thread = i32[line + CancelLine.THREAD] as ThreadRef;
  const object = i32[thread + Thread.QUEUE] as QueueRef | 0;
  const role = i32[thread + Thread.ROLE];
  // An answer that left before, or a later request of the same thread, is not what this is about. After the
  // two loads: a thread that has its answer may be in a queue of its own core by now, and raised the number
  // before it went there. With the number unchanged they are what this core wrote.
  if (Atomics.load(i32, thread + Thread.SEQUENCE) !== i32[line + CancelLine.SEQUENCE]) return;
  if (object !== 0) leaveQueue(k, object, thread, role);
  else if (
    // As it was then: what a thread that has had its answer meanwhile is owed for its next call is not given up.
    role !== Role.REPLY_OWED ||
    // Whoever owes the reply may be giving it on a third core: see claimReply.
    Atomics.compareExchange(i32, thread + Thread.ROLE, Role.REPLY_OWED, Role.NONE) !== Role.REPLY_OWED
  ) {
    return;
  }
  answerStatus(k, thread, Internal.CANCELLED);
}
