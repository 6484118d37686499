/**
 * Benchmarks as a library call: the suites, each on machines of its own, as often as asked, in one
 * document. Repetitions are of whole suites, so that a host that drifts touches all rows alike.
 */

import { availableParallelism } from "node:os";
import { DEFAULT_MEMORY_MIB } from "@capos/abi";
import {
  BASELINE_SUITE,
  type BenchmarkDocument,
  baselineRows,
  CAPABILITY_SUITE,
  capabilityNames,
  coreCounts,
  createDocument,
  DEFAULT_SECONDS,
  describeHost,
  describeMachine,
  familyOf,
  type GuestRunner,
  IPC_SUITE,
  ipcNames,
  isNamed,
  MEMORY_SUITE,
  memoryNames,
  OthersMeter,
  RunTally,
  runBaseline,
  runCapability,
  runIpc,
  runMemory,
  runTop,
  runTrace,
  type SuiteContext,
  TOP_SUITE,
  TRACE_SUITE,
  type Tracing,
  type Trial,
  topNames,
  traceNames,
} from "@capos/bench";
import { USUAL_GROUPS } from "@capos/kernel/trace-events";
import { Echo } from "@capos/libos";
import { type BootOptions, boot } from "@capos/machine";
import { defaultCores } from "@capos/machine/defaults";
import { MachineError, UsageError } from "@capos/machine/errors";
import { ALL_GROUPS } from "@capos/trace";
import { Spectator } from "./top/spectator.js";
import { unknownName } from "./unknown-name.js";
import { VERSION } from "./version.js";

/** Suites that measure what looks at a machine. */
const INSTRUMENT_SUITES: readonly string[] = [TOP_SUITE, TRACE_SUITE];

const TRACE_KIB = 256;

/** How machines are traced for suite `trace`. */
const TRACINGS: Readonly<Record<Tracing, BootOptions>> = Object.freeze({
  absent: { traceKiB: 0 },
  silent: { traceKiB: TRACE_KIB, traceGroups: 0 },
  usual: { traceKiB: TRACE_KIB, traceGroups: USUAL_GROUPS },
  words: { traceKiB: TRACE_KIB, traceGroups: ALL_GROUPS },
});

export type { BenchmarkDocument } from "@capos/bench";

/** What to measure, and on what. */
export interface BenchOptions extends BootOptions {
  /** Suites, rows, or what rows are called together (`call.pairs`); unless told all suites but `top` and `trace`, which measure no part of a machine. */
  readonly names?: readonly string[];
  /** Time budget of a row in one repetition, above 0; half a second unless told. */
  readonly seconds?: number;
  /** How often to measure all rows, 1 unless told; Infinity: until the signal aborts, which is its end then. */
  readonly repetitions?: number;
  readonly signal?: AbortSignal;
  /** Called as rows are measured: `fraction` is of the named row, `repetition` counts from 1. */
  readonly onProgress?: (suite: string, row: string, fraction: number, repetition: number) => void;
}

/** The suites and their rows, on a machine with that many cores. */
export function suites(cores: number): Readonly<Record<string, readonly string[]>> {
  return {
    [IPC_SUITE]: ipcNames(cores),
    [CAPABILITY_SUITE]: capabilityNames(cores),
    [MEMORY_SUITE]: memoryNames(cores),
    [BASELINE_SUITE]: baselineRows(coreCounts(cores)),
    [TOP_SUITE]: topNames(cores),
    [TRACE_SUITE]: traceNames(cores),
  };
}

/**
 * Runs benchmark suites and gives one document, with each row's ratio to the baselines measured in the
 * same run.
 * @throws UsageError for an unknown name, or a number of repetitions that is none; MachineError if a
 * machine fails; the signal's reason, unless it ends a run without end that has a repetition to show.
 */
