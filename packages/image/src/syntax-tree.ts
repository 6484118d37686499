/**
 * The syntax tree of a bundle: nodes, their children and parents, in source order.
 *
 * Nobody who walks over the tree calls himself: a chain of a hundred thousand `+` is as deep.
 */
import { type Comment, type Node, type Program, parse, tokTypes } from "acorn";

/** Any node, its fields read by name. (acorn's own union of all node types makes generic walks unreadable.) */
export interface Tree extends Node {
  // biome-ignore lint/suspicious/noExplicitAny: the field's type depends on the node's
  readonly [field: string]: any;
}

/** A parsed bundle. */
export interface Bundle {
  readonly code: string;
  readonly root: Tree;
  readonly comments: readonly Comment[];
  /** Where each `=>` ends, ascending. */
  readonly arrows: readonly number[];
  readonly parents: ReadonlyMap<Tree, Tree>;
  /** Every identifier and private name in the bundle. */
  readonly names: ReadonlySet<string>;
}

/** The newest language a bundle may be written in; newer syntax was lowered by the bundler. */
const LANGUAGE = 2022;

export function parseBundle(code: string): Bundle {
  const comments: Comment[] = [];
  const arrows: number[] = [];
  const root: Program = parse(code, {
    ecmaVersion: LANGUAGE,
    sourceType: "module",
    locations: true,
    onComment: comments,
    onToken: (token) => {
      if (token.type === tokTypes.arrow) arrows.push(token.end);
    },
  });
  const parents = new Map<Tree, Tree>();
  const names = new Set<string>();
  const rest: Tree[] = [root as unknown as Tree];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (node.type === "Identifier" || node.type === "PrivateIdentifier") names.add(node.name);
    for (const child of children(node)) {
      parents.set(child, node);
      rest.push(child);
    }
  }
  return { code, root: root as unknown as Tree, comments, arrows, parents, names };
}

/** The nodes right below a node. A shorthand property `{a}` has its one identifier once, as the value. */
export function* children(node: Tree): Generator<Tree> {
  for (const field in node) {
    if (field === "loc" || (field === "key" && node.shorthand === true)) continue;
    const value: unknown = node[field];
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item;
    } else if (isNode(value)) yield value;
  }
}

function isNode(value: unknown): value is Tree {
  return (
    typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string"
  );
}

/** Every node below and including one, children before their parents. */
export function* postOrder(root: Tree): Generator<Tree> {
  // The nodes from the root to where the walk is, and of each the children that are still to come.
  const path: Tree[] = [root];
  const rest: Iterator<Tree, unknown>[] = [children(root)];
  while (path.length > 0) {
    const { done, value } = rest.at(-1)!.next();
    if (done === true) {
      rest.pop();
      yield path.pop()!;
    } else {
      path.push(value);
      rest.push(children(value));
    }
  }
}

export function isFunction(node: Tree): boolean {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression"
  );
}

/** The innermost function around a node, or static block, which is as good as one; undefined at the top level. */
export function enclosingFunction(bundle: Bundle, node: Tree): Tree | undefined {
  let outer = bundle.parents.get(node);
  while (outer !== undefined && !isFunction(outer) && outer.type !== "StaticBlock")
    outer = bundle.parents.get(outer);
  return outer;
}

export const LOOPS: ReadonlySet<string> = Object.freeze(
  new Set(["ForStatement", "ForInStatement", "ForOfStatement", "WhileStatement", "DoWhileStatement"]),
);
