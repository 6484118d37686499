/**
 * The program of a core: the kernel, guests that are generators, and the lines that a panic prints. Bundled into the
 * one script that a core's worker loads: see build-core.ts.
 */
import { hardenRealm, makeGeneratorEngine } from "@capos/engine/generator";
import { dump } from "@capos/inspect";
import { type CoreParts, type CoreReport, type CoreTask, runCore } from "@capos/kernel";

const PARTS: CoreParts = Object.freeze({ makeEngine: makeGeneratorEngine, describe: dump });

export function main(task: CoreTask): Promise<CoreReport> {
  return runCore(task, PARTS);
}

/** Runs what takes longest of what every core does before it takes part, and needs no machine: see make-code.ts. */
export function rehearse(): void {
  hardenRealm();
}
