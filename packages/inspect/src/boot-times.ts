/** When the kernel came up, as it wrote down itself. */
import type { PhysicalMemory } from "@capos/hal";
import { KernelInfo, Tables } from "@capos/kernel/layout";

/** When init became ready to run, in nanoseconds of the machine's clock. Only for a machine that has booted. */
export function initStartedNs(memory: PhysicalMemory): number {
  return memory.f64[(memory.i32[KernelInfo.TABLES] + Tables.INIT_STARTED_NS) >> 1];
}
