/**
 * Optional chains, taken apart: `a?.b[i](x)` becomes `(t = a) == null ? void 0 : t.b[i](x)`, so that what
 * is behind the question mark can be rewritten like any other expression.
 */

import type { Tree } from "./syntax-tree.js";
import * as make from "./syntax-tree.js";

/** Where a chain has its first question mark: the place that may be null, and the chain as a function of it. */
interface Break {
  readonly base: Tree;
  /** For a call `o.m?.()`: the object whose method it is. */
  readonly receiver: Tree | null;
  rest(base: Tree, receiver: Tree | null): Tree;
}

/** `temporary` makes a name that nothing else uses. */
export function takeApart(chain: Tree, temporary: () => Tree): Tree {
  const found = firstBreak(chain.expression);
  if (found === null) return chain.expression;
  const { base, receiver } = found;
  const value = temporary();
  const object = receiver === null ? null : temporary();
  const first =
    object === null ? base : { ...base, object: make.assignment(object, base.object), optional: false };
  const rest = takeApart({ type: "ChainExpression", expression: found.rest(value, object) }, temporary);
  const isNull = make.binary(make.assignment(value, first), "==", {
    type: "Literal",
    value: null,
    raw: "null",
  });
  return make.conditional(isNull, make.undefinedValue, rest);
}

function firstBreak(node: Tree): Break | null {
  const field =
    node.type === "CallExpression" ? "callee" : node.type === "MemberExpression" ? "object" : null;
  if (field === null) return null;
  const below = node[field] as Tree;
  const earlier = firstBreak(below);
  if (earlier !== null)
    return {
      ...earlier,
      rest: (base, receiver) => ({ ...node, [field]: earlier.rest(base, receiver) }),
    };
  if (!node.optional) return null;
  if (field === "object")
    return { base: below, receiver: null, rest: (base) => ({ ...node, object: base, optional: false }) };
  const isMethod = below.type === "MemberExpression" && below.object.type !== "Super";
  return {
    base: below,
    receiver: isMethod ? below.object : null,
    rest: (base, receiver) =>
      receiver === null
        ? { ...node, callee: base, optional: false }
        : make.call(make.member(base, make.identifier("call")), [receiver, ...node.arguments]),
  };
}
