/**
 * The safe point: the top of a core's loop. Here the core holds no reference that it does not own, so
 * here it takes its attention bits, drains its rings, and reports grace periods.
 */
import { Slot } from "@capos/abi";
import {
  Attention,
  acknowledgeInterrupt,
  BootInfo,
  endOfInterrupt,
  giveWay,
  PORT_COUNT,
  Power,
  raise,
  standAside,
} from "@capos/hal";
import { isLive } from "../capability/lookup.js";
import { lookAgain } from "../capability/reap-list.js";
import { flushAnswers } from "../ipc/answer.js";
import { flushCancels } from "../ipc/cancel.js";
import { wantSpace } from "../ipc/line.js";
import { nudge, signal } from "../ipc/notification.js";
import { beginSweeps, sweepQueues } from "../ipc/sweep.js";
import { reap } from "../object/reaper.js";
import { isCrowded } from "../sched/crowd.js";
import { preempt, restart, tick } from "../sched/run-queue.js";
import { graceIsOver, passGrace, publishAwaited, wakeGraceWaiters } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { TRACED } from "../state/build.js";
import { type Core, EXPIRING, REAPING, raiseEpoch } from "../state/core.js";
import {
  IrqHandler,
  KernelArea,
  KernelCore,
  KernelInfo,
  Notification,
  Tables,
  Thread,
} from "../state/layout.js";
import type { CoreId, HeaderRef, NotificationRef, SlotRef, ThreadRef } from "../state/references.js";
import { TraceEvent } from "../state/trace-events.js";
import { Vector } from "../state/vectors.js";
import { admitCores, beginLeaving, tryLeave } from "./hot-plug.js";
import { drainRings } from "./incoming.js";

/** Takes and handles what the attention word says. */
export function attend(k: Core): void {
  const { i32 } = k;
  let bits = Atomics.and(i32, k.attention, ~Attention.TAKEN);
  if (TRACED) k.tracer.time(k.context === null);
  // For a dump; here, where it costs nobody a call.
  if (k.context !== null) i32[k.area + KernelCore.LAST_TRAP] = k.context.trap;
  if ((bits & Attention.DOOMED) !== 0) awaitVerdict(k);
  // The number is read before the rings are drained, and before their bells are taken: what was sent before it
  // was asked for is read here. It may have been asked for, and sent before, since the bits were taken above.
  if ((bits & Attention.GRACE) !== 0) {
    owePass(k);
    bits |= Atomics.and(i32, k.attention, ~Attention.RINGS) & Attention.RINGS;
  }
  if ((bits & (Attention.RINGS | Attention.POKE | Attention.GRACE)) !== 0) drainRings(k, bits);
  // Whoever found a ring full is poked once it was drained: see wantSpace.
  if ((bits & Attention.POKE) !== 0) k.roomNews = true;
  if ((bits & Attention.INTERRUPT) !== 0) handleInterrupts(k);
  // Whatever of this is news comes with one of these bits; most safe points are for a ring line alone.
  if ((bits & (Attention.GRACE | Attention.POKE)) !== 0 || k.graceNext !== 0) {
    sweepAndPass(k);
    wakeGraceWaiters(k);
    if (Atomics.load(i32, k.kernelArea + KernelArea.REAP_HEAD) !== 0) {
      k.backlog |= REAPING;
      k.reapWaiting = 0;
    }
  }
  if ((bits & (Attention.POWER | Attention.NON_MASKABLE)) !== 0) {
    if (Atomics.load(i32, BootInfo.POWER) !== Power.ON) k.running = false;
    else beginLeaving(k);
  }
  if (k.leavesAfter !== 0) tryLeave(k);
  // A thread that became ready in the middle of a trap: see finishWait.
  if (k.current !== 0 && k.topReady > i32[k.current + Thread.PRIORITY]) preempt(k);
}

/** Flushes if something was unmapped that this core could have. */
function flushStale(k: Core): void {
  const unmappings = Atomics.load(k.i32, KernelInfo.UNMAPPINGS);
  if (unmappings === k.unmappings) return;
  k.unmappings = unmappings;
  k.mmu.flush();
}

/** This core was asked for a grace period: it looks up anew, reads what was sent, sweeps, and then reports. */
export function owePass(k: Core): void {
  raiseEpoch(k);
  k.graceNext = Atomics.load(k.i32, KernelInfo.GRACE_REQUESTED);
  // The number first: what was unmapped before that grace period was asked for is counted by now.
  flushStale(k);
  if (TRACED) k.tracer.put1(TraceEvent.GRACE_TAKE, k.graceNext);
}

/**
 * Sweeps what was flagged, some of it, and reports the grace period that was asked for before the batch
 * began. A core with sweeps left comes again in its next turn, and does not halt.
 */
function sweepAndPass(k: Core): void {
  if (beginSweeps(k)) {
    k.graceOwed = k.graceNext || k.graceOwed;
    k.graceNext = 0;
  }
  const done = sweepQueues(k);
  if (done && k.graceOwed !== 0) {
    passGrace(k, k.graceOwed);
    if (isCrowded(k) && !graceIsOver(k, k.graceOwed)) letOthersPass(k, k.graceOwed);
    k.graceOwed = 0;
  }
  if (!done || k.graceNext !== 0) raise(k.memory, k.attention, Attention.POKE);
}

