/**
 * The derivation tree as tests look at it: read whole, with every link checked, and what another core does
 * between two instructions of this one.
 */
import { Slot, SlotBits, type SlotState } from "@capos/abi";
import { attend, type Core, flushBacklog, type SlotRef } from "@capos/kernel/internal";
import { KernelCore, KernelInfo } from "@capos/kernel/layout";

/** The children of a node in their order; throws if a link of their circle is wrong. */
export function childrenOf(i32: Int32Array, node: number): SlotRef[] {
  const first = i32[node + Slot.FIRST_CHILD] as SlotRef;
  const found: SlotRef[] = [];
  for (let child = first; child !== 0 && (found.length === 0 || child !== first); ) {
    const next = i32[child + Slot.NEXT_SIBLING] as SlotRef;
    if (i32[next + Slot.PREVIOUS_SIBLING] !== child)
      throw new Error(`${child} and its next are not linked both ways`);
    const parent = i32[child + Slot.PARENT];
    if (parent !== (child === first ? node : 0))
      throw new Error(`child ${found.length} names parent ${parent}`);
    found.push(child);
    if (found.length > 1_000_000) throw new Error("the circle does not close");
    child = next;
  }
  return found;
}

/** Every node below one, parents before children. */
export function descendantsOf(i32: Int32Array, node: number): SlotRef[] {
  const found: SlotRef[] = [];
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const children = childrenOf(i32, next);
    found.push(...children);
    open.push(...children.reverse());
  }
  return found;
}

/** True for a slot that is in no tree. */
export function isLinkless(i32: Int32Array, slot: number): boolean {
  return [Slot.PARENT, Slot.FIRST_CHILD, Slot.NEXT_SIBLING, Slot.PREVIOUS_SIBLING].every(
    (link) => i32[slot + link] === 0,
  );
}

export function stateOf(i32: Int32Array, slot: number): SlotState {
  return i32[slot] & SlotBits.STATE_MASK;
}

/** A turn of a core's loop in which no guest runs. False if it has nothing to do. */
export function turn(k: Core): boolean {
  const called = k.i32[k.attention] !== 0;
  if (called) attend(k);
  const busy = k.backlog !== 0;
  if (busy) flushBacklog(k);
  return called || busy;
}

/** Turns of all cores until none has anything to do; answers how many rounds that took. */
export function settle(cores: readonly Core[], most = 10_000): number {
  for (let rounds = 0; rounds < most; rounds++) {
    let busy = false;
    for (const core of cores) busy = turn(core) || busy;
    if (!busy) return rounds;
  }
  throw new Error("the cores find no rest");
}

/** No core has been asked for anything or is in the middle of anything, and all are past the last grace period. */
export function calm(cores: readonly Core[]): void {
  for (const core of cores) {
    core.i32[core.attention] = 0;
    core.i32[core.area + KernelCore.GRACE_PASSED] = core.i32[KernelInfo.GRACE_REQUESTED];
    core.i32[core.area + KernelCore.GRACE_AWAITED] = 0;
    core.graceOver = 0;
    core.backlog = 0;
    core.killed = false;
    core.graceAsked = 0;
    core.graceWanted = false;
    core.graceOwed = 0;
    core.graceNext = 0;
    core.reapAwaits = 0;
  }
}

type Operation = "load" | "store" | "add" | "or" | "and" | "compareExchange";

/**
 * Runs `body`; just before its atomic operation of this kind on the word, the first or a later one, `meanwhile`
 * runs: what another core does there. True if the body came to that point without the tree lock, which the
 * other core may need.
 */
export function interleave(
  operation: Operation,
  i32: Int32Array,
  word: number,
  meanwhile: () => void,
  body: () => void,
  nth = 1,
): boolean {
  const original = Atomics[operation] as (...values: unknown[]) => number;
  const replace = (by: unknown): void => {
    (Atomics as unknown as Record<string, unknown>)[operation] = by;
  };
  let reached = false;
  let left = nth;
  replace((view: unknown, index: number, ...values: unknown[]): number => {
    if (index === word && view === i32 && --left === 0) {
      replace(original);
      reached = i32[KernelInfo.TREE_LOCK] === i32[KernelInfo.TREE_LOCK_TICKET];
      if (reached) meanwhile();
    }
    return original(view, index, ...values);
  });
  try {
    body();
  } finally {
    replace(original);
  }
  return reached;
}
