/** Names of options, checked: one that is misspelt would change nothing, and nobody would know. */

import { UsageError } from "./errors.js";
import type { BootOptions, RunOptions, SpawnOptions } from "./options.js";

const BOOT: Readonly<Record<keyof BootOptions, true>> = {
  ...({ cores: true, poweredCores: true, memoryMiB: true, seed: true, watchdogMs: true } as const),
  ...({
    historyEvents: true,
    traceKiB: true,
    traceGroups: true,
    traceMode: true,
    lastMoments: true,
  } as const),
  ...({
    logLevel: true,
    logDestination: true,
    inspectable: true,
    attachable: true,
    command: true,
    process: true,
  } as const),
  ...({ onKernel: true, onPanic: true, onConsole: true, onInput: true, onMachine: true } as const),
};

const RUN: Readonly<Record<keyof RunOptions, true>> = {
  ...({ args: true, signal: true, timeoutMs: true, cores: true, priority: true, untyped: true } as const),
  ...({ threads: true, debug: true, root: true, handed: true, name: true, labelled: true } as const),
};

/** @throws UsageError for an option that `boot` has not */
export function checkBootOptions(options: BootOptions): void {
  refuseUnknown("boot", options, Object.keys(BOOT));
}

/** @throws UsageError for an option that a run has not */
export function checkRunOptions(options: RunOptions): void {
  refuseUnknown("run", options, Object.keys(RUN));
}

/** Takes out what only `spawn` knows. @throws UsageError for a value that cannot be */
export function splitSpawnOptions({ console, ...run }: SpawnOptions): {
  readonly ownConsole: boolean;
  readonly run: RunOptions;
} {
  if (console !== undefined && console !== "own")
    throw new UsageError('console: "own" is possible, or nothing for that of the machine');
  return { ownConsole: console === "own", run };
}

/** @throws UsageError that names the first option that is none of the known ones, and which there are */
export function refuseUnknown(what: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw new UsageError(`${what}: options are an object`);
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new UsageError(`${what}: there is no option ${name}, there are ${known.join(", ")}`);
}
