/**
 * The end of a process: its threads end, what its CSpace holds is deleted, and what was made from untyped
 * memory in it dies everywhere. What it passed on to others stays. By its reaper, in bounded steps.
 */
import { LifeState, ObjectType, Slot } from "@capos/abi";
import { isLive } from "../capability/lookup.js";
import { assignReap, lookAgain } from "../capability/reap-list.js";
import { killSlot, loseBindings, typeOf } from "../capability/slot.js";
import { awaitGrace, nextGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { Cleaning, CNode, Process, Reap, Thread } from "../state/layout.js";
import type { CNodeRef, CoreId, HeaderRef, ProcessRef, SlotRef, ThreadRef } from "../state/references.js";
import { traceSlot } from "../state/trace.js";
import { TraceEvent } from "../state/trace-events.js";
import { deleteCapability } from "./delete.js";
import { CHUNK, killDescendants, Left } from "./revoke.js";
import { Step } from "./step.js";

/** Threads, or processes that it made, that are dealt with in one step. */
const MEMBERS = 64;

/** Fixes how a process ended: the first to say so is believed. Its reaper, this core unless it has one, does the rest. */
export function endProcess(k: Core, process: ProcessRef, life: LifeState, status: number): void {
  const { i32 } = k;
  // Under the lock, for two that end it at once; the status first, for who finds it ended.
  const held = lockTree(k);
  if (i32[process + Process.LIFE] <= LifeState.RUNNING) {
    i32[process + Process.STATUS] = status;
    Atomics.store(i32, process + Process.LIFE, life);
    if (TRACED) k.tracer.put3(TraceEvent.PROCESS_DEATH, i32[process + Process.NUMBER], life, status);
    assignReap(held, (process + Process.HEADER) as HeaderRef, Reap.END | Reap.TELL, k.id);
  }
  unlockTree(held);
}

/** A process whose last capability is gone is killed, if it has not ended. */
export function endWithoutThreads(k: Core, process: ProcessRef): void {
  const { i32 } = k;
  const held = lockTree(k);
  if (i32[process + Process.LIFE] <= LifeState.RUNNING) {
    Atomics.store(i32, process + Process.LIFE, LifeState.KILLED);
    if (TRACED) k.tracer.put3(TraceEvent.PROCESS_DEATH, i32[process + Process.NUMBER], LifeState.KILLED, 0);
  }
  unlockTree(held);
}

/** Does a step of what is left to do of an ended process. */
export function cleanProcess(k: Core, process: ProcessRef): Step {
  const { i32 } = k;
  switch (i32[process + Process.CLEANING]) {
    case Cleaning.NONE:
      Atomics.store(i32, process + Process.CLEANING, Cleaning.THREADS);
      return Step.MORE;
    case Cleaning.THREADS:
      return endThreads(k, process);
    case Cleaning.SLOTS:
      return emptyCSpace(k, process);
    default:
      return Step.DONE;
  }
}

/** Has each thread ended by its home. */
function endThreads(k: Core, process: ProcessRef): Step {
  const { i32 } = k;
  const held = lockTree(k);
  let thread = i32[process + Process.FIRST_THREAD] as ThreadRef | 0;
  const none = thread === 0;
  for (let n = 0; thread !== 0 && n < MEMBERS; n++) {
    if (Atomics.load(i32, thread + Thread.LIFE) <= LifeState.RUNNING)
      assignReap(held, (thread + Thread.HEADER) as HeaderRef, Reap.END, i32[thread + Thread.HOME] as CoreId);
    thread = i32[thread + Thread.PROCESS_NEXT] as ThreadRef | 0;
  }
  unlockTree(held);
  if (!none) return Step.WAIT;
  i32[process + Process.CLEANING_CURSOR] = 1;
  Atomics.store(i32, process + Process.CLEANING, Cleaning.SLOTS);
  return Step.MORE;
}

/** Deletes what it held, unless another process lives on it. */
function emptyCSpace(k: Core, process: ProcessRef): Step {
  const { i32 } = k;
  const slots = i32[process + Process.CSPACE_SLOTS];
  let index = i32[process + Process.CLEANING_CURSOR];
  if (index >= slots || !ownsCSpace(k, process)) return leaveFamily(k, process);
  const cnode = i32[process + Process.CSPACE] as CNodeRef;
  const end = Math.min(index + CHUNK, slots);
  for (; index < end; index++) {
    const slot = (cnode + index * Slot.WORDS) as SlotRef;
    if (!isLive(k, slot)) continue;
    const left = typeOf(i32[slot]) === ObjectType.UNTYPED ? destroyMadeFrom(k, slot) : Left.NONE;
    if (left === Left.MORE || left === Left.CROWDED) {
      i32[process + Process.CLEANING_CURSOR] = index;
      if (left === Left.MORE) return Step.MORE;
      // Some of what is being finalised, on whatever core, is gone after it.
      return awaitGrace(k, nextGrace(k)) ? Step.WAIT : Step.MORE;
    }
    if (TRACED) traceSlot(k, TraceEvent.CAPABILITY_DELETE, 0, slot);
    deleteCapability(k, slot, false);
  }
  i32[process + Process.CLEANING_CURSOR] = index;
  return Step.MORE;
}

/**
 * True if no other process has the same CSpace. One that is not alone lets go of it, under the same hold of the
 * lock: of two that end at once the second finds itself alone.
 */
function ownsCSpace(k: Core, process: ProcessRef): boolean {
  const { i32 } = k;
  const binding = (process + Process.BINDING) as SlotRef;
  const held = lockTree(k);
  const bound = isLive(k, binding);
  const alone = bound && i32[i32[binding + Slot.OBJECT] + CNode.HEADER + CNode.PROCESSES] === 1;
  if (bound && !alone) killSlot(held, binding);
  unlockTree(held);
  return alone;
}

/** Kills some of what was made from untyped memory, wherever it is. */
function destroyMadeFrom(k: Core, slot: SlotRef): Left {
  const held = lockTree(k);
  const left = isLive(k, slot) ? killDescendants(held, slot) : Left.NONE;
  unlockTree(held);
  return left;
}

/** Its thread numbers, and the processes that it made, go to its parent; it lets go of its CSpace and its image. */
function leaveFamily(k: Core, process: ProcessRef): Step {
  const { i32 } = k;
  const held = lockTree(k);
  const parent = i32[process + Process.PARENT] as ProcessRef | 0;
  let child = i32[process + Process.FIRST_CHILD] as ProcessRef | 0;
  for (let n = 0; child !== 0 && n < MEMBERS; n++) {
    unlinkChild(held, child);
    linkChild(held, parent, child);
    child = i32[process + Process.FIRST_CHILD] as ProcessRef | 0;
  }
  if (child === 0) {
    loseBindings(held, ObjectType.PROCESS, process);
    if (parent !== 0) {
      i32[parent + Process.THREADS_LEFT] += i32[process + Process.THREADS_LEFT];
      i32[process + Process.THREADS_LEFT] = 0;
      unlinkChild(held, process);
    }
    Atomics.store(i32, process + Process.CLEANING, Cleaning.DONE);
  }
  unlockTree(held);
  return child === 0 ? Step.DONE : Step.MORE;
}

/** Enters a process among those that another made; 0 for those whose forebears have all ended. */
export function linkChild(k: Locked, parent: ProcessRef | 0, process: ProcessRef): void {
  const { i32 } = k;
  i32[process + Process.PARENT] = parent;
  i32[process + Process.PREVIOUS_SIBLING] = 0;
  i32[process + Process.NEXT_SIBLING] = 0;
  if (parent === 0) return;
  const first = i32[parent + Process.FIRST_CHILD];
  i32[process + Process.NEXT_SIBLING] = first;
  if (first !== 0) i32[first + Process.PREVIOUS_SIBLING] = process;
  i32[parent + Process.FIRST_CHILD] = process;
}

function unlinkChild(k: Locked, process: ProcessRef): void {
  const { i32 } = k;
  const next = i32[process + Process.NEXT_SIBLING];
  const previous = i32[process + Process.PREVIOUS_SIBLING];
  if (next !== 0) i32[next + Process.PREVIOUS_SIBLING] = previous;
  if (previous !== 0) i32[previous + Process.NEXT_SIBLING] = next;
  else i32[i32[process + Process.PARENT] + Process.FIRST_CHILD] = next;
}

/** Enters a thread that got its number into its process's list. */
export function linkThread(k: Locked, process: ProcessRef, thread: ThreadRef): void {
  const { i32 } = k;
  const first = i32[process + Process.FIRST_THREAD];
  i32[thread + Thread.PROCESS_PREVIOUS] = 0;
  i32[thread + Thread.PROCESS_NEXT] = first;
  if (first !== 0) i32[first + Thread.PROCESS_PREVIOUS] = thread;
  i32[process + Process.FIRST_THREAD] = thread;
}

/** A thread is dead: its number is its process's again. The reapers that wait for it, and for the last of them, are told. */
export function unlinkThread(k: Locked, thread: ThreadRef): void {
  const { i32 } = k;
  const process = i32[thread + Thread.PROCESS] as ProcessRef;
  const next = i32[thread + Thread.PROCESS_NEXT];
  const previous = i32[thread + Thread.PROCESS_PREVIOUS];
  if (next !== 0) i32[next + Thread.PROCESS_PREVIOUS] = previous;
  if (previous !== 0) i32[previous + Thread.PROCESS_NEXT] = next;
  else i32[process + Process.FIRST_THREAD] = next;
  i32[process + Process.THREADS_LEFT]++;
  lookAgain(k, (process + Process.HEADER) as HeaderRef);
  lookAgain(k, (thread + Thread.HEADER) as HeaderRef);
}
