/**
 * Lines in the rings between cores, and room for them. What a line says beside its thread is said by the layout of its
 * kind, beside the handlers of that kind.
 *
 * A request needs room in the ring: a thread that finds none waits and starts its trap again. Answers never wait
 * for room: see answer.ts.
 */
import { Attention, Bell } from "@capos/hal";
import { leave } from "../sched/run-queue.js";
import { ringDoorbell } from "../smp/doorbell.js";
import { takesRequests } from "../smp/home.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { KernelArea, KernelCore, Tables, Thread, ThreadState } from "../state/layout.js";
import type { CoreId, LineRef, ThreadRef } from "../state/references.js";
import { tracePush } from "../state/trace.js";
import { TraceEvent } from "../state/trace-events.js";

/** A free line to a core; 0 if the ring is full or older lines wait for room in it. */
export function reserveLine(k: Core, to: CoreId): LineRef | 0 {
  if (!takesRequests(k, to)) return 0;
  if (k.backlog !== 0 && k.i32[k.kernelArea + KernelArea.OUTBOX_HEAD + to] !== 0) return 0;
  return k.ring.reserve(to) as LineRef | 0;
}

/** Publishes a filled line. */
export function publishLine(k: Core, to: CoreId, line: LineRef, kind: number): void {
  k.i32[k.area + KernelCore.MESSAGES_OUT]++;
  if (TRACED) tracePush(k, to, line, kind);
  const bell = k.ring.publish(to, line, kind);
  if (TRACED && bell !== Bell.NONE)
    k.tracer.put3(TraceEvent.DOORBELL, to, Attention.RINGS, bell === Bell.WOKE ? 1 : 0);
}

/** The running thread asks a core, by a line that it publishes next; it blocks until the one answer. */
export function beginAsking(k: Core, thread: ThreadRef, to: CoreId): void {
  const { i32 } = k;
  i32[thread + Thread.STATE] = ThreadState.REMOTE;
  i32[thread + Thread.ASKED_CORE] = to;
  i32[thread + Thread.SEQUENCE]++;
  leave(k);
}

/** The ring to a core is full: the running thread waits and will start its trap again. */
export function waitForRing(k: Core, thread: ThreadRef, to: CoreId): Answer {
  const { i32 } = k;
  i32[thread + Thread.STATE] = ThreadState.RING_WAIT;
  i32[thread + Thread.ASKED_CORE] = to;
  i32[thread + Thread.WAIT_NEXT] = i32[k.kernelArea + KernelArea.RING_WAIT_HEAD];
  i32[k.kernelArea + KernelArea.RING_WAIT_HEAD] = thread;
  if (TRACED) k.tracer.put2(TraceEvent.RING_FULL, i32[thread + Thread.NUMBER], to);
  leave(k);
  k.backlog++;
  wantSpace(k, to);
  return Answer.BLOCKED;
}

/** Asks a core to ring back once it has drained its ring from this core. */
export function wantSpace(k: Core, to: CoreId): void {
  const area = k.i32[k.tables + Tables.KERNEL_AREAS] + to * KernelArea.SIZE;
  Atomics.or(k.i32, area + KernelArea.SPACE_WANTED + (k.id >> 5), 1 << (k.id & 31));
  // The target may have drained between the full ring and the bit: then nothing would make it look.
  ringDoorbell(k, to, Attention.POKE);
}
