/** The kernel as a program under test. May touch the kernel's insides and the explorer; no product code imports it. */
export type { CheckedRing, Program } from "./kernel-program.js";
export type { Mutant } from "./mutants/mutant.js";
export { MUTANTS, mutantNamed } from "./mutants.js";
export { type Opened, open, transformKernel } from "./open.js";
export { KERNEL_PROGRAM } from "./program/source.js";
export type { Scenario } from "./scenario.js";
export { SCENARIOS, scenarioNamed } from "./scenarios.js";
