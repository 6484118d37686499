/**
 * Edits of a program's compiled modules: each names a function and a piece of its code, not a file and its lines, so
 * that it goes on meaning what it means when code moves and is formatted anew.
 *
 * Code is compared by tokens: white space and comments do not count. A const enum is compared by name, which the
 * compiler leaves in a comment behind the number: `0` with `Thread.STATE` behind it is `Thread.STATE`.
 */
import { type Comment, Parser, type Token, tokTypes } from "acorn";
import MagicString from "magic-string";
import { type Edit, EditError } from "./program.js";
import { Scopes } from "./scopes.js";
import { children, isClass, isFunction, type Tree } from "./syntax-tree.js";

/** A part of a module's text. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** A token as it is compared; the comment that names a const enum is part of it. */
interface Piece extends Range {
  readonly text: string;
}

interface Place extends Range {
  readonly module: ModuleText;
}

/** A function with a name of its own, as sites call it. What has none is part of the function around it. */
interface NamedFunction extends Place {
  readonly name: string;
}

const PARSING = { ecmaVersion: 2022, sourceType: "module" } as const;
const CONST_ENUM = /^ (\w+\.\w+) $/;
const CLOSING: ReadonlySet<string> = new Set([")", "]", "}"]);
/** Characters of code that a message quotes, and functions that it names. */
const MOST_QUOTED = 100;
const MOST_HINTS = 5;

/** The compiled modules of a program. */
export class ModuleTexts {
  private readonly modules: readonly ModuleText[];

  /** By path. */
  constructor(texts: ReadonlyMap<string, string>) {
    this.modules = [...texts].map(([path, text]) => new ModuleText(path, text));
  }

  /** The modules that the edits change, by path. Throws EditError. */
  edited(edits: readonly Edit[]): Map<string, MagicString> {
    const found = edits.map((edit) => ({ edit, ...this.placeOf(edit) }));
    found.sort((one, other) => one.start - other.start);
    const changed = new Map<ModuleText, MagicString>();
    const last = new Map<ModuleText, (typeof found)[number]>();
    for (const place of found) {
      const { edit, module, start, end } = place;
      const before = last.get(module);
      if (before !== undefined && start < before.end)
        throw new EditError(
          `${edit.function}: two edits overlap, make them one: ${quoted(before.edit.find)}, ${quoted(edit.find)}`,
        );
      last.set(module, place);
      const text = changed.get(module) ?? new MagicString(module.text);
      changed.set(module, text.update(start, end, this.withNumbers(edit, module)));
    }
    for (const [module, text] of changed) {
      const own = found.filter((place) => place.module === module).map(({ edit }) => edit);
      this.importWhatIsNew(module, text, own);
    }
    return new Map([...changed].map(([{ path }, text]) => [path, text]));
  }

  private placeOf(edit: Edit): Place {
    const wanted = piecesOf(edit.find, edit);
    if (wanted.length === 0) throw new EditError(`${edit.function}: an edit needs code to find`);
    const named = this.functionOf(edit, wanted);
    const [first, ...others] = named.module.placesIn(named, wanted);
    if (first !== undefined && others.length === 0) return { module: named.module, ...first };
    if (first !== undefined)
      throw new EditError(
        `${edit.function} has this code ${others.length + 1} times, write more of what is around the one: ${quoted(edit.find)}`,
      );
    throw new EditError(
      `${edit.function} (in ${shortPath(named.module)}) does not have this code, write what it has now: ${quoted(edit.find)}` +
        `${likeness(named, wanted, edit.find)}${this.elsewhere(wanted)}`,
    );
  }

  /** The one function of the name. */
  private functionOf({ function: name, find }: Edit, wanted: readonly Piece[]): NamedFunction {
    const named = this.functionsLike(name).filter((other) => other.name === name);
    if (named.length === 1) return named[0];
    if (named.length > 1)
      throw new EditError(
        `there are ${named.length} functions ${name}, rename all but one: in ${named.map(({ module }) => shortPath(module)).join(", ")}`,
      );
    const names = new Set(this.functionsLike(name).map((other) => other.name));
    const hint = names.size === 0 ? "" : `; there is ${[...names].slice(0, MOST_HINTS).join(", ")}`;
    throw new EditError(
      `the program has no function ${name}, name the one that has this code now: ${quoted(find)}${hint}${this.elsewhere(wanted)}`,
    );
  }

  /** Functions in whose names the last part of a name is. */
  private functionsLike(name: string): NamedFunction[] {
    const simple = name.slice(name.lastIndexOf(".") + 1);
    return this.modules
      .filter(({ text }) => text.includes(simple.replace("#", "")))
      .flatMap(({ functions }) => functions.filter((other) => other.name.includes(simple)));
  }

