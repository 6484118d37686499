/**
 * Grace periods: "every core has passed a safe point since".
 *
 * GRACE_REQUESTED numbers them. Who asks takes the next number and sets the GRACE bit of every core
 * that runs; a core whose word *is* HALTED, or QUIESCENT, has no reference and is counted by the asker. A core reports
 * by storing, at its safe point and after draining its rings, the number it read when it took the bit.
 * Number n is over when every online core has reported n or more. Nobody spins: threads that wait are
 * in their core's list, and the report that completes a period raises the cores that wait for it.
 *
 * PASSED only grows: written by the core itself, or by compare-and-swap on behalf of a halted or quiescent one.
 * A core that left that state meanwhile acts as if it had been asked (see `rest` and `endLongRun`), so both are true.
 */
import { Attention, CoreArea, CoreState, coreArea, raise, type WordIndex } from "@capos/hal";
import { leave, restart } from "../sched/run-queue.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import { type Core, raiseEpoch } from "../state/core.js";
import { KernelArea, KernelCore, KernelInfo, Thread, ThreadState } from "../state/layout.js";
import type { CoreId, ThreadRef } from "../state/references.js";
import { TraceEvent } from "../state/trace-events.js";
import { ringDoorbell } from "./doorbell.js";

/** The number that the next grace period to be asked for will have. */
export function nextGrace(k: Core): number {
  // 0 is no number: see requestGrace.
  return (Atomics.load(k.i32, KernelInfo.GRACE_REQUESTED) + 1) | 0 || 1;
}

/** Asks for a grace period that starts now; answers its number. */
export function requestGrace(k: Core): number {
  const { i32 } = k;
  // 0 is no number: in GRACE_AWAITED it says that nobody waits.
  const number =
    (Atomics.add(i32, KernelInfo.GRACE_REQUESTED, 1) + 1) | 0 ||
    (Atomics.add(i32, KernelInfo.GRACE_REQUESTED, 1) + 1) | 0;
  if (TRACED) k.tracer.put1(TraceEvent.GRACE_ASK, number);
  for (let core = 0 as CoreId; core < k.coreCount; core++) askCore(k, core, number);
  return number;
}

function askCore(k: Core, core: CoreId, number: number): void {
  const { i32 } = k;
  const area = coreArea(k.memory, core);
  const attention = area + CoreArea.ATTENTION;
  for (;;) {
    const word = Atomics.load(i32, attention);
    if (word === Attention.HALTED || word === Attention.QUIESCENT) {
      // Exactly that: a message pushed to it, or any other reason to wake or look, would be another bit.
      report(k, area, number);
      return;
    }
    if (Atomics.compareExchange(i32, attention, word, word | Attention.GRACE) === word) {
      const woke = (word & Attention.HALTED) !== 0;
      if (woke) Atomics.notify(i32, attention);
      if (TRACED && core !== k.id) k.tracer.put3(TraceEvent.DOORBELL, core, Attention.GRACE, woke ? 1 : 0);
      return;
    }
  }
}

function report(k: Core, area: WordIndex, number: number): void {
  const { i32 } = k;
  for (;;) {
    const passed = Atomics.load(i32, area + KernelCore.GRACE_PASSED);
    if (((number - passed) | 0) <= 0) return;
    if (Atomics.compareExchange(i32, area + KernelCore.GRACE_PASSED, passed, number) === passed) return;
  }
}

/** True when a grace period is over on every core that is online. */
export function graceIsOver(k: Core, number: number): boolean {
  const { i32 } = k;
  // What is over stays over. Asked twice for every slot that is filled, and two loads a core each time.
  if (k.graceOver !== 0 && ((k.graceOver - number) | 0) >= 0) return true;
  for (let core = 0 as CoreId; core < k.coreCount; core++) {
    const area = coreArea(k.memory, core);
    if (((Atomics.load(i32, area + KernelCore.GRACE_PASSED) - number) | 0) >= 0) continue;
    const state = Atomics.load(i32, area + CoreArea.STATE);
    // A dying core still counts: its worker may run until it has exited.
    if (state === CoreState.ONLINE || state === CoreState.DYING || state === CoreState.LEAVING) return false;
  }
  k.graceOver = number;
  return true;
}

/** The core passes a safe point having taken the GRACE bit: reports, and tells cores whose threads wait. */
export function passGrace(k: Core, number: number): void {
  report(k, k.area, number);
  if (TRACED) k.tracer.put1(TraceEvent.GRACE_PASS, number);
  for (let core = 0 as CoreId; core < k.coreCount; core++) {
    const awaited = Atomics.load(k.i32, coreArea(k.memory, core) + KernelCore.GRACE_AWAITED);
    if (awaited !== 0 && core !== k.id && graceIsOver(k, awaited)) ringDoorbell(k, core, Attention.POKE);
  }
  wakeGraceWaiters(k);
}

/**
 * Slots were killed on this core: a grace period follows. One at a time: what is killed while one is under
 * way is followed by the next, so that a core which deletes without end does not interrupt the others
 * without end. Whoever waits for a slot asks for his own (see waitForGrace).
 */
