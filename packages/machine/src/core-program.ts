/**
 * The program of a core: the kernel, guests that are generators, and the lines that a panic prints. Bundled into the
 * one file that a core's worker loads: see build-core.ts.
 */
import { makeGeneratorEngine } from "@capos/engine/generator";
import { dump } from "@capos/inspect";
import { type CoreParts, type CoreReport, type CoreTask, runCore } from "@capos/kernel";

const PARTS: CoreParts = Object.freeze({ makeEngine: makeGeneratorEngine, describe: dump });

export default function main(task: CoreTask): Promise<CoreReport> {
  return runCore(task, PARTS);
}
