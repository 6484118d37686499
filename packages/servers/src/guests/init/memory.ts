/**
 * Init's memory: all that the kernel handed over, in blocks that are given out and come back.
 *
 * A process's objects lie in one block, the memory it is given in another; nothing else is made from
 * either. So when it is buried both are whole again, whatever the process did. Best fit among the
 * blocks there are; which of them are split and merged is told in `BlockPool`.
 */
import { Err, type Sys } from "@capos/abi";
import { type Block, BlockPool, IpcError, kernelBlocks, type Slots, type Steps, untyped } from "@capos/libos";

export class Memory {
  private constructor(private readonly pool: BlockPool) {}

  /** @param handles untyped memory that nothing was made from, in the CSpace that `slots` are of */
  static *of(sys: Sys, slots: Slots, handles: readonly number[]): Steps<Memory> {
    const pool = new BlockPool(kernelBlocks(sys, slots));
    for (const handle of handles) {
      const { sizeBytes } = yield* untyped.info(sys, handle);
      yield* pool.give(pool.adopt(handle, Math.log2(sizeBytes)));
    }
    return new Memory(pool);
  }

  get freeBytes(): number {
    return this.pool.freeBytes;
  }

  /** Bytes in the largest block that can be had. */
  get largestBytes(): number {
    return this.pool.largestBytes;
  }

  /** Throws `NO_MEMORY` if blocks of all these sizes (log2 of their bytes) cannot be had at one time. */
  check(sizes: readonly number[]): void {
    const missing = this.pool.missing(sizes);
    if (missing !== null)
      throw new IpcError(
        Err.NO_MEMORY,
        "memory",
        `${2 ** missing} bytes wanted, at most ${this.largestBytes} left in one block`,
      );
  }

  /** Takes a block of each of these sizes, in their order; all of them or none. Throws `NO_MEMORY`, `NO_RESOURCE`. */
  *take(sizes: readonly number[]): Steps<Block[]> {
    this.check(sizes);
    const blocks: Block[] = [];
    // The largest first: taken later, it might have been broken into.
    const order = sizes.map((_, i) => i).sort((a, b) => sizes[b] - sizes[a]);
    try {
      for (const i of order) blocks[i] = (yield* this.pool.take(sizes[i]))!;
    } catch (error) {
      for (const i of order) if (blocks[i] !== undefined) yield* this.pool.give(blocks[i]);
      throw error;
    }
    return blocks;
  }

  /** Takes a block back: everything that was made from it ends. */
  *give(block: Block): Steps<void> {
    yield* this.pool.give(block);
  }
}
