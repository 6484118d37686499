/** What the replaced modules find under `$host`: a machine's deterministic surroundings. */
import type { PhysicalMemory, WordIndex } from "@capos/hal";

/** What a guest's load or store is of: written by it, read as soon as it has yielded. */
export interface Access {
  address: number;
  value: number;
}

export interface CheckedHost {
  /** The one memory, seen through the views that the explorer knows. */
  readonly memory: PhysicalMemory;
  /** The word that orders begins and ends of guests' operations: see engine.ts. */
  readonly instants: WordIndex;
  readonly access: Access;
  /** The machine's time in nanoseconds: stands still but for timers. */
  nowNs(): number;
  /** The guest of the thread with this register file. */
  startGuest(registers: Float64Array): unknown;
}

declare global {
  const $host: CheckedHost;
}
