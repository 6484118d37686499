/**
 * The program under test as one module, made by esbuild of compiled modules: with replacements and edits
 * applied, and a map that leads through the modules' own maps to their sources.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import remapping from "@jridgewell/remapping";
import { type BuildFailure, build, type Plugin } from "esbuild";
import type MagicString from "magic-string";
import { ModuleTexts } from "./edits.js";
import { type Edit, type ProgramOptions, TransformError } from "./program.js";

/** A compiled module that can be edited: of no package from elsewhere. */
const OWN_MODULE = /^(?!.*node_modules\/).*\.[cm]?js$/;

type BundleOptions = Omit<ProgramOptions, "edits">;

export interface Bundle {
  readonly code: string;
  /** JSON; its sources are relative to `root`. */
  readonly map: string;
  readonly root: string;
  /** Paths of the compiled modules that have a part in it. */
  readonly modules: readonly string[];
}

/** The program as it is. Throws TransformError. */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  const { entries, root } = foldersOf(options);
  const used = new Set<string>();
  const made = await make({ entries, root, plugins: [replacing(options.replacements, used)] });
  for (const module of Object.keys(options.replacements))
    if (!used.has(module))
      throw new TransformError(
        `nothing is replaced by ${options.replacements[module]}: no module of the program ends in ${module}`,
      );
  return made;
}

/** The program with edits of what `original` was made from. Throws EditError and TransformError. */
export async function bundleEdited(
  options: BundleOptions,
  original: Bundle,
  edits: readonly Edit[],
): Promise<Bundle> {
  const { entries, root } = foldersOf(options);
  const texts = (await readModules(original)).edited(edits);
  return await make({ entries, root, plugins: [replacing(options.replacements, new Set()), editing(texts)] });
}

/** The texts of the modules that a program was made from, as far as something of them is in it. */
export async function readModules({ modules }: Bundle): Promise<ModuleTexts> {
  const texts = modules.map(async (path) => [path, await readFile(path, "utf8")] as const);
  return new ModuleTexts(new Map(await Promise.all(texts)));
}

function foldersOf(options: BundleOptions): { entries: string[]; root: string } {
  const entry = resolve(options.entry);
  const entries = [entry, ...(options.also ?? []).map((path) => resolve(path))];
  return { entries, root: options.root === undefined ? repositoryOf(entry) : resolve(options.root) };
}

async function make(options: { entries: string[]; root: string; plugins: Plugin[] }): Promise<Bundle> {
  const { entries, root, plugins } = options;
  const contents = entries.map((path) => `export * from ${JSON.stringify(path)};`).join("\n");
  try {
    const result = await build({
      stdin: { contents, resolveDir: root },
      absWorkingDir: root,
      // A name for the map's sources to be relative to: nothing is written.
      outfile: resolve(root, "program.js"),
      write: false,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "es2022",
      charset: "utf8",
      treeShaking: true,
      legalComments: "none",
      sourcemap: "external",
      sourcesContent: false,
      metafile: true,
      logLevel: "silent",
      plugins,
    });
    const find = (end: string) => result.outputFiles.find(({ path }) => path.endsWith(end))!.text;
    const inputs = Object.values(result.metafile.outputs).flatMap((output) => Object.entries(output.inputs));
    const modules = inputs
      .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && OWN_MODULE.test(path))
      .map(([path]) => resolve(root, path));
    return { code: find(".js"), map: find(".js.map"), root, modules };
  } catch (error) {
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    if (first === undefined) throw error;
    if (first.detail instanceof Error) throw first.detail;
    const place = first.location === null ? "" : `${first.location.file}:${first.location.line}: `;
    throw new TransformError(`${place}${first.text}`);
  }
}

/** The nearest folder above that is a repository's or a workspace's; else the file's own. */
function repositoryOf(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (["pnpm-workspace.yaml", ".git"].some((name) => existsSync(resolve(folder, name)))) return folder;
    if (dirname(folder) === folder) return dirname(file);
  }
}

function endsIn(path: string, module: string): boolean {
  return `/${path.replaceAll("\\", "/")}`.endsWith(`/${module.replace(/^\//, "")}`);
}

/** A replacement may import the module that it stands for. */
function replacing(replacements: ProgramOptions["replacements"], used: Set<string>): Plugin {
  const list = Object.entries(replacements).map(([module, by]) => ({ module, by: resolve(by) }));
  // A module of the program is imported by its file's name; of a package nobody knows where it leads. To ask about
  // each import costs as much as the bundle.
  const names = list.map(({ module }) => basename(module).replaceAll(".", "\\."));
  const filter = new RegExp(`^[^.]|(?:^|/)(?:${names.join("|")})$`);
  return {
    name: "replacements",
    setup(hooks) {
      hooks.onResolve({ filter }, async ({ path, pluginData, ...where }) => {
        if (pluginData === replacing || path.startsWith("node:")) return undefined;
        const found = await hooks.resolve(path, { ...where, pluginData: replacing });
        const match = list.find(({ module }) => endsIn(found.path, module));
        if (match === undefined || match.by === where.importer) return { ...found, pluginData: undefined };
        used.add(match.module);
        return { path: match.by };
      });
    },
  };
}

function editing(texts: ReadonlyMap<string, MagicString>): Plugin {
  return {
    name: "edits",
    setup(hooks) {
      hooks.onLoad({ filter: /\.[cm]?js$/ }, async ({ path }) => {
        const text = texts.get(path);
        return text === undefined ? undefined : { contents: await withMap(path, text), loader: "js" };
      });
    },
  };
}

/** An edited module's text with an inline map to the sources. */
async function withMap(path: string, text: MagicString): Promise<string> {
  const comment = /^\/\/# sourceMappingURL=.*$/m.exec(text.original);
  if (comment !== null) text.remove(comment.index, comment.index + comment[0].length);
  const ownMap = text.generateMap({ hires: "boundary", source: path }).toString();
  const moduleMap = await readFile(`${path}.map`, "utf8").catch(() => null);
  const map = remapping(ownMap, (file) => (file === path ? moduleMap : null));
  const inline = Buffer.from(map.toString()).toString("base64");
  return `${text.toString()}\n//# sourceMappingURL=data:application/json;base64,${inline}\n`;
}
