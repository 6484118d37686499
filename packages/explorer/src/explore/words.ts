/**
 * The words of shared memory that a program touches: each has a small number, the index of what is known
 * of it, given when a core first touches it and kept from schedule to schedule.
 */
import { grown } from "./grown.js";
import type { World } from "./world.js";

/** What is known of a word, as bits. */
export const enum WordFlag {
  /** Its plain accesses may race: something else orders them. */
  RACY = 1,
  /** Accesses to it are no scheduling points. */
  INDIFFERENT = 2,
  /** A write to it is followed by `World.atRest`. */
  WATCHED = 4,
  /** A plain read of it gets to know what came before the write that it sees. */
  PUBLISHES = 8,
}

/** The length of a view, whose prototype may be gone. */
const { get: lengthGetter } = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Int32Array.prototype),
  "length",
) as { get: () => number };

function lengthOf(view: Int32Array): number {
  return lengthGetter.call(view);
}

export class Words {
  /** By number: the word, its value before the first schedule, and `WordFlag`s. */
  wordOf = new Int32Array(1024);
  flags = new Uint8Array(1024);
  count = 0;
  private initial = new Int32Array(1024);
  /** Number plus one of each word; 0 for one that was not touched yet. */
  private readonly numbers: Int32Array;
  /** Numbers of the words written since memory was last brought back. */
  private dirty = new Int32Array(1024);
  private dirtyCount = 0;
  private isDirty = new Uint8Array(1024);

  constructor(
    private readonly world: World,
    /** Called when there is room for more words: tables by number must grow. */
    private readonly onGrow: (capacity: number) => void,
  ) {
    this.numbers = new Int32Array(lengthOf(world.views.i32));
    onGrow(1024);
  }

  /** The number of a word. */
  number(word: number): number {
    const known = this.numbers[word];
    if (known === undefined) throw new RangeError(`memory has no word ${String(word)}`);
    return known !== 0 ? known - 1 : this.add(word);
  }

  private add(word: number): number {
    if (this.count === this.wordOf.length) this.grow();
    const number = this.count++;
    this.numbers[word] = number + 1;
    this.wordOf[number] = word;
    // Nothing was written to it yet: whatever a core writes is given a number first.
    this.initial[number] = this.world.views.i32[word];
    this.flags[number] =
      (this.world.orderedBy(word) !== null ? WordFlag.RACY : 0) |
      (this.world.isIndifferent(word) ? WordFlag.INDIFFERENT : 0) |
      (this.world.watched.includes(word) ? WordFlag.WATCHED : 0) |
      (this.world.publishes(word) ? WordFlag.PUBLISHES : 0);
    return number;
  }

  private grow(): void {
    const capacity = this.wordOf.length * 2;
    this.wordOf = grown(this.wordOf, capacity);
    this.flags = grown(this.flags, capacity);
    this.initial = grown(this.initial, capacity);
    this.dirty = grown(this.dirty, capacity);
    this.isDirty = grown(this.isDirty, capacity);
    this.onGrow(capacity);
  }

  /** Notes that a word is about to be written. */
  willWrite(number: number): void {
    if (this.isDirty[number] !== 0) return;
    this.isDirty[number] = 1;
    this.dirty[this.dirtyCount++] = number;
  }

  /** Brings memory back to what it was before the first schedule. */
  restore(): void {
    const { i32 } = this.world.views;
    for (let i = 0; i < this.dirtyCount; i++) {
      const number = this.dirty[i];
      i32[this.wordOf[number]] = this.initial[number];
      this.isDirty[number] = 0;
    }
    this.dirtyCount = 0;
  }
}
