/**
 * The benchmark's JSON document: what `--json` prints and what the tables are made of.
 *
 * `bench/schema.json` describes it for machines, and a test holds the two together. A change that a
 * reader of old documents would misread raises `SCHEMA`.
 */
import { availableParallelism } from "node:os";
import type { Distribution } from "./distribution.js";
import type { RunFacts } from "./run-facts.js";
import type { Series } from "./series.js";
import type { Refusal, Statistics } from "./statistics.js";
import { isRefused, type RowName } from "./trial.js";

export const SCHEMA = "capos-bench/2";

export interface Machine {
  /** Version of Node, without the v. */
  readonly node: string;
  /** Hardware threads that this process may use. */
  readonly hostCpus: number;
  readonly cores: number;
  readonly memoryMiB: number;
}

/** This row's p50 divided by that of the row named by the key: below 1 is faster than it. */
export type Ratios = Readonly<Record<string, number>>;

/** Statistics are of the samples of all repetitions together. */
export interface MeasuredResult extends RowName, Statistics {
  /** The largest batch size: a percentile is one of single operations only where this is 1. */
  readonly operationsPerSample?: number;
  readonly bytesPerOperation?: number;
  readonly longestCollectionNs?: number;
  /** Medians of what the same guest measured in between, in nanoseconds; `ratios` has them too. */
  readonly beside?: Readonly<Record<string, number>>;
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
  /** `$1` stands for the first group of `rows`. */
  readonly against: readonly string[];
}

const MESSAGING = ["comlink", "message-port", "piscina"] as const;

/** The first entry that matches a row is the one that counts. */
const COMPARISONS: readonly Comparison[] = [
  { rows: /^call\.same-core$/, against: ["generator-switch", ...MESSAGING, "await"] },
  { rows: /^call\.cross-core$/, against: ["sab-spin", ...MESSAGING, "atomics-wait"] },
  { rows: /^call\.cross-core\.parked$/, against: ["atomics-wait", ...MESSAGING] },
  { rows: /^call\.cross-core\.busy$/, against: ["sab-spin", ...MESSAGING, "atomics-wait"] },
  // Machine-wide time per call: below 1 is what more cores won.
  { rows: /^call\.pairs\.\d+$/, against: ["call.pairs.1", "generator-switch", "comlink"] },
  { rows: /^call\.words\.\d+$/, against: ["call.words.0", "generator-switch", "comlink"] },
  { rows: /^notify\.same-core$/, against: ["generator-switch", "message-port", "await"] },
  { rows: /^notify\.cross-core/, against: ["sab-spin", "atomics-wait", "message-port"] },
  { rows: /^(?:yield|null-trap)$/, against: ["generator-switch", "await", "atomics-load"] },
  { rows: /^thread\.create-destroy$/, against: ["workers-empty.1", "generator-switch"] },
  { rows: /^boot\.(\d+)$/, against: ["workers-empty.$1"] },
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
  const comparison = COMPARISONS.find(({ rows }) => rows.test(name));
  if (comparison === undefined) return [];
  return comparison.against
    .map((template) => name.replace(comparison.rows, template))
    .filter((other) => other !== name);
}

/**
 * The same rows, `ratios` filled in with this row's p50 over the other's, for what was measured beside it
 * and for each comparison that makes sense and whose two rows were both measured.
 */
export function addRatios(results: readonly Result[]): Result[] {
  const medians = new Map<string, number>();
  for (const result of results) if (!isRefused(result)) medians.set(result.name, result.p50);
  return results.map((result) => {
    if (isRefused(result)) return { ...result, ratios: {} };
    const ratios: Record<string, number> = {};
    for (const [other, ns] of Object.entries(result.beside ?? {})) ratios[other] = result.p50 / ns;
    for (const other of comparedWith(result.name)) {
      const median = medians.get(other);
      if (median !== undefined) ratios[other] = result.p50 / median;
    }
    return { ...result, ratios };
  });
}
