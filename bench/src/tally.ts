/**
 * A run as it grows, repetition by repetition: for each row the statistics of all its samples together,
 * and of each repetition what tells it from the others. The samples themselves are not kept, so that a
 * run may go on for hours.
 */
import { DistributionTally } from "./distribution.js";
import { type PairedRatio, pairedRatio } from "./paired.js";
import type { MeasuredResult, Result } from "./result.js";
import { type Series, sliceMedians } from "./series.js";
import { nearestRank, RunningStatistics } from "./statistics.js";
import { isRefused, type MeasuredTrial, type RowName, type Trial } from "./trial.js";

export class RunTally {
  readonly #rows = new Map<string, RowTally>();

  /** @param startMs when the run started, on the clock of `performance.now()` */
  constructor(private readonly startMs: number) {}

  /** Adds a repetition, or a part of one: a trial of each of its rows. */
  add(trials: readonly Trial[]): void {
    for (const trial of trials) {
      const key = `${trial.suite} ${trial.name}`;
      if (!this.#rows.has(key)) this.#rows.set(key, new RowTally(trial, this.startMs));
      this.#rows.get(key)!.add(trial);
    }
  }

  /** A row each, in the order in which they came first; without ratios. */
  results(): Result[] {
    return [...this.#rows.values()].map((row) => row.result());
  }
}

class RowTally {
  readonly #statistics = new RunningStatistics();
  readonly #distribution = new DistributionTally();
  readonly #series: Series[] = [];
  /** Without their samples. */
  readonly #measured: Omit<MeasuredTrial, "samples">[] = [];
  readonly #notes = new Set<string>();
  #refusals = 0;
  #refused = "";

  constructor(
    private readonly row: RowName,
    private readonly startMs: number,
  ) {}

  add(trial: Trial): void {
    for (const note of trial.notes ?? []) this.#notes.add(note);
    if (isRefused(trial)) {
      this.#refusals++;
      this.#refused = trial.refused;
      return;
    }
    const { samples, ...kept } = trial;
    const { startMs, endMs } = trial.span;
    this.#statistics.record(samples);
    this.#distribution.record(samples);
    this.#series.push({
      startMs: roundMs(startMs - this.startMs),
      endMs: roundMs(endMs - this.startMs),
      medians: sliceMedians(samples),
    });
    this.#measured.push(kept);
  }

  result(): Result {
    const { suite, name, unit } = this.row;
    const repetitions = this.#refusals + this.#measured.length;
    const notes = [...this.#notes];
    if (this.#refusals > 0 && this.#refusals < repetitions)
      notes.push(`Refused in ${this.#refusals} of ${repetitions} repetitions: ${this.#refused}`);
    const row: RowName = { suite, name, unit, ...(notes.length > 0 && { notes }) };
    if (this.#refusals === repetitions) return { ...row, refused: this.#refused, ratios: {} };
    const statistics = this.#statistics.statistics();
    return {
      ...row,
      ...statistics,
      ...combineExtras(this.#measured, statistics.p50),
      ratios: {},
      trials: this.#measured.map(({ p50 }) => p50),
      distribution: this.#distribution.distribution(),
      series: [...this.#series],
    };
  }
}

type Extras = Pick<
  MeasuredResult,
  | "operationsPerSample"
  | "bytesPerOperation"
  | "longestCollectionNs"
  | "beside"
  | "paired"
  | "perDescendantNs"
  | "keptThroughput"
>;

/** What a row tells besides its statistics: medians over its repetitions, and the worst where that is the point. */
function combineExtras(trials: readonly Omit<MeasuredTrial, "samples">[], p50: number): Extras {
  const all = <T>(read: (trial: Omit<MeasuredTrial, "samples">) => T | undefined): T[] =>
    trials.map(read).filter((value) => value !== undefined);
  const bytes = all(({ bytesPerOperation }) => bytesPerOperation);
  const collections = all(({ longestCollectionNs }) => longestCollectionNs);
  const besides = all(({ beside }) => beside);
  const ratios = all(({ pairedRatios }) => pairedRatios);
  const kept = all(({ keptThroughput }) => keptThroughput);
  const [descendants] = all(({ descendants }) => descendants);
  const beside: Record<string, number> = {};
  for (const key of new Set(besides.flatMap(Object.keys))) {
    beside[key] = median(besides.map((one) => one[key]).filter((ns) => ns !== undefined));
  }
  const paired: Record<string, PairedRatio> = {};
  for (const key of new Set(ratios.flatMap(Object.keys)))
    paired[key] = pairedRatio(ratios.map((one) => one[key] ?? []));
  return {
    operationsPerSample: Math.max(...trials.map(({ operationsPerSample }) => operationsPerSample)),
    ...(bytes.length > 0 && { bytesPerOperation: median(bytes) }),
    ...(collections.length > 0 && { longestCollectionNs: Math.max(...collections) }),
    ...(Object.keys(beside).length > 0 && { beside }),
    ...(Object.keys(paired).length > 0 && { paired }),
    ...(descendants !== undefined && { perDescendantNs: p50 / descendants }),
    ...(kept.length > 0 && { keptThroughput: median(kept) }),
  };
}

function median(values: readonly number[]): number {
  return nearestRank(Float64Array.from(values).sort(), 0.5);
}

/** To microseconds: a document need not say more. */
function roundMs(ms: number): number {
  return Math.max(0, Math.round(ms * 1000) / 1000);
}
