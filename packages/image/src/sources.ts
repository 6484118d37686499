/**
 * A guest's files: which file an import names, and its text.
 *
 * The invariant: an image is made of files below the guest's root, of packages that it names, and of the guest side of this
 * installation, and nothing else has a say. So imports are resolved here and not by esbuild, which would ask the
 * `package.json` and `tsconfig.json` of every folder above; links are followed before it is decided what is below the root.
 * Where a package lies, and which file of it is meant, is asked of esbuild: that is as Node has it. A package's own files
 * are below its folder.
 */
import { constants } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { dirname, extname, isAbsolute, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type {
  Loader,
  OnLoadArgs,
  OnLoadResult,
  OnResolveArgs,
  OnResolveResult,
  PartialMessage,
  Plugin,
  PluginBuild,
} from "esbuild";
import { GuestBuildError, shown } from "./build-error.js";
import { excessOf } from "./nesting.js";
import { MAX_SOURCE_BYTES } from "./restrictions.js";

const LOADERS: Readonly<Record<string, Loader>> = Object.freeze({
  ".ts": "ts",
  ".mts": "ts",
  ".js": "js",
  ".mjs": "js",
  ".json": "json",
});
const ENTRIES: readonly string[] = Object.freeze([".ts", ".mts", ".js", ".mjs"]);
/** What stands in an import for a file of TypeScript that becomes it. */
const COMPILED: Readonly<Record<string, string>> = Object.freeze({ ".js": ".ts", ".mjs": ".mts" });

const SOURCE_MAP_COMMENT = /^\/\/# sourceMappingURL=.*$/m;

export const ALLOWED =
  "a guest may import relative files and capos/guest, and packages that need nothing of a host";

/** What a guest names for all of the system's, and where that is. */
const GUEST_MODULE = "capos/guest";
const GUEST_SIDE = "@capos/libos/guest";

/** A guest's entry file, and the folder that its files are in; both without links. */
export interface Entry {
  readonly file: string;
  readonly root: string;
}

/** What an import of a file as an image says of itself: `with { type: "image" }`. */
const IMAGE_TYPE = "image";
/** Where esbuild has the modules that stand for such files. */
const IMAGE_NAMESPACE = "image";

/** What the guest's files import as images. */
export interface Assets {
  /** Files, without links; filled as they are met. */
  readonly files: Set<string>;
  /** The module that stands for such a file. */
  moduleOf(file: string): string;
}

/** Bytes that are read of a file at once, at least. */
const MIN_CHUNK = 2 ** 12;

/** What is known of whoever imports. */
const enum Origin {
  GUEST = "guest",
  /** A file of `@capos/abi` or `@capos/libos`. */
  SYSTEM = "system",
  /** A file of a package of somebody's, which may import what lies in that package, and other packages. */
  LIBRARY = "library",
  /** Nobody: esbuild is asked where a package lies. */
  ASKED = "asked",
}

/** By the folders of packages: which import first led there. */
export type Libraries = Map<string, { readonly importer: string; readonly name: string }>;

/** The folder of the package that a file belongs to; null if it lies in none. */
function packageOf(file: string): string | null {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(file)?.[0] ?? null;
}

/** A mistake in a package's file says who imports that package, from the guest's own file on. */
export function withImporter(error: GuestBuildError, libraries: Libraries): GuestBuildError {
  const names: string[] = [];
  let file = error.place?.file ?? "";
  // A guest may lie in a package itself, and import that.
  const seen = new Set<string>();
  for (;;) {
    const folder = packageOf(file) ?? "";
    const led = libraries.get(folder);
    if (led === undefined || seen.has(folder)) break;
    seen.add(folder);
    names.unshift(`"${led.name}"`);
    file = led.importer;
  }
  if (names.length === 0) return error;
  return new GuestBuildError(
    `${error.reason} (${shown(file)} imports ${names.join(", which imports ")})`,
    error.place,
  );
}

/**
 * Finds a guest's entry file.
 * @param root the folder that its files are in; the entry file's own unless given
 * @throws GuestBuildError for what is no file of a guest's, or not below the root
 */
export async function findEntry(entryFile: string, root?: string): Promise<Entry> {
  const info = await stat(entryFile).catch((error: unknown) => {
    throw new GuestBuildError(`${entryFile}: ${whyNot(error)}`);
  });
  if (!info.isFile()) throw new GuestBuildError(`${entryFile}: not a file`);
  const file = await realpath(entryFile);
  for (const path of [entryFile, file]) {
    if (!ENTRIES.includes(extname(path)))
      throw new GuestBuildError(`${entryFile}: a guest is a file that ends in ${ENTRIES.join(", ")}`);
  }
  if (root === undefined) return { file, root: dirname(file) };
  const folder = await realpath(root).catch((error: unknown) => {
    throw new GuestBuildError(`root ${root}: ${whyNot(error)}`);
  });
  if (!(await stat(folder)).isDirectory()) throw new GuestBuildError(`root ${root}: not a folder`);
  if (!isBelow(folder, file)) throw new GuestBuildError(`${entryFile}: not below the root, ${root}`);
  return { file, root: folder };
}

/** Has esbuild take a guest's files from here. Adds the files of the system's that it reads to a set. */
export function guestSources(
  { file, root }: Entry,
  system: Set<string>,
  assets: Assets,
  libraries: Libraries,
): Plugin {
  return {
    name: "guest-sources",
    setup(hooks) {
      hooks.onResolve({ filter: /.*/ }, async (args) => {
        if (args.kind === "entry-point") return { path: file, pluginData: Origin.GUEST };
        if (args.pluginData === Origin.ASKED) return undefined;
        if (args.pluginData === Origin.SYSTEM) return resolveSystem(args);
        if (isOfPackage(args)) return resolvePackage(args, hooks, libraries);
        const own = args.pluginData === Origin.LIBRARY ? packageOf(args.importer) : null;
        const found = await resolveImport(args, own ?? root);
        return own === null || found.pluginData !== Origin.GUEST
          ? found
          : { ...found, pluginData: Origin.LIBRARY };
      });
      hooks.onLoad({ filter: /.*/, namespace: IMAGE_NAMESPACE }, ({ path }) => {
        assets.files.add(path);
        return { contents: assets.moduleOf(path), loader: "js" };
      });
      hooks.onLoad({ filter: /.*/ }, async (args) => {
        if (args.pluginData !== Origin.SYSTEM) return load(args);
        system.add(args.path);
        const loaded = await load(args);
        // A place in them is one of the file that is read, whatever that was compiled from.
        return { ...loaded, contents: String(loaded.contents ?? "").replace(SOURCE_MAP_COMMENT, "") };
      });
    },
  };
}

/** Imports of the guest side of the system name whole files, or each other. */
function resolveSystem({ path, resolveDir }: OnResolveArgs): OnResolveResult {
  const file = path.startsWith(".") ? resolve(resolveDir, path) : fileURLToPath(import.meta.resolve(path));
  return { path: file, sideEffects: false, pluginData: Origin.SYSTEM };
}

/** Whether an import names a package that is neither the system's nor Node's. */
function isOfPackage({ path, kind, with: attributes }: OnResolveArgs): boolean {
  const isBare = /^[^./#]/.test(path) && !path.includes(":") && !isBuiltin(path);
  return (
    isBare &&
    kind === "import-statement" &&
    attributes.type !== IMAGE_TYPE &&
    !/^(@capos|capos)(\/|$)/.test(path)
  );
}

/** A package lies where Node finds it from the file that imports it. */
async function resolvePackage(
  { path, importer, resolveDir }: OnResolveArgs,
  hooks: PluginBuild,
  libraries: Libraries,
): Promise<OnResolveResult> {
  const options = { importer, resolveDir, kind: "import-statement", pluginData: Origin.ASKED } as const;
  const found = await hooks.resolve(path, options);
  const folder = found.errors.length > 0 || found.external ? null : packageOf(found.path);
  if (folder === null) return refusal(`cannot import "${path}": no such package is installed; ${ALLOWED}`);
  if (!libraries.has(folder)) libraries.set(folder, { importer, name: path });
  return { path: found.path, sideEffects: found.sideEffects, pluginData: Origin.LIBRARY };
}

async function resolveImport(args: OnResolveArgs, root: string): Promise<OnResolveResult> {
  const { path, kind } = args;
  if (kind === "dynamic-import")
    return refusal(`import() does not work in a guest: ${ALLOWED}, at the top of a file`);
  if (kind !== "import-statement")
    return refusal(`require does not work in a guest: ${ALLOWED}, with import statements`);
  if (/^\.\.?(\/|$)/.test(path)) return resolveRelative(args, root);
  if (isImage(args))
    return refusal(`cannot import "${path}" as an image: the path of a guest's file begins with ./ or ../`);
  if (path === "@capos/image" || path === "capos")
    return refusal(`cannot import "${path}": it is for the host; ${ALLOWED}`);
  if (path !== GUEST_MODULE && !/^@capos\/(abi|libos)(\/|$)/.test(path))
    return refusal(`cannot import "${path}": ${ALLOWED}`);
  try {
    // By this file's place, so that a guest anywhere gets the packages that the kernel was built with.
    return {
      path: fileURLToPath(import.meta.resolve(path === GUEST_MODULE ? GUEST_SIDE : path)),
      sideEffects: false,
      pluginData: Origin.SYSTEM,
    };
  } catch {
    return refusal(`cannot import "${path}": there is no such module; ${ALLOWED}`);
  }
}

async function resolveRelative(args: OnResolveArgs, root: string): Promise<OnResolveResult> {
  const { path, resolveDir } = args;
  const problem = problemWithAttributes(args);
  if (problem !== null) return refusal(problem);
  const found = await findFile(resolve(resolveDir, path), !/(^|\/)(\.\.?)?$/.test(path));
  if (found !== null && isBelow(root, found) && isImage(args)) {
    if (!ENTRIES.includes(extname(found)))
      return refusal(
        `cannot import "${path}" as an image: a guest is a file that ends in ${ENTRIES.join(", ")}`,
      );
    return { path: found, namespace: IMAGE_NAMESPACE, sideEffects: false };
  }
  if (found !== null && isBelow(root, found)) return { path: found, pluginData: Origin.GUEST };
  // Of what is outside it is not said whether it is there.
  if (found !== null || !isBelow(root, resolve(resolveDir, path)))
    return refusal(
      `cannot import "${path}": a guest's files are below ${shown(root)}; --root names another folder`,
    );
  return refusal(`cannot import "${path}": there is no such file`);
}

/** Import attributes change how a file is read; here its name alone does. */
function problemWithAttributes(args: OnResolveArgs): string | null {
  if (isImage(args)) return null;
  const { path, with: attributes } = args;
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "type" && value === "json" && path.endsWith(".json")) continue;
    return `cannot import "${path}" with ${key} "${value}": there are type "image" for a guest's file, and type "json" for a .json file`;
  }
  return null;
}

