/**
 * Stress runs as a library call: scenarios, each on a machine of its own, and what was found.
 */

import { dump } from "@capos/inspect";
import { type BootOptions, boot, type LastMoments } from "@capos/machine";
import { defaultCores } from "@capos/machine/defaults";
import { MachineError, UsageError } from "@capos/machine/errors";
import {
  runStress,
  SCENARIOS,
  type ScenarioName,
  type ScenarioResult,
  type StressContext,
  type StressMachine,
} from "@capos/stress";
import { unknownName } from "./unknown-name.js";

/** What to run, and on what. */
export interface StressOptions extends BootOptions {
  /** Some of the scenarios, or "all"; all unless told. */
  readonly scenarios?: readonly string[];
  /** Time for each scenario, above 0; 5 unless told. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: StressContext["onProgress"];
}

export interface StressDocument {
  readonly cores: number;
  readonly seed: number;
  readonly results: readonly ScenarioResult[];
}

export const ALL = "all";
const DEFAULT_SECONDS = 5;
const DEFAULT_SEED = 1;
const MIN_CORES = 2;
const DUMP_LINES = 64;
/** A machine that has not halted by then, on however busy a host, never will. */
const HALT_MS = 30_000;

/**
 * Runs scenarios and judges what happened.
 * @throws UsageError for an unknown scenario or too few cores; MachineError if a machine fails; the signal's reason.
 */
export async function stress(options: StressOptions = {}): Promise<StressDocument> {
  const { scenarios: names = [ALL] } = options;
  const cores = options.cores ?? defaultCores();
  const seed = options.seed ?? DEFAULT_SEED;
  const known = Object.keys(SCENARIOS) as ScenarioName[];
  for (const name of names)
    if (name !== ALL && !Object.hasOwn(SCENARIOS, name))
      throw unknownName("scenario", name, [...known, ALL], "stress --list");
  if (cores < MIN_CORES) throw new UsageError(`cores: a race needs at least ${MIN_CORES}, there is ${cores}`);
  const results = await runStress({
    cores,
    seconds: options.seconds ?? DEFAULT_SECONDS,
    seed,
    scenarios: known.filter((name) => names.includes(ALL) || names.includes(name)),
    ...(options.signal !== undefined && { signal: options.signal }),
    ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
    withMachine: (historyEvents, use) =>
      withMachine({ ...options, cores, historyEvents }, options.signal, use),
  });
  return { cores, seed, results };
}

async function withMachine<T>(
  options: StressOptions,
  signal: AbortSignal | undefined,
  use: (machine: StressMachine) => Promise<T>,
): Promise<T> {
  let listener: (line: string) => void = () => {};
  const keep = await lastMomentsOf(options);
  const { scenarios, seconds, signal: _, onProgress, ...machineOptions } = options;
  const machine = await boot({ ...machineOptions, onConsole: (line) => listener(line) });
  const interrupt = (): void => void machine.halt();
  signal?.addEventListener("abort", interrupt);
  let broken: MachineError | null = null;
  const runner: StressMachine = {
    memory: machine.memory,
    async run(image, run) {
      try {
        const { status, state, fault } = await machine.runImage(image, {
          args: run.args,
          cores: [run.core],
          untyped: 2 ** run.memoryBits,
          priority: run.priority,
          debug: true,
        });
        if (state === "exited" && status === 0) return "";
        return `${image.name} ${state === "exited" ? `ended with status ${status}` : `${state}: ${fault}`}`;
      } catch (error) {
        // The whole machine is gone: that is no guest's failure.
        if (error instanceof MachineError) broken = error;
        throw error;
      }
    },
    listen(take) {
      listener = take;
    },
    type(line) {
      machine.feed(new TextEncoder().encode(`${line}\n`));
    },
    describe: () => dump(machine.memory).slice(0, DUMP_LINES),
    keepTrace: () => keep(machine.memory, false),
  };
  try {
    signal?.throwIfAborted();
    const value = await use(runner);
    if (broken !== null) throw broken;
    return value;
  } finally {
    signal?.removeEventListener("abort", interrupt);
    // A kernel that was broken in a race may not even do that.
    await Promise.race([machine.halt(), new Promise((resolve) => setTimeout(resolve, HALT_MS).unref())]);
  }
}

async function lastMomentsOf({ lastMoments }: BootOptions): Promise<LastMoments> {
  if (lastMoments === undefined) return () => "";
  return ((await import(lastMoments.href)) as { readonly default: LastMoments }).default;
}
