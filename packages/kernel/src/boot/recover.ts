/**
 * Machine check: a core whose worker died with no commit open, taken over by a new worker.
 *
 * All kernel state of the core is in physical memory and consistent; only the guests' contexts are
 * lost. So its threads end, their peers are told, and the core goes on with what it owns: rings,
 * queues, endpoints. The old worker has exited before this runs.
 */

import { LifeState } from "@capos/abi";
import { faultWithoutPlace, heapUsedUp, makeRegisters } from "@capos/engine";
import { CoreArea, CoreDeath } from "@capos/hal";
import { countBacklog } from "../loop/safe-point.js";
import { recordFault } from "../object/fault.js";
import { resumeReaping } from "../object/reaper.js";
import { endThread, isEnded } from "../object/thread-end.js";
import { refreshTop } from "../sched/run-queue.js";
import { requestGrace } from "../smp/grace-period.js";
import { TRACED } from "../state/build.js";
import { type Core, EXPIRING, REAPING } from "../state/core.js";
import { kindOf } from "../state/kinds.js";
import { KernelCore, Process, Tables, Thread, ThreadState } from "../state/layout.js";
import type { ImageRef, ProcessRef, ThreadRef } from "../state/references.js";
import { traceFault } from "../state/trace.js";

/** Ends what ran on the core before. */
export function recover(k: Core): void {
  const { i32 } = k;
  const death = i32[k.area + CoreArea.DEATH];
  // Told: what ends this worker is a death of its own.
  i32[k.area + CoreArea.DEATH] = CoreDeath.NONE;
  k.current = i32[k.area + KernelCore.CURRENT_THREAD] as ThreadRef | 0;
  refreshTop(k);
  k.backlog = countBacklog(k) | REAPING | EXPIRING;
  // What it killed last may not have been followed by a grace period.
  k.graceAsked = requestGrace(k);
  resumeReaping(k);
  const culprit = k.current;
  const victims: ThreadRef[] = [];
  for (let number = 1; number < i32[k.tables + Tables.THREAD_LIMIT]; number++) {
    const thread = Atomics.load(i32, k.threadTable + number) as ThreadRef | 0;
    if (thread === 0 || i32[thread + Thread.HOME] !== k.id) continue;
    const state = i32[thread + Thread.STATE];
    // One that has not started has nothing to lose.
    if (isEnded(state) || state === ThreadState.INACTIVE) continue;
    // A stand-in for the lost context: threads that end tell others that end after them.
    k.contexts[number] = kindOf(k, i32[thread + Thread.IMAGE] as ImageRef).make(makeRegisters(), false);
    victims.push(thread);
  }
  for (const thread of victims) {
    const process = i32[thread + Thread.PROCESS] as ProcessRef | 0;
    const text = thread === culprit ? culpritText(k, death) : `core ${k.id} died under it`;
    if (TRACED) traceFault(k, thread, 0, 0, text);
    if (process !== 0 && i32[process + Process.FAULT_BYTES] === 0)
      recordFault(k, process, faultWithoutPlace(text));
    endThread(k, thread, LifeState.FAULTED, 1);
  }
}

function culpritText(k: Core, death: CoreDeath): string {
  return death === CoreDeath.HEAP ? heapUsedUp(k.id) : `kept core ${k.id} from a safe point for too long`;
}
