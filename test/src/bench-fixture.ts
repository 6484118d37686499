/** A benchmark document with a row of each kind, for the tests of what is made from one. */
import {
  type BenchmarkDocument,
  createDocument,
  createResult,
  type Machine,
  type Result,
  type Unit,
} from "@capos/bench";

/** A measured row whose median is `p50`. */
export function row(suite: string, name: string, p50: number, unit: Unit = "ns/round trip"): Result {
  const samples = [0.8, 1, 1, 1, 1.3].map((factor) => factor * p50);
  return createResult({ suite, name, unit }, { samples, operationsPerSample: 1 });
}

export const machine: Machine = { node: "20.20.2", hostCpus: 2, cores: 8, memoryMiB: 256 };

export function fixture(): BenchmarkDocument {
  return createDocument(machine, [
    createResult(
      { suite: "ipc", name: "call.same-core", unit: "ns/round trip", notes: ["guests are hardened"] },
      {
        samples: [81, 82, 83],
        overhead: [1, 1, 1, 1, 1],
        operationsPerSample: 250,
        bytesPerOperation: 80,
        longestCollectionNs: 1.1e6,
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
      { samples: [170, 170, 170], operationsPerSample: 100, beside: { "plain call": 85 } },
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