  /** For a message: the functions that have the code. */
  private elsewhere(wanted: readonly Piece[]): string {
    const functions = this.modules.flatMap((module) =>
      module.functions.filter((named) => module.placesIn(named, wanted).length > 0),
    );
    const names = functions.slice(0, MOST_HINTS).map(({ name }) => name);
    return names.length === 0 ? "" : `; it is in ${names.join(", ")}`;
  }

  /** The edit's new code with the values of its const enums, which the compiled program does not have by name. */
  private withNumbers(edit: Edit, module: ModuleText): string {
    const text = new MagicString(edit.replace);
    const pieces = piecesOf(edit.replace, edit);
    for (const [i, { text: name, start }] of pieces.entries()) {
      const [before, dot, member] = [pieces[i - 1]?.text, pieces[i + 1]?.text, pieces[i + 2]];
      if (before === "." || dot !== "." || member === undefined) continue;
      const full = `${name}.${member.text}`;
      const value = this.valueOf(full, module, edit);
      if (value !== undefined) text.update(start, member.end, `(${value} /* ${full} */)`);
    }
    return text.toString();
  }

  /** The number of a const enum's member; undefined for what is none, or is nowhere used. */
  private valueOf(name: string, module: ModuleText, edit: Edit): string | undefined {
    const own = module.valuesOf(name);
    const all = own.size > 0 ? own : new Set(this.modules.flatMap((other) => [...other.valuesOf(name)]));
    if (all.size > 1)
      throw new EditError(
        `${edit.function}: ${name} is ${[...all].join(" or ")}, write the number: ${quoted(edit.replace)}`,
      );
    return [...all][0];
  }

  /** What the new code uses and the module does not have comes from the module that exports it. */
  private importWhatIsNew(module: ModuleText, text: MagicString, edits: readonly Edit[]): void {
    const names = edits.map((edit) => edit.function).join(", ");
    const after = new ModuleText(module.path, text.toString());
    const before = module.unresolved;
    let unresolved: ReadonlySet<string>;
    try {
      unresolved = after.unresolved;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new EditError(`${names}: the code is none after the edits, correct them: ${error.message}`);
    }
    for (const name of unresolved) {
      if (before.has(name) || name in globalThis) continue;
      const exporters = this.modules.filter((other) => other.text.includes(name) && other.exports.has(name));
      if (exporters.length !== 1)
        throw new EditError(
          `${names}: the edit uses ${name}, which is not there and exported by ${exporters.length} modules of the program, write other code`,
        );
      text.prepend(`import { ${name} } from ${JSON.stringify(exporters[0].path)};`);
    }
  }
}

/** A compiled module; what is known of it is found out when it is needed. */
class ModuleText {
  private parsed: { readonly root: Tree; readonly pieces: readonly Piece[] } | null = null;
  private named: readonly NamedFunction[] | null = null;

  constructor(
    readonly path: string,
    readonly text: string,
  ) {}

  get pieces(): readonly Piece[] {
    return this.parse().pieces;
  }

  get functions(): readonly NamedFunction[] {
    this.named ??= [...namedFunctions(this.parse().root, null)].map((found) => ({ ...found, module: this }));
    return this.named;
  }

  /** Where a function has this code, outside the named functions in it. */
  placesIn(named: NamedFunction, wanted: readonly Piece[]): Range[] {
    const inner = this.functions.filter((other) => other !== named && isWithin(other, named));
    const own = this.pieces.filter((piece) => isWithin(piece, named));
    const places: Range[] = [];
    for (let at = 0; at + wanted.length <= own.length; at++) {
      if (commonLength(own, at, wanted) < wanted.length) continue;
      const place = { start: own[at].start, end: own[at + wanted.length - 1].end };
      if (!inner.some((other) => isWithin(place, other))) places.push(place);
    }
    return places;
  }

  /** Names that it exports under their own. */
  get exports(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const { type, declaration, specifiers, source } of this.parse().root.body as Tree[]) {
      if (type !== "ExportNamedDeclaration" || source != null) continue;
      for (const { local, exported } of specifiers) if (local.name === exported.name) names.add(local.name);
      for (const { id } of declaration?.declarations ?? [declaration]) if (id?.name) names.add(id.name);
    }
    return names;
  }

  /** Names that it uses and nothing in it declares. */
  get unresolved(): ReadonlySet<string> {
    return new Scopes(this.parse().root).globals;
  }

  /** The texts of the numbers that it has for a const enum's member. */
  valuesOf(name: string): Set<string> {
    const comment = ` /* ${name} */`;
    const values = new Set<string>();
    for (let at = this.text.indexOf(comment); at >= 0; at = this.text.indexOf(comment, at + 1))
      values.add(/(-?[\w.]+|"[^"]*")$/.exec(this.text.slice(0, at))?.[1] ?? "");
    return values;
  }

  private parse() {
    if (this.parsed !== null) return this.parsed;
    const tokens: Token[] = [];
    const comments: Comment[] = [];
    const options = { ...PARSING, ranges: true, onToken: tokens, onComment: comments };
    const root = Parser.parse(this.text, options) as unknown as Tree;
    this.parsed = { root, pieces: toPieces(this.text, tokens, comments) };
    return this.parsed;
  }
}

