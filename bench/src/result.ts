/**
 * The benchmark's JSON document: what `--json` prints and what the tables are made of.
 *
 * `bench/schema.json` describes it for machines, and a test holds the two together. A change that a
 * reader of old documents would misread raises `SCHEMA`.
 */
import { availableParallelism } from "node:os";
import type { Distribution } from "./distribution.js";
import type { PairedRatio } from "./paired.js";
import type { RunFacts } from "./run-facts.js";
import type { Series } from "./series.js";
import type { Refusal, Statistics } from "./statistics.js";
import { isRefused, type RowName } from "./trial.js";

export const SCHEMA = "capos-bench/4";

export interface Machine {
  /** Version of Node, without the v. */
  readonly node: string;
  /** Hardware threads that this process may use. */
  readonly hostCpus: number;
  readonly cores: number;
  readonly memoryMiB: number;
}

/**
 * This row's time divided by that of the row named by the key: below 1 is faster than it. The paired ratio, where the
 * two took turns; else that of the medians of the whole run, which a host whose speed jumps may be far off from.
 */
export type Ratios = Readonly<Record<string, number>>;

/** Statistics are of the samples of all repetitions together. */
export interface MeasuredResult extends RowName, Statistics {
  /** The largest batch size: a percentile is one of single operations only where this is 1. */
  readonly operationsPerSample?: number;
  readonly bytesPerOperation?: number;
  readonly longestCollectionNs?: number;
  /** Medians of what was measured in turns with the row, in nanoseconds. */
  readonly beside?: Readonly<Record<string, number>>;
  /** The ratios to what stands in `beside`; `ratios` has them too. */
  readonly paired?: Readonly<Record<string, PairedRatio>>;
  /** Of a revoke: the median divided by the number of capabilities that it ends. */
  readonly perDescendantNs?: number;
  /** The part of their throughput that threads kept whose work went on beside, 1 for all of it. */
  readonly keptThroughput?: number;
  readonly ratios: Ratios;
  /** The p50 of each repetition in which the row was measured, in order. */
  readonly trials: readonly number[];
  readonly distribution: Distribution;
  /** One for each of `trials`. */
  readonly series: readonly Series[];
}

/** A row that could not be measured well enough, in any repetition, to be worth a number. */
export interface RefusedResult extends RowName, Refusal {
  readonly ratios: Ratios;
}

export type Result = MeasuredResult | RefusedResult;

export interface BenchmarkDocument {
  readonly schema: typeof SCHEMA;
  readonly machine: Machine;
  readonly run: RunFacts;
  readonly results: readonly Result[];
}

/** This host under a capos machine of that size. */
export function describeMachine(size: { cores: number; memoryMiB: number }): Machine {
  return {
    node: process.versions.node,
    hostCpus: availableParallelism(),
    cores: size.cores,
    memoryMiB: size.memoryMiB,
  };
}

export function createDocument(
  machine: Machine,
  run: RunFacts,
  results: readonly Result[],
): BenchmarkDocument {
  return { schema: SCHEMA, machine, run, results: addRatios(results) };
}

/** Rows whose name matches `rows` are compared with those named in `against`, the most telling first. */
interface Comparison {
  readonly rows: RegExp;
  /** What takes turns with the row; `$1` stands for the first group of `rows`. */
  readonly turns?: readonly string[];
  /** What is measured at another time of the same run. */
  readonly against: readonly string[];
}

const MESSAGING = ["comlink", "message-port", "piscina"] as const;

/** The first entry that matches a row is the one that counts. */
const COMPARISONS: readonly Comparison[] = [
  {
    rows: /^call\.same-core$/,
    turns: ["generator-switch"],
    against: [...MESSAGING, "await"],
  },
  {
    rows: /^call\.cross-core(?:\.busy)?$/,
    turns: ["sab-spin"],
    against: [...MESSAGING, "atomics-wait"],
  },
  { rows: /^call\.cross-core\.parked$/, turns: ["atomics-wait"], against: MESSAGING },
  // Machine-wide time per call: below 1 is what more cores won.
  { rows: /^call\.pairs\.\d+$/, against: ["call.pairs.1", "generator-switch", "comlink"] },
  { rows: /^call\.words\.\d+$/, turns: ["call.words.4", "generator-switch"], against: ["comlink"] },
  {
    rows: /^notify\.same-core$/,
    turns: ["call.same-core", "generator-switch"],
    against: ["message-port", "await"],
  },
  { rows: /^notify\.cross-core/, turns: ["sab-spin"], against: ["atomics-wait", "message-port"] },
  { rows: /^(?:yield|null-trap)$/, turns: ["generator-switch"], against: ["await", "atomics-load"] },
  { rows: /^host\.call$/, turns: ["comlink"], against: ["message-port"] },
  { rows: /^thread\.create-destroy$/, turns: ["workers-empty.1"], against: ["generator-switch"] },
  { rows: /^boot\.(\d+)$/, turns: ["workers-empty.$1"], against: [] },
  { rows: /^lookup(?:\.fresh)?$/, against: ["atomics-load", "null-trap"] },
  { rows: /^(?:copy|mint|move|delete|retype(?:\.batch)?)$/, against: ["null-trap", "atomics-load"] },
  { rows: /^revoke\.(?:by-descendants\.\d+|chain\.\d+)$/, against: ["revoke.by-descendants.1"] },
  { rows: /^revoke\.by-holders\.\d+$/, against: ["revoke.by-holders.1"] },
  { rows: /^revoke\.under-load$/, against: ["revoke.by-descendants.1000"] },
  { rows: /^grace-period\./, against: ["grace-period.idle", "sab-spin"] },
  { rows: /^process\.create-kill$/, against: ["workers-empty.1", "thread.create-destroy"] },
];

/** The names that a row is compared with, the most telling first; itself never among them. */
export function comparedWith(name: string): string[] {
  return namesIn(name, ({ turns = [], against }) => [...turns, ...against]);
}

/** Those of them that take turns with the row. */
export function measuredInTurns(name: string): string[] {
  return namesIn(name, ({ turns = [] }) => turns);
}

function namesIn(name: string, list: (comparison: Comparison) => readonly string[]): string[] {
  const comparison = COMPARISONS.find(({ rows }) => rows.test(name));
  if (comparison === undefined) return [];
  return list(comparison)
    .map((template) => name.replace(comparison.rows, template))
    .filter((other) => other !== name);
}

/**
 * The same rows, `ratios` filled in: the paired ones, and this row's p50 over the other's for each further comparison
 * that makes sense and whose two rows were both measured.
 */
export function addRatios(results: readonly Result[]): Result[] {
  const medians = new Map<string, number>();
  for (const result of results) if (!isRefused(result)) medians.set(result.name, result.p50);
  return results.map((result) => {
    if (isRefused(result)) return { ...result, ratios: {} };
    const ratios: Record<string, number> = {};
    for (const [other, { ratio }] of Object.entries(result.paired ?? {})) ratios[other] = ratio;
    for (const other of comparedWith(result.name)) {
      const median = medians.get(other);
      if (median !== undefined) ratios[other] ??= result.p50 / median;
    }
    return { ...result, ratios };
  });
}
