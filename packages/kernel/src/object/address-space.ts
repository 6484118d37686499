/** Methods of address spaces. */
import { PAGE_BITS, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import {
  ENTRY_WORDS,
  entryBits,
  entryIndex,
  KERNEL_HALF,
  PageEntry,
  rightsOf,
  TABLE_ENTRIES,
  type WordIndex,
} from "@capos/hal";
import { findEntry, isUsedByOthers, stampSpace } from "../capability/mapping.js";
import { progressOf } from "../sched/progress.js";
import { graceIsOver, waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { Tables, Thread } from "../state/layout.js";
import type { SlotRef, SpaceRef, ThreadRef } from "../state/references.js";
import { answer } from "./arguments.js";

/** A new address space has the kernel's half. */
export function makeSpace(k: Locked, space: SpaceRef): void {
  const kernel = k.i32[k.tables + Tables.KERNEL_SPACE];
  for (let i = KERNEL_HALF * ENTRY_WORDS; i < TABLE_ENTRIES * ENTRY_WORDS; i++)
    k.i32[space + i] = k.i32[kernel + i];
}

/** Where the entry stands that says what is at a page; it may say that nothing is. And its level. */
function lastEntry(k: Locked, space: SpaceRef, page: number): { at: WordIndex; level: number } {
  for (let level = 1; level < 4; level++) {
    const at = findEntry(k, space, page, level);
    if (at > 0) return { at, level };
  }
  return { at: space + entryIndex(page, 4) * ENTRY_WORDS, level: 4 };
}

export function addressSpaceQuery(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const page = Math.floor(k.operands.address / 2 ** PAGE_BITS);
  const held = lockTree(k);
  const { at, level } = lastEntry(held, i32[self + Slot.OBJECT] as SpaceRef, page);
  const low = Atomics.load(i32, at);
  const high = Atomics.load(i32, at + 1);
  unlockTree(held);
  const rights = (low & PageEntry.PRESENT) !== 0 ? rightsOf(low, high) : 0;
  const accessed = (low & PageEntry.ACCESSED) !== 0 ? 1 : 0;
  const dirty = (low & PageEntry.DIRTY) !== 0 ? 1 : 0;
  return answer(context, rights, entryBits(level), rights === 0 ? 0 : accessed, rights === 0 ? 0 : dirty);
}

/**
 * Reads, and clears if told, what the walkers have marked. Cleared marks are not news before every core has flushed: a core
 * that has the page writes on without a walk. So the answer waits for that, in the thread's words.
 */
export function addressSpaceSample(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32, f64 } = k;
  const told = (thread + Thread.WORDS) >> 1;
  const asked = progressOf(k, thread);
  if (asked === 0) {
    const { address, count, clear } = k.operands;
    const space = i32[self + Slot.OBJECT] as SpaceRef;
    const first = Math.floor(address / 2 ** PAGE_BITS);
    for (let i = 0; i < 4; i++) f64[told + i] = 0;
    const held = lockTree(k);
    let cleared = false;
    for (let i = 0; i < count; i++) {
      const { at, level } = lastEntry(held, space, first + i);
      // Marks of a larger page are all of its pages': cleared with the last of them that is asked for.
      const marks = Atomics.load(i32, at);
      if ((marks & PageEntry.PRESENT) === 0) continue;
      const bit = 2 ** (i % 32);
      if ((marks & PageEntry.ACCESSED) !== 0) f64[told + (i >> 5)] += bit;
      if ((marks & PageEntry.DIRTY) !== 0) f64[told + 2 + (i >> 5)] += bit;
      const pages = 2 ** (entryBits(level) - PAGE_BITS);
      const isLast = i === count - 1 || (first + i + 1) % pages === 0;
      if (clear === 0 || !isLast) continue;
      Atomics.and(i32, at, ~(PageEntry.ACCESSED | PageEntry.DIRTY));
      cleared = true;
    }
    let stamp = 0;
    if (cleared) {
      k.unmapped = true;
      if (isUsedByOthers(held, space)) {
        stamp = stampSpace(held, space);
      }
    }
    unlockTree(held);
    if (stamp !== 0) {
      i32[thread + Thread.PROGRESS] = stamp;
      return waitForGrace(k, thread, stamp);
    }
  } else if (!graceIsOver(k, asked)) return waitForGrace(k, thread, asked);
  return answer(context, f64[told], f64[told + 1], f64[told + 2], f64[told + 3]);
}
