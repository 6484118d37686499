/**
 * Untyped memory that can be had back: blocks, split into halves and merged again.
 *
 * A block is an untyped capability. Whoever takes one makes objects from it; when they are not needed any
 * more the block is revoked as a whole, which ends all of them at once, and taken by somebody else. A
 * block that was split is an inner node of a tree, its halves are its children; a leaf is free or taken,
 * never both, so no two taken blocks overlap.
 *
 * Buddies, because their sizes and places are those that the kernel gives objects anyhow, and because
 * they bound fragmentation: a block of some size is missing only if something taken lies in every piece
 * of memory of that size. Merging is put off until it is needed. Programs that run one after the other
 * want the same sizes again, and a block that was merged is zeroed as a whole before it is split anew.
 */
import { Err, ObjectType, type Sys } from "@capos/abi";
import { IpcError } from "./ipc-error.js";
import { cnode, untyped } from "./kernel-calls.js";
import type { Slots } from "./slots.js";
import type { Steps } from "./steps.js";

/** A piece of untyped memory. */
export interface Block {
  /** Its untyped capability. */
  readonly handle: number;
  /** log2 of its bytes. */
  readonly bits: number;
}

/** What is done to blocks: by the kernel, or by a test in its place. */
export interface BlockOperations {
  /** Makes both halves of a block. Throws `NO_RESOURCE` if there are no slots for them. */
  split(block: Block): Steps<readonly [number, number]>;
  /** Gives up two halves that nothing is made from. */
  merge(low: number, high: number): Steps<void>;
  /** Ends everything that was made from a block. */
  empty(block: Block): Steps<void>;
}

/** log2 of the bytes in the largest block there can be. */
const MAX_BITS = 31;

class Node implements Block {
  isFree = true;
  halves: readonly [Node, Node] | null = null;

  constructor(
    readonly handle: number,
    readonly bits: number,
  ) {}

  /** Nothing in it is taken: it is free, or could be merged. */
  get isWhole(): boolean {
    return this.halves === null ? this.isFree : this.halves[0].isWhole && this.halves[1].isWhole;
  }
}

/** Blocks of untyped memory that are split, taken, given back and merged. */
export class BlockPool {
  readonly #roots: Node[] = [];
  /** Leaves that are free, by size; the last was given back last. */
  readonly #free: Node[][] = Array.from({ length: MAX_BITS + 1 }, () => []);

  constructor(private readonly operations: BlockOperations) {}

  /** Adds untyped memory that nothing was made from. It is taken, until it is given. */
  adopt(handle: number, bits: number): Block {
    const root = new Node(handle, bits);
    root.isFree = false;
    this.#roots.push(root);
    return root;
  }

  /** Bytes that are not taken. */
  get freeBytes(): number {
    return this.#free.reduce((sum, blocks, bits) => sum + blocks.length * 2 ** bits, 0);
  }

  /** Bytes in the largest block that can be had; 0 if none can. */
  get largestBytes(): number {
    const bits = this.#wholeBlocks().findLastIndex((count) => count > 0);
    return bits < 0 ? 0 : 2 ** bits;
  }

  /** log2 of the size of the first block that would be missing if blocks of all these sizes were taken; null if none. */
  missing(sizes: readonly number[]): number | null {
    const whole = this.#wholeBlocks();
    for (const bits of descending(sizes)) {
      const from = whole.findIndex((count, size) => size >= bits && count > 0);
      if (from < 0) return bits;
      whole[from]--;
      // What is left of a block that was split: one of each size between.
      for (let size = bits; size < from; size++) whole[size]++;
    }
    return null;
  }

