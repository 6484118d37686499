/**
 * Mappings: entries of page tables that belong to a capability, under the tree lock.
 *
 * A slot with a mapping says which address space it is in, and at which page. It names the space by its identifier and
 * that one's generation, resolved in a table: a space that has begun to die is in it no more, so nobody ever walks the
 * memory of one that is gone, whatever stands there by then. And what is cleared is an entry that holds the slot's own
 * frame, or nothing.
 *
 * An entry that is cleared is not filled again before every core that could have it has flushed (`PageEntry.STAMPED`).
 * Which cores those are the space says: a core sets its bit before it walks, whoever clears looks at the bits after.
 * Where no other core has ever used the space there is nobody to wait for.
 */
import { MAX_ADDRESS_SPACES, ObjectType, PAGE_BITS, Right, Slot, SlotBits } from "@capos/abi";
import { ENTRY_WORDS, entryBits, entryIndex, PageEntry, PageEntryHigh, type WordIndex } from "@capos/hal";
import { graceIsOver, nextGrace } from "../smp/grace-period.js";
import type { Locked } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { AddressSpace, Identifier, KernelInfo, Tables } from "../state/layout.js";
import type { SlotRef, SpaceRef } from "../state/references.js";

/** MAPPED_SPACE: the page's number beyond 32 bits, the identifier, its generation. The latter begins at 1: 0 is no mapping. */
const IDENTIFIER_SHIFT = 3;
const GENERATION_SHIFT = 15;
const LAST_GENERATION = 2 ** 17 - 1;

/** A slot without a mapping. */
export function setUnmapped(k: Locked, slot: SlotRef): void {
  k.i32[slot + Slot.MAPPED_SPACE] = 0;
  k.i32[slot + Slot.MAPPED_PAGE] = 0;
}

/** Notes where a slot's object is mapped. A table is at the first page that it covers, plus its level. */
export function setMapped(k: Locked, slot: SlotRef, space: SpaceRef, page: number): void {
  const { i32 } = k;
  const identifier = i32[space + AddressSpace.IDENTIFIER];
  const generation = i32[identifierAt(k, identifier) + Identifier.GENERATION];
  i32[slot + Slot.MAPPED_PAGE] = page | 0;
  i32[slot + Slot.MAPPED_SPACE] =
    (generation << GENERATION_SHIFT) | (identifier << IDENTIFIER_SHIFT) | Math.floor(page / 2 ** 32);
}

/** The page that a slot says it is mapped at. */
export function mappedPage(k: Core, slot: SlotRef): number {
  const high = k.i32[slot + Slot.MAPPED_SPACE] & ((1 << IDENTIFIER_SHIFT) - 1);
  return high * 2 ** 32 + (k.i32[slot + Slot.MAPPED_PAGE] >>> 0);
}

/** The address space that a slot is mapped in, 0 if it is in none, or that one is gone. */
export function mappedSpace(k: Core, slot: SlotRef): SpaceRef | 0 {
  const { i32 } = k;
  const place = i32[slot + Slot.MAPPED_SPACE];
  if (place === 0) return 0;
  const known = identifierAt(k, (place >> IDENTIFIER_SHIFT) & MAX_ADDRESS_SPACES);
  if (i32[known + Identifier.GENERATION] !== place >>> GENERATION_SHIFT) return 0;
  return i32[known + Identifier.SPACE] as SpaceRef | 0;
}

function identifierAt(k: Core, identifier: number): WordIndex {
  return k.i32[k.tables + Tables.IDENTIFIERS] + identifier * Identifier.SIZE;
}

/** What `takeIdentifier` answers where all identifiers are taken. */
export const NO_IDENTIFIER = -1;

/**
 * Sees to it that an address space has an identifier. Answers 0, or NO_IDENTIFIER, or a grace period to wait for: one that
 * another space had may be in the buffers of cores until then.
 */
export function takeIdentifier(k: Locked, space: SpaceRef): number {
  const { i32 } = k;
  if (i32[space + AddressSpace.IDENTIFIER] !== 0) return 0;
  let coming = NO_IDENTIFIER;
  let identifier = i32[k.tables + Tables.LAST_IDENTIFIER];
  for (let n = 0; n < MAX_ADDRESS_SPACES; n++) {
    identifier = (identifier % MAX_ADDRESS_SPACES) + 1;
    const known = identifierAt(k, identifier);
    const generation = i32[known + Identifier.GENERATION];
    if (i32[known + Identifier.SPACE] !== 0 || generation === LAST_GENERATION) continue;
    const stamp = i32[known + Identifier.STAMP];
    if (stamp !== 0 && !graceIsOver(k, stamp)) {
      coming = stamp;
      continue;
    }
    if (generation === 0) i32[known + Identifier.GENERATION] = 1;
    i32[known + Identifier.SPACE] = space;
    i32[space + AddressSpace.IDENTIFIER] = identifier;
    i32[k.tables + Tables.LAST_IDENTIFIER] = identifier;
    return 0;
  }
  return coming;
}

