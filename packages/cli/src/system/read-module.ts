/**
 * Reads a system's description from a module, whose code is run.
 *
 * What is said where is known by the objects themselves: each literal of the module's notes what it has made. So a setting is
 * found in the source also where the description is put together of parts, or by functions.
 */
import { realpathSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { visible } from "@capos/abi";
import { reasonOf } from "@capos/explorer/reason";
import { UsageError } from "@capos/machine/errors";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { type Node, parse } from "acorn";
import { full } from "acorn-walk";
import type { BuildFailure } from "esbuild";
import MagicString from "magic-string";
import { type Path, type Reading, titled, type Wrong } from "./mistake.js";

/** Any node, its fields read by name. */
interface Tree extends Node {
  // biome-ignore lint/suspicious/noExplicitAny: the field's type depends on the node's
  readonly [field: string]: any;
}

/** A literal of an object or a list. */
interface Literal {
  readonly node: Tree;
  /** What stands in it, by name or number. */
  readonly entries: ReadonlyMap<string, Tree>;
  /** What is spread into it, if that is one thing: where what is not in `entries` came from. */
  readonly spread: Tree | null;
}

/** The module as it is run. */
interface Marked {
  readonly code: string;
  readonly map: string;
  readonly literals: readonly Literal[];
  /** What is exported by this name: the literals' numbers by what they made. */
  readonly madeBy: string;
  /** What is made the default export, if that can be seen. */
  readonly exported: Tree | null;
}

/** @throws UsageError: one line with the place of what cannot be built, or was thrown */
export async function readModule(file: string): Promise<Reading> {
  const bundle = await bundled(file);
  const sources = new Sources(file, bundle.map);
  const marked = mark(bundle.code);
  const url = `data:text/javascript;base64,${Buffer.from(marked.code).toString("base64")}`;
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(url);
  } catch (error) {
    const thrown = placeInStack(error, url);
    const own = thrown === null ? null : originalPositionFor(new TraceMap(marked.map), thrown);
    const place = own === null || own.line === null ? file : sources.place(own);
    throw new UsageError(visible(`${place}: ${reasonOf(error)}`));
  }
  const madeBy = module[marked.madeBy] as WeakMap<object, number>;
  const literalOf = (value: unknown): Literal | undefined =>
    isObject(value) ? marked.literals[madeBy.get(value) ?? -1] : undefined;
  const wrong: Wrong = (path, what) => {
    const { node, isExact } = find(module.default, path, literalOf);
    const at = node ?? marked.exported;
    const place = at === null ? file : sources.place(at.loc!.start);
    return new UsageError(visible(`${place}: ${titled(path, isExact ? "" : " (computed here)")}${what}`));
  };
  return { value: module.default, wrong };
}

async function bundled(file: string): Promise<{ code: string; map: string }> {
  const { build } = await import("esbuild");
  try {
    const { outputFiles } = await build({
      entryPoints: [resolve(file)],
      ...({ bundle: true, write: false, format: "esm", platform: "node", logLevel: "silent" } as const),
      // Nothing is written: what the map's sources are relative to.
      ...({ sourcemap: "external", sourcesContent: false, outfile: resolve("module.js") } as const),
      plugins: [
        {
          name: "capos",
          setup(hooks) {
            hooks.onResolve({ filter: /^capos$/ }, () => ({ path: "capos", namespace: "capos" }));
            hooks.onLoad({ filter: /.*/, namespace: "capos" }, () => ({
              contents: "export const system = (description) => description;",
            }));
          },
        },
      ],
    });
    const textOf = (end: string): string => outputFiles.find(({ path }) => path.endsWith(end))!.text;
    return { code: textOf(".js"), map: textOf(".map") };
  } catch (error) {
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    if (first === undefined) throw new UsageError(visible(`${file}: ${reasonOf(error)}`));
    const { location } = first;
    const place =
      location === null
        ? file
        : `${named(file, resolve(location.file))}:${location.line}:${location.column + 1}`;
    throw new UsageError(visible(`${place}: ${first.text}`));
  }
}

