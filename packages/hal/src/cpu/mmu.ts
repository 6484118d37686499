/**
 * A core's memory management unit: it walks the page tables that it is pointed at, and remembers what it found in a
 * translation lookaside buffer.
 *
 * The buffer is a cache that nobody keeps true: what is taken out of a table may be used until the core flushes. So who
 * takes a mapping away waits until every core that may have it has done so: see `flushStale` in the kernel.
 *
 * All of it runs on a guest's stack, wherever that ends: a tag is stored last, and until then its entry names nothing.
 */
import { PAGE_BITS, USER_END } from "@capos/abi";
import { ENTRY_WORDS, entryBits, entryIndex, PageEntry } from "../memory/page-entry.js";
import {
  PAGE_BYTES,
  type PhysicalMemory,
  type WordIndex,
  withoutPrototype,
} from "../memory/physical-memory.js";

/** Entries of the buffer, for reading and for writing: as many pages as a program works on at a time, and few to flush. */
export const TLB_ENTRIES = 256;
const NO_TAG = -1;

/** A tag is a page's number and above it the identifier of its address space: 48 bits, exact in a double. */
const TAGS_PER_SPACE = 2 ** 36;

/** Why an address names nothing that the guest may use. */
export const enum Refusal {
  NONE = 0,
  /** No address: negative, a fraction, beyond the lower half. */
  NO_ADDRESS = 1,
  /** Not a multiple of the access's size. */
  UNALIGNED = 2,
  /** The process has no address space. */
  NO_SPACE = 3,
  NOT_PRESENT = 4,
  /** It is mapped, and not for this. */
  NOT_ALLOWED = 5,
}

export class Mmu {
  /** By the low bits of a page's number: tags of pages that may be read, that may be written, and where they stand (bytes). */
  readonly readTags = withoutPrototype(new Float64Array(TLB_ENTRIES).fill(NO_TAG));
  readonly writeTags = withoutPrototype(new Float64Array(TLB_ENTRIES).fill(NO_TAG));
  readonly frames = withoutPrototype(new Float64Array(TLB_ENTRIES));
  /** The first address that is refused without a look at the buffer: 0 while it is not known whose addresses these are. */
  limit = 0;
  /** The tag of page 0 of the address space that is used. */
  base = 0.5;
  /** Its table of level 4. */
  root: WordIndex = 0;
  /** Tables walked, and flushes: for those who watch. */
  walks = 0;
  flushes = 0;

  constructor(private readonly memory: PhysicalMemory) {}

  /** Uses an address space, of an identifier from 1 on. */
  load(root: WordIndex, identifier: number): void {
    this.root = root;
    this.base = identifier * TAGS_PER_SPACE;
    this.limit = USER_END;
  }

  /** Uses none, until `load`. Nothing is forgotten. */
  unload(): void {
    this.limit = 0;
  }

  /** Forgets everything, and whose addresses these are. */
  flush(): void {
    this.limit = 0;
    this.flushes++;
    const { readTags, writeTags } = this;
    for (let i = 0; i < TLB_ENTRIES; i++) {
      readTags[i] = NO_TAG;
      writeTags[i] = NO_TAG;
    }
  }

  /**
   * Walks the tables for a page that the buffer does not have, and marks what it finds as used. Answers a `Refusal`; if
   * that is NONE the buffer has the page until it is flushed.
   */
  walk(page: number, isWrite: boolean): Refusal {
    this.walks++;
    for (;;) {
      const found = this.walkOnce(page, isWrite);
      if (found !== AGAIN) return found;
    }
  }

  private walkOnce(page: number, isWrite: boolean): Refusal | typeof AGAIN {
    const { i32 } = this.memory;
    let table = this.root;
    let writable = true;
    for (let level = 4; ; level--) {
      const entry = table + entryIndex(page, level) * ENTRY_WORDS;
      const low = Atomics.load(i32, entry);
      if ((low & PageEntry.PRESENT) === 0) return Refusal.NOT_PRESENT;
      if ((low & PageEntry.USER) === 0) return Refusal.NOT_ALLOWED;
      writable = writable && (low & PageEntry.WRITABLE) !== 0;
      const isPage = level === 1 || (low & PageEntry.HUGE) !== 0;
      if (isPage && isWrite && !writable) return Refusal.NOT_ALLOWED;
      // Who changes the entry meanwhile is seen: then nothing was marked, and the walk begins anew.
      const used = low | PageEntry.ACCESSED | (isPage && isWrite ? PageEntry.DIRTY : 0);
      if (
        used !== low
          ? Atomics.compareExchange(i32, entry, low, used) !== low
          : Atomics.load(i32, entry) !== low
      )
        return AGAIN;
      const start = (low & PageEntry.FRAME_MASK) >>> 0;
      if (!isPage) table = start / 4;
      else {
        const within = page % 2 ** (entryBits(level) - PAGE_BITS);
        this.remember(page, start + within * PAGE_BYTES, isWrite);
        return Refusal.NONE;
      }
    }
  }

  private remember(page: number, start: number, isWrite: boolean): void {
    const i = page % TLB_ENTRIES;
    const tag = page + this.base;
    // An entry for reading may be of another page than the one for writing: both are of one frame.
    this.readTags[i] = NO_TAG;
    this.writeTags[i] = NO_TAG;
    this.frames[i] = start;
    this.readTags[i] = tag;
    if (isWrite) this.writeTags[i] = tag;
  }
}

/** The tables changed during the walk. */
const AGAIN = -1;
