/**
 * What an access is: an operation of `Atomics`, or a computed member that could be an element of a view of
 * shared memory.
 */
import { Op } from "../explore/operation.js";
import { Refusal } from "./refusal.js";
import type { Scopes } from "./scopes.js";
import type { Tree } from "./syntax-tree.js";

const ATOMICS: ReadonlyMap<string, Op> = new Map([
  ["load", Op.LOAD],
  ["store", Op.STORE],
  ["add", Op.ADD],
  ["sub", Op.SUB],
  ["and", Op.AND],
  ["or", Op.OR],
  ["xor", Op.XOR],
  ["exchange", Op.EXCHANGE],
  ["compareExchange", Op.COMPARE_EXCHANGE],
  ["wait", Op.WAIT],
  ["notify", Op.NOTIFY],
]);
const NO_ACCESS: ReadonlySet<string> = new Set(["isLockFree", "pause"]);

/** Methods of views that access many elements at once, or make a view of the same memory. */
const BULK: ReadonlySet<string> = new Set(["fill", "set", "copyWithin", "subarray"]);

/** The operation that a call is, null if it is none. Throws Refusal for one that cannot be announced. */
export function atomicOf(node: Tree, scopes: Scopes): Op | null {
  if (node.type !== "CallExpression" || !isOfAtomics(node.callee, scopes)) return null;
  const { name } = node.callee.property;
  if (node.callee.computed || (!ATOMICS.has(name) && !NO_ACCESS.has(name)))
    throw new Refusal(node, "the checker does not know this operation of Atomics");
  if (node.arguments.some(({ type }: Tree) => type === "SpreadElement"))
    throw new Refusal(node, `write the operands of Atomics.${name} out, without ...`);
  return ATOMICS.get(name) ?? null;
}

/** `Atomics.x`, called or not. */
export function isOfAtomics(node: Tree, scopes: Scopes): boolean {
  return node.type === "MemberExpression" && isAtomics(node.object, scopes);
}

export function isAtomics(node: Tree, scopes: Scopes): boolean {
  return node.type === "Identifier" && node.name === "Atomics" && scopes.isGlobal(node);
}

/** `a[i]`, unless its index or its object shows that it is no element of a view. */
export function isElement(node: Tree, scopes: Scopes): boolean {
  if (node.type !== "MemberExpression" || !node.computed) return false;
  const { object, property } = node as Tree & { object: Tree; property: Tree };
  if (property.type === "Literal" && typeof property.value === "string") return !isName(property.value);
  if (property.type === "MemberExpression" && property.object.type === "Identifier")
    if (property.object.name === "Symbol" && scopes.isGlobal(property.object)) return false;
  if (isNumberOfName(object, property)) return false;
  return !isOrdinary(object.type === "Identifier" ? (scopes.valueOf(object) ?? object) : object, scopes);
}

/** `E[E.A = 0]`: how compiled enums are made. */
function isNumberOfName(object: Tree, index: Tree): boolean {
  if (index.type !== "AssignmentExpression" || index.left.type !== "MemberExpression") return false;
  return index.left.object.name === object.name && typeof index.left.property.value === "string";
}

/** Not an index: views take exactly the texts of numbers for one. */
function isName(text: string): boolean {
  return String(Number(text)) !== text && text !== "-0";
}

/** An expression whose value is never a view. (Freezing one throws.) */
function isOrdinary(node: Tree, scopes: Scopes): boolean {
  if (["ArrayExpression", "ObjectExpression", "TemplateLiteral"].includes(node.type)) return true;
  if (node.type === "Literal") return true;
  if (node.type === "NewExpression")
    return node.callee.type === "Identifier" && node.callee.name === "Array" && scopes.isGlobal(node.callee);
  return (
    node.type === "CallExpression" &&
    node.callee.type === "MemberExpression" &&
    !node.callee.computed &&
    node.callee.property.name === "freeze" &&
    node.callee.object.name === "Object"
  );
}

/** A call that may access shared memory inside a built-in. */
export function isBulk(node: Tree, scopes: Scopes): boolean {
  if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") return false;
  const { object, property, computed } = node.callee;
  if (computed || !BULK.has(property.name)) return false;
  if (isOrdinary(object, scopes)) return false;
  const value = object.type === "Identifier" ? scopes.valueOf(object) : null;
  if (value === null) return true;
  return !isOrdinary(value, scopes) && !(value.type === "NewExpression" && value.callee.name === "Map");
}
