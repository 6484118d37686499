/**
 * Empty slots in one's own CSpace: which indices nobody of this thread uses.
 *
 * The kernel has no list of empty slots, it is told where to put things. Each thread of a process has
 * a range of its own (they share the CSpace, but not the JavaScript heap in which this list lives), so
 * two threads never pick the same slot. An index is either free here or somebody's, never both.
 */
import { Err, handleIndex, type Sys } from "@capos/abi";
import { IpcError } from "./ipc-error.js";
import { cnode } from "./kernel-calls.js";
import type { Steps } from "./steps.js";

/** An allocator of slot indices from one range of one CNode. */
export class Slots {
  readonly #free: boolean[] = [];
  #freeCount: number;
  #next = 0;

  /**
   * @param cnode handle of the CNode, needed only to `drop`
   * @param first first index of the range, 1 or more (a receive window at 0 means deaf)
   * @param count indices in the range
   */
  constructor(
    readonly cnode: number,
    readonly first: number,
    readonly count: number,
  ) {
    if (!(Number.isSafeInteger(first) && first >= 1 && Number.isSafeInteger(count) && count >= 0)) {
      throw new RangeError(`slots: no range of ${count} from ${first}`);
    }
    for (let i = 0; i < count; i++) this.#free.push(true);
    this.#freeCount = count;
  }

  /** How many indices are free. */
  get free(): number {
    return this.#freeCount;
  }

  /** Takes `count` consecutive indices and answers the first, or 0 if there is no such run. */
  tryTake(count: number): number {
    // Goes on where it last took: a slot just emptied needs a grace period before its next use, and
    // the longer it rests, the less often somebody waits for that.
    for (let tried = 0; tried < this.count; tried++) {
      const start = (this.#next + tried) % this.count;
      if (start + count <= this.count && this.#isFree(start, count)) {
        for (let i = start; i < start + count; i++) this.#free[i] = false;
        this.#freeCount -= count;
        this.#next = (start + count) % this.count;
        return this.first + start;
      }
    }
    return 0;
  }

  #isFree(start: number, count: number): boolean {
    for (let i = start; i < start + count; i++) if (!this.#free[i]) return false;
    return true;
  }

  /** Takes `count` consecutive indices (1 unless told) and answers the first. Throws `NO_RESOURCE` if there is no such run. */
  take(count = 1): number {
    const index = this.tryTake(count);
    if (index === 0)
      throw new IpcError(
        Err.NO_RESOURCE,
        "slots",
        `no ${count} in a row among ${this.#freeCount} free of ${this.count}`,
      );
    return index;
  }

  /** True if the index was taken from here and not given back. */
  isTaken(index: number): boolean {
    return this.#free[index - this.first] === false;
  }

  #checkTaken(index: number, count: number): void {
    for (let i = index; i < index + count; i++) {
      if (this.#free[i - this.first] !== false) throw new RangeError(`slots: ${i} was not taken from here`);
    }
  }

  /** Gives back indices whose slots are empty again. Throws RangeError for one that was not taken from here. */
  give(index: number, count = 1): void {
    this.#checkTaken(index, count);
    for (let i = index - this.first; i < index - this.first + count; i++) this.#free[i] = true;
    this.#freeCount += count;
  }

  /**
   * Deletes the capability that a handle names, and gives its slot back. Throws RangeError, and deletes
   * nothing, if the slot was not taken from here.
   */
  *drop(sys: Sys, handle: number): Steps<void> {
    const index = handleIndex(handle);
    this.#checkTaken(index, 1);
    yield* cnode.delete(sys, this.cnode, index);
    this.give(index);
  }

  /** Drops the capabilities that the message received last brought into the window at `index`, and gives the window back. */
  *dropArrived(sys: Sys, index: number, count: number): Steps<void> {
    // Read first: deleting is a call, which overwrites it.
    const arrived = Math.min(sys.arrived(), count);
    for (let i = 0; i < arrived; i++) yield* cnode.delete(sys, this.cnode, index + i);
    this.give(index, count);
  }
}
