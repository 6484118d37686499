/**
 * A core's loop: safe point, choose, resume the guest, perform its trap; and what it does with
 * nothing to do.
 */

import { heapUsedUp, Outcome } from "@capos/engine";
import { ChipsetEvent, fireIfDue, halt, LAP_OF_LINE, nowNs, timeoutMs, wakeChipset } from "@capos/hal";
import { endByFault, faultThread } from "../object/thread-end.js";
import { isCrowded } from "../sched/crowd.js";
import { startAgain } from "../sched/progress.js";
import { enter, stopTicking, takeNext } from "../sched/run-queue.js";
import { isCalledByLine } from "../smp/watched-ring.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import { type Core, EXPIRING, endQuiescence, POLL_ROUNDS } from "../state/core.js";
import { kindOf } from "../state/kinds.js";
import { Image, KernelCore, KernelInfo, Restart, Thread } from "../state/layout.js";
import type { ImageRef, ThreadRef } from "../state/references.js";
import { traceHalt, traceResume, traceTrap, traceWake } from "../state/trace.js";
import { Vector } from "../state/vectors.js";
import { drainWatched } from "./incoming.js";
import { attend, flushBacklog, owePass } from "./safe-point.js";
import { dispatch, exit } from "./traps.js";

/** Runs until the machine is switched off or panics. */
export function run(k: Core): void {
  const { i32 } = k;
  while (k.running) {
    i32[k.safePoints]++;
    // Plain: the calls in this loop keep the compiler from hoisting it, and a value that is a turn old
    // only means that the bit is seen a turn later.
    if (i32[k.attention] !== 0) {
      beginWork(k);
      attend(k);
      if (!k.running) return;
      endWork(k);
    }
    // As the attention word.
    if (isCalledByLine(k)) {
      beginWork(k);
      if (TRACED) k.tracer.time(k.context === null);
      drainWatched(k);
      endWork(k);
    }
    if (k.backlog !== 0) {
      beginWork(k);
      flushBacklog(k);
      endWork(k);
    }
    const context = k.context;
    if (context === null) {
      choose(k);
      continue;
    }
    if (TRACED) traceResume(k, context);
    const trap = context.resume();
    // What follows is the kernel's.
    i32[k.inKernel] = i32[k.safePoints];
    if (TRACED) traceTrap(k, trap);
    if (k.ranLong) {
      endLongRun(k);
      if (k.condemned !== 0) {
        drop(k, k.condemned);
        continue;
      }
      endHolder(k);
      if (k.context !== context) continue;
    }
    const thread = k.current as ThreadRef;
    if (trap >= 0) {
      context.trap = trap;
      if (dispatch(k, thread, context) === Answer.AGAIN) startAgain(k, thread);
    } else if (trap === Outcome.DONE) exit(k, thread, context.status);
    else faultThread(k, thread, context.failure);
  }
}

/**
 * The guest let go after a run that was long enough for its checks to notice. If one of them found nothing that
 * wanted the core it is quiescent. Rings and sweeps it owes nobody: with a bell or a queue to sweep its word would
 * have been another, and nobody would have counted it as passed.
 */
function endLongRun(k: Core): void {
  k.ranLong = false;
  if (k.quiescent) endQuiescence(k);
}

/** For those who watch the core: until `endWork` it is not in a guest. See `KernelCore.IN_KERNEL`. */
function beginWork(k: Core): void {
  k.i32[k.inKernel] = k.i32[k.safePoints];
}

function endWork(k: Core): void {
  k.i32[k.inKernel] = k.i32[k.safePoints] - 1;
}

/** Its guest ran past its limit in code that cannot yield, or past the core's memory. */
function drop(k: Core, thread: ThreadRef): void {
  k.condemned = 0;
  endByFault(k, thread, k.engine!.condemnation());
}

/** Who holds most of this core's memory is ended when it is used up: the thread that just ran, or any other. */
function endHolder(k: Core): void {
  const number = k.engine!.overBudget();
  if (number === 0) return;
  const thread = Atomics.load(k.i32, k.threadTable + number) as ThreadRef | 0;
  if (thread !== 0) faultThread(k, thread, heapUsedUp(k.id));
}

