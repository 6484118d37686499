/** Whether what a core's worker left behind when it died can be gone on with. */
import { coreArea, type PhysicalMemory } from "@capos/hal";
import { KernelCore } from "@capos/kernel/layout";

/** Why no new worker may take over a core whose worker has ended; null if one may. */
export function whyNoTakeover(memory: PhysicalMemory, core: number): string | null {
  const { i32 } = memory;
  const area = coreArea(memory, core);
  const isOpen = i32[area + KernelCore.COMMIT] === 1 || i32[area + KernelCore.TREE_LOCKED] === 1;
  return isOpen ? "its worker died inside a commit" : null;
}