function* namedFunctions(node: Tree, className: string | null): Generator<Range & { readonly name: string }> {
  const value = (node.type === "VariableDeclarator" ? node.init : node.value) as Tree | null | undefined;
  const key = (node.type === "VariableDeclarator" ? node.id : node.key) as Tree | undefined;
  let name: string | null = null;
  if (node.type === "FunctionDeclaration" || node.type === "FunctionExpression") name = node.id?.name ?? null;
  else if (value != null && isFunction(value) && node.computed !== true && key !== undefined) {
    const own = key.type === "PrivateIdentifier" ? `#${key.name}` : String(key.name ?? key.value);
    name = className === null ? own : `${className}.${own}`;
  }
  const { start, end } = node as Tree & { start: number; end: number };
  if (name !== null) yield { name, start, end };
  const classBelow = isClass(node)
    ? (node.id?.name ?? "(class)")
    : node.type === "ClassBody"
      ? className
      : null;
  for (const child of children(node)) yield* namedFunctions(child, classBelow);
}

/** Of a fragment of code. */
function piecesOf(text: string, edit: Edit): Piece[] {
  const comments: Comment[] = [];
  try {
    const tokens = [...Parser.tokenizer(text, { ...PARSING, onComment: comments })];
    return toPieces(text, tokens, comments);
  } catch (error) {
    throw new EditError(
      `${edit.function}: this is no code, correct it: ${quoted(text)} (${(error as Error).message})`,
    );
  }
}

/** Tokens as they are compared. A comma before a closing bracket is the formatter's and does not count. */
function toPieces(text: string, tokens: readonly Token[], comments: readonly Comment[]): Piece[] {
  const enums = new Map<number, { parts: string[]; end: number }>();
  for (const { value, start, end } of comments) {
    const name = CONST_ENUM.exec(value)?.[1];
    if (name !== undefined) enums.set(start - 1, { parts: name.split("."), end });
  }
  const pieces: Piece[] = [];
  for (const { type, start, end } of tokens) {
    if (type === tokTypes.eof) continue;
    const own = text.slice(start, end);
    const constant = type === tokTypes.num || type === tokTypes.string ? enums.get(end) : undefined;
    if (CLOSING.has(own) && pieces.at(-1)?.text === ",") pieces.pop();
    if (constant === undefined) {
      pieces.push({ text: own, start, end });
      continue;
    }
    // The compiler writes a subtraction with spaces: this is the sign of a negative constant.
    const sign = pieces.at(-1);
    const isNegative = sign?.text === "-" && sign.end === start;
    if (isNegative) pieces.pop();
    const place = { start: isNegative ? sign.start : start, end: constant.end };
    const [name, member] = constant.parts as [string, string];
    pieces.push({ text: name, ...place }, { text: ".", ...place }, { text: member, ...place });
  }
  return pieces;
}

function isWithin(inner: Range, outer: Range): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

/** How many of the wanted pieces stand at a place, in turn. */
function commonLength(pieces: readonly Piece[], at: number, wanted: readonly Piece[]): number {
  let length = 0;
  while (length < wanted.length && pieces[at + length]?.text === wanted[length].text) length++;
  return length;
}

/** For a message: how far the function has the code, and what comes then. */
function likeness(named: NamedFunction, wanted: readonly Piece[], find: string): string {
  const { module, end } = named;
  const own = module.pieces.filter((piece) => isWithin(piece, named));
  const lengths = own.map((_, at) => commonLength(own, at, wanted));
  const longest = Math.max(0, ...lengths);
  const next = own[lengths.indexOf(longest) + longest];
  if (longest === 0 || next === undefined) return "";
  const begin = find.slice(wanted[0].start, wanted[longest - 1].end);
  return `; it has ${quoted(begin)}, and then ${quoted(module.text.slice(next.start, end))}`;
}

/** A module's name with the folder that it is in. */
function shortPath({ path }: ModuleText): string {
  return path.split(/[\\/]/).slice(-2).join("/");
}

/** Code on one line. */
function quoted(code: string): string {
  const line = code.trim().replace(/\s+/g, " ");
  return JSON.stringify(line.length > MOST_QUOTED ? `${line.slice(0, MOST_QUOTED)}...` : line);
}
