/** One core as it stands, read from outside: what the host, the kernel's inspection and tests look at. */

import { CoreArea, coreArea } from "../memory/machine-map.js";
import type { PhysicalMemory } from "../memory/physical-memory.js";
import { Attention } from "./attention.js";

/** Counters count since power-on, modulo 2^32. */
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

/** True while a core is in a guest; of one without a thread it says nothing. */
export function isInGuest(memory: PhysicalMemory, core: number): boolean {
  const { i32 } = memory;
  const area = coreArea(memory, core);
  // In this order: whoever goes into a guest counts first.
  return i32[area + CoreArea.IN_KERNEL] !== i32[area + CoreArea.SAFE_POINTS];
}

/** Reads a core's state and counters, each at an instant of its own. */
export function snapshotCore(memory: PhysicalMemory, core: number): CoreSnapshot {
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
