/**
 * A thread's own memory in blocks that come back: what threads and processes are spawned from, and frames made of.
 *
 * `Os.make` takes from the thread's untyped memory, which is used up from one end and is whole again only
 * when nothing made from it is left. A block taken here is used again, by the next who wants one of its size.
 */
import { Err, ObjectType, type Sys } from "@capos/abi";
import { type Block, BlockPool, kernelBlocks } from "./block-pool.js";
import { IpcError } from "./ipc-error.js";
import type { Slots } from "./slots.js";
import type { Steps } from "./steps.js";

/** As much of `Os` as memory is made with. */
export interface Maker {
  readonly sys: Sys;
  readonly slots: Slots;
  /** Made when it is needed first. */
  memory: OwnMemory | null;
  make(type: ObjectType, sizeBits?: number): Steps<number>;
}

/** A thread's own memory in blocks that are used again. */
export class OwnMemory {
  readonly #pool: BlockPool;

  constructor(private readonly os: Maker) {
    this.#pool = new BlockPool(kernelBlocks(os.sys, os.slots));
  }

  /** The blocks of a thread: all that take memory in its name take it here. */
  static of(os: Maker): OwnMemory {
    os.memory ??= new OwnMemory(os);
    return os.memory;
  }

  /**
   * Takes a block of 2^`bits` bytes: one that came back, else a new one, else a piece of a larger one that
   * came back. Throws `IpcError`: `BAD_CAP` without untyped memory, `NO_MEMORY`, `NO_RESOURCE`.
   */
  *take(bits: number): Steps<Block> {
    const spare = this.#pool.takeSpare(bits);
    if (spare !== null) return spare;
    try {
      return this.#pool.adopt(yield* this.os.make(ObjectType.UNTYPED, bits), bits);
    } catch (error) {
      const isFull = error instanceof IpcError && error.code === Err.NO_MEMORY;
      const piece = isFull ? yield* this.#pool.take(bits) : null;
      if (piece === null) throw error;
      return piece;
    }
  }

  /** Ends everything that was made from a block, and keeps it for the next who wants one. */
  *give(block: Block): Steps<void> {
    yield* this.#pool.give(block);
  }
}
