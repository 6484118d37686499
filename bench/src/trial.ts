/**
 * One repetition of a row: its statistics, and the samples behind them, which a document has no room
 * for but the tally of all repetitions needs.
 */
import type { Span } from "./series.js";
import { type Measurement, netSamples, type Refusal, type Statistics, summarise } from "./statistics.js";

/** All times are nanoseconds; what follows the slash is the operation that took them. */
export type Unit = `ns/${string}`;

export interface RowName {
  readonly suite: string;
  /** Unique in its suite. A row measured at several sizes has the size as its last part: `call.words.16`. */
  readonly name: string;
  readonly unit: Unit;
  /** What a reader must know to read the row aright, a sentence each. */
  readonly notes?: readonly string[];
}

export interface MeasuredTrial extends RowName, Statistics {
  readonly operationsPerSample: number;
  readonly bytesPerOperation?: number;
  readonly longestCollectionNs?: number;
  readonly beside?: Readonly<Record<string, number>>;
  readonly pairedRatios?: Readonly<Record<string, readonly number[]>>;
  /** Of a revoke: how many capabilities it ends. */
  readonly descendants?: number;
  readonly keptThroughput?: number;
  /** Nanoseconds per operation, overhead taken off, in the order in which they were taken. */
  readonly samples: Float64Array;
  /** When they were taken. */
  readonly span: Span;
}

/** A row that could not be measured well enough to be worth a number. */
export interface RefusedTrial extends RowName, Refusal {}

export type Trial = MeasuredTrial | RefusedTrial;

/** Whether there are no numbers: of a trial or of a result. */
export function isRefused<T extends object>(row: T): row is Extract<T, Refusal> {
  return "refused" in row;
}

/** The trial that a measurement makes: its overhead subtracted, or refused. */
export function createTrial(row: RowName, measurement: Measurement, span: Span): Trial {
  const samples = netSamples(measurement);
  if ("refused" in samples) return { ...row, ...samples };
  const { operationsPerSample, bytesPerOperation, longestCollectionNs } = measurement;
  const { beside, pairedRatios, descendants, keptThroughput } = measurement;
  return {
    ...row,
    ...summarise(samples),
    operationsPerSample,
    ...(bytesPerOperation !== undefined && { bytesPerOperation }),
    ...(longestCollectionNs !== undefined && { longestCollectionNs }),
    ...(beside !== undefined && { beside }),
    ...(pairedRatios !== undefined && { pairedRatios }),
    ...(descendants !== undefined && { descendants }),
    ...(keptThroughput !== undefined && { keptThroughput }),
    samples,
    span,
  };
}