/** No thread runs: takes the most urgent one, or idles. */
function choose(k: Core): void {
  const { i32 } = k;
  beginWork(k);
  const thread = takeNext(k);
  if (thread === 0) {
    idle(k);
    return;
  }
  i32[k.area + KernelCore.SWITCHES]++;
  enter(k, thread);
  const restart = i32[thread + Thread.RESTART];
  if (restart === Restart.NONE) return;
  i32[thread + Thread.RESTART] = Restart.NONE;
  const context = k.context!;
  if (restart === Restart.TRAP) {
    k.restarted = true;
    const answer = dispatch(k, thread, context);
    k.restarted = false;
    if (answer === Answer.AGAIN) startAgain(k, thread);
  } else {
    const image = i32[thread + Thread.IMAGE] as ImageRef;
    const kind = kindOf(k, image);
    let failed = false;
    let failure: unknown;
    endWork(k);
    // Whatever throws in here is the guest's.
    try {
      kind.begin(context, i32[image + Image.MODULE], i32[thread + Thread.START_WORDS]);
    } catch (error) {
      failed = true;
      failure = error;
    }
    beginWork(k);
    const ranLong = k.ranLong;
    if (ranLong) endLongRun(k);
    if (k.condemned !== 0) drop(k, k.condemned);
    else if (failed) faultThread(k, thread, failure);
    else if (ranLong) endHolder(k);
  }
}

/** Polls for a while, then halts until somebody sets an attention bit or the timer is due. */
function idle(k: Core): void {
  if (k.backlog >= EXPIRING) return;
  if (TRACED) k.tracer.time(false);
  // A halt and its wake-up cost tens of microseconds, so a core that has a hardware thread to itself polls
  // about as long. Cores that share one would only keep each other from running.
  for (let rounds = k.pollRounds; rounds > 0; rounds--) {
    if (isCrowded(k)) break;
    if (pollAttention(k)) return;
  }
  rest(k);
}

/** A round is about 5 µs: a look at a word takes 5 ns. */
const SPINS = 1000;
/** The longest that is learnt, 800 µs: more than a wake-up takes on any host that was tried. */
const MAX_POLL_ROUNDS = 160;
/** A halt that was so short was not worth its wake-up. */
const SHORT_HALT_NS = 1e6;

/** Polls the attention word, and the watched ring if there is one; true as soon as there is a bit or a line. */
function pollAttention(k: Core): boolean {
  const { i32, attention } = k;
  if (k.watched >= 0) return pollBoth(k);
  for (let spins = SPINS; spins > 0; spins--) if (Atomics.load(i32, attention) !== 0) return true;
  return false;
}

function pollBoth(k: Core): boolean {
  const { i32, attention, watchedLine, watchedLap } = k;
  for (let spins = SPINS / 2; spins > 0; spins--) {
    if ((Atomics.load(i32, watchedLine) & LAP_OF_LINE) === watchedLap) return true;
    if (Atomics.load(i32, attention) !== 0) return true;
  }
  return false;
}

/** Halts. A function of its own: the compiler learns nothing of it while the core only polls, and would give up on both. */
function rest(k: Core): void {
  const { i32, memory } = k;
  // Before the word is taken for HALTED: a line that is found has a bell from then on.
  k.stopWatching();
  stopTicking(k);
  i32[k.area + KernelCore.HALTS]++;
  if (TRACED) traceHalt(k);
  Atomics.sub(i32, KernelInfo.AWAKE, 1);
  const haltedNs = nowNs();
  halt(memory, k.attention, timeoutMs(memory, k.id));
  Atomics.add(i32, KernelInfo.AWAKE, 1);
  wakeChipset(memory);
  if (TRACED) traceWake(k);
  const wokenNs = nowNs();
  // Where a wake-up takes longer than a core polls, two cores that talk would each halt just before the other's
  // message comes, and wake each other for ever. So who is woken at once polls for longer the next time.
  k.pollRounds =
    wokenNs - haltedNs < SHORT_HALT_NS ? Math.min(2 * k.pollRounds, MAX_POLL_ROUNDS) : POLL_ROUNDS;
  if (fireIfDue(memory, k.id, 0, wokenNs) && TRACED)
    k.tracer.put2(ChipsetEvent.INTERRUPT_RAISE, k.id, Vector.TIMER);
  // Whoever asked for a grace period meanwhile counted this core as passed: it acts as if it had been
  // asked for every one. The number first, then the rings, then the report; no guest runs before. Nor has any core
  // waited for this one to flush.
  k.mmu.flush();
  owePass(k);
  attend(k);
}
