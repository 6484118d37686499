/** What campaigns open a file's scenario with: the address says which file. See Opener in campaign/catalogue.ts. */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { OpenedScenario } from "../campaign/catalogue.js";
import { Explorer } from "../explore/explorer.js";
import { VirtualCores } from "../explore/virtual-cores.js";
import type { Program } from "../transform/program.js";
import { transformProgram } from "../transform/transform.js";
import { loadScenario } from "./load.js";
import { OwnWorld } from "./world.js";

const scenario = await loadScenario(fileURLToPath(new URL(import.meta.url).searchParams.get("scenario")!));
const RECORDER = fileURLToPath(new URL("./recorder.js", import.meta.url));

export async function prepareProgram(mutant: string | null): Promise<Program> {
  const { definition, file, program, hash } = scenario;
  const transformed = await transformProgram({
    entry: program,
    also: definition.specification === undefined ? [] : [RECORDER],
    replacements: {},
    edits: definition.mutants?.find(({ name }) => name === mutant)?.edits ?? [],
    root: dirname(file),
  });
  const fingerprint = createHash("sha256").update(hash).update(transformed.fingerprint).digest("hex");
  return { ...transformed, fingerprint };
}

export function openScenario(_name: string, program: Program): OpenedScenario {
  const runtime = new VirtualCores();
  const world = new OwnWorld(scenario, program, runtime);
  return { explorer: new Explorer(world, runtime), world, program };
}
