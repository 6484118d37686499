/**
 * From compiled modules to a program under test: bundle, find out which functions can reach an access,
 * rewrite them, print.
 */
import { createHash } from "node:crypto";
import { parse } from "acorn";
import { type Bundle, bundle as bundleModules } from "./bundle.js";
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
  const bundle = await bundleModules(options);
  const original = options.edits.length === 0 ? bundle : await bundleModules({ ...options, edits: [] });
  const fingerprint = createHash("sha256").update(original.code).digest("hex").slice(0, FINGERPRINT_DIGITS);
  return { ...transformBundle(bundle), fingerprint };
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
