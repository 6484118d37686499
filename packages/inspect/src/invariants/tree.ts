/**
 * The derivation tree as it stands in memory: every node with its parent, found from the roots down, and
 * what is wrong with the links.
 *
 * Roots are the kernel's own slot, which nobody holds, and the headers of threads: the reply to a call in
 * progress is a child of its caller's.
 */
import { ObjectType, Right, Slot, SlotBits, SlotFlag, SlotState, typeName } from "@capos/abi";
import { BootInfo, type PhysicalMemory, type WordIndex } from "@capos/hal";
import { KernelInfo, Tables, Thread } from "@capos/kernel/layout";
import type { Problems } from "./problems.js";

/** A slot in the tree: of a CNode, in an object (a binding), or a header. */
export interface TreeNode {
  readonly slot: WordIndex;
  readonly parent: TreeNode | null;
  readonly word: number;
  readonly type: ObjectType;
  readonly object: WordIndex;
  readonly isLive: boolean;
}

/** The tree, or as much of it as can be reached, by slot. */
export type Tree = ReadonlyMap<WordIndex, TreeNode>;

const LINKS = "the derivation tree is well-formed";
const DERIVED = "a capability has no more than the one it was derived from";

/** All threads that have a number. */
export function* numberedThreads({ i32 }: PhysicalMemory): Generator<{ number: number; thread: WordIndex }> {
  const tables = i32[KernelInfo.TABLES];
  const table = i32[tables + Tables.THREAD_TABLE];
  for (let number = 1; number < i32[tables + Tables.THREAD_LIMIT]; number++) {
    const thread = i32[table + number];
    if (thread !== 0) yield { number, thread };
  }
}

/** Walks the tree from its roots. */
export function walkTree(memory: PhysicalMemory, problems: Problems): Tree {
  const { i32 } = memory;
  const tree = new Map<WordIndex, TreeNode>();
  const words = i32[BootInfo.MEMORY_PAGES] * 1024;
  const roots = [i32[KernelInfo.TABLES] + Tables.ROOT];
  for (const { thread } of numberedThreads(memory)) roots.push(thread + Thread.HEADER);
  const work: TreeNode[] = [];
  for (const root of roots) {
    const node = nodeAt(i32, root, null);
    if (root === roots[0]) tree.set(root, node);
    work.push(node);
  }
  for (let node = work.pop(); node !== undefined; node = work.pop()) {
    const first = i32[node.slot + Slot.FIRST_CHILD];
    if (first === 0) continue;
    if (first < 0 || first + Slot.WORDS > words) {
      problems.add(LINKS, `${describe(node)}: its first child is no slot (${first})`);
      continue;
    }
    if (i32[first + Slot.PARENT] !== node.slot)
      problems.add(
        LINKS,
        `${describe(node)}: its first child at ${hex(first)} says its parent is ${hex(i32[first + Slot.PARENT])}`,
      );
    let child = first;
    do {
      if (tree.has(child)) {
        problems.add(LINKS, `${describe(node)}: the slot at ${hex(child)} is in the tree twice`);
        break;
      }
      const found = nodeAt(i32, child, node);
      tree.set(child, found);
      work.push(found);
      checkChild(memory, found, first, problems);
      const next = i32[child + Slot.NEXT_SIBLING];
      if (next <= 0 || next + Slot.WORDS > words) {
        problems.add(LINKS, `${describe(found)}: its next sibling is no slot (${next})`);
        break;
      }
      if (i32[next + Slot.PREVIOUS_SIBLING] !== child) {
        problems.add(
          LINKS,
          `${describe(found)}: its next sibling at ${hex(next)} says ${hex(i32[next + Slot.PREVIOUS_SIBLING])} is before it`,
        );
        break;
      }
      child = next;
    } while (child !== first);
  }
  return tree;
}

function nodeAt(i32: Int32Array, slot: WordIndex, parent: TreeNode | null): TreeNode {
  const word = i32[slot];
  return {
    slot,
    parent,
    word,
    type: (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT,
    object: i32[slot + Slot.OBJECT],
    isLive: (word & SlotBits.STATE_MASK) === SlotState.LIVE,
  };
}

function checkChild({ i32 }: PhysicalMemory, node: TreeNode, first: WordIndex, problems: Problems): void {
  const { slot, parent, word, type } = node;
  if (slot !== first && i32[slot + Slot.PARENT] !== 0)
    problems.add(LINKS, `${describe(node)}: not a first child, and names a parent`);
  if (!node.isLive) {
    problems.add(
      "nothing dead is in the tree, and no object is still being finalised when all is at rest",
      describe(node),
    );
    return;
  }
  if (parent === null || parent.parent === null) return;
  if (parent.type === ObjectType.UNTYPED || type === ObjectType.REPLY) return;
  if (parent.type === ObjectType.IMAGE_CONTROL && type === ObjectType.IMAGE) return;
  const rights = (word & SlotBits.RIGHTS_MASK) >> SlotBits.RIGHTS_SHIFT;
  const allowed = (parent.word & SlotBits.RIGHTS_MASK) >> SlotBits.RIGHTS_SHIFT;
  const isOther = type !== parent.type || !isOf(node, parent);
  const hasMore = (rights & ~allowed & Right.ALL) !== 0;
  const isRebadged =
    (parent.word & SlotFlag.BADGED) !== 0 && i32[slot + Slot.BADGE] !== i32[parent.slot + Slot.BADGE];
  const outlives = (parent.word & SlotFlag.EXPIRES) !== 0 && (word & SlotFlag.EXPIRES) === 0;
  if (isOther) problems.add(DERIVED, `${describe(node)} is below ${describe(parent)}`);
  else if (hasMore)
    problems.add(DERIVED, `${describe(node)} has rights ${rights}, ${describe(parent)} above it ${allowed}`);
  else if (isRebadged)
    problems.add(DERIVED, `${describe(node)} has another badge than ${describe(parent)} above it`);
  else if (outlives)
    problems.add(DERIVED, `${describe(node)} never expires, ${describe(parent)} above it does`);
}

/** Whether a node's object is that of another of its type; of a frame, a part of it. */
function isOf({ type, object, word }: TreeNode, whole: TreeNode): boolean {
  if (type !== ObjectType.FRAME) return object === whole.object;
  const words = (of: number): number => 2 ** (((of >>> SlotBits.SIZE_SHIFT) & 63) - 2);
  return object >= whole.object && object + words(word) <= whole.object + words(whole.word);
}

export function hex(word: WordIndex): string {
  return `0x${(word * 4).toString(16)}`;
}

/** A node, for people. */
export function describe({ slot, type, object, word }: TreeNode): string {
  const state = ["empty", "reserved", "live", "dead"][word & SlotBits.STATE_MASK];
  const binding = (word & SlotFlag.BINDING) !== 0 ? " binding" : "";
  return `${state} ${typeName(type)}${binding} ${hex(object)} in the slot at ${hex(slot)}`;
}
