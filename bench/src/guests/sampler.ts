/**
 * Which batch a guest's loop runs next, and what became of the earlier ones: warm-up until the loops are
 * compiled, then samples of the operation with samples of the empty loop in between.
 *
 * The loops themselves stand in each guest's `main`, because a trap costs more from anywhere else. A
 * batch is timed by two reads of the clock, each a trap of about 100 ns: half a percent of the shortest
 * batch, and the same in a batch of the empty loop, which is subtracted.
 */

/** Shortest batch that is worth a sample, and the longest: beyond it a sample says less, not more. */
const MIN_SAMPLE_NS = 20_000;
const MAX_SAMPLE_NS = 100_000;
/** What a report has room for; of more batches it keeps every second, third ... */
const MAX_SAMPLES = 4000;
/** The fewest of each that the statistics take. */
const MIN_SAMPLES = 5;
/** One batch of overhead for so many of the operation, so that both see the same disturbances. */
const BATCHES_PER_OVERHEAD = 8;
const WARM_UP_PART = 0.2;

/** Where what one operation costs is bounded by something else than time. */
export interface SamplerLimits {
  /** Operations that one turn of the loop makes. */
  readonly operationsPerTurn?: number;
  /** Turns of the loop in all. */
  readonly maxTurns?: number;
}

export class Sampler {
  /** Turns that the loop is to make next. */
  turns = 1;
  /** Whether it is the empty loop's turn. */
  empty = false;
  /** Nanoseconds per operation. */
  readonly samples: number[] = [];
  readonly overhead: number[] = [];

  readonly #operationsPerTurn: number;
  readonly #maxTurns: number;
  readonly #targetNs: number;
  /** Of the batches that could be samples, one in so many is kept. */
  readonly #stride: number;
  #warm = false;
  #usedNs = 0;
  #turnsMade = 0;
  /** Batches since the warm-up, those that were not kept among them. */
  #timed = 0;
  #timedEmpty = 0;

  /** @param budgetNs time for all batches, warm-up included */
  constructor(
    private readonly budgetNs: number,
    limits: SamplerLimits = {},
  ) {
    this.#operationsPerTurn = limits.operationsPerTurn ?? 1;
    this.#maxTurns = limits.maxTurns ?? Number.POSITIVE_INFINITY;
    const shareNs = limits.maxTurns === undefined ? budgetNs / MAX_SAMPLES : 0;
    this.#targetNs = Math.min(MAX_SAMPLE_NS, Math.max(MIN_SAMPLE_NS, shareNs));
    this.#stride = Math.ceil(budgetNs / this.#targetNs / MAX_SAMPLES);
  }

  get operationsPerSample(): number {
    return this.turns * this.#operationsPerTurn;
  }

  /** Sets `turns` and `empty` for the next batch; false when there is none. */
  next(): boolean {
    if (!this.#warm) {
      this.empty = !this.empty;
      return true;
    }
    const enough = this.#usedNs >= this.budgetNs * (1 - WARM_UP_PART) && this.samples.length >= MIN_SAMPLES;
    if (enough || this.#turnsMade + this.turns > this.#maxTurns) return false;
    this.empty =
      this.#timedEmpty < MIN_SAMPLES || this.#timedEmpty * BATCHES_PER_OVERHEAD < this.#timed;
    return true;
  }

  /** Takes note of the batch that `next` asked for. */
  record(elapsedNs: number): void {
    if (!this.empty) this.#turnsMade += this.turns;
    if (this.#warm) this.#keep(elapsedNs);
    else if (!this.empty) this.#warmUp(elapsedNs);
  }

  #keep(elapsedNs: number): void {
    this.#usedNs += elapsedNs;
    const list = this.empty ? this.overhead : this.samples;
    const before = this.empty ? this.#timedEmpty++ : this.#timed++;
    if (before < MIN_SAMPLES || before % this.#stride === 0) list.push(elapsedNs / this.operationsPerSample);
  }

  /** Longer and longer batches, until the warm-up's part is used up; the last says how many turns a sample has. */
  #warmUp(elapsedNs: number): void {
    this.#usedNs += elapsedNs;
    const timeIsUp = this.#usedNs >= this.budgetNs * WARM_UP_PART;
    if (timeIsUp || this.#turnsMade >= this.#maxTurns * WARM_UP_PART) {
      this.turns = Math.max(1, Math.ceil((this.#targetNs * this.turns) / Math.max(elapsedNs, 1)));
      this.#warm = true;
      this.#usedNs = 0;
    } else if (elapsedNs < 10 * MIN_SAMPLE_NS) this.turns *= 2;
  }
}
