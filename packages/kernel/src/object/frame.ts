/** Methods of frames: mapping them, and what is in them. */
import { Err, makeHandle, PAGE_BITS, Right, Slot, SlotBits, USER_END } from "@capos/abi";
import type { Context } from "@capos/engine";
import { ENTRY_WORDS, entryBits, PageEntry, rightsOf } from "@capos/hal";
import { hasRight, isLive, isOpenCNode } from "../capability/lookup.js";
import {
  clearMapping,
  entriesOf,
  entriesOfSlot,
  fillEntry,
  findEntry,
  highRights,
  holds,
  IN_USE,
  isUsedByOthers,
  levelOf,
  lowRights,
  mappedPage,
  mappedSpace,
  pendingStamp,
  setMapped,
  stampSpace,
  whyNotEmpty,
} from "../capability/mapping.js";
import { derivePart, isDying, reclaimSlot } from "../capability/slot.js";
import { progressOf } from "../sched/progress.js";
import { graceIsOver, waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import { AddressSpace, Thread } from "../state/layout.js";
import type { SlotRef, SpaceRef, ThreadRef } from "../state/references.js";
import { answer, finish, refuse } from "./arguments.js";
import { openSpace, type Settled, settle, settledAs } from "./settled.js";

function sizeBitsOf(k: Core, frame: SlotRef): number {
  return (k.i32[frame] >>> SlotBits.SIZE_SHIFT) & 63;
}

/** What a page can be: never writable and executable, never without READ. */
function isMappable(rights: number): boolean {
  return (
    rights === Right.READ || rights === (Right.READ | Right.WRITE) || rights === (Right.READ | Right.EXECUTE)
  );
}

/** Why a frame's capability does not give these rights to its memory; OK if it does. */
function unmappable(k: Core, frame: SlotRef, rights: number): Err {
  if (!isMappable(rights)) return Err.RANGE;
  return hasRight(k, frame, rights) ? Err.OK : Err.DENIED;
}

/** All that can be refused is before anything is changed; where it has to wait, for stale entries, the trap starts again. */
export function frameMap(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { memory, rights, address } = k.operands;
  const status = unmappable(k, self, rights);
  if (status !== Err.OK) return refuse(context, status, Right.READ, Right.READ | Right.EXECUTE);
  const size = 2 ** sizeBitsOf(k, self);
  if (address % size !== 0 || address < 2 ** PAGE_BITS)
    return refuse(context, Err.RANGE, size, USER_END - size);
  const held = lockTree(k);
  map(held, self, memory, address / 2 ** PAGE_BITS, rights);
  unlockTree(held);
  return settle(k, thread, context);
}

function map(k: Locked, frame: SlotRef, memory: SlotRef, page: number, rights: number): Settled {
  const { i32 } = k;
  // Looked up without the lock.
  if (!isLive(k, frame)) return settledAs(k, Err.BAD_CAP);
  const space = openSpace(k, memory);
  if (space === 0) return k.settled;
  if (mappedSpace(k, frame) !== 0) return settledAs(k, Err.BUSY);
  // Cores may use it still: of its former holder, of an address space that is gone.
  const awaits = clearMapping(k, frame, i32[frame]);
  if (awaits !== 0) return settledAs(k, Err.OK, 0, awaits);
  const sizeBits = sizeBitsOf(k, frame);
  const level = levelOf(sizeBits);
  const count = entriesOf(sizeBits);
  const entry = findEntry(k, space, page, level);
  if (entry < 0) return settledAs(k, Err.NO_TABLE, -entry);
  const used = entry === 0 ? IN_USE : whyNotEmpty(k, entry, count);
  if (used === IN_USE) return settledAs(k, Err.MAPPED);
  if (used !== 0) return settledAs(k, Err.OK, 0, used);
  const start = i32[frame + Slot.OBJECT] * 4;
  const low = lowRights(rights) | (level > 1 ? PageEntry.HUGE : 0);
  beginCommit(k);
  for (let i = 0; i < count; i++)
    fillEntry(k, entry + i * ENTRY_WORDS, (start + i * 2 ** entryBits(level)) | low, highRights(rights));
  setMapped(k, frame, space, page);
  endCommit(k);
  return settledAs(k, Err.OK);
}

/** Ends the mapping once, and answers when no core uses it any more. */
export function frameUnmap(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const asked = progressOf(k, thread);
  if (asked !== 0) return graceIsOver(k, asked) ? finish(context, Err.OK) : waitForGrace(k, thread, asked);
  const held = lockTree(k);
  const stamp = isLive(k, self) ? clearMapping(held, self, k.i32[self]) : 0;
  unlockTree(held);
  return flushed(k, thread, context, stamp);
}

/** Answers when a grace period is over, if there is one to wait for. */
function flushed(k: Core, thread: ThreadRef, context: Context, stamp: number): Answer {
  if (stamp === 0) return finish(context, Err.OK);
  k.i32[thread + Thread.PROGRESS] = stamp;
  return waitForGrace(k, thread, stamp);
}

export function frameProtect(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const asked = progressOf(k, thread);
  if (asked !== 0) return graceIsOver(k, asked) ? finish(context, Err.OK) : waitForGrace(k, thread, asked);
  const { rights } = k.operands;
  const status = unmappable(k, self, rights);
  if (status !== Err.OK) return refuse(context, status, Right.READ, Right.READ | Right.EXECUTE);
  const held = lockTree(k);
  const stamp = protect(held, self, rights);
  unlockTree(held);
  return stamp === NOT_MAPPED ? finish(context, Err.NOT_FOUND) : flushed(k, thread, context, stamp);
}

const NOT_MAPPED = -1;

/**
 * Gives the entries of a mapping other rights. Answers the grace period after which no core has more than these. Only
 * less has to be waited for: a core that does not know of more walks again before it refuses.
 */
function protect(k: Locked, frame: SlotRef, rights: number): number {
  const { i32 } = k;
  if (!isLive(k, frame) || !entriesOfSlot(k, frame, i32[frame])) return NOT_MAPPED;
  const { at, count, step } = k.entries;
  const first = (i32[frame + Slot.OBJECT] * 4) >>> 0;
  let changed = 0;
  let isLess = false;
  let isMore = false;
  for (let i = 0; i < count; i++) {
    const entry = at + i * ENTRY_WORDS;
    for (;;) {
      const low = Atomics.load(i32, entry);
      if (!holds(low, first + i * step)) break;
      const wanted = (low & ~PageEntry.WRITABLE) | lowRights(rights);
      Atomics.store(i32, entry + 1, highRights(rights));
      // A walker marks the entry at the same time.
      if (wanted !== low && Atomics.compareExchange(i32, entry, low, wanted) !== low) continue;
      changed++;
      isLess ||= (low & ~wanted & PageEntry.WRITABLE) !== 0;
      isMore ||= (wanted & ~low & PageEntry.WRITABLE) !== 0;
      break;
    }
  }
  if (changed === 0) return NOT_MAPPED;
  if (isMore) return 0;
  const space = mappedSpace(k, frame) as SpaceRef;
  // Another may have lowered them, and be waiting.
  if (!isLess) return pendingStamp(k, space + AddressSpace.STAMP);
  k.unmapped = true;
  return isUsedByOthers(k, space) ? stampSpace(k, space) : 0;
}

export function frameInfo(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const held = lockTree(k);
  let rights = 0;
  let address = -1;
  if (isLive(k, self) && entriesOfSlot(held, self, i32[self])) {
    const low = i32[k.entries.at];
    if (holds(low, (i32[self + Slot.OBJECT] * 4) >>> 0)) {
      rights = rightsOf(low, i32[k.entries.at + 1]);
      address = mappedPage(k, self) * 2 ** PAGE_BITS;
    }
  }
  unlockTree(held);
  return answer(context, sizeBitsOf(k, self), rights, address);
}

export function framePart(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const { into, slot: index, sizeBits, offset } = k.operands;
  const size = 2 ** sizeBitsOf(k, self);
  const partSize = 2 ** sizeBits;
  if (offset % partSize !== 0 || offset + partSize > size)
    return refuse(context, Err.RANGE, 0, size - partSize);
  const slot = (i32[into + Slot.OBJECT] + index * Slot.WORDS) as SlotRef;
  let status: Err = Err.OK;
  let awaits = 0;
  const held = lockTree(k);
  // Looked up without the lock.
  if (!isLive(k, self) || !isOpenCNode(held, into)) status = Err.BAD_CAP;
  else if (!reclaimSlot(held, slot)) {
    status = Err.SLOT_OCCUPIED;
    if (isDying(k, slot)) awaits = i32[slot + Slot.STAMP];
  } else {
    beginCommit(k);
    derivePart(held, self, slot, i32[self + Slot.OBJECT] + offset / 4, sizeBits);
    endCommit(k);
  }
  unlockTree(held);
  if (awaits !== 0) return waitForGrace(k, thread, awaits);
  return status !== Err.OK
    ? finish(context, status)
    : answer(context, makeHandle(index, i32[slot + Slot.GENERATION]));
}

/** Doubles written before others get a turn: 32 KiB. */
const DOUBLES_AT_ONCE = 4096;

export function frameZero(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32, f64 } = k;
  const doubles = 2 ** (sizeBitsOf(k, self) - 3);
  const from = progressOf(k, thread);
  const to = Math.min(doubles, from + DOUBLES_AT_ONCE);
  const base = i32[self + Slot.OBJECT] / 2;
  for (let i = base + from; i < base + to; i++) f64[i] = 0;
  if (to === doubles) return finish(context, Err.OK);
  i32[thread + Thread.PROGRESS] = to;
  return Answer.AGAIN;
}

export function frameCopy(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const { from: source } = k.operands;
  const words = 2 ** (sizeBitsOf(k, self) - 2);
  if (sizeBitsOf(k, source) !== sizeBitsOf(k, self)) return refuse(context, Err.RANGE, words * 4, words * 4);
  const from = progressOf(k, thread);
  const to = Math.min(words, from + 2 * DOUBLES_AT_ONCE);
  const target = i32[self + Slot.OBJECT];
  const origin = i32[source + Slot.OBJECT];
  // By integers: a double that is no number may change its bits on the way.
  for (let i = from; i < to; i++) i32[target + i] = i32[origin + i];
  if (to === words) return finish(context, Err.OK);
  i32[thread + Thread.PROGRESS] = to;
  return Answer.AGAIN;
}
