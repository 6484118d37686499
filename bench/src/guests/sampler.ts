/**
 * Which batch a guest's loop runs next, and what became of the earlier ones: warm-up, rehearsal, then
 * samples of the operation with samples of the empty loop in between.
 *
 * The loops themselves stand in each guest's `main`, because a trap costs more from anywhere else. A
 * batch is timed by two reads of the clock, each a trap of about 100 ns: half a percent of the shortest
 * batch, and the same in a batch of the empty loop, which is subtracted.
 *
 * A guest that takes turns with others has its sampling in slices. The first is not kept either: `main` goes to rest
 * for the first time before it, and is compiled anew.
 */
import type { Os, Steps } from "@capos/libos";
import { awaitTurn, slicesOf, turnNumber } from "./slices.js";

/** Shortest batch that is worth a sample, and the longest: beyond it a sample says less, not more. */
const MIN_SAMPLE_NS = 20_000;
const MAX_SAMPLE_NS = 100_000;
/** About what a report has room for; of more batches it keeps every second, third ... */
const MAX_SAMPLES = 4000;
/** The fewest of each that the statistics take. */
const MIN_SAMPLES = 5;
/** One batch of overhead for so many of the operation, so that both see the same disturbances. */
const BATCHES_PER_OVERHEAD = 8;
/** Parts of the budget that are used up when a phase ends. */
const WARM_UP_PART = 0.1;
const REHEARSAL_PART = 0.3;
/** Part of a slice that is not kept: what was asleep wakes up, and caches fill. */
const SETTLE_PART = 0.1;
/** The fewest samples of a slice. */
const MIN_SLICE_SAMPLES = 3;
/** Whatever the first batches took, for they compile, and a host stalls: nobody judges by them alone. */
const MIN_WARM_UP_BATCHES = 20;

const enum Phase {
  /** Longer and longer batches of both loops, to have them compiled. */
  WARM_UP = 0,
  /** As in the next, but nothing is kept: `main` is compiled anew when it first goes another way. */
  REHEARSAL = 1,
  SAMPLING = 2,
}

/** Where what one operation costs is bounded by something else than time. */
export interface SamplerLimits {
  /** Operations that one turn of the loop makes. */
  readonly operationsPerTurn?: number;
  /** Turns of the loop in all. */
  readonly maxTurns?: number;
  /** Turns of one batch. */
  readonly maxBatch?: number;
  /** Whether sampling is in slices, each begun by `beginSlice`. */
  readonly sliced?: boolean;
}

export class Sampler {
  /** Turns that the loop is to make next. */
  turns = 1;
  /** Whether it is the empty loop's turn. */
  empty = false;
  /** Nanoseconds per operation. */
  samples: number[] = [];
  overhead: number[] = [];
  /** How many samples there were at the end of each slice. */
  readonly sliceEnds: number[] = [];

  readonly #operationsPerTurn: number;
  readonly #maxTurns: number;
  readonly #maxBatch: number;
  readonly #targetNs: number;
  /** Of the batches that could be samples, one in so many is kept. */
  readonly #stride: number;
  #phase = Phase.WARM_UP;
  /** The least that a turn took. */
  #turnNs = Number.POSITIVE_INFINITY;
  #usedNs = 0;
  #turnsMade = 0;
  /** Batches of this phase. */
  #timed = 0;
  #timedEmpty = 0;
  /** Nanoseconds of a slice, 0 without slices; what this one has used, and where its samples begin. */
  readonly #sliceNs: number;
  #slices = 0;
  #sliceUsedNs = 0;
  #sliceBegin = 0;
  #settles = false;

