/** The derivation tree as indented lines. */
import { ObjectType, typeName } from "@capos/abi";
import type { Limits } from "./part.js";
import { flagText, placeText, sizeText } from "./phrases.js";
import type { TreeNode } from "./state.js";

/** Levels that are indented; a deeper node says how deep it is. */
const MAX_INDENT = 32;

/** Names of the types whose objects differ in size. */
const VARIABLE: ReadonlySet<string> = new Set(
  [ObjectType.UNTYPED, ObjectType.CNODE, ObjectType.FRAME].map(typeName),
);

/** A line a node, and one in the place of those that are left out. */
export function treeLines(nodes: readonly TreeNode[], limits: Limits): { rows: string[][]; leftOut: number } {
  const rows: string[][] = [];
  /** By depth: children shown so far of the node above. */
  const shown: number[] = [];
  let at = 0;
  while (at < nodes.length && rows.length < limits.rows) {
    const node = nodes[at];
    const count = (shown[node.depth] ?? 0) + 1;
    if (node.depth > 0 && count > limits.children) {
      const end = endOfSiblings(nodes, at);
      const siblings = countAt(nodes, at, end, node.depth);
      const below = end - at - siblings;
      const more = below === 0 ? "" : `, with ${below} derived from them`;
      rows.push([`${indent(node.depth)}... and ${siblings} more here${more}`]);
      at = end;
      continue;
    }
    shown[node.depth] = count;
    shown[node.depth + 1] = 0;
    rows.push([indent(node.depth) + nodeText(node)]);
    at++;
  }
  return { rows, leftOut: nodes.length - at };
}

/** The first node after one's later siblings and all that is below them. */
function endOfSiblings(nodes: readonly TreeNode[], from: number): number {
  const { depth } = nodes[from];
  let end = from;
  while (end < nodes.length && nodes[end].depth >= depth) end++;
  return end;
}

function countAt(nodes: readonly TreeNode[], from: number, to: number, depth: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (nodes[at].depth === depth) count++;
  return count;
}

function indent(depth: number): string {
  return depth <= MAX_INDENT ? "  ".repeat(depth) : `${"  ".repeat(MAX_INDENT)}(level ${depth}) `;
}

/** `endpoint 0x1a40 ----s-g- badge 7 minted: echo[5]`. */
function nodeText(node: TreeNode): string {
  const { place } = node;
  if (place.kind === "root") return "root: all that the kernel gave away";
  const words = [node.designates];
  if (place.kind === "header")
    return `${words[0] || place.holder} (header: ${node.state === "dead" ? "being finalised" : "its replies"})`;
  // Of the other types all objects have the same size.
  if (VARIABLE.has(node.type)) words.push(sizeText(node));
  words.push(node.rights);
  if (node.badge !== 0) words.push(`badge ${node.badge}`);
  const flags = flagText(node);
  if (flags !== "") words.push(flags);
  if (node.state !== "live") words.push(node.state.toUpperCase());
  return `${words.join(" ")}: ${place.kind === "binding" ? "binding, " : ""}${placeText(place)}`;
}
