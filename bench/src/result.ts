/**
 * The benchmark's JSON document: what `--json` prints and what the tables are made of.
 *
 * `bench/schema.json` describes it for machines, and a test holds the two together. A change that a
 * reader of old documents would misread raises `SCHEMA`.
 */
import { availableParallelism } from "node:os";
import { type Measurement, type Refusal, type Statistics, summariseNet } from "./statistics.js";

export const SCHEMA = "capos-bench/1";

/** All times are nanoseconds; what follows the slash is the operation that took them. */
export type Unit = `ns/${string}`;

export interface Machine {
  /** Version of Node, without the v. */
  readonly node: string;
  /** Hardware threads that this process may use. */
  readonly hostCpus: number;
  readonly cores: number;
  readonly memoryMiB: number;
}

export interface RowName {
  readonly suite: string;
  /** Unique in its suite. A row measured at several sizes has the size as its last part: `call.words.16`. */
  readonly name: string;
  readonly unit: Unit;
  /** What a reader must know to read the row aright, a sentence each. */
  readonly notes?: readonly string[];
}

/** This row's p50 divided by that of the row named by the key: below 1 is faster than it. */
export type Ratios = Readonly<Record<string, number>>;

export interface MeasuredResult extends RowName, Statistics {
  /** Batch size: a percentile is one of single operations only where this is 1. */
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
}

/** A row that could not be measured well enough to be worth a number. */
export interface RefusedResult extends RowName, Refusal {
  readonly ratios: Ratios;
}

export type Result = MeasuredResult | RefusedResult;

export interface BenchmarkDocument {
  readonly schema: typeof SCHEMA;
  readonly machine: Machine;
  readonly results: readonly Result[];
}

export function isRefused(result: Result): result is RefusedResult {
  return "refused" in result;
}

/** The row that a measurement makes: its overhead subtracted, or refused. */
export function createResult(row: RowName, measurement: Measurement): Result {
  const statistics = summariseNet(measurement);
  if ("refused" in statistics) return { ...row, ...statistics, ratios: {} };
  const { operationsPerSample, bytesPerOperation, longestCollectionNs } = measurement;
  const { beside, descendants, keptThroughput } = measurement;
  return {
    ...row,
    ...statistics,
    operationsPerSample,
    ...(bytesPerOperation !== undefined && { bytesPerOperation }),
    ...(longestCollectionNs !== undefined && { longestCollectionNs }),
    ...(beside !== undefined && { beside }),
    ...(descendants !== undefined && { perDescendantNs: statistics.p50 / descendants }),
    ...(keptThroughput !== undefined && { keptThroughput }),
    ratios: {},
  };
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

export function createDocument(machine: Machine, results: readonly Result[]): BenchmarkDocument {
  return { schema: SCHEMA, machine, results: addRatios(results) };
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
