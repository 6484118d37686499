/**
 * What an operation takes beyond another that is part of it, where the difference is smaller than what a
 * machine's speed drifts by: batches of both in turn, each of the one compared with its two neighbours.
 *
 * The control is the same comparison of the other with itself: what is seen there is no difference.
 */

/** Shortest batch that is worth a sample: the two reads of its clock are half a percent, in both kinds. */
const BATCH_NS = 20_000;
/** About what a report has room for. */
const MAX_SAMPLES = 4000;
const MIN_SAMPLES = 20;
const WARM_UP_PART = 0.3;
/** Turns of the first batches, from which it is learnt how many make one long enough. */
const FIRST_TURNS = 256;

export class Differences {
  /** Nanoseconds by which a turn of the operation was longer. */
  readonly samples: number[] = [];
  readonly control: number[] = [];
  turns = FIRST_TURNS;
  /** Whether it is the other's turn. */
  reference = true;

  #usedNs = 0;
  #warm = false;
  /** The two latest batches of the other and the one of the operation between them; none yet is below 0. */
  #earlierNs = -1;
  #betweenNs = -1;
  #beforeNs = -1;

  constructor(private readonly budgetNs: number) {}

  get operationsPerSample(): number {
    return this.turns;
  }

  /** Takes note of a batch and says which is next; false when there is none. */
  record(elapsedNs: number): boolean {
    this.#usedNs += elapsedNs;
    if (!this.#warm) this.#warmUp(elapsedNs);
    else if (this.reference) this.#compare(elapsedNs);
    else this.#betweenNs = elapsedNs;
    this.reference = !this.reference;
    if (this.samples.length >= MAX_SAMPLES) return false;
    return this.#usedNs < this.budgetNs || this.samples.length < MIN_SAMPLES;
  }

  #warmUp(elapsedNs: number): void {
    if (this.#usedNs < WARM_UP_PART * this.budgetNs || !this.reference) return;
    this.turns = Math.max(1, Math.ceil((BATCH_NS * this.turns) / Math.max(elapsedNs, 1)));
    this.#warm = true;
    // The next is the operation's; what it is compared with is not there yet.
  }

  #compare(elapsedNs: number): void {
    if (this.#beforeNs >= 0 && this.#betweenNs >= 0) {
      this.samples.push((this.#betweenNs - (this.#beforeNs + elapsedNs) / 2) / this.turns);
      if (this.#earlierNs >= 0)
        this.control.push((this.#beforeNs - (this.#earlierNs + elapsedNs) / 2) / this.turns);
    }
    this.#earlierNs = this.#beforeNs;
    this.#beforeNs = elapsedNs;
  }
}
