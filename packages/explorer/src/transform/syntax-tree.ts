/**
 * Syntax trees: nodes, their children, and makers of the nodes that the transformation adds. A node is never
 * changed: the transformed program is a new tree that shares what stayed the same.
 */
import type { Node } from "acorn";

/** Any node, its fields read by name. (acorn's own union of all node types makes generic walks unreadable.) */
export interface Tree {
  readonly type: string;
  /** Absent in nodes that the transformation made: they have no place in the source. */
  readonly loc?: Node["loc"];
  // biome-ignore lint/suspicious/noExplicitAny: the field's type depends on the node's
  readonly [field: string]: any;
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

export function isNode(value: unknown): value is Tree {
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

export function isClass(node: Tree): boolean {
  return node.type === "ClassDeclaration" || node.type === "ClassExpression";
}

export function isLoop(node: Tree): boolean {
  return /^(For|ForIn|ForOf|While|DoWhile)Statement$/.test(node.type);
}

/** A copy with the nodes below replaced. A statement may become several: in a block of their own where no list stands. */
export function mapChildren(node: Tree, replace: (child: Tree) => Tree | readonly Tree[]): Tree {
  const copy: Record<string, unknown> = {};
  for (const field in node) {
    const value: unknown = node[field];
    if (field === "loc") copy[field] = value;
    else if (Array.isArray(value))
      copy[field] = value.flatMap((item) => (isNode(item) ? replace(item) : [item]));
    else copy[field] = isNode(value) ? oneOf(replace(value)) : value;
  }
  return copy as Tree;
}

function oneOf(result: Tree | readonly Tree[]): Tree {
  if (isNode(result)) return result;
  return result.length === 1 ? result[0] : block(result);
}

/** A copy without places: a debugger shall find each line of the source once. */
export function withoutPlaces(node: Tree): Tree {
  const { loc: _, ...copy } = mapChildren(node, withoutPlaces);
  return copy as Tree;
}

export function identifier(name: string): Tree {
  return { type: "Identifier", name };
}

export function literal(value: number): Tree {
  return { type: "Literal", value, raw: String(value) };
}

export const undefinedValue: Tree = Object.freeze({
  type: "UnaryExpression",
  operator: "void",
  prefix: true,
  argument: literal(0),
});

export function member(object: Tree, property: Tree): Tree {
  return { type: "MemberExpression", object, property, computed: false, optional: false };
}

export function call(callee: Tree, args: readonly Tree[]): Tree {
  return { type: "CallExpression", callee, arguments: args, optional: false };
}

export function sequence(...expressions: readonly Tree[]): Tree {
  return { type: "SequenceExpression", expressions };
}

export function binary(left: Tree, operator: string, right: Tree): Tree {
  return { type: "BinaryExpression", left, operator, right };
}

export function logical(left: Tree, operator: string, right: Tree): Tree {
  return { type: "LogicalExpression", left, operator, right };
}

export function conditional(test: Tree, consequent: Tree, alternate: Tree): Tree {
  return { type: "ConditionalExpression", test, consequent, alternate };
}

export function assignment(left: Tree, right: Tree): Tree {
  return { type: "AssignmentExpression", operator: "=", left, right };
}

export function update(operator: string, prefix: boolean, argument: Tree): Tree {
  return { type: "UpdateExpression", operator, prefix, argument };
}

export function yielding(argument: Tree | null): Tree {
  return { type: "YieldExpression", argument, delegate: argument !== null };
}

export function statement(expression: Tree): Tree {
  return { type: "ExpressionStatement", expression };
}

export function block(body: readonly Tree[]): Tree {
  return { type: "BlockStatement", body };
}

export function returning(argument: Tree): Tree {
  return { type: "ReturnStatement", argument };
}

export function declaration(kind: "const" | "let", declarators: readonly [Tree, Tree | null][]): Tree {
  const declarations = declarators.map(([id, init]) => ({ type: "VariableDeclarator", id, init }));
  return { type: "VariableDeclaration", kind, declarations };
}