function isImage({ with: attributes }: OnResolveArgs): boolean {
  return attributes.type === IMAGE_TYPE && Object.keys(attributes).length === 1;
}

/** The file that a path names, without links: itself, or with an extension, or the index of a folder. Null if none is. */
async function findFile(path: string, mayBeFile: boolean): Promise<string | null> {
  const extension = extname(path);
  const compiled = COMPILED[extension];
  const endings = Object.keys(LOADERS);
  const candidates = [
    ...(mayBeFile ? [path, ...endings.map((ending) => path + ending)] : []),
    ...(mayBeFile && compiled !== undefined ? [path.slice(0, -extension.length) + compiled] : []),
    ...endings.map((ending) => resolve(path, `index${ending}`)),
  ];
  for (const candidate of candidates) {
    try {
      const file = await realpath(candidate);
      if (!(await stat(file)).isDirectory()) return file;
    } catch {
      // The next one may be there.
    }
  }
  return null;
}

function isBelow(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

async function load({ path, pluginData }: OnLoadArgs): Promise<OnLoadResult> {
  const loader = LOADERS[extname(path)];
  if (loader === undefined)
    return {
      errors: [errorIn(path, `a guest imports files that end in ${Object.keys(LOADERS).join(", ")}`)],
    };
  const text = await read(path);
  if (typeof text !== "string") return { errors: [errorIn(path, text.reason)] };
  const excess = pluginData === Origin.SYSTEM ? null : excessOf(text);
  if (excess !== null) return { errors: [errorIn(path, excess.reason, text, excess.index)] };
  return {
    // A comment, for those who do not know a hashbang line; of the same length.
    contents: loader === "json" ? text : text.replace(/^#!/, "//"),
    loader,
    resolveDir: dirname(path),
    pluginData,
  };
}

/** A file's text, without a byte order mark; or why it has none. */
async function read(path: string): Promise<string | { readonly reason: string }> {
  try {
    const bytes = await readAtMost(path, MAX_SOURCE_BYTES + 1);
    if (bytes === null) return { reason: "not a file" };
    if (bytes.length > MAX_SOURCE_BYTES)
      return {
        reason: `larger than ${MAX_SOURCE_BYTES / 2 ** 20} MiB, which is the limit of a guest's file`,
      };
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    return { reason: error instanceof TypeError ? "not text in UTF-8" : whyNot(error) };
  }
}

/** The first bytes of a file; null for a pipe, a device, a folder. */
async function readAtMost(path: string, most: number): Promise<Buffer | null> {
  // Else to open a pipe is to wait for who writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const info = await file.stat();
    if (!info.isFile()) return null;
    const chunks: Buffer[] = [];
    // Its size is what it was a moment ago, and 0 for one that the system makes up: it ends where nothing is read.
    for (let rest = most; rest > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(rest, Math.max(info.size + 1, MIN_CHUNK)));
      const { bytesRead } = await file.read(chunk);
      if (bytesRead === 0) break;
      chunks.push(chunk.subarray(0, bytesRead));
      rest -= bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await file.close();
  }
}

/** What a system call's error says, for people. */
function whyNot(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return "there is no such file";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "ELOOP") return "links that lead in a circle";
  return code === undefined || code.startsWith("ERR_") ? "not a path of a file" : `cannot be read (${code})`;
}

function errorIn(file: string, text: string, contents = "", index = 0): PartialMessage {
  const before = contents.slice(0, index).split("\n");
  return { text, location: { file, line: before.length, column: Buffer.byteLength(before.at(-1)!) } };
}

/** esbuild adds the place of the import. */
function refusal(text: string): OnResolveResult {
  return { errors: [{ text }] };
}
