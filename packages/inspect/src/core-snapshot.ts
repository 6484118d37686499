/** One core's state and counters: what `top`, the survey and tests look at. */
import { Attention, CoreArea, coreArea, type PhysicalMemory } from "@capos/hal";
import { KernelCore } from "@capos/kernel/layout";

/** Counters count since power-on, modulo 2^32. */
export interface CoreSnapshot {
  readonly core: number;
  /** A `CoreState`. */
  readonly state: number;
  readonly halted: boolean;
  /** Whether there is something that it has to look at. */
  readonly isCalled: boolean;
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
  return i32[area + KernelCore.IN_KERNEL] !== i32[area + CoreArea.HEARTBEAT];
}

/** Reads a core's state and counters, each at an instant of its own. */
export function snapshotCore(memory: PhysicalMemory, core: number): CoreSnapshot {
  const { i32 } = memory;
  const area = coreArea(memory, core);
  const counter = (offset: CoreArea | KernelCore): number => Atomics.load(i32, area + offset) >>> 0;
  const attention = Atomics.load(i32, area + CoreArea.ATTENTION);
  return {
    core,
    state: counter(CoreArea.STATE),
    halted: (attention & Attention.HALTED) !== 0,
    isCalled: (attention & ~(Attention.HALTED | Attention.QUIESCENT)) !== 0,
    incarnation: counter(CoreArea.INCARNATION),
    safePoints: counter(CoreArea.HEARTBEAT),
    switches: counter(KernelCore.SWITCHES),
    halts: counter(KernelCore.HALTS),
    messagesIn: counter(KernelCore.MESSAGES_IN),
    messagesOut: counter(KernelCore.MESSAGES_OUT),
    bounces: counter(KernelCore.BOUNCES),
    interrupts: counter(KernelCore.INTERRUPTS),
    gracePassed: counter(KernelCore.GRACE_PASSED),
  };
}
