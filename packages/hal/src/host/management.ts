/**
 * The management worker: the host's window on a running machine, served by comlink.
 *
 * A running core never returns to its event loop, so no port of its own would ever be read; this
 * worker acts on cores by their attention words and reads their state from memory.
 */

import { parentPort, workerData } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { Attention, attentionOf, raise } from "../attention.js";
import { requestInterrupt } from "../lapic.js";
import { BootInfo, CoreArea, coreArea, HOTPLUG_VECTOR, memoryMap, type Region } from "../machine-map.js";
import { attachMemory } from "../physical-memory.js";

const memory = attachMemory((workerData as { memory: WebAssembly.Memory }).memory);

/** One core as it stands. Counters count since power-on, modulo 2^32. */
export interface CoreSnapshot {
  readonly core: number;
  /** A `CoreState`. */
  readonly state: number;
  readonly halted: boolean;
  readonly incarnation: number;
  readonly safePoints: number;
  readonly switches: number;
  readonly halts: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bounces: number;
  readonly interrupts: number;
  readonly gracePassed: number;
}

function snapshot(core: number): CoreSnapshot {
  const { i32 } = memory;
  const area = coreArea(memory, core);
  const counter = (offset: CoreArea): number => Atomics.load(i32, area + offset) >>> 0;
  return {
    core,
    state: counter(CoreArea.STATE),
    halted: (Atomics.load(i32, area + CoreArea.ATTENTION) & Attention.HALTED) !== 0,
    incarnation: counter(CoreArea.INCARNATION),
    safePoints: counter(CoreArea.SAFE_POINTS),
    switches: counter(CoreArea.SWITCHES),
    halts: counter(CoreArea.HALTS),
    messagesIn: counter(CoreArea.MESSAGES_IN),
    messagesOut: counter(CoreArea.MESSAGES_OUT),
    bounces: counter(CoreArea.BOUNCES),
    interrupts: counter(CoreArea.INTERRUPTS),
    gracePassed: counter(CoreArea.GRACE_PASSED),
  };
}

const management = Object.freeze({
  /** Every core as it stands. */
  inspect(): { cores: CoreSnapshot[]; memory: Region[]; graceRequested: number } {
    const cores = Array.from({ length: memory.i32[BootInfo.CORES]! }, (_, core) => snapshot(core));
    return {
      cores,
      memory: memoryMap(memory),
      graceRequested: Atomics.load(memory.i32, BootInfo.GRACE_REQUESTED),
    };
  },
  /** Makes a core pass a safe point soon. */
  poke(core: number): void {
    raise(memory, attentionOf(memory, core), Attention.POKE);
  },
  /** Tells the kernel that a core which was off has power now and waits for INIT. */
  announce(): void {
    requestInterrupt(memory, memory.i32[BootInfo.BOOT_CORE]!, HOTPLUG_VECTOR);
  },
  /** Asks a core to leave the machine. It does when no thread lives on it. */
  unplug(core: number): void {
    Atomics.store(memory.i32, coreArea(memory, core) + CoreArea.LEAVE, 1);
    raise(memory, attentionOf(memory, core), Attention.POWER);
  },
});

export type Management = typeof management;

Comlink.expose(management, nodeEndpoint(parentPort!));
