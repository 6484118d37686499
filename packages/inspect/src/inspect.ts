/**
 * Inspecting a machine: all of its kernel state as data, read from its memory alone.
 *
 * A machine that runs changes while it is looked at, and one that panicked may be damaged. So every
 * walk is bounded, every link is checked before it is followed, and nothing here throws. What the
 * tree lock guards is copied while it is held; everything else is read as it happens to stand.
 */

import { BootInfo, nowNs, type PhysicalMemory } from "@capos/hal";
import { KernelInfo } from "@capos/kernel/layout";
import { capabilityIn } from "./capability.js";
import { inspectCores } from "./cores.js";
import { inspectCSpaces } from "./cspaces.js";
import { holdTree } from "./hold.js";
import { inspectMemory } from "./memory.js";
import { inspectProcesses } from "./processes.js";
import { inspectQueues } from "./queues.js";
import type { MachineState, TreeNode } from "./state.js";
import { Survey } from "./survey.js";
import { inspectThreads } from "./threads.js";
import { TreeCopy } from "./tree-copy.js";
import { coreCount, nameOf, wordAt } from "./words.js";

const POWERS: readonly string[] = Object.freeze(["off", "on", "halting", "panic"]);

export interface InspectOptions {
  /** Whether to hold the tree lock for a moment, so that the tree is whole. Not for a panic, whose core may hold it. */
  readonly lock: boolean;
  /** The core that looks, if one does. */
  readonly core?: number;
}

/** Reads a machine's state. Any thread with the machine's memory may; it blocks for up to 200 ms if it asks for the lock. */
export function inspect(memory: PhysicalMemory, options: InspectOptions): MachineState {
  const tree = new TreeCopy(memory);
  const consistent = options.lock && holdTree(memory, options.core ?? null, () => tree.read());
  if (!consistent) tree.read();
  const takenNs = nowNs();
  const survey = new Survey(memory, tree);
  const nodes = tree.slots.map(
    (slot): TreeNode => ({ ...capabilityIn(survey, slot, takenNs), parent: slot.parent, depth: slot.depth }),
  );
  const cores = inspectCores(survey);
  return {
    machine: {
      takenNs,
      power: nameOf(POWERS, wordAt(memory, BootInfo.POWER)),
      cores: coreCount(memory),
      hardwareThreads: wordAt(memory, BootInfo.HARDWARE_THREADS),
      memoryMiB: wordAt(memory, BootInfo.MEMORY_PAGES) / 256,
      seed: wordAt(memory, BootInfo.SEED),
      graceRequested: wordAt(memory, KernelInfo.GRACE_REQUESTED),
      consistent,
      damage: tree.damage,
    },
    cores,
    processes: inspectProcesses(survey),
    threads: inspectThreads(survey),
    cspaces: inspectCSpaces(survey, nodes),
    tree: { nodes, complete: tree.complete },
    queues: inspectQueues(survey, takenNs),
    memory: inspectMemory(survey),
  };
}
