/**
 * From a guest's file to its image: bundle, check what is in it, put the preemption checks in, and wrap
 * it up as one function expression.
 */
import { basename, resolve } from "node:path";
import type { Image } from "@capos/abi";
import remapping from "@jridgewell/remapping";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { parse } from "acorn";
import { GuestBuildError, type Place } from "./build-error.js";
import { type BundledSource, bundle as bundleFiles } from "./bundler.js";
import { instrument } from "./instrument.js";
import { firstRejected } from "./rejected-text.js";
import { firstOffence, type Offence } from "./restrictions.js";
import { type Bundle, LANGUAGE, parseBundle, postOrder, type Tree } from "./syntax-tree.js";

export interface ImageOptions {
  /** What the image is called in messages; the name of the file unless given. */
  readonly name?: string;
}

/**
 * Builds the image of a guest from its TypeScript or JavaScript file. Runs nothing of the guest.
 *
 * Throws `GuestBuildError` with one line for whoever wrote the guest.
 */
export async function buildImage(entryFile: string, options: ImageOptions = {}): Promise<Image> {
  let source = await bundleFiles(entryFile, false);
  let bundle = parseBundle(source.code);
  if (hasObjectRest(bundle)) {
    // `const {a, ...rest} = text` lists properties where no check can be put; esbuild spells it as a loop.
    source = await bundleFiles(entryFile, true);
    bundle = parseBundle(source.code);
  }
  const fail = (offence: Offence): never => {
    throw new GuestBuildError(offence.reason, placeOf(offence.node, source));
  };

  const offence = firstOffence(bundle);
  if (offence !== null) fail(offence);
  const main = defaultExportOf(bundle);
  if (main === null) {
    const place = { file: resolve(entryFile), line: 1, column: 1 };
    throw new GuestBuildError(
      "no default export: a guest has `export default function* main(sys) { ... }`",
      place,
    );
  }
  const instrumented = instrument(bundle, main);
  if (instrumented.offence !== null) return fail(instrumented.offence);

  const code = instrumented.out.toString();
  const ownMap = instrumented.out.generateMap({ hires: "boundary", source: "bundle.js" });
  const map = composed(ownMap.toString(), source);
  checkCode(code, map, entryFile);
  return { name: options.name ?? basename(entryFile), code, map };
}

function hasObjectRest(bundle: Bundle): boolean {
  for (const node of postOrder(bundle.root)) {
    if (node.type === "RestElement" && bundle.parents.get(node)!.type === "ObjectPattern") return true;
  }
  return false;
}

/** The local name of the default export. esbuild exports by one clause at the end. */
function defaultExportOf(bundle: Bundle): Tree | null {
  for (const statement of bundle.root.body as Tree[]) {
    if (statement.type !== "ExportNamedDeclaration") continue;
    for (const specifier of statement.specifiers as Tree[]) {
      if (specifier.exported.name === "default") return specifier.local;
    }
  }
  return null;
}

/** Where in the guest's files a node of the bundle came from. */
function placeOf(node: Tree, source: BundledSource): Place | null {
  const found = originalPositionFor(new TraceMap(source.map), node.loc!.start);
  if (found.source === null) return null;
  return { file: resolve(source.folder, found.source), line: found.line, column: found.column + 1 };
}

/** The map from the image through the bundle to the guest's files, these by absolute path. */
function composed(ownMap: string, source: BundledSource): string {
  const map = remapping([ownMap, source.map], () => null);
  map.sources = map.sources.map((path) => (path === null ? null : resolve(source.folder, path)));
  map.file = null;
  return map.toString();
}

/** What was made must be what the kernel takes; that it is not would be this builder's fault. */
function checkCode(code: string, map: string, entryFile: string): void {
  parse(code, { ecmaVersion: LANGUAGE, sourceType: "script" });
  const rejected = firstRejected(code);
  if (rejected === null) return;
  const before = code.slice(0, rejected.index).split("\n");
  const found = originalPositionFor(new TraceMap(map), {
    line: before.length,
    column: before.at(-1)!.length,
  });
  const place =
    found.source === null
      ? { file: resolve(entryFile), line: 1, column: 1 }
      : { file: found.source, line: found.line, column: found.column + 1 };
  throw new GuestBuildError(
    `a name that ends in "${rejected.text}" cannot be called in a guest: rename it`,
    place,
  );
}
