/** Methods of page tables. */
import { Err, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import { ENTRY_WORDS, PAGE_BYTES, PageEntry, TABLE_ENTRIES } from "@capos/hal";
import { isLive } from "../capability/lookup.js";
import {
  clearMapping,
  fillEntry,
  findEntry,
  IN_USE,
  mappedSpace,
  setMapped,
  tablePlace,
  whyNotEmpty,
} from "../capability/mapping.js";
import { progressOf } from "../sched/progress.js";
import { graceIsOver, waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Answer } from "../state/answer.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import { Thread } from "../state/layout.js";
import type { SlotRef, ThreadRef } from "../state/references.js";
import { answer, finish } from "./arguments.js";
import { openSpace, settle, settledAs } from "./settled.js";

/** Puts a table where the first one is missing on the way to an address. */
export function pageTableMap(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { memory, address } = k.operands;
  const held = lockTree(k);
  const level = place(held, self, memory, Math.floor(address / PAGE_BYTES));
  unlockTree(held);
  return level > 0 ? answer(context, level) : settle(k, thread, context);
}

/** Answers the level of a table that was put in its place; 0, and how it ended is noted. */
function place(k: Locked, table: SlotRef, memory: SlotRef, page: number): number {
  const { i32 } = k;
  // Looked up without the lock.
  if (!isLive(k, table)) settledAs(k, Err.BAD_CAP);
  else {
    const space = openSpace(k, memory);
    if (space === 0) return 0;
    const missing = findEntry(k, space, page, 1);
    const level = -missing;
    const isInUse = mappedSpace(k, table) !== 0;
    const awaits = isInUse ? 0 : clearMapping(k, table, i32[table]);
    if (awaits !== 0) settledAs(k, Err.OK, 0, awaits);
    else if (isInUse || !isEmpty(k, table)) settledAs(k, Err.BUSY);
    else if (missing >= 0) settledAs(k, Err.MAPPED);
    else {
      const entry = findEntry(k, space, page, level + 1);
      const used = whyNotEmpty(k, entry, 1);
      if (used !== 0) settledAs(k, used === IN_USE ? Err.MAPPED : Err.OK, 0, used === IN_USE ? 0 : used);
      else {
        beginCommit(k);
        fillEntry(k, entry, (i32[table + Slot.OBJECT] * 4) | PageEntry.WRITABLE | PageEntry.USER, 0);
        setMapped(k, table, space, tablePlace(page, level));
        endCommit(k);
        return level;
      }
    }
  }
  return 0;
}

function isEmpty(k: Locked, table: SlotRef): boolean {
  const at = k.i32[table + Slot.OBJECT];
  for (let i = 0; i < TABLE_ENTRIES; i++) if (k.i32[at + i * ENTRY_WORDS] !== 0) return false;
  return true;
}

/** Takes the table from its place. When no core walks it any more, what is left in it leads nowhere and is cleared. */
export function pageTableUnmap(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const asked = progressOf(k, thread);
  if (asked !== 0 && !graceIsOver(k, asked)) return waitForGrace(k, thread, asked);
  const held = lockTree(k);
  let awaits = 0;
  // Somebody may have put it elsewhere meanwhile, and there it stays.
  if (isLive(k, self) && (asked === 0 || mappedSpace(k, self) === 0)) {
    awaits = clearMapping(held, self, i32[self]);
    if (awaits === 0) clear(held, self);
  }
  unlockTree(held);
  if (awaits === 0) return finish(context, Err.OK);
  i32[thread + Thread.PROGRESS] = awaits;
  return waitForGrace(k, thread, awaits);
}

function clear(k: Locked, table: SlotRef): void {
  const at = k.i32[table + Slot.OBJECT] >> 1;
  for (let i = 0; i < TABLE_ENTRIES; i++) k.f64[at + i] = 0;
}