/** Has each literal of a module note what it makes. */
function mark(code: string): Marked {
  const tree = parse(code, { ecmaVersion: "latest", sourceType: "module", locations: true }) as Tree;
  const text = new MagicString(code);
  const prefix = unusedName(code);
  const literals: Literal[] = [];
  full(tree, (node: Tree) => {
    if (node.type !== "ObjectExpression" && node.type !== "ArrayExpression") return;
    text.appendLeft(node.start, `${prefix}note(`);
    text.prependRight(node.end, `, ${literals.length})`);
    literals.push(literalAt(node));
  });
  const madeBy = `${prefix}made`;
  text.prepend(
    `const ${madeBy} = new WeakMap(), ${prefix}note = (made, by) => (${madeBy}.set(made, by), made);`,
  );
  text.append(`\nexport { ${madeBy} };\n`);
  const map = text.generateMap({ hires: true }).toString();
  return { code: text.toString(), map, literals, madeBy, exported: exportedBy(tree) };
}

/** The begin of names that no code has. */
function unusedName(code: string): string {
  let name = "capos_";
  while (code.includes(name)) name += "_";
  return name;
}

function literalAt(node: Tree): Literal {
  const parts: readonly (Tree | null)[] = node.properties ?? node.elements;
  const spreads = parts.filter((part) => part?.type === "SpreadElement");
  const entries = new Map<string, Tree>();
  for (const [i, part] of parts.entries()) {
    // What stands behind it in a list has no number that can be seen.
    if (part?.type === "SpreadElement" && node.type === "ArrayExpression") break;
    if (part === null || part.type === "SpreadElement") continue;
    if (node.type === "ArrayExpression") entries.set(`${i}`, part);
    else if (part.kind === "init" && (!part.computed || part.key.type === "Literal"))
      entries.set(String(part.key.name ?? part.key.value), part.value);
  }
  return { node, entries, spread: spreads.length === 1 ? spreads[0]! : null };
}

/** What a bundle's default export is made by. */
function exportedBy(tree: Tree): Tree | null {
  const body = tree.body as readonly Tree[];
  const name = body
    .flatMap(({ type, specifiers }) => (type === "ExportNamedDeclaration" ? (specifiers as Tree[]) : []))
    .find(({ exported }) => exported.name === "default")?.local.name;
  const declared = body.flatMap(({ type, declarations }) =>
    type === "VariableDeclaration" ? (declarations as Tree[]) : [],
  );
  return declared.find(({ id }) => id.name === name)?.init ?? null;
}

/**
 * Where a setting stands; else what comes nearest to it on the way there, and whether it is made by the code there. Null if there
 * is nothing on the way.
 */
function find(
  description: unknown,
  path: Path,
  literalOf: (value: unknown) => Literal | undefined,
): { readonly node: Tree | null; readonly isExact: boolean } {
  let value = description;
  let literal = literalOf(value);
  let node = literal?.node ?? null;
  let isExact = literal !== undefined;
  for (const part of path) {
    const next = isObject(value) ? (value as Readonly<Record<string, unknown>>)[part] : undefined;
    const entry = literal?.entries.get(`${part}`);
    const made = literalOf(next);
    isExact = made !== undefined || (entry !== undefined && mayBe(entry, next));
    if (made !== undefined) node = made.node;
    else if (isExact) node = entry!;
    else node = literal?.spread ?? node;
    value = next;
    literal = made;
  }
  return { node, isExact };
}

/** Whether code may have made a value: it may have been put in its place later. */
function mayBe(code: Tree, value: unknown): boolean {
  return code.type !== "Literal" || code.value === value;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Where in a module what was thrown comes from: lines from 1, columns from 0. */
function placeInStack(error: unknown, url: string): { line: number; column: number } | null {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const at = stack.indexOf(`${url}:`);
  const found = at < 0 ? null : /^:(\d+):(\d+)/.exec(stack.slice(at + url.length));
  return found === null ? null : { line: Number(found[1]), column: Number(found[2]) - 1 };
}

/** The files that a bundle was made of. */
class Sources {
  readonly #map: TraceMap;

  constructor(
    private readonly file: string,
    map: string,
  ) {
    this.#map = new TraceMap(map);
  }

  /** The place in its file of one in the bundle: lines from 1, columns from 0. */
  place(at: { readonly line: number; readonly column: number }): string {
    const { source, line, column } = originalPositionFor(this.#map, at);
    return source === null ? this.file : `${named(this.file, resolve(source))}:${line}:${column + 1}`;
  }
}

/** A file of a description's as its user names that one. */
function named(description: string, file: string): string {
  const own = realpathSync(description);
  return file === own ? description : join(dirname(description), relative(dirname(own), file));
}
