/**
 * A guest and the guests that it imports as images, and those that these import.
 *
 * Each is a bundle of its own. In the place of an imported image stands a marker, which libos reads: the number of the image, and the
 * numbers of all that it may start in turn. Numbers count what the importing guest can come to, from its own imports on, each file
 * once: so a guest that starts another gives it just that one's images, in the order in which that one numbers them. Which number a
 * file has is known when all have been read, so who imports images is bundled once more then.
 */
import { basename } from "node:path";
import { GuestBuildError } from "./build-error.js";
import { type BundledSource, bundle } from "./bundler.js";
import type { Entry } from "./sources.js";

/** How many images a guest may come to. */
export const MAX_ASSETS = 64;

/** A guest's files as one module. */
export interface BundledProgram {
  readonly entry: Entry;
  readonly source: BundledSource;
  /** The same without an object's rest. */
  lowered(): Promise<BundledSource>;
}

export interface BundledPrograms {
  readonly entry: BundledProgram;
  /** All that it can come to, as its markers number them. */
  readonly assets: readonly BundledProgram[];
}

/** A guest that was read: the files that it imports as images, in an order that is always the same. */
interface Read {
  readonly source: BundledSource;
  readonly imports: readonly string[];
}

/**
 * Reads and bundles a guest and all that it imports as images.
 * @throws GuestBuildError with the place in the file that is wrong, whichever it is; the signal's reason
 */
export async function programsOf(entry: Entry, signal: AbortSignal | undefined): Promise<BundledPrograms> {
  const reads = new Map<string, Read>();
  const waiting = [entry.file];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reads.has(file)) continue;
    if (reads.size > MAX_ASSETS)
      throw new GuestBuildError(`more than ${MAX_ASSETS} images are imported, by it and by those`, {
        ...{ file: entry.file, line: 1, column: 1 },
      });
    const files = new Set<string>();
    const of = { file, root: entry.root };
    const source = await bundle(of, false, {
      assets: { files, moduleOf: (asset) => markerModule(asset, 0, []) },
      signal,
    });
    // esbuild meets them in whatever order.
    const imports = [...files].sort();
    reads.set(file, { source, imports });
    waiting.push(...imports);
  }
  const bundled = async (file: string): Promise<BundledProgram> => {
    const of = { file, root: entry.root };
    const { source, imports } = reads.get(file)!;
    const again = (lower: boolean) =>
      bundle(of, lower, {
        assets: { files: new Set(), moduleOf: (asset) => markerOf(asset, file, reads) },
        signal,
      });
    return {
      entry: of,
      source: imports.length === 0 ? source : await again(false),
      lowered: () => again(true),
    };
  };
  const assets: BundledProgram[] = [];
  for (const file of reachedFrom(entry.file, reads)) assets.push(await bundled(file));
  return { entry: await bundled(entry.file), assets };
}

/** The files that one can come to by imports, nearest first: itself among them if there is a way back. */
function reachedFrom(file: string, reads: ReadonlyMap<string, Read>): string[] {
  const reached = new Set(reads.get(file)!.imports);
  // A set gives what is added while it is walked.
  for (const one of reached) for (const next of reads.get(one)!.imports) reached.add(next);
  return [...reached];
}

function markerOf(asset: string, importer: string, reads: ReadonlyMap<string, Read>): string {
  const numbered = reachedFrom(importer, reads);
  const own = reachedFrom(asset, reads).map((file) => numbered.indexOf(file));
  return markerModule(asset, numbered.indexOf(asset), own);
}

/** As libos reads it. */
function markerModule(asset: string, index: number, assets: readonly number[]): string {
  return `export default ${JSON.stringify({ image: basename(asset), index, assets })};`;
}
