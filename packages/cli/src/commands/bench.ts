/** `capos-smp bench`: measures and prints. */

import process from "node:process";
import { renderDocument } from "@capos/bench";
import { bench, suites } from "../bench.js";
import { defaultCores } from "../boot.js";
import { ExitStatus } from "../errors.js";
import { terminalProgress } from "../progress.js";
import { bootOptions, type MachineFlags } from "./options.js";

export interface BenchFlags extends MachineFlags {
  readonly list?: boolean;
  readonly seconds?: number;
}

/** Prints the suites and their rows. */
export function listSuites(flags: BenchFlags): number {
  const all = suites(flags.cores ?? defaultCores());
  if (flags.json === true) process.stdout.write(`${JSON.stringify(all)}\n`);
  else
    for (const [suite, rows] of Object.entries(all))
      process.stdout.write(`${suite}\n${rows.map((row) => `  ${row}\n`).join("")}`);
  return ExitStatus.OK;
}

/** Runs suites; answers the exit status. Boot phases are shown for the first machine only. */
export async function benchCommand(
  names: readonly string[],
  flags: BenchFlags,
  signal: AbortSignal,
): Promise<number> {
  if (flags.list === true) return listSuites(flags);
  const progress = terminalProgress(flags.quiet === true || flags.json === true);
  const { onKernel, ...options } = bootOptions(flags);
  const phases = firstMachine(onKernel, () => progress.clear());
  try {
    const document = await bench({
      ...options,
      ...(onKernel !== undefined && { onKernel: phases }),
      suites: names,
      signal,
      ...(flags.seconds !== undefined && { seconds: flags.seconds }),
      onProgress: (suite, row, fraction) => progress.show(`${suite} ${row}`, fraction),
    });
    progress.clear();
    if (flags.json === true) process.stdout.write(`${JSON.stringify(document)}\n`);
    else process.stdout.write(`${renderDocument(document, { color: process.stdout.isTTY === true })}\n`);
  } finally {
    progress.clear();
  }
  return ExitStatus.OK;
}

/** Passes the kernel's text on until the first machine is alive; after that only what is no boot phase. */
function firstMachine(
  write: ((text: string) => void) | undefined,
  before: () => void,
): (text: string) => void {
  let booted = false;
  return (text) => {
    if (booted && /^(\[ *[\d.]+ ms\] phase .*\n?)+$/.test(text)) return;
    before();
    write?.(text);
    if (text.includes("phase 5")) booted = true;
  };
}