  /**
   * Takes a block; null if there is none. Whoever takes several takes the largest first: then all of them
   * can be had if `missing` says so. Throws `NO_RESOURCE` if there are no slots.
   */
  *take(bits: number): Steps<Block | null> {
    try {
      return yield* this.#take(bits);
    } catch (error) {
      // Each split holds two slots.
      const isFull = error instanceof IpcError && error.code === Err.NO_RESOURCE;
      if (!isFull || !(yield* this.#mergeAll())) throw error;
    }
    return yield* this.#take(bits);
  }

  /** Takes a free block of just this size, if there is one, and does nothing to any other. */
  takeSpare(bits: number): Block | null {
    const node = this.#free[bits]?.pop();
    if (node === undefined) return null;
    node.isFree = false;
    return node;
  }

  /** Gives back a block that was taken or adopted here; everything that was made from it ends. */
  *give(block: Block): Steps<void> {
    if (!(block instanceof Node) || block.isFree || block.halves !== null)
      throw new RangeError("blocks: this one was not taken from here");
    yield* this.operations.empty(block);
    this.#release(block);
  }

  *#take(bits: number): Steps<Block | null> {
    const list = this.#free.find((blocks, size) => size >= bits && blocks.length > 0);
    let node = list?.pop();
    if (node === undefined) {
      node = smallestWhole(this.#roots, bits);
      if (node === undefined) return null;
      yield* this.#merge(node);
      this.#unlist(node);
    }
    node.isFree = false;
    while (node.bits > bits) {
      const whole: Node = node;
      let handles: readonly [number, number];
      try {
        handles = yield* this.operations.split(whole);
      } catch (error) {
        this.#release(whole);
        throw error;
      }
      whole.halves = [new Node(handles[0], whole.bits - 1), new Node(handles[1], whole.bits - 1)];
      node = whole.halves[0];
      node.isFree = false;
      this.#free[node.bits].push(whole.halves[1]);
    }
    return node;
  }

  #release(node: Node): void {
    node.isFree = true;
    this.#free[node.bits].push(node);
  }

  #unlist(node: Node): void {
    const list = this.#free[node.bits];
    list.splice(list.indexOf(node), 1);
  }

  /** Makes one free block of all that is in a node, of which nothing is taken. */
  *#merge(node: Node): Steps<void> {
    if (node.halves === null) return;
    const [low, high] = node.halves;
    yield* this.#merge(low);
    yield* this.#merge(high);
    this.#unlist(low);
    this.#unlist(high);
    node.halves = null;
    this.#release(node);
    yield* this.operations.merge(low.handle, high.handle);
  }

  /** Merges whatever can be; false if nothing could. */
  *#mergeAll(): Steps<boolean> {
    const nodes: Node[] = [...this.#roots];
    let merged = false;
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (node.halves === null) continue;
      if (!node.isWhole) {
        nodes.push(...node.halves);
        continue;
      }
      yield* this.#merge(node);
      merged = true;
    }
    return merged;
  }

  /** How many blocks of each size nothing is taken of, counting none that lies in another. */
  #wholeBlocks(): number[] {
    const counts: number[] = new Array(MAX_BITS + 1).fill(0);
    const nodes: Node[] = [...this.#roots];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (node.isWhole) counts[node.bits]++;
      else if (node.halves !== null) nodes.push(...node.halves);
    }
    return counts;
  }
}

function descending(sizes: readonly number[]): number[] {
  return [...sizes].sort((a, b) => b - a);
}

/** The smallest node of at least this size of which nothing is taken. */
function smallestWhole(nodes: readonly Node[], bits: number): Node | undefined {
  let best: Node | undefined;
  const left: Node[] = [...nodes];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.bits < bits) continue;
    if (node.isWhole && (best === undefined || node.bits < best.bits)) best = node;
    if (node.halves !== null) left.push(...node.halves);
  }
  return best;
}

/** Blocks in the slots of one's own CSpace. */
export function kernelBlocks(sys: Sys, slots: Slots): BlockOperations {
  const space = slots.cnode;
  return {
    *split({ handle, bits }) {
      const first = slots.take(2);
      try {
        yield* untyped.retype(sys, handle, ObjectType.UNTYPED, bits - 1, 2, space, first);
      } catch (error) {
        slots.give(first, 2);
        throw error;
      }
      const low = (yield* cnode.inspect(sys, space, first)).handle;
      return [low, (yield* cnode.inspect(sys, space, first + 1)).handle];
    },
    *merge(low, high) {
      yield* slots.drop(sys, low);
      yield* slots.drop(sys, high);
    },
    *empty({ handle }) {
      yield* cnode.revoke(sys, space, handle);
    },
  };
}