export function followKills(k: Core): void {
  // This core at once: what its next trap looks up must be what is there now.
  raiseEpoch(k);
  if (k.graceAsked !== 0 && !graceIsOver(k, k.graceAsked)) {
    if (!k.graceWanted) {
      k.graceWanted = true;
      publishAwaited(k);
      // It may have passed while this was published: then nobody calls this core, which goes on in its trap.
      if (graceIsOver(k, k.graceAsked)) raise(k.memory, k.attention, Attention.POKE);
    }
  } else k.graceAsked = requestGrace(k);
}

/** Asks for a grace period unless one with this number, or a later one, was asked for. */
export function ensureGrace(k: Core, number: number): void {
  if (((Atomics.load(k.i32, KernelInfo.GRACE_REQUESTED) - number) | 0) < 0) requestGrace(k);
}

/** This core's reaper waits for a grace period: the core gets a bit when it is over. False if it is over already. */
export function awaitGrace(k: Core, number: number): boolean {
  if (graceIsOver(k, number)) return false;
  ensureGrace(k, number);
  k.reapAwaits = number;
  publishAwaited(k);
  // It may have ended while this was published.
  return !graceIsOver(k, number);
}

/** The running thread waits until a grace period is over and then starts its trap again. */
export function waitForGrace(k: Core, thread: ThreadRef, number: number): Answer {
  const { i32 } = k;
  ensureGrace(k, number);
  i32[thread + Thread.STATE] = ThreadState.GRACE_WAIT;
  i32[thread + Thread.GRACE_TARGET] = number;
  if (TRACED) k.tracer.put2(TraceEvent.GRACE_WAIT, i32[thread + Thread.NUMBER], number);
  i32[thread + Thread.WAIT_NEXT] = i32[k.kernelArea + KernelArea.GRACE_WAIT_HEAD];
  i32[k.kernelArea + KernelArea.GRACE_WAIT_HEAD] = thread;
  leave(k);
  // Published before the look: a report that completes the period either sees AWAITED or is seen here.
  publishAwaited(k);
  wakeGraceWaiters(k);
  return Answer.BLOCKED;
}

/** Says which is the first grace period that something on this core waits for: a thread, its reaper, itself. */
export function publishAwaited(k: Core): void {
  const { i32 } = k;
  let lowest = k.leavesAfter;
  if (k.graceWanted) lowest = earlier(lowest, k.graceAsked);
  if (k.reapAwaits !== 0) lowest = earlier(lowest, k.reapAwaits);
  if (k.givesWayTo !== 0) lowest = earlier(lowest, k.givesWayTo);
  for (
    let thread = i32[k.kernelArea + KernelArea.GRACE_WAIT_HEAD] as ThreadRef | 0;
    thread !== 0;
    thread = i32[thread + Thread.WAIT_NEXT] as ThreadRef | 0
  ) {
    lowest = earlier(lowest, i32[thread + Thread.GRACE_TARGET]);
  }
  Atomics.store(i32, k.area + KernelCore.GRACE_AWAITED, lowest);
}

function earlier(a: number, b: number): number {
  return a === 0 || ((b - a) | 0) < 0 ? b : a;
}

/** Wakes this core's threads whose grace period is over, and asks for the one that kills since then are owed. */
export function wakeGraceWaiters(k: Core): void {
  const { i32 } = k;
  if (k.graceWanted && graceIsOver(k, k.graceAsked)) {
    k.graceWanted = false;
    k.graceAsked = requestGrace(k);
    publishAwaited(k);
  }
  const list = k.kernelArea + KernelArea.GRACE_WAIT_HEAD;
  if (i32[list] === 0) return;
  let woken = false;
  for (let thread = i32[list] as ThreadRef | 0, previous = 0; thread !== 0; ) {
    const next = i32[thread + Thread.WAIT_NEXT] as ThreadRef | 0;
    if (graceIsOver(k, i32[thread + Thread.GRACE_TARGET])) {
      if (previous === 0) i32[list] = next;
      else i32[previous + Thread.WAIT_NEXT] = next;
      if (TRACED)
        k.tracer.put2(TraceEvent.GRACE_OVER, i32[thread + Thread.NUMBER], i32[thread + Thread.GRACE_TARGET]);
      restart(k, thread);
      woken = true;
    } else previous = thread;
    thread = next;
  }
  if (woken) publishAwaited(k);
}

/** Takes a thread that is being destroyed out of the list. */
export function leaveGraceWait(k: Core, thread: ThreadRef): void {
  unlinkWaiting(k, k.kernelArea + KernelArea.GRACE_WAIT_HEAD, thread);
  publishAwaited(k);
}

/** Takes a thread out of a list threaded through WAIT_NEXT. */
export function unlinkWaiting(k: Core, list: WordIndex, thread: ThreadRef): void {
  const { i32 } = k;
  let link = list;
  while (i32[link] !== 0 && i32[link] !== thread) link = i32[link] + Thread.WAIT_NEXT;
  if (i32[link] === thread) i32[link] = i32[thread + Thread.WAIT_NEXT];
}
