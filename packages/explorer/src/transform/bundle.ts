/**
 * The program under test as one module, made by esbuild of compiled modules: with replacements and edits
 * applied, and a map that leads through the modules' own maps to their sources.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import remapping from "@jridgewell/remapping";
import { type BuildFailure, build, type Plugin } from "esbuild";
import MagicString from "magic-string";
import { type Edit, EditError, type ProgramOptions, TransformError } from "./program.js";

export interface Bundle {
  readonly code: string;
  /** JSON; its sources are relative to `root`. */
  readonly map: string;
  readonly root: string;
}

/** Throws EditError and TransformError. */
export async function bundle(options: ProgramOptions): Promise<Bundle> {
  const entry = resolve(options.entry);
  const root = options.root === undefined ? repositoryOf(entry) : resolve(options.root);
  const used = new Set<string>();
  const edited = new Map<Edit, string>();
  try {
    const result = await build({
      entryPoints: [entry],
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
      logLevel: "silent",
      plugins: [replacing(options.replacements, used), editing(options.edits, edited)],
    });
    for (const module of Object.keys(options.replacements))
      if (!used.has(module))
        throw new TransformError(
          `nothing is replaced by ${options.replacements[module]}: no module of the program ends in ${module}`,
        );
    for (const { module } of options.edits.filter((edit) => !edited.has(edit)))
      throw new EditError(`no module of the program ends in ${module}: correct the edit's module`);
    const find = (end: string) => result.outputFiles.find(({ path }) => path.endsWith(end))!.text;
    return { code: find(".js"), map: find(".js.map"), root };
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

function editing(edits: readonly Edit[], edited: Map<Edit, string>): Plugin {
  return {
    name: "edits",
    setup(hooks) {
      hooks.onLoad({ filter: /\.[cm]?js$/ }, async ({ path }) => {
        const own = edits.filter(({ module }) => endsIn(path, module));
        if (own.length === 0) return undefined;
        for (const edit of own) {
          const other = edited.get(edit);
          if (other !== undefined)
            throw new EditError(
              `${edit.module} is the end of two modules, ${other} and ${path}: write more of it`,
            );
          edited.set(edit, path);
        }
        return { contents: await applyTo(path, own), loader: "js" };
      });
    },
  };
}

/** The module's text with the edits, and an inline map to the sources. */
async function applyTo(path: string, edits: readonly Edit[]): Promise<string> {
  const text = await readFile(path, "utf8");
  const out = new MagicString(text);
  let last = { end: 0, find: "" };
  for (const { at, end, edit } of placesOf(edits, text)) {
    if (at < last.end)
      throw new EditError(
        `${edit.module}: two edits overlap, make them one: ${quoted(last.find, edit.find)}`,
      );
    out.update(at, end, edit.replace);
    last = { end, find: edit.find };
  }
  const comment = /^\/\/# sourceMappingURL=.*$/m.exec(text);
  if (comment !== null) out.remove(comment.index, comment.index + comment[0].length);
  const ownMap = out.generateMap({ hires: "boundary", source: path }).toString();
  const moduleMap = await readFile(`${path}.map`, "utf8").catch(() => null);
  const map = remapping(ownMap, (file) => (file === path ? moduleMap : null));
  const inline = Buffer.from(map.toString()).toString("base64");
  return `${out.toString()}\n//# sourceMappingURL=data:application/json;base64,${inline}\n`;
}

/** In the order of the text. */
function placesOf(edits: readonly Edit[], text: string): { at: number; end: number; edit: Edit }[] {
  const places = edits.map((edit) => {
    const at = text.indexOf(edit.find);
    const times = at < 0 ? "does not occur" : "occurs more than once";
    if (at < 0 || text.indexOf(edit.find, at + 1) >= 0)
      throw new EditError(
        `${edit.module}: the text of the edit ${times} in the compiled module, adapt it: ${quoted(edit.find)}`,
      );
    return { at, end: at + edit.find.length, edit };
  });
  return places.sort((one, other) => one.at - other.at);
}

function quoted(...texts: readonly string[]): string {
  return texts.map((text) => JSON.stringify(text)).join(", ");
}
