/** A benchmark document with a row of each kind, for the tests of what is made from one. */
import {
  type BenchmarkDocument,
  createDocument,
  createTrial,
  isRefused,
  type Machine,
  type Measurement,
  pairedRatio,
  type Result,
  type RowName,
  type RunFacts,
  RunTally,
  type Unit,
} from "@capos/bench";

const RUN_START_MS = 1000;
const REPETITION_MS = 500;

/** The row that these measurements make, a repetition each. */
export function createResult(name: RowName, ...measurements: Measurement[]): Result {
  const tally = new RunTally(RUN_START_MS);
  measurements.forEach((measurement, i) => {
    const startMs = RUN_START_MS + i * REPETITION_MS;
    tally.add([createTrial(name, measurement, { startMs, endMs: startMs + REPETITION_MS })]);
  });
  return tally.results()[0];
}

/** A row measured once whose median is `p50`. */
export function row(suite: string, name: string, p50: number, unit: Unit = "ns/round trip"): Result {
  const samples = [0.8, 1, 1, 1, 1.3].map((factor) => factor * p50);
  return createResult({ suite, name, unit }, { samples, operationsPerSample: 1 });
}

/** A measured row whose repetitions have these medians; its other figures are those of the first. */
export function rowOfTrials(
  suite: string,
  name: string,
  trials: readonly number[],
  paired: Readonly<Record<string, readonly number[]>> = {},
): Result {
  const first = row(suite, name, trials[0]);
  if (isRefused(first)) throw new Error(first.refused);
  const ratios = Object.entries(paired).map(
    ([other, ofTrials]) => [other, pairedRatio(ofTrials.map((ratio) => [ratio]))] as const,
  );
  return {
    ...first,
    trials,
    series: trials.map(() => first.series[0]),
    ...(ratios.length > 0 && { paired: Object.fromEntries(ratios) }),
  };
}

export const run: RunFacts = {
  started: "2026-03-01T12:00:00.000Z",
  finished: "2026-03-01T12:00:05.000Z",
  secondsPerRow: 0.05,
  repetitions: 1,
  capos: "0.1.0",
  cpu: "A CPU",
  platform: "linux",
  arch: "x64",
  release: "6.1.0",
  v8: "11.3.244.8",
  hostMemoryMiB: 8192,
  loadAverage: [0.1, 0.2, 0.3],
  othersCpu: 0.02,
};

export const machine: Machine = { node: "20.20.2", hostCpus: 2, cores: 8, memoryMiB: 256 };

/** Of the runs that are compared. */
export const REPETITIONS = 10;
/** Of a quiet host: a few parts in a thousand, never twice the same. */
const NOISE = [0.997, 1.004, 0.999, 1.002, 1.001, 0.996, 1.003, 0.998, 1.005, 1];

/** Medians about `ns`, the noise beginning elsewhere for each `turn`. */
export function trials(ns: number, turn = 0, repetitions = REPETITIONS): number[] {
  return Array.from({ length: repetitions }, (_, i) => ns * NOISE[(i * 3 + turn) % NOISE.length]);
}

/** A run of these rows. */
export function documentOf(results: readonly Result[], repetitions = REPETITIONS): BenchmarkDocument {
  return createDocument(machine, { ...run, repetitions }, results);
}

export function fixture(): BenchmarkDocument {
  return createDocument(machine, run, [
    createResult(
      { suite: "ipc", name: "call.same-core", unit: "ns/round trip", notes: ["guests are hardened"] },
      {
        samples: [81, 82, 83],
        overhead: [1, 1, 1, 1, 1],
        operationsPerSample: 250,
        bytesPerOperation: 80,
        longestCollectionNs: 1.1e6,
        beside: { "generator-switch": 20.25 },
        pairedRatios: { "generator-switch": [3.9, 4, 4, 4, 4, 4, 4.1, 4] },
      },
    ),
    row("ipc", "call.cross-core", 342),
    row("ipc", "call.cross-core.parked", 41_000),
    row("ipc", "call.pairs.1", 84, "ns/call"),
    row("ipc", "call.pairs.2", 44, "ns/call"),
    row("ipc", "call.pairs.8", 45, "ns/call"),
    createResult(
      { suite: "ipc", name: "null-trap", unit: "ns/trap" },
      { samples: [12, 12, 12], overhead: [1, 2, 3, 4, 5, 6], operationsPerSample: 1000 },
    ),
    row("ipc", "boot.8", 280e6, "ns/boot"),
    createResult(
      { suite: "capability", name: "transfer.window", unit: "ns/round trip" },
      {
        samples: [170, 170, 170],
        operationsPerSample: 100,
        beside: { "plain call": 85 },
        pairedRatios: { "plain call": [1, 2, 3] },
      },
    ),
    createResult(
      { suite: "capability", name: "revoke.under-load", unit: "ns/revoke" },
      { samples: [4e5, 4e5, 4e5], operationsPerSample: 1, descendants: 1000, keptThroughput: 0.9312 },
    ),
    row("capability", "revoke.by-holders.8", 5e5, "ns/revoke"),
    row("baseline", "generator-switch", 20.25),
    row("baseline", "sab-spin", 114),
    row("baseline", "atomics-wait", 41_000),
    row("baseline", "comlink", 81_000),
    row("baseline", "workers-empty.8", 140e6, "ns/start"),
  ]);
}
