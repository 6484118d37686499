/**
 * Page table entries as x86_64 has them: 64 bits, two words of memory, four levels of 512.
 *
 * Whoever changes an entry stores the word with PRESENT first when it takes something away, and last when it fills it. A
 * walker needs the low word alone: all of physical memory is in its 32 bits, and nothing of a guest is executed from memory. An
 * entry that is not present is the kernel's to use: see `PageEntry.STAMPED`.
 */
import { PAGE_BITS, Right } from "@capos/abi";

/** Bits of an entry's low word. */
export const enum PageEntry {
  PRESENT = 0x1,
  WRITABLE = 0x2,
  USER = 0x4,
  ACCESSED = 0x20,
  DIRTY = 0x40,
  /** At levels 2 and 3: a page of 2 MiB or 1 GiB, and not a table. */
  HUGE = 0x80,
  GLOBAL = 0x100,
  /** The physical address's low 32 bits; all that there are here. */
  FRAME_MASK = 0xffff_f000 | 0,
  /** Of an entry that is not present: its high word is the grace period that is to be over before it is filled. */
  STAMPED = 0x200,
}

/** Bits of the high word. */
export const enum PageEntryHigh {
  NO_EXECUTE = 0x8000_0000 | 0,
}

/** Entries of a table, and words of one. */
export const TABLE_ENTRIES = 512;
export const ENTRY_WORDS = 2;

/** Of a table of level 4 the entries from this one on are the kernel's. */
export const KERNEL_HALF = TABLE_ENTRIES / 2;

const LEVEL_BITS = 9;

/** log2 of the bytes that an entry of a level maps, 1 to 4: 4 KiB, 2 MiB, 1 GiB, 512 GiB. */
export function entryBits(level: number): number {
  return PAGE_BITS + LEVEL_BITS * (level - 1);
}

/** Which entry of its table of a level maps a page of the lower half, by the page's number (0 to 2^35 - 1). */
export function entryIndex(page: number, level: number): number {
  // Beyond 32 bits: the number is a double.
  return level === 4 ? Math.floor(page / 2 ** 27) : ((page % 2 ** 27) >> (LEVEL_BITS * (level - 1))) & 511;
}

/** The rights that a present entry says, by its two words: a set of `Right`. */
export function rightsOf(low: number, high: number): number {
  return (
    Right.READ |
    ((low & PageEntry.WRITABLE) !== 0 ? Right.WRITE : 0) |
    ((high & PageEntryHigh.NO_EXECUTE) === 0 ? Right.EXECUTE : 0)
  );
}
