/** One core of the program under test: its coroutine, the access it is about to make, and how it spins. */
import { Op } from "./operation.js";
import type { Coroutine } from "./runtime.js";

export const enum CoreStatus {
  RUNNABLE = 0,
  /** In `Atomics.wait`. */
  WAITING = 1,
  /** Reads the same words again and again: goes on once one of them has another value. */
  SPINNING = 2,
  ENDED = 3,
}

/** Reads of one turn of a loop that are remembered: a loop with more is not taken for a spinning one. */
export const MAX_PATTERN = 16;

export class VirtualCore {
  coroutine: Coroutine | null = null;
  status: CoreStatus = CoreStatus.RUNNABLE;

  // The announced access.
  site = 0;
  kind: Op = Op.LOAD;
  isUnused = false;
  view: unknown = null;
  index = 0;
  /** Word of shared memory, and its number; -1 for an access to something of the core's own. */
  word = -1;
  number = -1;
  a = 0;
  b = 0;
  c = 0;
  value: unknown = 0;
  /** A plain access that was performed when it was announced. */
  isPerformed = false;

  /** While WAITING: the value it waits with, the time limit, and which event woke it (-1: its time was over). */
  timeoutMs = Number.POSITIVE_INFINITY;
  result: unknown = 0;

  /** The loop whose turns are compared, 0 for none; what was read in this turn; how much of it the next turn repeats. */
  loop = 0;
  isPure = false;
  readonly reads = new Int32Array(3 * MAX_PATTERN);
  readCount = 0;
  readonly pattern = new Int32Array(3 * MAX_PATTERN);
  patternLength = 0;
  matched = -1;
  /** Turns that repeated the pattern without a scheduling point. */
  repeats = 0;

  constructor(readonly id: number) {}

  begin(coroutine: Coroutine): void {
    this.coroutine = coroutine;
    this.status = CoreStatus.RUNNABLE;
    this.kind = Op.START;
    this.word = -1;
    this.number = -1;
    this.isPerformed = false;
    this.leaveLoop();
  }

  leaveLoop(): void {
    this.loop = 0;
    this.isPure = false;
    this.readCount = 0;
    this.patternLength = 0;
    this.matched = -1;
    this.repeats = 0;
  }

  /** A turn of a loop begins. */
  turn(loop: number): void {
    if (this.loop !== loop) {
      this.leaveLoop();
      this.loop = loop;
    } else if (this.isPure && this.readCount > 0) {
      if (this.matched === this.patternLength && this.patternLength > 0) this.repeats++;
      else {
        this.pattern.set(this.reads);
        this.patternLength = this.readCount;
        this.repeats = 0;
      }
      this.matched = 0;
    } else {
      this.patternLength = 0;
      this.matched = -1;
      this.repeats = 0;
    }
    this.readCount = 0;
    this.isPure = true;
  }

  /** Notes an access that changes nothing; true if it repeats what the turn before read in its place. */
  repeatsRead(site: number, word: number, value: number): boolean {
    if (this.loop === 0 || !this.isPure) return false;
    if (this.readCount === MAX_PATTERN) {
      this.isPure = false;
      return false;
    }
    const { reads, pattern } = this;
    const at = 3 * this.readCount++;
    reads[at] = site;
    reads[at + 1] = word;
    reads[at + 2] = value;
    if (this.matched < 0) return false;
    if (
      this.matched < this.patternLength &&
      pattern[at] === site &&
      pattern[at + 1] === word &&
      pattern[at + 2] === value
    ) {
      this.matched++;
      return true;
    }
    this.matched = -1;
    return false;
  }

  /** The core did something that others can see, so it does not only spin. */
  noteEffect(): void {
    this.isPure = false;
    this.matched = -1;
  }

  /** True once a word that a spinning core reads has another value than it saw. */
  sawChange(i32: Int32Array): boolean {
    for (let i = 0; i < 3 * this.patternLength; i += 3)
      if (i32[this.pattern[i + 1]] !== this.pattern[i + 2]) return true;
    return false;
  }
}