export async function bench(options: BenchOptions = {}): Promise<BenchmarkDocument> {
  const { repetitions = 1, seconds = DEFAULT_SECONDS, cores = defaultCores() } = options;
  const chosen = chooseRows(options.names, cores);
  if (!(repetitions >= 1 && (Number.isInteger(repetitions) || repetitions === Number.POSITIVE_INFINITY)))
    throw new UsageError(`repetitions: a whole number above 0 is needed, not ${repetitions}`);
  const host = describeHost(VERSION);
  const others = new OthersMeter();
  const tally = new RunTally(performance.now());
  let made = 0;
  try {
    for (; made < repetitions; made++) {
      const trials = await runSuites(options, chosen, cores, seconds, made + 1);
      tally.add(trials);
    }
  } catch (error) {
    const isTheEnd = options.signal?.aborted === true && repetitions === Number.POSITIVE_INFINITY;
    if (!isTheEnd || made === 0) throw error;
  }
  return createDocument(
    describeMachine({ cores, memoryMiB: options.memoryMiB ?? DEFAULT_MEMORY_MIB }),
    {
      ...host,
      finished: new Date().toISOString(),
      secondsPerRow: seconds,
      repetitions: made,
      othersCpu: others.share(),
    },
    tally.results(),
  );
}

/** Suites, each with the rows that are wanted of it. */
type Choice = ReadonlyMap<string, readonly string[]>;

/** What is to be measured, in the order of the suites. @throws UsageError */
function chooseRows(names: readonly string[] | undefined, cores: number): Choice {
  const all = Object.entries(suites(cores));
  if (names === undefined || names.length === 0)
    return new Map(all.filter(([suite]) => !INSTRUMENT_SUITES.includes(suite)));
  const known = new Set(all.flatMap(([suite, rows]) => [suite, ...rows, ...rows.map(familyOf)]));
  for (const name of names)
    if (!known.has(name)) throw unknownName("bench", name, [...known], "bench --list");
  return new Map(
    all
      .map(([suite, rows]) => [suite, rows.filter((name) => isNamed({ suite, name }, names))] as const)
      .filter(([, rows]) => rows.length > 0),
  );
}

/** One repetition of the chosen rows. */
async function runSuites(
  options: BenchOptions,
  chosen: Choice,
  cores: number,
  seconds: number,
  repetition: number,
): Promise<Trial[]> {
  const trials: Trial[] = [];
  const progress = (suite: string) => (row: string, fraction: number) =>
    options.onProgress?.(suite, row, fraction, repetition);
  const context = (suite: string, more: BootOptions = {}) => ({
    ...contextOf({ ...options, ...more }, cores, seconds, progress(suite)),
    names: chosen.get(suite)!,
  });
  // Baselines first: nothing of a machine is left over then, but for those of earlier repetitions.
  const baselines = chosen.get(BASELINE_SUITE);
  if (baselines !== undefined) {
    trials.push(
      ...(await runBaseline({
        seconds,
        names: baselines,
        onProgress: progress(BASELINE_SUITE),
        ...(options.signal !== undefined && { signal: options.signal }),
      })),
    );
  }
  if (chosen.has(IPC_SUITE)) trials.push(...(await runIpc(context(IPC_SUITE))));
  if (chosen.has(CAPABILITY_SUITE)) trials.push(...(await runCapability(context(CAPABILITY_SUITE))));
  if (chosen.has(MEMORY_SUITE)) trials.push(...(await runMemory(context(MEMORY_SUITE))));
  if (chosen.has(TOP_SUITE)) {
    const spectator = new Spectator(options.onMachine);
    const watched = context(TOP_SUITE, { onMachine: spectator.onMachine });
    trials.push(...(await runTop({ ...watched, watch: (on) => spectator.watch(on) })));
  }
  if (chosen.has(TRACE_SUITE)) {
    const traced = (tracing: Tracing) => context(TRACE_SUITE, TRACINGS[tracing]);
    trials.push(...(await runTrace({ ...context(TRACE_SUITE), traced })));
  }
  return trials;
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
      const { names, seconds, repetitions, signal, onProgress, ...machineOptions } = options;
      const machine = await boot({ ...machineOptions, cores: count, onConsole: (line) => listener(line) });
      const echo = machine.client(Echo, "echo");
      const interrupt = (): void => void machine.halt();
      options.signal?.addEventListener("abort", interrupt);
      const runner: GuestRunner = {
        cores: count,
        async call() {
          await echo.ping({ value: 1 });
        },
        async runImage(image, run) {
          const { status, state, fault } = await machine.runImage(image, run);
          if (state !== "exited") throw new MachineError(`benchmark ${image.name}: ${fault}`, 1);
          return status;
        },
        listen: (heard) => {
          listener = heard;
        },
        feed: (line) => machine.feed(new TextEncoder().encode(`${line}\n`)),
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
