/**
 * Taking turns: a row and what it is compared with are all there at once, ready and compiled, and each has the host
 * for a slice of some milliseconds while the others rest.
 */
import { slicesOf } from "./guests/slices.js";
import type { Measurement } from "./statistics.js";

/** What a taker of turns measured: its samples, and how many there were at the end of each of its slices. */
export interface SlicedMeasurement extends Measurement {
  readonly sliceEnds: readonly number[];
}

/** One of those that take turns. None of them works unless it is its turn. */
export interface TurnTaker {
  /** Starts it, and has what it runs compiled; then it rests. */
  prepare(): Promise<void>;
  /** A slice of its time. The first is not kept: rest is new to it. */
  takeTurn(): Promise<void>;
  /** Ends it; gives what its slices came to. */
  end(): Promise<SlicedMeasurement>;
  /** Whatever has happened: nothing of it is left. */
  stop(): Promise<void>;
}

/**
 * Has a row and others take turns, the others first and once more at the end: what each measured, the row's first.
 *
 * @param goesOn whether there is another round, asked before each with the number of rounds made
 */
export async function takeTurns(
  row: TurnTaker,
  others: readonly TurnTaker[],
  goesOn: (made: number) => boolean,
): Promise<[SlicedMeasurement, ...SlicedMeasurement[]]> {
  const takers = [...others, row];
  try {
    for (const taker of takers) await taker.prepare();
    // The one that is not kept. Everybody has the same turn in each round: guests are told by it who is meant.
    for (const taker of takers) await taker.takeTurn();
    for (let made = 0; goesOn(made); made++) for (const taker of takers) await taker.takeTurn();
    for (const other of others) await other.takeTurn();
    const measured = await row.end();
    const beside: SlicedMeasurement[] = [];
    for (const other of others) beside.push(await other.end());
    return [measured, ...beside];
  } finally {
    for (const taker of takers) await taker.stop();
  }
}

/** Operations of the host's own that are timed one at a time; a slice has one at least. */
export class SingleOperations implements TurnTaker {
  readonly #samples: number[] = [];
  readonly #sliceEnds: number[] = [];
  readonly #sliceMs: number;
  #isWarm = false;

  /** @param operation gives the nanoseconds that it took */
  constructor(
    seconds: number,
    private readonly operation: () => Promise<number>,
  ) {
    this.#sliceMs = slicesOf(seconds * 1e9).ns / 1e6;
  }

  async prepare(): Promise<void> {}

  async takeTurn(): Promise<void> {
    if (!this.#isWarm) {
      // What is read and compiled once is not kept.
      this.#isWarm = true;
      await this.operation();
      return;
    }
    const startMs = performance.now();
    do this.#samples.push(await this.operation());
    while (performance.now() - startMs < this.#sliceMs);
    this.#sliceEnds.push(this.#samples.length);
  }

  async end(): Promise<SlicedMeasurement> {
    return { samples: this.#samples, operationsPerSample: 1, sliceEnds: this.#sliceEnds };
  }

  async stop(): Promise<void> {}
}
