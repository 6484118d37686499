/**
 * Objects as capabilities name them: how many do, where their memory comes from, and whether every
 * live slot of every CNode is in the tree.
 */
import { ObjectType, objectBits, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import type { PhysicalMemory, WordIndex } from "@capos/hal";
import {
  BINDING_KIND,
  Binding,
  headerOf,
  IrqHandler,
  KernelInfo,
  Monitor,
  ObjectHeader,
  Process,
  Tables,
  Thread,
} from "@capos/kernel/layout";
import type { Problems } from "./problems.js";
import { describe, hex, numberedThreads, type Tree, type TreeNode } from "./tree.js";

const COUNTED = "an object counts its capabilities";
const REACHABLE = "every live slot is in the derivation tree";
const HELD = "everything in the derivation tree is held by somebody";
const MEMORY = "memory belongs to one object";
const UNIT_BYTES = 64;

function sizeBits(word: number): number {
  return (word >>> SlotBits.SIZE_SHIFT) & 63;
}

/** Objects by type, as live capabilities name them. */
export function objectsOf(tree: Tree, type: ObjectType): Map<WordIndex, TreeNode> {
  const objects = new Map<WordIndex, TreeNode>();
  for (const node of tree.values()) if (node.isLive && node.type === type) objects.set(node.object, node);
  return objects;
}

/** A capability to a CNode that lies in it keeps nothing alive, nor does a monitor's to what it watches. */
function isCounted(i32: Int32Array, { slot, type, object, word }: TreeNode): boolean {
  if (type === ObjectType.CNODE) return !(slot > object && slot < object + 2 ** sizeBits(word) * Slot.WORDS);
  const isBinding = (word & SlotFlag.BINDING) !== 0;
  return !isBinding || i32[slot + BINDING_KIND] !== Binding.MONITOR_TARGET;
}

/** Counts the live capabilities to each object. */
export function checkReferences({ i32 }: PhysicalMemory, tree: Tree, problems: Problems): void {
  const counts = new Map<WordIndex, { node: TreeNode; count: number }>();
  for (const node of tree.values()) {
    const header = node.isLive ? headerOf(node.type, node.object) : 0;
    if (header === 0) continue;
    const known = counts.get(header) ?? { node, count: 0 };
    if (isCounted(i32, node)) known.count++;
    counts.set(header, known);
  }
  for (const [header, { node, count }] of counts) {
    const said = i32[header + ObjectHeader.REFERENCES];
    if (said !== count) problems.add(COUNTED, `${describe(node)}: it says ${said}, there are ${count}`);
    const state = i32[header] & SlotBits.STATE_MASK;
    if (state !== SlotState.EMPTY)
      problems.add(COUNTED, `${describe(node)}: has a capability and is being finalised`);
  }
}

/** Compares the tree with all the slots there are: of CNodes, and bindings. */
export function checkHolders(memory: PhysicalMemory, tree: Tree, problems: Problems): void {
  const { i32 } = memory;
  const known = new Set<WordIndex>([i32[KernelInfo.TABLES] + Tables.ROOT]);
  const look = (slot: WordIndex, where: string): void => {
    known.add(slot);
    const state = i32[slot] & SlotBits.STATE_MASK;
    if (state === SlotState.LIVE && !tree.has(slot))
      problems.add(REACHABLE, `${where} at ${hex(slot)} is not`);
    if (state === SlotState.RESERVED)
      problems.add(REACHABLE, `${where} at ${hex(slot)} is reserved by nobody`);
  };
  for (const [cnode, node] of objectsOf(tree, ObjectType.CNODE)) {
    const slots = 2 ** sizeBits(node.word);
    for (let index = 1; index < slots; index++) {
      // Most are empty, and there may be many.
      if ((i32[cnode + index * Slot.WORDS] & SlotBits.STATE_MASK) !== SlotState.EMPTY)
        look(cnode + index * Slot.WORDS, `slot ${index} of the CNode ${hex(cnode)}`);
    }
  }
  for (const { number, thread } of numberedThreads(memory))
    look(thread + Thread.BINDING, `the notification bound to thread ${number}`);
  for (const process of objectsOf(tree, ObjectType.PROCESS).keys()) {
    look(process + Process.BINDING, `the CSpace of process ${i32[process + Process.NUMBER]}`);
    look(process + Process.IMAGE_BINDING, `the image of process ${i32[process + Process.NUMBER]}`);
    look(process + Process.SPACE_BINDING, `the address space of process ${i32[process + Process.NUMBER]}`);
    look(process + Process.FAULT_BINDING, `the fault handler of process ${i32[process + Process.NUMBER]}`);
  }
  for (const monitor of objectsOf(tree, ObjectType.MONITOR).keys()) {
    look(monitor + Monitor.TARGET, `the target of the monitor ${hex(monitor)}`);
    look(monitor + Monitor.NOTIFICATION, `the notification of the monitor ${hex(monitor)}`);
  }
  for (const handler of objectsOf(tree, ObjectType.IRQ_HANDLER).keys())
    look(handler + IrqHandler.BINDING, `the notification of the interrupt handler ${hex(handler)}`);
  for (const node of tree.values())
    if (node.isLive && !known.has(node.slot)) problems.add(HELD, `${describe(node)} is not`);
}

/** Bytes of a node's object, if it is made from untyped memory. */
function bytesOf({ type, word }: TreeNode): number {
  const bits = objectBits(type, sizeBits(word));
  return bits === 0 ? 0 : 2 ** bits;
}

/**
 * Every object lies in the memory it was made from, below the watermark, and no two overlap, but frames: parts of one
 * stand in its place when it is gone.
 */
export function checkMemory({ i32 }: PhysicalMemory, tree: Tree, problems: Problems): void {
  const byMemory = new Map<TreeNode, Map<WordIndex, TreeNode>>();
  for (const node of tree.values()) {
    if (node.type === ObjectType.UNTYPED && node.isLive) checkWatermark(i32, node, problems);
    const { parent } = node;
    if (parent === null || parent.type !== ObjectType.UNTYPED) continue;
    const made = byMemory.get(parent) ?? new Map<WordIndex, TreeNode>();
    made.set(node.object, node);
    byMemory.set(parent, made);
  }
  for (const [untyped, made] of byMemory) {
    const low = untyped.object * 4;
    const high = low + i32[untyped.slot + Slot.WATERMARK] * UNIT_BYTES;
    let end = low;
    let last: TreeNode | null = null;
    for (const node of [...made.values()].sort((a, b) => a.object - b.object)) {
      const start = node.object * 4;
      const arePages = node.type === ObjectType.FRAME && last?.type === ObjectType.FRAME;
      if (start < end && !arePages)
        problems.add(MEMORY, `${describe(node)} overlaps what is below it, or its memory's begin`);
      end = Math.max(end, start + bytesOf(node));
      last = node;
      if (end > high)
        problems.add(MEMORY, `${describe(node)} reaches above the watermark of ${describe(untyped)}`);
    }
  }
}

function checkWatermark(i32: Int32Array, node: TreeNode, problems: Problems): void {
  const units = i32[node.slot + Slot.WATERMARK];
  const size = 2 ** (sizeBits(node.word) - 6);
  if (units < 0 || units > size)
    problems.add(MEMORY, `${describe(node)}: watermark ${units} of ${size} units`);
}

/** Bytes of memory that nobody has made anything from yet, or that are all free again: what the machine began with, at its end. */
export function untypedBytes(tree: Tree): number {
  let bytes = 0;
  for (const node of tree.values())
    if (node.type === ObjectType.UNTYPED && node.parent !== null && node.parent.parent === null)
      bytes += 2 ** sizeBits(node.word);
  return bytes;
}
