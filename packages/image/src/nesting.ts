/**
 * How deep code may be nested.
 *
 * Whoever reads code goes down into it: esbuild, acorn, V8 in the core that runs it. Each has a stack, and each ends
 * differently where that ends: esbuild with its process, a core with the guest. So there are limits below all of theirs:
 * a rough one of text, before esbuild sees it, and a sharp one of the tree that V8 will have to go down into.
 */
import { type Bundle, childrenOf, type Tree } from "./syntax-tree.js";

/**
 * Brackets in brackets, and arrows after arrows, in a file; nodes in nodes of a bundle. V8 compiles about twice as many on
 * a core's stack of 2 MiB, whatever they are; esbuild takes seconds for as many that each declare the same name.
 */
const MAX_DEPTH = 1000;
/** Words and operators of one expression or statement. esbuild's stack ends at 300,000 that are each inside of the one before. */
const MAX_PARTS = 250_000;
/** So much of a level is what costs V8 less: see `stepInto`. */
const LEVEL = 4;

/** What a user is told. */
export const TOO_DEEP = `nested more than ${MAX_DEPTH} levels deep: put parts of it into variables or functions of their own`;
const TOO_LONG = `more than ${MAX_PARTS} words and operators without a comma or semicolon: put parts of it into variables of their own`;

/** What is too much in a text, and where. */
export interface Excess {
  readonly index: number;
  readonly reason: string;
}

/**
 * The first place where a text opens too many brackets without closing them, or goes on for too long without a comma or
 * semicolon; null if there is none. Knows texts, templates and comments, and no grammar: it may miscount by a few where a
 * regular expression has quotes or brackets in it.
 */
export function excessOf(text: string): Excess | null {
  const open = new OpenBrackets();
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (/\s/.test(character)) continue;
    const start = i;
    if (character === "/" && text[i + 1] === "/") i = endAt(text.indexOf("\n", i), text);
    else if (character === "/" && text[i + 1] === "*") i = endAt(text.indexOf("*/", i + 2) + 1 || -1, text);
    else if (isWord(character)) {
      while (i + 1 < text.length && isWord(text[i + 1]!)) i++;
      open.part();
    } else if (character === "`" || (character === "}" && open.closesSubstitution())) {
      if (character === "}") open.close();
      i = endOfTemplatePart(text, i);
      if (text[i] === "{") open.open(true);
    } else if (character === "(" || character === "[" || character === "{") open.open(false);
    else if (character === ")" || character === "]" || character === "}") open.close();
    else if (character === "=" && text[i + 1] === ">") {
      open.arrow();
      i++;
    } else {
      open.endArrows();
      open.part();
      if (character === '"' || character === "'") i = endOfQuoted(text, i);
      // In a regular expression.
      else if (character === "\\") i++;
      else if (character === "," || (character === ";" && !/^\s*else\b/.test(text.slice(i + 1, i + 100))))
        open.separate();
    }
    if (open.depth > MAX_DEPTH) return { index: start, reason: TOO_DEEP };
    if (open.parts > MAX_PARTS) return { index: start, reason: TOO_LONG };
  }
  return null;
}

function isWord(character: string): boolean {
  return /[\w$\u0080-\uffff]/.test(character);
}

/** The brackets that are open at a place, and of each what stands in it since the last comma or semicolon. */
class OpenBrackets {
  /** Arrows behind one another. */
  readonly #arrows: number[] = [0];
  readonly #parts: number[] = [0];
  readonly #isSubstitution: boolean[] = [false];
  depth = 0;

  open(isSubstitution: boolean): void {
    this.#arrows.push(0);
    this.#parts.push(0);
    this.#isSubstitution.push(isSubstitution);
    this.depth++;
  }

  close(): void {
    this.endArrows();
    if (this.#arrows.length > 1) {
      this.#arrows.pop();
      this.#parts.pop();
      this.#isSubstitution.pop();
      this.depth--;
    }
    this.part();
  }

  closesSubstitution(): boolean {
    return this.#isSubstitution.at(-1)!;
  }

  /** Words, operators, and brackets with what is in them, in the innermost bracket. */
  get parts(): number {
    return this.#parts.at(-1)!;
  }

  part(): void {
    this.#parts[this.#parts.length - 1]!++;
  }

  separate(): void {
    this.#parts[this.#parts.length - 1] = 0;
  }

  /** `a => b => c`: what follows an arrow is inside of it. */
  arrow(): void {
    this.#arrows[this.#arrows.length - 1]!++;
    this.depth++;
  }

  endArrows(): void {
    const last = this.#arrows.length - 1;
    this.depth -= this.#arrows[last]!;
    this.#arrows[last] = 0;
  }
}

function endAt(found: number, text: string): number {
  return found < 0 ? text.length : found;
}

/** The closing quote, or the end of the line. */
function endOfQuoted(text: string, from: number): number {
  let i = from + 1;
  for (; i < text.length && text[i] !== text[from] && text[i] !== "\n"; i++) if (text[i] === "\\") i++;
  return i;
}

/** The backtick that ends a template, or the brace of a substitution. */
function endOfTemplatePart(text: string, from: number): number {
  let i = from + 1;
  for (; i < text.length && text[i] !== "`"; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "$" && text[i + 1] === "{") return i + 1;
  }
  return i;
}

/** The first node that is nested too deep, in no particular order; null if none is. */
export function tooDeepNode(bundle: Bundle): Tree | null {
  const nodes: Tree[] = [bundle.root];
  const depths: number[] = [0];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    const depth = depths.pop()!;
    if (depth > MAX_DEPTH * LEVEL) return node;
    for (const child of childrenOf(bundle, node)) {
      nodes.push(child);
      depths.push(depth + stepInto(node, child));
    }
  }
  return null;
}

/** How much deeper a child is than its parent. */
function stepInto(parent: Tree, child: Tree): number {
  switch (parent.type) {
    case "BinaryExpression":
    case "LogicalExpression":
      if (child !== parent.left) return LEVEL;
      // `a + b + c` is one operation of three for V8.
      return child.type === parent.type && child.operator === parent.operator && child.operator !== "**"
        ? 0
        : 1;
    case "ConditionalExpression":
    case "IfStatement":
      return child === parent.alternate ? 1 : LEVEL;
    case "MemberExpression":
      return child === parent.object ? 1 : LEVEL;
    case "CallExpression":
      return child === parent.callee ? 1 : LEVEL;
    // These are there with every object, class, or function.
    case "Property":
    case "PropertyDefinition":
    case "MethodDefinition":
    case "ClassBody":
    case "ReturnStatement":
    case "ExpressionStatement":
      return 0;
    default:
      return LEVEL;
  }
}
