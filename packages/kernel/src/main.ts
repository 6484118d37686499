/**
 * What a core's worker runs, from power-on to its end. The program that a worker loads is put together above the
 * kernel, of this and of what it needs to run guests and to describe itself: see CoreParts.
 */

import { PerformanceObserver } from "node:perf_hooks";
import { threadId } from "node:worker_threads";
import { faultOf, stackOf } from "@capos/engine";
import {
  Attention,
  attachMemory,
  BootInfo,
  CoreArea,
  CoreState,
  checkHost,
  halt,
  hostThread,
  Power,
  raise,
  type SharedMemory,
} from "@capos/hal";
import { boot, equipCore, prepareCore } from "./boot/boot.js";
import { panic } from "./boot/panic.js";
import { recover } from "./boot/recover.js";
import { run } from "./loop/loop.js";
import { printLines } from "./smp/console.js";
import { TRACED } from "./state/build.js";
import { Core, type CoreParts } from "./state/core.js";
import { KernelCore, KernelInfo } from "./state/layout.js";
import type { CoreId } from "./state/references.js";
import { traceBirth, traceEnd } from "./state/trace.js";

/** What the host hands to a core's worker. */
export interface CoreTask {
  readonly core: number;
  readonly memory: SharedMemory;
  /** True for a worker that replaces one that died. */
  readonly recovers: boolean;
}

/** What a core's worker reports when it ends. */
export interface CoreReport {
  readonly core: number;
  /** Garbage collections of this worker: start in nanoseconds of the machine's clock, and length. */
  readonly collections: readonly { readonly startNs: number; readonly durationNs: number }[];
}

/**
 * Runs a core. Returns when the machine is off; a panic is reported through the machine's power word.
 * @throws Error with one line if this worker is not what a core needs; no word of the machine is written then
 */
export async function runCore(task: CoreTask, parts: CoreParts): Promise<CoreReport> {
  checkHost();
  const collections: { startNs: number; durationNs: number }[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      collections.push({ startNs: entry.startTime * 1e6, durationNs: entry.duration * 1e6 });
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  const k = new Core(task.core as CoreId, attachMemory(task.memory), parts);
  Atomics.store(k.i32, k.area + CoreArea.WORKER, threadId);
  Atomics.store(k.i32, k.area + CoreArea.THREAD, hostThread());
  if (TRACED) traceBirth(k);
  try {
    if (powerUp(k, task.recovers)) run(k);
  } catch (error) {
    k.i32[k.area + KernelCore.LAST_TRAP] = k.context?.trap ?? 0;
    // What the dump takes is not a guest's work: its limits must not stop it.
    k.i32[k.inKernel] = k.i32[k.safePoints];
    const reason = faultOf(error).text + stackOf(error);
    if (TRACED) traceEnd(k);
    const lines = panic(k, reason);
    if (lines !== null) printLines(k, lines);
  }
  if (TRACED) traceEnd(k);
  // The core never returned to its event loop: what the collector noted is delivered now.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  observer.disconnect();
  return { core: task.core, collections };
}

/** From power-on to the loop. False if the machine was switched off first. */
function powerUp(k: Core, recovers: boolean): boolean {
  if (recovers) {
    k.attachTables();
    prepareCore(k);
    setState(k, CoreState.ONLINE);
    owePasses(k);
    recover(k);
    return true;
  }
  if (k.id === k.i32[BootInfo.BOOT_CORE]) {
    boot(k);
    return true;
  }
  // The engine is made while the boot core does its own part.
  equipCore(k);
  setState(k, CoreState.WAIT_FOR_INIT);
  for (;;) {
    const bits = Atomics.and(k.i32, k.attention, ~Attention.TAKEN);
    if ((bits & Attention.STARTUP) !== 0) break;
    if (Atomics.load(k.i32, BootInfo.POWER) !== Power.ON) return false;
    if ((bits & Attention.TAKEN) === 0) halt(k.memory, k.attention, Number.POSITIVE_INFINITY);
  }
  k.attachTables();
  prepareCore(k);
  // A new worker of a core that died is not counted again: its predecessor died awake.
  Atomics.add(k.i32, KernelInfo.AWAKE, 1);
  setState(k, CoreState.ONLINE);
  owePasses(k);
  return true;
}

/**
 * A core that comes online counts for grace periods from then on, also for those that were asked for
 * before: whoever took the GRACE bit out of its word until now did not report for it. Nor did it drain the
 * rings, and others may have sent to what was at home here before the core left the machine; without a bell, for as
 * long as they find their ring watched by a worker that is no more.
 */
function owePasses(k: Core): void {
  k.ring.watch(-1);
  raise(k.memory, k.attention, Attention.GRACE | Attention.RINGS | Attention.POKE);
}

function setState(k: Core, state: CoreState): void {
  Atomics.store(k.i32, k.area + CoreArea.STATE, state);
  Atomics.notify(k.i32, k.area + CoreArea.STATE);
}