  /** @param budgetNs time for all batches, warm-up included */
  constructor(
    private readonly budgetNs: number,
    limits: SamplerLimits = {},
  ) {
    this.#operationsPerTurn = limits.operationsPerTurn ?? 1;
    this.#maxTurns = limits.maxTurns ?? Number.POSITIVE_INFINITY;
    this.#maxBatch = limits.maxBatch ?? Number.POSITIVE_INFINITY;
    const shareNs = limits.maxTurns === undefined ? budgetNs / MAX_SAMPLES : 0;
    this.#targetNs = Math.min(MAX_SAMPLE_NS, Math.max(MIN_SAMPLE_NS, shareNs));
    const batches = Math.min(budgetNs / this.#targetNs, this.#maxTurns);
    this.#stride = Math.max(1, Math.floor(batches / MAX_SAMPLES));
    this.#sliceNs = limits.sliced === true ? slicesOf(budgetNs).ns : 0;
  }

  get operationsPerSample(): number {
    return this.turns * this.#operationsPerTurn;
  }

  /** Sets `turns` and `empty` for the next batch; false when there is none, or none in this slice. */
  next(): boolean {
    if (this.#phase === Phase.WARM_UP) {
      this.empty = this.#timedEmpty <= this.#timed;
      return true;
    }
    if (this.#phase === Phase.SAMPLING && this.#isOver()) return false;
    const isFirst =
      this.#timedEmpty < MIN_SAMPLES || (!this.#isSettling() && this.overhead.length < MIN_SAMPLES);
    this.empty = isFirst || this.#timedEmpty * BATCHES_PER_OVERHEAD < this.#timed;
    return this.empty || this.#turnsMade + this.turns <= this.#maxTurns;
  }

  /** Begins a slice; `next` says what its first batch is. */
  beginSlice(): void {
    this.#slices++;
    this.#sliceUsedNs = 0;
    this.#sliceBegin = this.samples.length;
  }

  /** The slice is over, if one has begun. */
  endSlice(): void {
    if (this.#slices === 1) {
      this.samples.length = 0;
      this.overhead.length = 0;
    } else if (this.#slices > 1) this.sliceEnds.push(this.samples.length);
  }

  /** Takes note of the batch that `next` asked for. */
  record(elapsedNs: number): void {
    this.#usedNs += elapsedNs;
    this.#settles = this.#isSettling();
    this.#sliceUsedNs += elapsedNs;
    if (this.empty) this.#keep(this.overhead, this.#timedEmpty++, elapsedNs);
    else {
      this.#turnsMade += this.turns;
      this.#turnNs = Math.min(this.#turnNs, elapsedNs / this.turns);
      this.#keep(this.samples, this.#timed++, elapsedNs);
      if (this.#phase !== Phase.SAMPLING) this.#prepare();
    }
  }

  /** Whether all is sampled, or this slice. */
  #isOver(): boolean {
    if (this.#sliceNs === 0) return this.#isUsedUp(1) && this.samples.length >= MIN_SAMPLES;
    return (
      this.#slices === 0 || (this.#sliceUsedNs >= this.#sliceNs && this.#keptInSlice() >= MIN_SLICE_SAMPLES)
    );
  }

  #isSettling(): boolean {
    return this.#phase === Phase.SAMPLING && this.#sliceUsedNs < SETTLE_PART * this.#sliceNs;
  }

  #keptInSlice(): number {
    return this.samples.length - this.#sliceBegin;
  }

  #keep(list: number[], before: number, elapsedNs: number): void {
    if (this.#settles) return;
    const isFew = before < MIN_SAMPLES || (this.#sliceNs > 0 && this.#keptInSlice() < MIN_SLICE_SAMPLES);
    if (isFew || before % this.#stride === 0) list.push(elapsedNs / this.operationsPerSample);
  }

  #isUsedUp(part: number): boolean {
    return this.#usedNs >= part * this.budgetNs || this.#turnsMade >= part * this.#maxTurns;
  }

  /** Before sampling: longer batches, or the next phase. */
  #prepare(): void {
    if (this.#phase === Phase.WARM_UP) {
      if (this.#turnNs * this.turns < this.#targetNs) this.turns = Math.min(2 * this.turns, this.#maxBatch);
      if (this.#timed < MIN_WARM_UP_BATCHES || !this.#isUsedUp(WARM_UP_PART)) return;
      this.#phase = Phase.REHEARSAL;
    } else {
      if (!this.#isUsedUp(REHEARSAL_PART)) return;
      this.#phase = Phase.SAMPLING;
    }
    this.turns = Math.min(Math.ceil(this.#targetNs / Math.max(this.#turnNs, 1)), this.#maxBatch);
    this.samples = [];
    this.overhead = [];
    this.#timed = 0;
    this.#timedEmpty = 0;
  }
}

/** A sampler of a guest that takes turns if it was told to. */
export function samplerOf(os: Os, budgetNs: number, limits: SamplerLimits = {}): Sampler {
  return new Sampler(budgetNs, { ...limits, sliced: turnNumber(os) > 0 });
}

/** Rests until the next slice; false when there is none. What `next` says then is the slice's first batch. */
export function* nextSlice(os: Os, sampler: Sampler): Steps<boolean> {
  sampler.endSlice();
  if (!(yield* awaitTurn(os))) return false;
  sampler.beginSlice();
  return sampler.next();
}
