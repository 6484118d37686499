/**
 * A kernel without workers: tables built, cores' JavaScript state made, nothing running.
 */
import { Err, InitSlot, Reg, Slot } from "@capos/abi";
import { faultWithoutPlace, makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import { CoreArea, CoreState, type MachineOptions } from "@capos/hal";
import {
  Answer,
  buildTables,
  type CNodeRef,
  Core,
  type CoreId,
  type CoreParts,
  type InitResources,
  type RetypeRequest,
  retype,
  type ThreadRef,
} from "@capos/kernel/internal";
import { Process, Thread } from "@capos/kernel/layout";
import { type Machine, makeMachine } from "../../support/machine.js";

export interface Kernel extends Machine {
  readonly cores: readonly Core[];
  readonly resources: InitResources;
  /** Slots of init's CNode. */
  readonly cspace: CNodeRef;
  /** First word of the largest free block, for objects that a test makes by hand. */
  readonly free: number;
}

/** Guests that never run: what is tested by hand starts threads and looks at their registers. */
const PARTS: CoreParts = {
  makeEngine: () => ({
    kinds: [{ name: "none", make: (regs) => new GeneratorContext(regs), begin() {} }],
    heapBytes: () => 0,
    overBudget: () => 0,
    condemnation: () => faultWithoutPlace(""),
  }),
  describe: () => [],
};

/** A kernel whose cores are all online. */
export function makeKernel(cores: number, options: Partial<MachineOptions> = {}): Kernel {
  const machine = makeMachine(cores, options);
  const all = Array.from({ length: cores }, (_, id) => new Core(id as CoreId, machine.memory, PARTS));
  const resources = buildTables(all[0]);
  const { i32 } = machine.memory;
  for (const core of all) {
    if (core.id !== 0) core.attachTables();
    core.engine = PARTS.makeEngine(core);
    i32[core.area + CoreArea.STATE] = CoreState.ONLINE;
  }
  const cspace = i32[resources.process + Process.CSPACE] as CNodeRef;
  return {
    ...machine,
    cores: all,
    resources,
    cspace,
    free: i32[cspace + InitSlot.UNTYPED * Slot.WORDS + Slot.OBJECT],
  };
}

/** How a retype ended: its status (`WAITS` if it has not), and the word that came with it. */
export interface Retyped {
  readonly status: number;
  readonly detail: number;
}

/** In place of a status: the thread waits. */
export const WAITS = 99;

/** One dispatch of a retype, as a thread would have it. */
export function retypeOnce(k: Core, thread: ThreadRef, request: RetypeRequest): Retyped {
  const context = new GeneratorContext(makeRegisters());
  const answer = retype(k, thread, context, request);
  if (answer !== Answer.DONE) return { status: WAITS, detail: WAITS };
  const status = context.result;
  return { status, detail: status === Err.NO_MEMORY ? context.regs[Reg.WORDS] : 0 };
}

/** Addresses of `count` zeroed threads in free memory, at home on a core, numbered from 1. */
export function makeThreads(kernel: Kernel, count: number, home = 0): ThreadRef[] {
  const { i32 } = kernel.memory;
  return Array.from({ length: count }, (_, i) => {
    const thread = (kernel.free + 0x10000 + (home * 64 + i) * Thread.SIZE) as ThreadRef;
    for (let word = 0; word < Thread.SIZE; word++) i32[thread + word] = 0;
    i32[thread + Thread.NUMBER] = home * 64 + i + 1;
    i32[thread + Thread.HOME] = home;
    return thread;
  });
}
