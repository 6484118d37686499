/**
 * Holding the tree lock for a short look, from inside of the machine or outside.
 *
 * A ticket of the lock (kernel/src/smp/tree-lock.ts) cannot be given back, and its holder may be a core that
 * died: so none is drawn unless it is served at once, and whoever gets none looks without.
 */
import { BootInfo, coreArea, nowNs, type PhysicalMemory, Power } from "@capos/hal";
import { KernelCore, KernelInfo } from "@capos/kernel/layout";

/** How long to try, in nanoseconds: far longer than any core holds the lock. */
const PATIENCE_NS = 2e8;
/** Milliseconds between attempts. */
const PAUSE_MS = 0.05;

/**
 * Calls `look` while nobody changes the tree. False, without a call, if the lock was not to be had. A core
 * that looks gives its number: should its worker die meanwhile, it died with the lock.
 */
export function holdTree(memory: PhysicalMemory, core: number | null, look: () => void): boolean {
  const { i32 } = memory;
  const deadline = nowNs() + PATIENCE_NS;
  for (;;) {
    const served = Atomics.load(i32, KernelInfo.TREE_LOCK);
    const next = (served + 1) | 0;
    // Equal says that nobody holds it or waits for it.
    if (Atomics.compareExchange(i32, KernelInfo.TREE_LOCK_TICKET, served, next) === served) {
      tellHeld(memory, core, 1);
      try {
        look();
      } finally {
        tellHeld(memory, core, 0);
        Atomics.store(i32, KernelInfo.TREE_LOCK, next);
        if (Atomics.load(i32, KernelInfo.TREE_LOCK_TICKET) !== next)
          Atomics.notify(i32, KernelInfo.TREE_LOCK);
      }
      return true;
    }
    // The cores of a machine that is off have left; one of them may have died with the lock.
    if (Atomics.load(i32, BootInfo.POWER) !== Power.ON || nowNs() > deadline) return false;
    Atomics.wait(i32, KernelInfo.TREE_LOCK, served, PAUSE_MS);
  }
}

function tellHeld(memory: PhysicalMemory, core: number | null, held: number): void {
  if (core !== null) memory.i32[coreArea(memory, core) + KernelCore.TREE_LOCKED] = held;
}
