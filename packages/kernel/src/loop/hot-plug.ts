/**
 * Cores that come and go while the machine runs.
 *
 * A core that leaves, in phases: it makes sure that no thread lives on it and says LEAVING, both under
 * the lock that new threads are placed under; one grace period later no other core sends it anything,
 * and its rings are empty; it says ABSENT and its worker ends. What was at home on it is adopted by the
 * first core that asks for it: queues and all are in memory, and nobody else writes them any more.
 */
import {
  Attention,
  BootInfo,
  CoreArea,
  CoreState,
  coreArea,
  Delivery,
  raise,
  writeCommand,
} from "@capos/hal";
import { handOverReaping } from "../capability/reap-list.js";
import { ringDoorbell } from "../smp/doorbell.js";
import { graceIsOver, publishAwaited, requestGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { type Core, REAPING } from "../state/core.js";
import { KernelArea, KernelInfo, Tables, Thread } from "../state/layout.js";
import type { CoreId, ThreadRef } from "../state/references.js";

/** Where a start-up interrupt makes a core begin: a page number, as on the real part. */
const START_PAGE = 8;

/** Brings every core that waits for INIT into the machine: it comes online by itself. */
export function admitCores(k: Core): void {
  for (let core = 0 as CoreId; core < k.coreCount; core++) {
    if (Atomics.load(k.i32, coreArea(k.memory, core) + CoreArea.STATE) === CoreState.WAIT_FOR_INIT)
      admitCore(k, core);
  }
}

/** INIT, then start-up, to one core. */
export function admitCore(k: Core, core: CoreId): void {
  writeCommand(k.memory, k.id, Delivery.INIT, core);
  writeCommand(k.memory, k.id, Delivery.STARTUP | START_PAGE, core);
}

/** Phase 1: the host asked this core to leave. Refused silently by the boot core and while threads live here. */
export function beginLeaving(k: Core): void {
  const { i32 } = k;
  const state = k.area + CoreArea.STATE;
  if (
    Atomics.exchange(i32, k.area + CoreArea.LEAVE, 0) === 0 ||
    Atomics.load(i32, state) !== CoreState.ONLINE
  )
    return;
  if (k.id === i32[BootInfo.BOOT_CORE]) return;
  const held = lockTree(k);
  // Under the lock no thread can be configured for this core between the look and the word.
  const stays = hasThreads(held);
  if (!stays) Atomics.store(i32, state, CoreState.LEAVING);
  unlockTree(held);
  // Whoever passes a safe point after this has seen LEAVING before its next request.
  if (stays) return;
  k.leavesAfter = requestGrace(k);
  // As for a thread that waits: the report that completes the period is to come here.
  publishAwaited(k);
}

function hasThreads(k: Locked): boolean {
  const { i32 } = k;
  for (let number = 1; number < i32[k.tables + Tables.THREAD_LIMIT]; number++) {
    const thread = Atomics.load(i32, k.threadTable + number) as ThreadRef | 0;
    if (thread !== 0 && i32[thread + Thread.HOME] === k.id) return true;
  }
  return false;
}

/** Phase 2, at each safe point while leaving: gone once the grace period is over and nothing is left to send. */
export function tryLeave(k: Core): void {
  if (!graceIsOver(k, k.leavesAfter)) return;
  if ((k.backlog & ~REAPING) !== 0) {
    // Its end raises no bit.
    raise(k.memory, k.attention, Attention.POKE);
    return;
  }
  // Nobody sends any more, but the last lines may have come after the rings were drained here, with or without a bell.
  k.stopWatching();
  for (let from = 0 as CoreId; from < k.coreCount; from++) {
    if (k.ring.peek(from) === 0) continue;
    k.ring.keepPending(from);
    return;
  }
  // Under the lock: from ABSENT on nobody gives this core queues to sweep or objects to reap.
  const held = lockTree(k);
  if (Atomics.load(k.i32, k.kernelArea + KernelArea.SWEEP_HEAD) !== 0) {
    unlockTree(held);
    raise(k.memory, k.attention, Attention.POKE);
    return;
  }
  handOverReaping(held);
  k.leavesAfter = 0;
  Atomics.store(k.i32, k.area + CoreArea.STATE, CoreState.ABSENT);
  unlockTree(held);
  publishAwaited(k);
  Atomics.sub(k.i32, KernelInfo.AWAKE, 1);
  k.running = false;
  // Threads that waited for room in rings to this core find out that it is gone.
  for (let core = 0 as CoreId; core < k.coreCount; core++)
    if (core !== k.id) ringDoorbell(k, core, Attention.POKE);
}
