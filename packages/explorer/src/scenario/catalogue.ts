/** A file with a scenario as something to check. */
import { pathToFileURL } from "node:url";
import type { Catalogue } from "../campaign/catalogue.js";
import type { Strategy } from "../explore/types.js";
import { loadScenario } from "./load.js";

const PLAN: Strategy = Object.freeze({ kind: "dpor" });
const QUICK: Strategy = Object.freeze({ kind: "bounded", preemptions: 2 });

/** @throws CheckFileError for a file that has no scenario, or one of another shape. */
export async function catalogueOf(path: string): Promise<Catalogue> {
  const { definition, file } = await loadScenario(path);
  const { name, holds, cores, plan = PLAN, quick = QUICK, mutants = [] } = definition;
  const opener = new URL("./opener.js", import.meta.url);
  opener.searchParams.set("scenario", pathToFileURL(file).href);
  return {
    scenarios: [{ name, holds, cores: cores.length, plan, quick }],
    mutants: mutants.map((mutant) => ({ strategy: plan, ...mutant, scenario: name })),
    opener: opener.href,
    // The program's fingerprint has it all.
    sources: [],
  };
}
