/** Whether cores have to share the host's hardware threads: then one that waits for another keeps it from running. */
import { BootInfo } from "@capos/hal";
import type { Core } from "../state/core.js";
import { KernelInfo } from "../state/layout.js";

/** True while more cores are awake than there are hardware threads. */
export function isCrowded(k: Core): boolean {
  return Atomics.load(k.i32, KernelInfo.AWAKE) > k.i32[BootInfo.HARDWARE_THREADS];
}
