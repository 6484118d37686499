/**
 * The run queue of a core: 256 priorities, round-robin within one. Owned by the core; no other core
 * reads or writes it. A thread in it is READY and in no other list.
 */

import type { Context } from "@capos/engine";
import { armOneShot, disarmTimer, type WordIndex } from "@capos/hal";
import { assert } from "../state/assert.js";
import { CHECKED, TRACED } from "../state/build.js";
import { type Core, contextOf } from "../state/core.js";
import { KernelArea, KernelCore, Restart, Thread, ThreadState } from "../state/layout.js";
import type { ThreadRef } from "../state/references.js";
import { TraceEvent } from "../state/trace-events.js";
import { Vector } from "../state/vectors.js";

/** Nanoseconds a thread runs before others of its priority get a turn. */
export const QUANTUM_NS = 4_000_000;

function queueOf(k: Core, priority: number): WordIndex {
  return k.kernelArea + KernelArea.RUN_QUEUES + priority * 2;
}

/** Recomputes the cached highest ready priority from the bitmap. */
export function refreshTop(k: Core): void {
  for (let i = 7; i >= 0; i--) {
    const bits = k.i32[k.kernelArea + KernelArea.READY_BITMAP + i];
    if (bits !== 0) {
      k.topReady = i * 32 + 31 - Math.clz32(bits);
      return;
    }
  }
  k.topReady = -1;
}

/** Puts a thread at the end of its priority's queue (or at the front, if it lost its turn through no choice of its own). */
export function enqueue(k: Core, thread: ThreadRef, atFront = false): void {
  const { i32 } = k;
  const priority = i32[thread + Thread.PRIORITY];
  const queue = queueOf(k, priority);
  const head = i32[queue];
  if (CHECKED) assert(i32[thread + Thread.HOME] === k.id, "thread home");
  i32[thread + Thread.STATE] = ThreadState.READY;
  if (head === 0) {
    i32[queue] = thread;
    i32[queue + 1] = thread;
    i32[thread + Thread.RUN_NEXT] = 0;
    i32[thread + Thread.RUN_PREVIOUS] = 0;
    i32[k.kernelArea + KernelArea.READY_BITMAP + (priority >> 5)] |= 1 << (priority & 31);
    if (priority > k.topReady) k.topReady = priority;
  } else if (atFront) {
    i32[thread + Thread.RUN_NEXT] = head;
    i32[thread + Thread.RUN_PREVIOUS] = 0;
    i32[head + Thread.RUN_PREVIOUS] = thread;
    i32[queue] = thread;
  } else {
    const tail = i32[queue + 1];
    i32[tail + Thread.RUN_NEXT] = thread;
    i32[thread + Thread.RUN_PREVIOUS] = tail;
    i32[thread + Thread.RUN_NEXT] = 0;
    i32[queue + 1] = thread;
  }
  if (TRACED) {
    const ready = i32[k.kernelArea + KernelArea.READY_COUNT] + 1;
    k.tracer.put3(TraceEvent.READY, i32[thread + Thread.NUMBER], priority, ready);
  }
  // Somebody waits for the core: from now on the running thread has a quantum.
  if (i32[k.kernelArea + KernelArea.READY_COUNT]++ === 0 && k.current !== 0) {
    armOneShot(k.memory, k.id, Vector.TIMER, QUANTUM_NS);
  }
}

/** Takes a READY thread out of the queue. */
export function dequeue(k: Core, thread: ThreadRef): void {
  const { i32 } = k;
  if (CHECKED) assert(i32[thread + Thread.STATE] === ThreadState.READY, "thread ready");
  const priority = i32[thread + Thread.PRIORITY];
  const queue = queueOf(k, priority);
  const next = i32[thread + Thread.RUN_NEXT];
  const previous = i32[thread + Thread.RUN_PREVIOUS];
  if (previous === 0) i32[queue] = next;
  else i32[previous + Thread.RUN_NEXT] = next;
  if (next === 0) i32[queue + 1] = previous;
  else i32[next + Thread.RUN_PREVIOUS] = previous;
  i32[k.kernelArea + KernelArea.READY_COUNT]--;
  if (i32[queue] === 0) {
    i32[k.kernelArea + KernelArea.READY_BITMAP + (priority >> 5)] &= ~(1 << (priority & 31));
    refreshTop(k);
  }
}

/** Takes the first thread of the highest priority to run it; 0 if none is ready. */
export function takeNext(k: Core): ThreadRef | 0 {
  if (k.topReady < 0) return 0;
  const thread = k.i32[queueOf(k, k.topReady)] as ThreadRef;
  dequeue(k, thread);
  if (k.i32[k.kernelArea + KernelArea.READY_COUNT] > 0) armOneShot(k.memory, k.id, Vector.TIMER, QUANTUM_NS);
  return thread;
}

/** Makes a blocked thread ready. One of higher priority than the running thread takes its place at once. */
export function wake(k: Core, thread: ThreadRef): void {
  if (k.current === 0 && k.topReady < 0) {
    // The core was idle: no need to put it into a queue and take it out again.
    enter(k, thread);
    return;
  }
  enqueue(k, thread);
  yieldTo(k, thread);
}

/** The running thread makes way if a thread that became ready is more urgent. */
export function yieldTo(k: Core, thread: ThreadRef): void {
  if (k.current !== 0 && k.i32[thread + Thread.PRIORITY] > k.i32[k.current + Thread.PRIORITY]) preempt(k);
}

/** The running thread goes back to the queue; it keeps its place at the front of its priority. */
export function preempt(k: Core): void {
  const thread = k.current;
  if (thread === 0) return;
  leave(k);
  enqueue(k, thread, true);
}

/** The running thread goes to the end of its priority's queue. */
export function rotate(k: Core): void {
  const thread = k.current;
  if (thread === 0) return;
  leave(k);
  enqueue(k, thread);
}

/** No thread runs: the loop chooses one next. The thread's state must be set by the caller. */
export function leave(k: Core): void {
  k.current = 0;
  k.context = null;
  k.i32[k.area + KernelCore.CURRENT_THREAD] = 0;
}

/** Makes a thread the running one. */
export function enter(k: Core, thread: ThreadRef): void {
  switchTo(k, thread, contextOf(k, thread));
}

/** The same where its context is at hand. */
export function switchTo(k: Core, thread: ThreadRef, context: Context): void {
  const { i32 } = k;
  i32[thread + Thread.STATE] = ThreadState.RUNNING;
  i32[k.area + KernelCore.CURRENT_THREAD] = thread;
  k.current = thread;
  k.context = context;
}

/** Nobody waits any more: no quantum is needed. */
export function stopQuantum(k: Core): void {
  disarmTimer(k.memory, k.id);
}

/** Wakes a thread whose trap is to start again from its decode: only its registers survived the wait. */
export function restart(k: Core, thread: ThreadRef): void {
  k.i32[thread + Thread.RESTART] = Restart.TRAP;
  enqueue(k, thread);
  yieldTo(k, thread);
}
