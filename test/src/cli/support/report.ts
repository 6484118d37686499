/** A run that has every figure of the report, and an earlier one of which some rows differ. */
import { type BenchmarkDocument, createDocument, type Machine, type Result, type Unit } from "@capos/bench";
import { createResult, rowOfTrials, run } from "../../bench/support/document.js";

const REPETITIONS = 6;
const SAMPLES = 120;
const DESCENDANTS = [1, 10, 100, 1000];
const CORES = [1, 2, 4];

/** The text of a note that no page may take for its own. */
export const HOSTILE_NOTE = "</script><script>document.title = 'taken over'</script><img src=x> & <!--";

export const machine: Machine = { node: "20.20.2", hostCpus: 2, cores: 4, memoryMiB: 256 };

/** All rows, those named in `factors` that many times slower. */
export function reportDocument(factors: Readonly<Record<string, number>> = {}): BenchmarkDocument {
  let seed = 1;
  /** Between 0 and 1, the same in each run of the tests. */
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const row = (suite: string, name: string, ns: number, unit: Unit, more: object = {}): Result =>
    createResult(
      { suite, name, unit, ...(name === "yield" && { notes: [HOSTILE_NOTE] }) },
      ...Array.from({ length: REPETITIONS }, () => ({
        samples: Array.from(
          { length: SAMPLES },
          () => ns * (factors[name] ?? 1) * (0.95 + 0.1 * random() ** 3),
        ),
        operationsPerSample: 1,
        ...more,
      })),
    );
  return createDocument(machine, { ...run, repetitions: REPETITIONS, finished: "2026-03-01T12:02:05.000Z" }, [
    row("baseline", "generator-switch", 22, "ns/round trip"),
    row("baseline", "sab-spin", 95, "ns/round trip"),
    row("baseline", "message-port", 53_000, "ns/round trip"),
    row("baseline", "comlink", 71_000, "ns/round trip"),
    ...CORES.map((cores) => row("baseline", `workers-empty.${cores}`, 25e6 * cores, "ns/start")),
    row("ipc", "call.same-core", 123, "ns/round trip"),
    row("ipc", "call.cross-core", 603, "ns/round trip"),
    ...CORES.map((cores) => row("ipc", `call.pairs.${cores}`, 122 / Math.min(cores, 2), "ns/call")),
    row("ipc", "yield", 65, "ns/yield"),
    createResult(
      { suite: "ipc", name: "null-trap", unit: "ns/trap" },
      { samples: [12, 12, 12], overhead: [1, 2, 3, 4, 5, 6], operationsPerSample: 1000 },
    ),
    ...CORES.map((cores) => row("ipc", `boot.${cores}`, 60e6 * cores, "ns/boot")),
    ...DESCENDANTS.map((descendants) =>
      row("capability", `revoke.by-descendants.${descendants}`, 1500 + 33 * descendants, "ns/revoke", {
        descendants,
      }),
    ),
    ...CORES.map((holders) =>
      row("capability", `revoke.by-holders.${holders}`, 34_000 * holders, "ns/revoke"),
    ),
    row("capability", "revoke.under-load", 36_000, "ns/revoke", { descendants: 1000, keptThroughput: 0.99 }),
  ]);
}

/** An earlier run than `reportDocument()`: a row of each suite is different there. */
export function earlierDocument(): BenchmarkDocument {
  return reportDocument({ comlink: 1.5, "call.cross-core": 0.6, "revoke.under-load": 1.4 });
}

/** One row of very many repetitions: more slices than a call of a function may have arguments. */
export function longDocument(): BenchmarkDocument {
  const trials = new Array<number>(3000).fill(65);
  const medians = Array.from({ length: 60 }, (_, i) => 62 + (i % 7));
  const series = trials.map((_, i) => ({ startMs: 500 * i, endMs: 500 * (i + 1), medians }));
  const row = { ...rowOfTrials("ipc", "yield", trials), series };
  const facts = { ...run, repetitions: trials.length, finished: "2026-03-01T12:25:00.000Z" };
  return createDocument(machine, facts, [row]);
}
