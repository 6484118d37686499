/** Checking every schedule of the kernel's code: campaigns, and the kernel's scenarios and mutants to run them on. */

import { fileURLToPath } from "node:url";
import type { Catalogue } from "./campaign/catalogue.js";
import { MUTANTS } from "./kernel/mutants.js";
import { SCENARIOS } from "./kernel/scenarios.js";

export * from "./campaign/index.js";
export { type Hunt, type HuntOptions, huntMutants } from "./survey/hunt.js";
export { mutantRows, mutantTable, withMutantTable } from "./survey/mutant-table.js";
export { Survey } from "./survey/survey.js";
export type { Surveyed, SurveyTask } from "./survey/task.js";

const at = (relative: string): URL => new URL(relative, import.meta.url);

/** The kernel of this clone. */
export const KERNEL: Catalogue = Object.freeze({
  scenarios: SCENARIOS,
  mutants: MUTANTS,
  opener: at("./kernel/opener.js").href,
  sources: [
    ...["./explore/", "./kernel/", "./transform/"].map((folder) => fileURLToPath(at(folder))),
    // Guests of the scenarios run its functions.
    fileURLToPath(new URL("./", import.meta.resolve("@capos/libos"))),
  ],
});
