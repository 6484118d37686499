/** What campaigns open the kernel's scenarios with: see Opener in campaign/catalogue.ts. */
import type { OpenedScenario } from "@capos/explorer/campaign";
import type { Program } from "@capos/explorer/transform";
import { MUTANTS } from "./mutants.js";
import { open, transformKernel } from "./open.js";
import { scenarioNamed } from "./scenarios.js";

export function prepareProgram(mutant: string | null): Promise<Program> {
  return transformKernel(MUTANTS.find(({ name }) => name === mutant)?.edits ?? []);
}

export function openScenario(name: string, program: Program): OpenedScenario {
  return open(scenarioNamed(name)!, program);
}
