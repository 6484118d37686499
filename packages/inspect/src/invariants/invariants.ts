/**
 * What must hold of a machine's memory when nothing runs: read by the host, straight from physical memory.
 *
 * The derivation tree is well-formed and has every live slot in it, objects count their capabilities,
 * memory belongs to one object, every thread is in its process's list and in one queue at most, nothing is left
 * that somebody would still have to do, and nothing was written where reference 0 leads.
 */

import {
  Attention,
  attentionOf,
  BootInfo,
  CoreArea,
  CoreState,
  coreArea,
  type PhysicalMemory,
} from "@capos/hal";
import { KernelCore } from "@capos/kernel/layout";
import { checkLists } from "./lists.js";
import { checkNone } from "./none.js";
import { checkHolders, checkMemory, checkReferences } from "./objects.js";
import { Problems } from "./problems.js";
import { checkBindings, checkThreads } from "./threads.js";
import { walkTree } from "./tree.js";

/** What is wrong with a machine's memory: a rule that is broken, and where. */
export interface StateProblem {
  readonly rule: string;
  readonly details: readonly string[];
}

/** Judges memory in which nothing changes: one problem for each rule that is broken. */
export function checkState(memory: PhysicalMemory): StateProblem[] {
  const problems = new Problems();
  const tree = walkTree(memory, problems);
  checkReferences(memory, tree, problems);
  checkHolders(memory, tree, problems);
  checkMemory(memory, tree, problems);
  checkThreads(memory, tree, problems);
  checkBindings(memory, tree, problems);
  checkLists(memory, tree, problems);
  checkNone(memory, problems);
  return [...problems.all].map(([rule, details]) => ({ rule, details }));
}

/** A machine on which nobody works comes to rest well before this, on however busy a host. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 2;

/**
 * Judges a running machine's memory as soon as all its cores are halted for as long as that takes. One
 * that never comes to rest is a finding of its own.
 */
export async function checkWhenAtRest(memory: PhysicalMemory, signal?: AbortSignal): Promise<StateProblem[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    signal?.throwIfAborted();
    const before = restOf(memory);
    const findings = before === null ? [] : checkState(memory);
    if (before !== null && before === restOf(memory)) return findings;
    if (performance.now() > deadline)
      return [{ rule: "a machine on which nobody works comes to rest", details: restless(memory) }];
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** A text that stays the same for as long as no core runs; null if one does. */
function restOf(memory: PhysicalMemory): string | null {
  const halts: number[] = [];
  for (const core of onlineCores(memory)) {
    if (Atomics.load(memory.i32, attentionOf(memory, core)) !== Attention.HALTED) return null;
    halts.push(Atomics.load(memory.i32, coreArea(memory, core) + KernelCore.HALTS));
  }
  return halts.join(" ");
}

function restless(memory: PhysicalMemory): string[] {
  return onlineCores(memory).map((core) => {
    const word = Atomics.load(memory.i32, attentionOf(memory, core));
    return `core ${core}: attention ${word.toString(16)}, safe points ${memory.i32[coreArea(memory, core) + CoreArea.HEARTBEAT] >>> 0}`;
  });
}

function onlineCores(memory: PhysicalMemory): number[] {
  const cores = Array.from({ length: memory.i32[BootInfo.CORES] }, (_, core) => core);
  return cores.filter(
    (core) => Atomics.load(memory.i32, coreArea(memory, core) + CoreArea.STATE) === CoreState.ONLINE,
  );
}
