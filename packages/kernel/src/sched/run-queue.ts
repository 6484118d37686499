/**
 * The run queue of a core: 256 priorities, round-robin within one. Owned by the core; no other core
 * reads or writes it. A thread in it is READY and in no other list.
 *
 * A quantum belongs to a thread. It begins when the thread goes to the end of its priority, and what is left of it is
 * the thread's when somebody more urgent takes the core, and after. While somebody waits for the core a timer ticks, and
 * each tick is charged to whose turn it is: the thread that was chosen, also while a server runs on what it lent with a call. A
 * switch reads no clock.
 */

import type { Context } from "@capos/engine";
import { armOneShot, disarmTimer, nowNs, type WordIndex } from "@capos/hal";
import { assert } from "../state/assert.js";
import { CHECKED, TRACED } from "../state/build.js";
import { type Core, contextOf } from "../state/core.js";
import { KernelArea, KernelCore, Restart, Thread, ThreadState } from "../state/layout.js";
import type { ThreadRef } from "../state/references.js";
import { TraceEvent } from "../state/trace-events.js";
import { Vector } from "../state/vectors.js";

/** Nanoseconds a thread runs before others of its priority get a turn. */
export const QUANTUM_NS = 4_000_000;

/** Nanoseconds between two looks at whose turn it is: the chipset has no finer ones. */
export const TICK_NS = 1_000_000;

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
  if (!atFront) {
    i32[thread + Thread.QUANTUM_LEFT] = QUANTUM_NS;
    // Who runs by its turn goes on by one of its own.
    if (k.turn === thread) k.turn = k.current;
  }
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
  i32[k.kernelArea + KernelArea.READY_COUNT]++;
  // Somebody waits for the core: from now on turns are measured.
  if (!k.ticking && k.current !== 0) startTicking(k);
}

function startTicking(k: Core): void {
  k.ticking = true;
  k.tickNs = nowNs();
  armOneShot(k.memory, k.id, Vector.TIMER, TICK_NS);
}

/** The core halts: nobody waits, and nothing is to wake it for that. */
export function stopTicking(k: Core): void {
  if (!k.ticking) return;
  k.ticking = false;
  disarmTimer(k.memory, k.id);
}

/** The timer's interrupt: a tick is over, unless the core has halted since. */
export function tick(k: Core): void {
  if (!k.ticking) return;
  const now = nowNs();
  charge(k, now - k.tickNs);
  k.ticking = k.i32[k.kernelArea + KernelArea.READY_COUNT] > 0;
  if (!k.ticking) return;
  k.tickNs = now;
  armOneShot(k.memory, k.id, Vector.TIMER, TICK_NS);
}

/**
 * Charges nanoseconds to whose turn it is. Where its quantum is over, whoever runs by it goes to the end of its
 * priority: the thread itself, or a server of its; one that has just lost the core to somebody more urgent, and kept its place,
 * loses that. A caller that waits for its reply meanwhile finds that it has nothing left: see `goesFirst`.
 */
export function charge(k: Core, ns: number): void {
  const { i32 } = k;
  const thread = k.turn !== 0 ? k.turn : k.current;
  if (thread === 0) return;
  const left = i32[thread + Thread.QUANTUM_LEFT] - Math.min(ns, QUANTUM_NS);
  i32[thread + Thread.QUANTUM_LEFT] = left;
  if (left > 0) return;
  const { preempted } = k;
  if (k.current !== 0) rotate(k);
  else if (preempted !== 0 && i32[preempted + Thread.STATE] === ThreadState.READY) {
    dequeue(k, preempted);
    enqueue(k, preempted);
  }
}

/** True if a thread may have the core before those of its priority who wait for it: there are none, or it has some of its quantum left. */
export function goesFirst(k: Core, thread: ThreadRef): boolean {
  const priority = k.i32[thread + Thread.PRIORITY];
  if (priority !== k.topReady) return priority > k.topReady;
  return k.i32[thread + Thread.QUANTUM_LEFT] > 0;
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
  k.preempted = 0;
  if (k.topReady < 0) return 0;
  const thread = k.i32[queueOf(k, k.topReady)] as ThreadRef;
  dequeue(k, thread);
  k.turn = thread;
  if (!k.ticking && k.i32[k.kernelArea + KernelArea.READY_COUNT] > 0) startTicking(k);
  return thread;
}

/** Makes a blocked thread ready. One of higher priority than the running thread takes its place at once. */
export function wake(k: Core, thread: ThreadRef): void {
  if (k.current === 0 && k.topReady < 0) {
    // The core was idle: no need to put it into a queue and take it out again.
    k.i32[thread + Thread.QUANTUM_LEFT] = QUANTUM_NS;
    k.turn = thread;
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
  k.preempted = thread;
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
  // Whose addresses these are is looked up by whoever first uses one.
  k.mmu.limit = 0;
}

/** Wakes a thread whose trap is to start again from its decode: only its registers survived the wait. */
export function restart(k: Core, thread: ThreadRef): void {
  k.i32[thread + Thread.RESTART] = Restart.TRAP;
  enqueue(k, thread);
  yieldTo(k, thread);
}
