/**
 * Bundles a guest's files into one module, with esbuild.
 *
 * A guest may import its own relative files and `capos/guest`, which is that of this installation wherever the guest's
 * files lie: see sources.ts. No configuration of the folder it lies
 * in has a say: the same files build to the same image.
 */
import { basename, dirname, resolve } from "node:path";
import { type BuildFailure, build, type Message } from "esbuild";
import { GuestBuildError } from "./build-error.js";
import { BuilderProcess } from "./builder-process.js";
import { REQUIRE } from "./restrictions.js";
import { type Assets, type Entry, guestSources, type Libraries, withImporter } from "./sources.js";

/** A bundle: a module's source, and the map from it to the files it was made of. */
export interface BundledSource {
  readonly code: string;
  /** JSON; its sources are relative to `folder`, and those of the system are in its `ignoreList`. */
  readonly map: string;
  readonly folder: string;
  /** The packages that have a part in it. */
  readonly libraries: Libraries;
}

export interface BundleOptions {
  /** What the files import as images, and what stands there for those; a null unless told. */
  readonly assets?: Assets;
  readonly signal?: AbortSignal | undefined;
}

const NO_ASSETS = (): Assets => ({ files: new Set(), moduleOf: () => "export default null;" });

const builder = new BuilderProcess();

/**
 * Bundles a guest's files.
 * @throws GuestBuildError; the signal's reason, if that aborts
 */
export async function bundle(
  entry: Entry,
  lowerObjectRest: boolean,
  { assets = NO_ASSETS(), signal }: BundleOptions = {},
): Promise<BundledSource> {
  const { file } = entry;
  const folder = dirname(file);
  const system = new Set<string>();
  const libraries: Libraries = new Map();
  try {
    const work = () =>
      build({
        entryPoints: [file],
        absWorkingDir: folder,
        outfile: resolve(folder, `${basename(file)}.image.js`),
        write: false,
        bundle: true,
        format: "esm",
        platform: "neutral",
        // Of packages that have no `exports`.
        mainFields: ["module", "main"],
        // No variable of the environment says where else packages are.
        nodePaths: [],
        target: "es2022",
        charset: "utf8",
        treeShaking: true,
        legalComments: "none",
        sourcemap: "external",
        sourcesContent: true,
        metafile: true,
        logLevel: "silent",
        // Given, it is all the configuration of TypeScript that there is.
        tsconfigRaw: { compilerOptions: { useDefineForClassFields: true } },
        // Else esbuild would put a helper in its place; so it stays a name, which restrictions.ts looks for.
        define: { require: REQUIRE },
        supported: lowerObjectRest ? { "object-rest-spread": false } : {},
        plugins: [guestSources(entry, system, assets, libraries)],
      });
    const result = await builder.use(work, signal);
    for (const [path, input] of Object.entries(result.metafile.inputs)) {
      if (input.format !== "cjs") continue;
      const error = new GuestBuildError(
        "require and module.exports do not work in a guest: use import and export",
        {
          file: resolve(folder, path),
          line: 1,
          column: 1,
        },
      );
      throw withImporter(error, libraries);
    }
    const find = (end: string) => result.outputFiles.find(({ path }) => path.endsWith(end))!.text;
    const map = JSON.parse(find(".js.map")) as { readonly sources: readonly string[] };
    const ignoreList = [...map.sources.keys()].filter((i) => system.has(resolve(folder, map.sources[i]!)));
    return { code: find(".js"), map: JSON.stringify({ ...map, ignoreList }), folder, libraries };
  } catch (error) {
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    if (first !== undefined) throw withImporter(buildErrorOf(first, folder), libraries);
    throw (await builder.whyEnded(error, { file, line: 1, column: 1 })) ?? error;
  }
}

function buildErrorOf(message: Message, folder: string): GuestBuildError {
  const { location } = message;
  if (location === null) return new GuestBuildError(message.text);
  const place = { file: resolve(folder, location.file), line: location.line, column: location.column + 1 };
  return new GuestBuildError(message.text, place);
}
