/**
 * Machines without workers, for tests: planned memory, cores' ends of it, and threads that use it for real.
 */

import { Worker } from "node:worker_threads";
import {
  allocateMemory,
  attachMemory,
  BootInfo,
  type MachineOptions,
  type MachinePlan,
  type PhysicalMemory,
  planMachine,
  type SharedMemory,
  writeBootInfo,
} from "@capos/hal";
import fc from "fast-check";
import type { Test } from "tap";
import type { Job } from "./machine-worker.js";

export interface Machine {
  readonly plan: MachinePlan;
  readonly wasm: SharedMemory;
  readonly memory: PhysicalMemory;
}

/** A machine as the host leaves it before power-on. */
export function makeMachine(
  cores: number,
  overrides: Partial<MachineOptions> & { ringLines?: number } = {},
): Machine {
  const plan = {
    ...planMachine({ cores, memoryMiB: 16, hardwareThreads: 2, seed: 1, watchdogMs: 1000, ...overrides }),
    ...overrides,
  };
  const wasm = allocateMemory(plan.memoryMiB);
  const memory = attachMemory(wasm);
  writeBootInfo(memory, plan);
  return { plan, wasm, memory };
}

/** First word of memory that nothing in the machine uses before the kernel does. */
export function scratchOf(machine: Machine): number {
  return machine.memory.i32[BootInfo.FREE];
}

/** Runs a job in a thread of its own, which ends with the test at the latest; resolves to what it answers. */
export function startJob<Result>(t: Test, job: Job): Promise<Result> {
  const worker = new Worker(new URL("./machine-worker.js", import.meta.url), { workerData: job });
  t.teardown(() => worker.terminate());
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the ${job.role} left with ${code} before it answered`)));
  });
}

/** Prints the seed of this run's random cases; CAPOS_SEED=n runs them again. */
export function useSeed(t: Test): number {
  const seed = Number(process.env.CAPOS_SEED ?? Date.now() % 2 ** 31);
  t.comment(`random cases: CAPOS_SEED=${seed}`);
  fc.configureGlobal({ seed });
  return seed;
}
