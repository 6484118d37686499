/**
 * From a bundle to an image: check what is in it, put the preemption checks in, and wrap it up as one function
 * expression. Needs a stack as deep as the code is nested, for acorn; whoever has none gets a RangeError.
 */
import { Session } from "node:inspector";
import { resolve } from "node:path";
import vm from "node:vm";
import type { Image } from "@capos/abi";
import remapping from "@jridgewell/remapping";
import { isIgnored, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { getLineInfo } from "acorn";
import type MagicString from "magic-string";
import { GuestBuildError, type Place } from "./build-error.js";
import type { BundledSource } from "./bundler.js";
import { firstSlip } from "./forgotten.js";
import { instrument } from "./instrument.js";
import { TOO_DEEP, tooDeepNode } from "./nesting.js";
import { firstRejected } from "./rejected-text.js";
import { firstOffence, type Offence } from "./restrictions.js";
import { resolve as resolveNames } from "./scope.js";
import { type Bundle, parseBundle, type Tree } from "./syntax-tree.js";
import { type Twinned, withTwins } from "./twins.js";
import { Values } from "./values.js";
import { yieldingGenerators } from "./yielding.js";

/** What an image is made from. */
export interface Ingredients {
  readonly source: BundledSource;
  /** The guest's file by an absolute path, for what is wrong nowhere in particular. */
  readonly entryFile: string;
  readonly name: string;
}

/** An image; null if its bundle has `const {a, ...rest} = text`, which lists properties where no check can be put. */
export function makeImage({ source, entryFile, name }: Ingredients): Image | null {
  const bundle = parse(source, entryFile);
  const fail = (offence: Offence): never => {
    throw new GuestBuildError(
      offence.reason,
      placeOf(getLineInfo(source.code, offence.node.start), source, entryFile),
    );
  };

  const tooDeep = tooDeepNode(bundle);
  if (tooDeep !== null) fail({ node: tooDeep, reason: TOO_DEEP });
  if (hasObjectRest(bundle)) return null;
  const offence = firstOffence(bundle);
  if (offence !== null) fail(offence);
  const main = defaultExportOf(bundle);
  if (main === null) {
    const reason = "no default export: a guest has `export default function* main(sys) { ... }`";
    throw new GuestBuildError(reason, { file: entryFile, line: 1, column: 1 });
  }
  const bindings = resolveNames(bundle);
  const isOwn = ownership(bundle, source);
  const values = new Values(bundle, bindings);
  const slip = firstSlip(bundle, values, main, isOwn);
  if (slip !== null) return fail(slip);
  const yielding = yieldingGenerators(bundle, bindings, new Set());
  const twinned = withTwins(bundle, bindings, values, yielding, isOwn);
  const whole: BundledSource =
    twinned === null ? source : { ...source, code: twinned.code, map: mapOf(twinned.map, source.map) };
  return finish(twinned === null ? bundle : parse(whole, entryFile), whole, twinned, { entryFile, name });
}

/** Puts the checks in. */
function finish(
  bundle: Bundle,
  source: BundledSource,
  twinned: Twinned | null,
  { entryFile, name }: Omit<Ingredients, "source">,
): Image {
  const instrumented = instrument(bundle, defaultExportOf(bundle)!, ownership(bundle, source), twinned);
  if (instrumented.offence !== null) {
    const { node, reason } = instrumented.offence;
    throw new GuestBuildError(reason, placeOf(getLineInfo(source.code, node.start), source, entryFile));
  }
  const image = imageOf(name, instrumented.out, source);
  checkCode(image, entryFile);
  return image;
}

/** An image whose map is made for who asks first: most guests end without a fault, and a map takes long. */
function imageOf(name: string, out: MagicString, source: BundledSource): Image {
  let map: string | null = null;
  return {
    name,
    code: out.toString(),
    get map() {
      map ??= composed(out.generateMap({ hires: "boundary", source: "bundle.js" }).toString(), source);
      return map;
    },
  };
}

/** A map, and the one that goes on from it. */
function mapOf(first: string, second: string): string {
  return remapping([first, second], () => null).toString();
}

/** Tells a node of the guest's own code in a bundle from one of the system's side. */
function ownership(bundle: Bundle, source: BundledSource): (node: Tree) => boolean {
  const map = new TraceMap(source.map);
  const lines: number[] = [0];
  for (let at = bundle.code.indexOf("\n"); at >= 0; at = bundle.code.indexOf("\n", at + 1))
    lines.push(at + 1);
  return ({ start }) => {
    let line = 0;
    for (let step = 2 ** 24; step >= 1; step /= 2) if (lines[line + step]! <= start) line += step;
    const found = originalPositionFor(map, { line: line + 1, column: start - lines[line]! });
    return found.source !== null && !isIgnored(map, found.source);
  };
}

/** Parses a bundle. What esbuild took and acorn does not is the guest's mistake all the same. */
function parse(source: BundledSource, entryFile: string): Bundle {
  try {
    return parseBundle(source.code);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // So acorn calls the end of the stack.
    if (error.message.startsWith("Not enough stack space")) throw new RangeError(error.message);
    const { loc, message } = error as SyntaxError & { readonly loc?: { line: number; column: number } };
    const reason = message.replace(/ \(\d+:\d+\)$/, "");
    throw new GuestBuildError(reason, placeOf(loc ?? { line: 1, column: 0 }, source, entryFile));
  }
}

function hasObjectRest(bundle: Bundle): boolean {
  for (const node of bundle.nodes) {
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

/** Where in the guest's files a place in the bundle came from: the begin of its entry file if from nowhere. */
function placeOf(
  start: { readonly line: number; readonly column: number },
  source: Pick<BundledSource, "map" | "folder">,
  entryFile: string,
): Place {
  const found = originalPositionFor(new TraceMap(source.map), start);
  if (found.source === null) return { file: entryFile, line: 1, column: 1 };
  return { file: resolve(source.folder, found.source), line: found.line, column: found.column + 1 };
}

/** The map from the image through the bundle to the guest's files, these by absolute path. */
function composed(ownMap: string, source: BundledSource): string {
  const map = remapping([ownMap, source.map], () => null);
  map.sources = map.sources.map((path) => (path === null ? null : resolve(source.folder, path)));
  map.file = null;
  return map.toString();
}

/** What was made must be what V8 and the kernel take. */
function checkCode(image: Image, entryFile: string): void {
  const { code } = image;
  const rejected = firstRejected(code);
  if (rejected !== null) {
    const before = code.slice(0, rejected.index).split("\n");
    const start = { line: before.length, column: before.at(-1)!.length };
    const reason = `a name that ends in "${rejected.text}" cannot be called in a guest: rename it`;
    throw new GuestBuildError(reason, placeOf(start, { ...image, folder: "/" }, entryFile));
  }
  try {
    new vm.Script(code);
  } catch (error) {
    // A rule of the language that only V8 holds, or newer syntax of regular expressions than its own.
    if (!(error instanceof SyntaxError)) throw error;
    throw new GuestBuildError(
      error.message,
      placeOf(startOfError(code), { ...image, folder: "/" }, entryFile),
    );
  }
}

/** Where V8 finds a mistake in code that has one. Its errors do not say; what it tells a debugger does. */
function startOfError(code: string): { line: number; column: number } {
  const session = new Session();
  session.connect();
  let start = { line: 1, column: 0 };
  try {
    // Answered before `post` returns: the session is of this thread.
    session.post("Runtime.enable");
    session.post(
      "Runtime.compileScript",
      { expression: code, sourceURL: "", persistScript: false },
      (_error, answer) => {
        const details = answer?.exceptionDetails;
        if (details !== undefined) start = { line: details.lineNumber + 1, column: details.columnNumber };
      },
    );
  } finally {
    session.disconnect();
  }
  return start;
}