/** An address space begins to die: no mapping leads to it any more, and in a grace period no core is in it. */
export function loseIdentifier(k: Locked, space: SpaceRef): void {
  const { i32 } = k;
  const identifier = i32[space + AddressSpace.IDENTIFIER];
  if (identifier === 0) return;
  const known = identifierAt(k, identifier);
  i32[known + Identifier.SPACE] = 0;
  i32[known + Identifier.GENERATION]++;
  countUnmapping(k);
  i32[known + Identifier.STAMP] = nextGrace(k);
}

/**
 * Something was taken away that cores may have: they flush in the grace period that follows. Counted after the entry is
 * cleared, and before that grace period is asked for.
 */
export function countUnmapping(k: Locked): void {
  Atomics.add(k.i32, KernelInfo.UNMAPPINGS, 1);
  k.unmapped = true;
  k.killed = true;
}

/** True if another core than this has ever used an address space. */
export function isUsedByOthers(k: Locked, space: SpaceRef): boolean {
  const { i32 } = k;
  const own = 1 << (k.id & 31);
  const low = Atomics.load(i32, space + AddressSpace.CORES_LOW);
  const high = Atomics.load(i32, space + AddressSpace.CORES_HIGH);
  return (low & ~(k.id < 32 ? own : 0)) !== 0 || (high & ~(k.id < 32 ? 0 : own)) !== 0;
}

/** The level of the entries that map a frame of 2^`sizeBits` bytes: the largest that fit. */
export function levelOf(sizeBits: number): number {
  return sizeBits >= entryBits(3) ? 3 : sizeBits >= entryBits(2) ? 2 : 1;
}

/** How many there are: at most 256, all in one table. */
export function entriesOf(sizeBits: number): number {
  return 2 ** (sizeBits - entryBits(levelOf(sizeBits)));
}

/**
 * Where the entry of a level for a page stands. Where no table leads there: minus the level of the one that is missing;
 * 0 if a larger page is in the way.
 */
export function findEntry(k: Locked, space: SpaceRef, page: number, level: number): WordIndex {
  const { i32 } = k;
  let table: WordIndex = space;
  for (let at = 4; at > level; at--) {
    const low = i32[table + entryIndex(page, at) * ENTRY_WORDS];
    if ((low & PageEntry.PRESENT) === 0) return 1 - at;
    if ((low & PageEntry.HUGE) !== 0) return 0;
    table = (low & PageEntry.FRAME_MASK) >>> 2;
  }
  return table + entryIndex(page, level) * ENTRY_WORDS;
}

/** No grace period's number: what `whyNotEmpty` answers of entries that are in use. */
export const IN_USE = -1;

/** 0 if entries can be filled; the grace period that is to be over first, or IN_USE. */
export function whyNotEmpty(k: Locked, entry: WordIndex, count: number): number {
  const { i32 } = k;
  for (let i = 0; i < count; i++) {
    const low = i32[entry + i * ENTRY_WORDS];
    if (low === 0) continue;
    if ((low & PageEntry.PRESENT) !== 0) return IN_USE;
    const stamp = i32[entry + i * ENTRY_WORDS + 1];
    if (!graceIsOver(k, stamp)) return stamp;
  }
  return 0;
}

/** Fills an entry: from here on cores find it. */
export function fillEntry(k: Locked, entry: WordIndex, low: number, high: number): void {
  Atomics.store(k.i32, entry + 1, high);
  Atomics.store(k.i32, entry, low | PageEntry.PRESENT);
}

/** What an entry says of rights to a page: of its low word and of its high one. */
export function lowRights(rights: number): number {
  return PageEntry.USER | ((rights & Right.WRITE) !== 0 ? PageEntry.WRITABLE : 0);
}

export function highRights(rights: number): number {
  return (rights & Right.EXECUTE) !== 0 ? 0 : PageEntryHigh.NO_EXECUTE;
}

/**
 * Finds the entries of a slot's mapping; false if there are none. Of `entries`: where the first stands, how many there are,
 * and the bytes from what one maps to what the next does.
 */
