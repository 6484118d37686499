/**
 * A private copy of the derivation tree: all that is read while the tree lock is held, so that it is
 * held for a short time. Each slot is copied whole, in depth-first order.
 */
import { Slot } from "@capos/abi";
import type { PhysicalMemory, WordIndex } from "@capos/hal";
import { Endpoint, KernelArea, ObjectHeader, Tables, Thread } from "@capos/kernel/layout";
import { coreCount, doubleAt, forEachThread, hex, isLine, tablesOf, wordAt } from "./words.js";

/** Slots that one inspection reads; measured 0.2 to 0.6 µs each under the lock. */
export const MAX_SLOTS = 100_000;
/** Things noted as wrong; more say nothing new. */
const MAX_DAMAGE = 50;

/** One slot of the tree, as it was. */
export interface CopiedSlot {
  readonly at: WordIndex;
  /** Place of its parent in the copy, -1 for a root. */
  readonly parent: number;
  readonly depth: number;
  /** Its 16 words. */
  readonly words: readonly number[];
  /** Words 4 and 5 as a double. */
  readonly expiryNs: number;
}

/** One member of a core's list. */
export interface Listed {
  readonly core: number;
  /** An object's header, or the object itself. */
  readonly at: WordIndex;
}

export class TreeCopy {
  readonly slots: CopiedSlot[] = [];
  /** Headers of objects that cores are to reap, and queues that they are to sweep. */
  readonly reaping: Listed[] = [];
  readonly sweeping: Listed[] = [];
  readonly damage: string[] = [];
  complete = true;
  readonly #seen = new Map<WordIndex, number>();

  constructor(private readonly memory: PhysicalMemory) {}

  /** Copies the tree, the replies that hang from headers outside of it, and the cores' lists. */
  read(): void {
    const tables = tablesOf(this.memory);
    if (tables === 0) return;
    const areas = wordAt(this.memory, tables + Tables.KERNEL_AREAS);
    for (let core = 0; core < coreCount(this.memory); core++) {
      const area = areas + core * KernelArea.SIZE;
      this.#readList(this.reaping, core, area + KernelArea.REAP_HEAD, ObjectHeader.REAP_NEXT);
      // Endpoints and notifications have the link in the same place.
      this.#readList(this.sweeping, core, area + KernelArea.SWEEP_HEAD, Endpoint.SWEEP_NEXT);
      this.#readList(this.sweeping, core, area + KernelArea.SWEEP_BATCH, Endpoint.SWEEP_NEXT);
      this.#readOne(this.reaping, core, area + KernelArea.REAP_CURRENT);
      this.#readOne(this.sweeping, core, area + KernelArea.SWEEP_CURRENT);
    }
    this.#walk(tables + Tables.ROOT);
    forEachThread(this.memory, (thread) => {
      const header = thread + Thread.HEADER;
      if (wordAt(this.memory, header + Slot.FIRST_CHILD) !== 0 && !this.#seen.has(header)) this.#walk(header);
    });
  }

  /** Notes that something is not as it should be. */
  note(text: string): void {
    if (this.damage.length < MAX_DAMAGE) this.damage.push(text);
  }

  /** Place of a slot in the copy, or -1. */
  indexOf(slot: WordIndex): number {
    return this.#seen.get(slot) ?? -1;
  }

  /** Depth first without recursion: the tree may be as deep as it has slots. */
  #walk(root: WordIndex): void {
    const { memory } = this;
    /** The path to the slot in hand: the copy's place of each ancestor. */
    const path: number[] = [];
    let slot = root;
    for (;;) {
      if (this.slots.length >= MAX_SLOTS) {
        this.complete = false;
        return;
      }
      const index = this.#add(slot, path.at(-1) ?? -1, path.length);
      const child = wordAt(memory, slot + Slot.FIRST_CHILD);
      if (child !== 0 && this.#canEnter(slot, child, "first child")) {
        if (wordAt(memory, child + Slot.PARENT) !== slot)
          this.note(`slot ${hex(child)}: its parent is ${hex(slot)}, it says otherwise`);
        path.push(index);
        slot = child;
        continue;
      }
      const next = this.#nextAfter(slot, path);
      if (next === 0) return;
      slot = next;
    }
  }

  /** The slot to visit after one whose descendants are done; shortens `path`. 0 at the end. */
  #nextAfter(slot: WordIndex, path: number[]): WordIndex {
    const { memory } = this;
    for (let done = slot; path.length > 0; ) {
      const parent = this.slots[path.at(-1)!];
      const next = wordAt(memory, done + Slot.NEXT_SIBLING);
      if (next !== parent.words[Slot.FIRST_CHILD] && this.#canEnter(done, next, "next sibling")) {
        if (wordAt(memory, next + Slot.PREVIOUS_SIBLING) !== done)
          this.note(`slot ${hex(next)}: it comes after ${hex(done)}, its previous sibling says otherwise`);
        return next;
      }
      done = parent.at;
      path.pop();
    }
    return 0;
  }

  /** A list ends with a link that is no address: LAST_IN_LIST, or 0 for an empty one. */
  #readList(into: Listed[], core: number, head: WordIndex, link: number): void {
    const seen = new Set<WordIndex>();
    for (let at = wordAt(this.memory, head); at > 0; at = wordAt(this.memory, at + link)) {
      if (!isLine(this.memory, at) || seen.has(at)) {
        this.note(`a list of core ${core} leads to ${hex(at)}`);
        return;
      }
      if (into.length >= MAX_SLOTS) return;
      seen.add(at);
      into.push({ core, at });
    }
  }

  /** What a core is in the middle of, which is in no list. */
  #readOne(into: Listed[], core: number, word: WordIndex): void {
    const at = wordAt(this.memory, word);
    if (isLine(this.memory, at)) into.push({ core, at });
  }

  #canEnter(from: WordIndex, to: WordIndex, link: string): boolean {
    if (!isLine(this.memory, to)) this.note(`slot ${hex(from)}: its ${link} ${hex(to)} is no slot`);
    else if (this.#seen.has(to)) this.note(`slot ${hex(from)}: its ${link} ${hex(to)} stands elsewhere too`);
    else return true;
    return false;
  }

  #add(at: WordIndex, parent: number, depth: number): number {
    const words = new Array<number>(Slot.WORDS);
    for (let word = 0; word < Slot.WORDS; word++) words[word] = wordAt(this.memory, at + word);
    const expiryNs = doubleAt(this.memory, at + Slot.EXPIRY);
    this.#seen.set(at, this.slots.length);
    return this.slots.push({ at, parent, depth, words, expiryNs }) - 1;
  }
}
