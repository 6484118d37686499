/**
 * Bundles a guest's files into one module, with esbuild.
 *
 * A guest may import its own relative files and the guest side of `@capos/abi` and `@capos/libos`, which
 * are those of this installation wherever the guest's files lie. No configuration of the folder it lies
 * in has a say (tsconfig.json): one file builds to one image.
 */
import { stat } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type BuildFailure,
  build,
  type Message,
  type OnResolveArgs,
  type OnResolveResult,
  type Plugin,
} from "esbuild";
import { GuestBuildError } from "./build-error.js";
import { REQUIRE } from "./restrictions.js";

/** A bundle: a module's source, and the map from it to the files it was made of. */
export interface BundledSource {
  readonly code: string;
  /** JSON; its sources are relative to `folder`. */
  readonly map: string;
  readonly folder: string;
}

const ALLOWED = "a guest may import relative files, @capos/abi and @capos/libos";
const EXTENSIONS: readonly string[] = Object.freeze([".ts", ".mts", ".js", ".mjs"]);

/** Throws `GuestBuildError`. */
export async function bundle(entryFile: string, lowerObjectRest: boolean): Promise<BundledSource> {
  const file = resolve(entryFile);
  await checkEntry(entryFile, file);
  const folder = dirname(file);
  try {
    const result = await build({
      entryPoints: [file],
      absWorkingDir: folder,
      outfile: resolve(folder, `${basename(file)}.image.js`),
      write: false,
      bundle: true,
      format: "esm",
      platform: "neutral",
      target: "es2022",
      charset: "utf8",
      treeShaking: true,
      legalComments: "none",
      sourcemap: "external",
      sourcesContent: true,
      metafile: true,
      logLevel: "silent",
      tsconfigRaw: { compilerOptions: { useDefineForClassFields: true } },
      // Else esbuild would put a helper in its place; so it stays a name, which restrictions.ts looks for.
      define: { require: REQUIRE },
      supported: lowerObjectRest ? { "object-rest-spread": false } : {},
      plugins: [guestImports],
    });
    for (const [path, input] of Object.entries(result.metafile.inputs)) {
      const place = { file: resolve(folder, path), line: 1, column: 1 };
      if (input.format === "cjs") {
        throw new GuestBuildError(
          "require and module.exports do not work in a guest: use import and export",
          place,
        );
      }
      if (![...EXTENSIONS, ".json"].includes(extname(path))) {
        throw new GuestBuildError(
          `a guest imports files that end in ${EXTENSIONS.join(", ")} or .json`,
          place,
        );
      }
    }
    const find = (end: string) => result.outputFiles.find(({ path }) => path.endsWith(end))!.text;
    return { code: find(".js"), map: find(".js.map"), folder };
  } catch (error) {
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    throw first === undefined ? error : buildErrorOf(first, folder);
  }
}

async function checkEntry(asGiven: string, file: string): Promise<void> {
  const info = await stat(file).catch(() => null);
  if (info === null) throw new GuestBuildError(`${asGiven}: there is no such file`);
  if (!info.isFile()) throw new GuestBuildError(`${asGiven}: not a file`);
  if (!EXTENSIONS.includes(extname(file))) {
    throw new GuestBuildError(`${asGiven}: a guest is a file that ends in ${EXTENSIONS.join(", ")}`);
  }
}

function buildErrorOf(message: Message, folder: string): GuestBuildError {
  const { location } = message;
  if (location === null) return new GuestBuildError(message.text);
  const place = { file: resolve(folder, location.file), line: location.line, column: location.column + 1 };
  return new GuestBuildError(message.text, place);
}

const guestImports: Plugin = Object.freeze({
  name: "guest-imports",
  setup(hooks) {
    hooks.onResolve({ filter: /.*/ }, resolveImport);
  },
} satisfies Plugin);

function resolveImport({ path, kind }: OnResolveArgs): OnResolveResult | undefined {
  if (kind === "entry-point") return undefined;
  if (kind === "dynamic-import")
    return refusal(`import() does not work in a guest: ${ALLOWED}, at the top of a file`);
  if (kind !== "import-statement")
    return refusal(`require does not work in a guest: ${ALLOWED}, with import statements`);
  if (/^\.\.?(\/|$)/.test(path)) return undefined;
  if (path === "@capos/image") return refusal(`cannot import "${path}": it is for the host; ${ALLOWED}`);
  if (!/^@capos\/(abi|libos)(\/|$)/.test(path)) return refusal(`cannot import "${path}": ${ALLOWED}`);
  try {
    // By this file's place, so that a guest anywhere gets the packages that the kernel was built with.
    return { path: fileURLToPath(import.meta.resolve(path)), sideEffects: false };
  } catch {
    return refusal(`cannot import "${path}": there is no such module; ${ALLOWED}`);
  }
}

/** esbuild adds the place of the import. */
function refusal(text: string): OnResolveResult {
  return { errors: [{ text }] };
}
