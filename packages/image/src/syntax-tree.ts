/**
 * The syntax tree of a bundle: nodes, their children and parents, in source order.
 *
 * Nobody who walks over the tree calls himself: a chain of a hundred thousand `+` is as deep. The fields of nodes are
 * searched for children once: most of a build's time would go there.
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
  /** Every node, children before their parents. */
  readonly nodes: readonly Tree[];
  readonly parents: ReadonlyMap<Tree, Tree>;
  /** Of each node that has any the nodes right below it: see `childrenOf`. */
  readonly children: ReadonlyMap<Tree, readonly Tree[]>;
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
    onComment: comments,
    onToken: (token) => {
      if (token.type === tokTypes.arrow) arrows.push(token.end);
    },
  });
  const nodes: Tree[] = [];
  const parents = new Map<Tree, Tree>();
  const children = new Map<Tree, readonly Tree[]>();
  const names = new Set<string>();
  const rest: Tree[] = [root as unknown as Tree];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    nodes.push(node);
    if (node.type === "Identifier" || node.type === "PrivateIdentifier") names.add(node.name);
    const below = nodesBelow(node);
    if (below.length === 0) continue;
    children.set(node, below);
    for (const child of below) {
      parents.set(child, node);
      rest.push(child);
    }
  }
  // Parents were met before their children, the last child first.
  nodes.reverse();
  return { code, root: root as unknown as Tree, comments, arrows, nodes, parents, children, names };
}

const NONE: readonly Tree[] = Object.freeze([]);

/** The nodes right below a node. A shorthand property `{a}` has its one identifier once, as the value. */
export function childrenOf(bundle: Bundle, node: Tree): readonly Tree[] {
  return bundle.children.get(node) ?? NONE;
}

/** A node and every node below it, parents before their children. */
export function within(bundle: Bundle, root: Tree): Tree[] {
  const found: Tree[] = [root];
  for (let i = 0; i < found.length; i++) found.push(...childrenOf(bundle, found[i]!));
  return found;
}

function nodesBelow(node: Tree): Tree[] {
  const below: Tree[] = [];
  for (const field in node) {
    if (field === "key" && node.shorthand === true) continue;
    const value: unknown = node[field];
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) below.push(item);
    } else if (isNode(value)) below.push(value);
  }
  return below;
}

function isNode(value: unknown): value is Tree {
  return (
    typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string"
  );
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
