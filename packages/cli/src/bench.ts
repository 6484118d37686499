/**
 * Benchmarks as a library call: the suites, each on machines of its own, in one document.
 */

import { availableParallelism } from "node:os";
import { DEFAULT_MEMORY_MIB } from "@capos/abi";
import {
  BASELINE_SUITE,
  type BenchmarkDocument,
  baselineNames,
  CAPABILITY_SUITE,
  capabilityNames,
  createDocument,
  DEFAULT_SECONDS,
  describeMachine,
  type GuestRunner,
  IPC_SUITE,
  ipcNames,
  type Result,
  runBaseline,
  runCapability,
  runIpc,
  type SuiteContext,
} from "@capos/bench";
import { type BootOptions, boot, defaultCores } from "./boot.js";
import { MachineError, UsageError } from "./errors.js";

export type { BenchmarkDocument } from "@capos/bench";

/** What to measure, and on what. */
export interface BenchOptions extends BootOptions {
  /** Of `suites`; all unless told. */
  readonly suites?: readonly string[];
  /** Time budget of a row, above 0; half a second unless told. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
  /** Called as rows are measured: `fraction` is of the named row. */
  readonly onProgress?: (suite: string, row: string, fraction: number) => void;
}

/** The suites and their rows, on a machine with that many cores. */
export function suites(cores: number): Readonly<Record<string, readonly string[]>> {
  return {
    [IPC_SUITE]: ipcNames(cores),
    [CAPABILITY_SUITE]: capabilityNames(cores),
    [BASELINE_SUITE]: baselineNames,
  };
}

/**
 * Runs benchmark suites and gives one document, with each row's ratio to the baselines measured in the
 * same run.
 * @throws UsageError for an unknown suite; MachineError if a machine fails; the signal's reason.
 */
export async function bench(options: BenchOptions = {}): Promise<BenchmarkDocument> {
  const cores = options.cores ?? defaultCores();
  const known = Object.keys(suites(cores));
  const chosen = options.suites === undefined || options.suites.length === 0 ? known : options.suites;
  for (const suite of chosen) {
    if (!known.includes(suite))
      throw new UsageError(`suite: there is no ${suite}, the suites are ${known.join(", ")}`);
  }
  const results: Result[] = [];
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  const progress = (suite: string) => (row: string, fraction: number) =>
    options.onProgress?.(suite, row, fraction);
  // Baselines first: nothing of a machine is left over then.
  if (chosen.includes(BASELINE_SUITE)) {
    results.push(
      ...(await runBaseline({
        seconds,
        workerCounts: coreCounts(cores),
        onProgress: progress(BASELINE_SUITE),
        ...(options.signal !== undefined && { signal: options.signal }),
      })),
    );
  }
  if (chosen.includes(IPC_SUITE))
    results.push(...(await runIpc(contextOf(options, cores, seconds, progress(IPC_SUITE)))));
  if (chosen.includes(CAPABILITY_SUITE))
    results.push(...(await runCapability(contextOf(options, cores, seconds, progress(CAPABILITY_SUITE)))));
  return createDocument(
    describeMachine({ cores, memoryMiB: options.memoryMiB ?? DEFAULT_MEMORY_MIB }),
    results,
  );
}

/** 1, 2, 4, ... and the number itself. */
function coreCounts(cores: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < cores; count *= 2) counts.push(count);
  return [...counts, cores];
}

/** How a suite has its machines. */
function contextOf(
  options: BenchOptions,
  cores: number,
  seconds: number,
  onProgress: (row: string, fraction: number) => void,
): SuiteContext {
  return {
    cores,
    hardwareThreads: availableParallelism(),
    seconds,
    onProgress,
    ...(options.signal !== undefined && { signal: options.signal }),
    async withMachine(count, use) {
      let listener: (line: string) => void = () => {};
      const machine = await boot({ ...options, cores: count, onConsole: (line) => listener(line) });
      const interrupt = (): void => void machine.halt();
      options.signal?.addEventListener("abort", interrupt);
      const runner: GuestRunner = {
        cores: count,
        async runImage(image, run) {
          const lines: string[] = [];
          listener = (line) => lines.push(line);
          const { status, state, fault } = await machine.runImage(image, run);
          if (state !== "exited") throw new MachineError(`benchmark ${image.name}: ${fault}`, 1);
          return { status, lines };
        },
        imageNumber: (image) => machine.imageNumber(image),
      };
      try {
        options.signal?.throwIfAborted();
        const value = await use(runner);
        const report = await machine.halt();
        const collections = report.cores.flatMap(({ core, collections: noted }) =>
          noted.map((one) => ({ core, ...one })),
        );
        return { value, collections, powerToInitNs: machine.powerToInitNs };
      } finally {
        options.signal?.removeEventListener("abort", interrupt);
        await machine.halt();
      }
    },
  };
}