export function entriesOfSlot(k: Locked, slot: SlotRef, word: number): boolean {
  const { entries: found } = k;
  const space = mappedSpace(k, slot);
  if (space === 0) return false;
  const page = mappedPage(k, slot);
  const isFrame = (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT === ObjectType.FRAME;
  const sizeBits = (word >>> SlotBits.SIZE_SHIFT) & 63;
  // The entry that leads to a table is in the one above.
  const level = isFrame ? levelOf(sizeBits) : (page & TABLE_LEVEL) + 1;
  found.at = findEntry(k, space, isFrame ? page : page - (page & TABLE_LEVEL), level);
  found.count = isFrame ? entriesOf(sizeBits) : 1;
  found.step = 2 ** entryBits(level);
  return found.at > 0;
}

/** In the page number of a table's mapping. */
const TABLE_LEVEL = 3;

/** True if an entry maps bytes from `start` on, or leads to a table there. */
export function holds(low: number, start: number): boolean {
  return (low & PageEntry.PRESENT) !== 0 && (low & PageEntry.FRAME_MASK) >>> 0 === start;
}

/** Where a table of a level for a page is mapped, as its slot says it. */
export function tablePlace(page: number, level: number): number {
  return page - (page % 2 ** (entryBits(level + 1) - PAGE_BITS)) + level;
}

/**
 * A grace period that is to be over first, as a word says it; 0 if there is none, or none any more. One that is over is
 * forgotten: some time its number is that of one to come.
 */
export function pendingStamp(k: Locked, at: WordIndex): number {
  const stamp = k.i32[at];
  if (stamp === 0 || !graceIsOver(k, stamp)) return stamp;
  k.i32[at] = 0;
  return 0;
}

/**
 * Ends a slot's mapping, if it has one. Answers the grace period after which no core uses it, or one that the slot had
 * before; 0 if no core does any more. It stays in the slot's STAMP: whoever maps or unmaps it next waits for it too. This
 * core flushes before any guest runs (see `unlockTree`).
 */
export function clearMapping(k: Locked, slot: SlotRef, word: number): number {
  const { i32 } = k;
  if (i32[slot + Slot.MAPPED_SPACE] !== 0) {
    const stamp = clearEntries(k, slot, word);
    setUnmapped(k, slot);
    if (stamp !== 0) i32[slot + Slot.STAMP] = stamp;
  }
  return pendingStamp(k, slot + Slot.STAMP);
}

function clearEntries(k: Locked, slot: SlotRef, word: number): number {
  const { i32 } = k;
  const space = mappedSpace(k, slot);
  if (space === 0) return lostStamp(k, slot);
  let cleared = 0;
  if (entriesOfSlot(k, slot, word)) {
    const { at, count, step } = k.entries;
    const first = (i32[slot + Slot.OBJECT] * 4) >>> 0;
    for (let i = 0; i < count; i++) {
      const entry = at + i * ENTRY_WORDS;
      if (!holds(i32[entry], first + i * step)) continue;
      Atomics.store(i32, entry, PageEntry.STAMPED);
      cleared++;
    }
  }
  // Somebody took away the table that led to it.
  if (cleared === 0) return i32[space + AddressSpace.STAMP];
  k.entriesCleared += cleared;
  k.unmapped = true;
  // After the clear: a core that walks from here on finds nothing, one that has walked before has set its bit.
  const isShared = isUsedByOthers(k, space);
  const stamp = isShared ? stampSpace(k, space) : 0;
  const { at, count } = k.entries;
  for (let i = 0; i < count; i++) {
    const entry = at + i * ENTRY_WORDS;
    if (i32[entry] !== PageEntry.STAMPED) continue;
    Atomics.store(i32, entry + 1, stamp);
    if (!isShared) Atomics.store(i32, entry, 0);
  }
  return stamp;
}

/** Something that other cores may have was taken away in an address space: answers the grace period to wait for. */
export function stampSpace(k: Locked, space: SpaceRef): number {
  countUnmapping(k);
  const stamp = nextGrace(k);
  k.i32[space + AddressSpace.STAMP] = stamp;
  return stamp;
}

/** Of a slot that was mapped in an address space that is gone: after which grace period no core is in that. */
function lostStamp(k: Locked, slot: SlotRef): number {
  const place = k.i32[slot + Slot.MAPPED_SPACE];
  return k.i32[identifierAt(k, (place >> IDENTIFIER_SHIFT) & MAX_ADDRESS_SPACES) + Identifier.STAMP];
}
