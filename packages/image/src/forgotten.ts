/**
 * Generators that are called where nothing can come of it: a `yield*` was forgotten, or its star.
 *
 * What the builder cannot see is seen at run time: see `notATrap` and `dropped` in engine/src/generator/clock.ts.
 */
import type { Offence } from "./restrictions.js";
import { type Bundle, enclosingFunction, type Tree } from "./syntax-tree.js";
import type { Value, Values } from "./values.js";

/**
 * The first slip with a generator: a default export that gives none, or one that is called in vain; null if there is none.
 *
 * @param defaultExport the local name of the default export
 * @param isOwn whether a node is of the guest's own code
 */
export function firstSlip(
  bundle: Bundle,
  values: Values,
  defaultExport: Tree,
  isOwn: (node: Tree) => boolean,
): Offence | null {
  const main = values.of(defaultExport);
  return (
    offenceOfMain(values, main) ??
    firstForgotten(bundle, values, main?.kind === "function" ? main.node : null, isOwn)
  );
}

const GENERATOR_MAIN = "a guest has `export default function* main(sys) { ... }`";

/** What is wrong with a default export that is seen to give no generator; null if it does, or may. */
function offenceOfMain(values: Values, main: Value): Offence | null {
  if (main === null || main.kind === "generator") return null;
  const { node } = main;
  if (main.kind !== "function")
    return { node, reason: `the default export is no generator function: ${GENERATOR_MAIN}` };
  return values.ofCall(node)?.kind === "other"
    ? { node, reason: `the default export is a function that gives no generator: ${GENERATOR_MAIN}` }
    : null;
}

/** The first call of a generator, in source order, whose result can only be of use under `yield*`; null if there is none. */
function firstForgotten(
  bundle: Bundle,
  values: Values,
  main: Tree | null,
  isOwn: (node: Tree) => boolean,
): Offence | null {
  let first: Offence | null = null;
  for (const node of bundle.nodes) {
    if (node.type !== "CallExpression" || (first !== null && first.node.start < node.start)) continue;
    const reason = reasonAgainst(bundle, node, main);
    if (reason === null || values.of(node)?.kind !== "generator" || !isOwn(node)) continue;
    first = { node, reason: `${nameOf(bundle, node)} is a generator, ${reason}` };
  }
  return first;
}

/** What is wrong with a call here if it gives a generator; null if nothing is. */
function reasonAgainst(bundle: Bundle, call: Tree, main: Tree | null): string | null {
  const user = userOf(bundle, call);
  const parent = bundle.parents.get(user)!;
  switch (parent.type) {
    case "ExpressionStatement":
      return "and its call alone runs nothing: did you mean yield*?";
    case "YieldExpression":
      return parent.delegate ? null : "and no trap: did you mean yield* instead of yield?";
    case "ReturnStatement":
      return enclosingFunction(bundle, parent) === main && main?.generator === true
        ? "and no exit status: did you mean return yield*?"
        : null;
    case "UnaryExpression":
      return parent.operator === "void" ? null : USED;
    case "BinaryExpression":
      return COMPARED.has(parent.operator) ? null : USED;
    case "TemplateLiteral":
      return bundle.parents.get(parent)!.type === "TaggedTemplateExpression" ? null : USED;
    case "IfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
    case "ForStatement":
    case "ConditionalExpression":
      return parent.test === user ? USED : null;
    default:
      return null;
  }
}

const USED = "and this is not what it gives in the end: did you mean yield*?";
/** Operators that make sense of any object. */
const COMPARED: ReadonlySet<string> = Object.freeze(new Set(["===", "!==", "==", "!=", "instanceof", "in"]));

/** The outermost expression whose value is that of a node, or nothing, at the node's end. */
function userOf(bundle: Bundle, node: Tree): Tree {
  let user = node;
  for (;;) {
    const parent = bundle.parents.get(user)!;
    const passesOn =
      parent.type === "ChainExpression" ||
      (parent.type === "LogicalExpression" && parent.right === user) ||
      (parent.type === "ConditionalExpression" && parent.test !== user) ||
      (parent.type === "SequenceExpression" && parent.expressions.at(-1) === user);
    if (!passesOn) return user;
    user = parent;
  }
}

function nameOf(bundle: Bundle, { callee }: Tree): string {
  const text = bundle.code.slice(callee.start, callee.end);
  return text.length <= 60 && !text.includes("\n") ? text : "what is called here";
}