/**
 * With more awake cores than hardware threads the others may be waiting for the very one this core runs on, for some
 * milliseconds each. So it gives that up until they have passed, as if it had halted. What it is counted for
 * meanwhile asks no more of it than of a core in a long run: see `endLongRun`.
 */
function letOthersPass(k: Core, number: number): void {
  const { i32, attention } = k;
  // As before a halt: whoever is counted has no line without a bell.
  k.stopWatching();
  k.givesWayTo = number;
  publishAwaited(k);
  // Who passes last calls this core: it sees what was published, or is seen here.
  if (!graceIsOver(k, number) && standAside(i32, attention, Attention.HALTED)) {
    giveWay(i32, attention, Attention.HALTED);
    Atomics.and(i32, attention, ~Attention.HALTED);
    raiseEpoch(k);
    k.mmu.flush();
  }
  k.givesWayTo = 0;
  publishAwaited(k);
}

/**
 * The chipset has judged this core stuck and is about to end its worker. Whoever is first decides:
 * the core, being at a safe point, has shown a sign of life, waits here and is let go.
 */
function awaitVerdict(k: Core): void {
  for (;;) {
    const word = Atomics.load(k.i32, k.attention);
    if ((word & Attention.DOOMED) === 0) return;
    Atomics.wait(k.i32, k.attention, word);
  }
}

function handleInterrupts(k: Core): void {
  const { i32, memory } = k;
  for (
    let vector = acknowledgeInterrupt(memory, k.id);
    vector >= 0;
    vector = acknowledgeInterrupt(memory, k.id)
  ) {
    if (vector === Vector.SPURIOUS) return;
    i32[k.area + KernelCore.INTERRUPTS]++;
    if (TRACED) k.tracer.put1(TraceEvent.INTERRUPT_DELIVER, vector);
    if (vector === Vector.TIMER) tick(k);
    else if (vector === Vector.ALARM) k.backlog |= EXPIRING;
    else if (vector === Vector.HOTPLUG) admitCores(k);
    else if (vector >= Vector.PORT && vector < Vector.PORT + PORT_COUNT) {
      const handler = i32[k.tables + Tables.IRQ_HANDLERS] + (vector - Vector.PORT) * IrqHandler.SIZE;
      const binding = (handler + IrqHandler.BINDING) as SlotRef;
      if (isLive(k, binding))
        signal(k, 0, i32[binding + Slot.OBJECT] as NotificationRef, i32[binding + Slot.BADGE] || 1);
    }
    endOfInterrupt(memory, k.id);
  }
}

/** Reaps, and tries what waits for room in rings: answers, cancellations, nudges, threads whose requests did not fit. */
export function flushBacklog(k: Core): void {
  const { i32 } = k;
  if (k.backlog >= EXPIRING) {
    reap(k);
    if ((k.backlog & ~(REAPING | EXPIRING)) === 0) return;
  }
  // Trying in every turn would keep the core from its rest for as long as another does not drain its rings.
  if (!k.roomNews) return;
  k.roomNews = false;
  for (let to = 0 as CoreId; to < k.coreCount; to++) {
    const answersWait = flushAnswers(k, to);
    if (flushCancels(k, to) || answersWait) wantSpace(k, to);
  }
  const nudges = k.kernelArea + KernelArea.NUDGE_HEAD;
  for (let notification = i32[nudges] as NotificationRef | 0; notification !== 0; ) {
    const next = i32[notification + Notification.NUDGE_NEXT] as NotificationRef | 0;
    i32[nudges] = next;
    k.backlog--;
    // Free for other lists before the nudge leaves: a signal that still sees a holder is covered by it.
    Atomics.store(i32, notification + Notification.NUDGE_HOLDER, 0);
    const held = lockTree(k);
    lookAgain(held, (notification + Notification.HEADER) as HeaderRef);
    unlockTree(held);
    nudge(k, notification);
    if (i32[nudges] !== next) return;
    notification = next;
  }
  const waiting = k.kernelArea + KernelArea.RING_WAIT_HEAD;
  let thread = i32[waiting] as ThreadRef | 0;
  i32[waiting] = 0;
  while (thread !== 0) {
    const next = i32[thread + Thread.WAIT_NEXT] as ThreadRef | 0;
    k.backlog--;
    // It starts again from its decode: it takes its place again if there still is no room.
    restart(k, thread);
    thread = next;
  }
}

/** Counts what waits for room in rings: for a new worker of a core, whose count was lost with the old one. */
export function countBacklog(k: Core): number {
  const { i32 } = k;
  let count = 0;
  for (let to = 0 as CoreId; to < k.coreCount; to++) {
    for (let t = i32[k.kernelArea + KernelArea.OUTBOX_HEAD + to]; t !== 0; t = i32[t + Thread.ANSWER_NEXT])
      count++;
    for (let t = i32[k.kernelArea + KernelArea.CANCEL_HEAD + to]; t > 0; t = i32[t + Thread.CANCEL_NEXT])
      count++;
  }
  for (let t = i32[k.kernelArea + KernelArea.RING_WAIT_HEAD]; t !== 0; t = i32[t + Thread.WAIT_NEXT]) count++;
  for (let n = i32[k.kernelArea + KernelArea.NUDGE_HEAD]; n !== 0; n = i32[n + Notification.NUDGE_NEXT])
    count++;
  return count;
}
