/**
 * From compiled modules to a program under test: bundle, find out which functions can reach an access,
 * rewrite them, print.
 */
import { createHash } from "node:crypto";
import { parse } from "acorn";
import { type Bundle, bundle, bundleEdited, readModules } from "./bundle.js";
import type { ModuleTexts } from "./edits.js";
import { Functions } from "./functions.js";
import { rewriteModule } from "./module.js";
import { print } from "./print.js";
import { type Program, type ProgramOptions, TransformError } from "./program.js";
import { Refusal } from "./refusal.js";
import { Scopes } from "./scopes.js";
import { Sites } from "./sites.js";
import type { Tree } from "./syntax-tree.js";

/** Hexadecimal digits of a fingerprint. */
const FINGERPRINT_DIGITS = 16;

/**
 * Transforms the program that consists of a compiled module and all that it imports. Runs nothing of it.
 *
 * A function that can reach an access is exported as its twin, a generator; anything else as it is.
 * Throws EditError, and TransformError for a program that does not build or holds what cannot be rewritten.
 */
export async function transformProgram(options: ProgramOptions): Promise<Program> {
  const { edits } = options;
  const original = await bundle(options);
  const edited = edits.length === 0 ? original : await bundleEdited(options, original, edits);
  const fingerprint = createHash("sha256").update(original.code).digest("hex").slice(0, FINGERPRINT_DIGITS);
  return { ...transformBundle(edited), fingerprint };
}

/** The modules that edits of a program are about: for looking whether they fit. Throws TransformError. */
export async function modulesOf(options: Omit<ProgramOptions, "edits">): Promise<ModuleTexts> {
  return await readModules(await bundle(options));
}

function transformBundle(bundle: Bundle): Omit<Program, "fingerprint"> {
  const sites = new Sites(bundle);
  try {
    const root = parse(bundle.code, {
      ecmaVersion: 2022,
      sourceType: "module",
      locations: true,
      ranges: true,
    }) as unknown as Tree;
    const functions = new Functions(root, new Scopes(root));
    const code = print(rewriteModule(root, functions, sites), bundle);
    const untouched = functions.all.flatMap(({ name, accesses, hidden, runsPlain }) =>
      [...hidden, ...(runsPlain ? accesses : [])].map((node) => sites.siteOf(node, name)),
    );
    return { code, sites: sites.list, untouched };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { file, line, column } = sites.siteOf(error.node, "");
    throw new TransformError(`${file}:${line}:${column}: ${error.reason}`);
  }
}
