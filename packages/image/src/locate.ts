/**
 * From places in an image's code back to the guest's own files, and the functions around them.
 */
import type { Image } from "@capos/abi";
import { isIgnored, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import type { Place } from "./build-error.js";
import { type Bundle, childrenOf, isFunction, parseBundle, type Tree } from "./syntax-tree.js";
import { withoutTwin } from "./twins.js";

/** A place in the guest's files. */
export interface Located extends Place {
  /** What the function around it is called; empty where it has no name, or there is none. */
  readonly functionName: string;
}

/**
 * The place in the guest's files of a place in its image, as a fault reports it. Lines and columns count
 * from 1, on both sides. Null for code that is not the guest's (checks, the bundler's helpers).
 */
export function locate(image: Image, line: number, column: number): Place | null {
  return placeIn(new TraceMap(image.map), line, column);
}

/**
 * Where the frames of a fault stand in the guest's own files, the innermost first: those of the system's side of the
 * guest are left out, unless there is nothing else.
 * @param places lines and columns in the image, in turn
 */
export function locateAll(image: Image, places: readonly number[]): Located[] {
  const map = new TraceMap(image.map);
  const own: Located[] = [];
  const foreign: Located[] = [];
  let functions: Functions | null = null;
  for (let i = 0; i + 1 < places.length; i += 2) {
    const place = placeIn(map, places[i]!, places[i + 1]!);
    if (place === null) continue;
    functions ??= new Functions(image.code);
    const located = { ...place, functionName: functions.nameAround(places[i]!, places[i + 1]!) };
    (isIgnored(map, place.file) ? foreign : own).push(located);
  }
  return own.length > 0 ? own : foreign;
}

function placeIn(map: TraceMap, line: number, column: number): Place | null {
  if (line < 1 || column < 1) return null;
  const found = originalPositionFor(map, { line, column: column - 1 });
  if (found.source === null) return null;
  return { file: found.source, line: found.line, column: found.column + 1 };
}

/** The functions of a code, by the places in them. */
class Functions {
  readonly #lineStarts: number[] = [0];
  readonly #bundle: Bundle | null;

  constructor(code: string) {
    for (let at = code.indexOf("\n"); at >= 0; at = code.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
    this.#bundle = parsed(code);
  }

  nameAround(line: number, column: number): string {
    const at = (this.#lineStarts[line - 1] ?? 0) + column - 1;
    let name = "";
    const bundle = this.#bundle;
    if (bundle === null) return "";
    let node: Tree | undefined = bundle.root;
    for (let parent: Tree | null = null; node !== undefined; ) {
      if (isFunction(node)) name = nameOf(node, parent);
      parent = node;
      node = childrenOf(bundle, node).find(({ start, end }) => start <= at && at < end);
    }
    return name;
  }
}

/** The tree of a code; null if it is nested too deep for this stack. */
function parsed(code: string): Bundle | null {
  try {
    return parseBundle(code);
  } catch {
    return null;
  }
}

function nameOf(node: Tree, parent: Tree | null): string {
  const named: Tree | null | undefined = node.id ?? (parent === null ? null : nameIn(parent));
  return typeof named?.name === "string" ? withoutTwin(named.name) : "";
}

/** Where a function's name stands in what it is the value of. */
function nameIn(parent: Tree): Tree | null {
  if (parent.type === "VariableDeclarator") return parent.id;
  if (parent.type === "AssignmentExpression") return parent.left;
  return parent.computed === true ? null : parent.key;
}
