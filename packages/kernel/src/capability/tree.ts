/**
 * The derivation tree: which capability was made from which.
 *
 * The children of a node form a circle. PARENT is kept in the first child alone (0 in the others), so a
 * node with any number of children is moved, or gives way to them, in one step: no operation on the tree
 * takes longer than any other. A dead slot is in no circle; its links are 0.
 */
import { Slot } from "@capos/abi";
import type { Locked } from "../smp/tree-lock.js";
import type { NodeRef } from "../state/references.js";

/** Makes a node the first child of another. */
export function linkFirst(k: Locked, parent: NodeRef, node: NodeRef): void {
  const { i32 } = k;
  const first = i32[parent + Slot.FIRST_CHILD] as NodeRef | 0;
  if (first === 0) {
    i32[node + Slot.NEXT_SIBLING] = node;
    i32[node + Slot.PREVIOUS_SIBLING] = node;
  } else {
    insertBefore(i32, first, node);
    i32[first + Slot.PARENT] = 0;
  }
  i32[node + Slot.PARENT] = parent;
  i32[parent + Slot.FIRST_CHILD] = node;
}

function insertBefore(i32: Int32Array, next: NodeRef, node: NodeRef): void {
  const previous = i32[next + Slot.PREVIOUS_SIBLING] as NodeRef;
  join(i32, previous, node);
  join(i32, node, next);
}

function join(i32: Int32Array, left: NodeRef, right: NodeRef): void {
  i32[left + Slot.NEXT_SIBLING] = right;
  i32[right + Slot.PREVIOUS_SIBLING] = left;
}

/** Puts a node beside another, which is no first child because of it. */
export function linkBeside(k: Locked, node: NodeRef, beside: NodeRef): void {
  const { i32 } = k;
  const next = i32[beside + Slot.NEXT_SIBLING] as NodeRef;
  join(i32, beside, node);
  join(i32, node, next);
  i32[node + Slot.PARENT] = 0;
}

/**
 * Takes a node out; its children stand in its place, in their order. Answers its parent if that has no
 * child left, else 0.
 */
export function unlink(k: Locked, node: NodeRef): NodeRef | 0 {
  const { i32 } = k;
  const parent = i32[node + Slot.PARENT] as NodeRef | 0;
  const child = i32[node + Slot.FIRST_CHILD] as NodeRef | 0;
  const next = i32[node + Slot.NEXT_SIBLING] as NodeRef;
  const previous = i32[node + Slot.PREVIOUS_SIBLING] as NodeRef;
  let first = next === node ? 0 : next;
  if (child === 0) join(i32, previous, next);
  else {
    const last = i32[child + Slot.PREVIOUS_SIBLING] as NodeRef;
    if (first !== 0) {
      join(i32, previous, child);
      join(i32, last, next);
    }
    first = child;
    i32[child + Slot.PARENT] = 0;
  }
  if (parent !== 0) {
    i32[parent + Slot.FIRST_CHILD] = first;
    if (first !== 0) i32[first + Slot.PARENT] = parent;
  }
  clearLinks(i32, node);
  return first === 0 ? parent : 0;
}

/** A slot takes the place of another, with its children. */
export function takePlace(k: Locked, from: NodeRef, to: NodeRef): void {
  const { i32 } = k;
  const parent = i32[from + Slot.PARENT];
  const child = i32[from + Slot.FIRST_CHILD];
  const next = i32[from + Slot.NEXT_SIBLING] as NodeRef;
  if (next === from) join(i32, to, to);
  else {
    join(i32, i32[from + Slot.PREVIOUS_SIBLING] as NodeRef, to);
    join(i32, to, next);
  }
  i32[to + Slot.PARENT] = parent;
  i32[to + Slot.FIRST_CHILD] = child;
  if (parent !== 0) i32[parent + Slot.FIRST_CHILD] = to;
  if (child !== 0) i32[child + Slot.PARENT] = to;
  clearLinks(i32, from);
}

/** The first child becomes the last. */
export function rotateChildren(k: Locked, parent: NodeRef): void {
  const { i32 } = k;
  const first = i32[parent + Slot.FIRST_CHILD];
  const next = i32[first + Slot.NEXT_SIBLING];
  i32[first + Slot.PARENT] = 0;
  i32[next + Slot.PARENT] = parent;
  i32[parent + Slot.FIRST_CHILD] = next;
}

function clearLinks(i32: Int32Array, node: NodeRef): void {
  i32[node + Slot.PARENT] = 0;
  i32[node + Slot.FIRST_CHILD] = 0;
  i32[node + Slot.NEXT_SIBLING] = 0;
  i32[node + Slot.PREVIOUS_SIBLING] = 0;
}
