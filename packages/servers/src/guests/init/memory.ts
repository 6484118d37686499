/**
 * Init's memory: the untyped blocks the kernel handed over, and which of them to make an object from.
 *
 * Best fit: an object comes from the block that it leaves the least of, so that small things do not
 * break into large blocks. Init alone makes objects from these blocks, so their watermarks as known
 * here are the kernel's. Nothing is ever given back: memory of what has ended cannot be used again
 * before it can be revoked.
 */
import { Err, ObjectType, type Sys } from "@capos/abi";
import { IpcError, type Steps, untyped } from "@capos/libos";

/** An object to be made. */
export interface Want {
  readonly type: ObjectType;
  /** As `untyped.retype` has it: log2 of bytes (untyped) or of slots (CNode), else 0. */
  readonly sizeBits: number;
}

interface Block {
  readonly handle: number;
  readonly sizeBytes: number;
  usedBytes: number;
}

/** log2 of an object's size in bytes, in the kernel's layout. */
function bytesBits({ type, sizeBits }: Want): number {
  switch (type) {
    case ObjectType.UNTYPED:
      return sizeBits;
    case ObjectType.CNODE:
      return sizeBits + 6;
    case ObjectType.THREAD:
      return 10;
    case ObjectType.PROCESS:
      return 9;
    case ObjectType.MONITOR:
      return 8;
    case ObjectType.FRAME:
      return 12;
    default:
      return 7;
  }
}

/** Bytes of a block that are used once an object of `size` bytes, aligned to its size, was made from it. */
function usedAfter(block: Block, size: number): number {
  return Math.ceil(block.usedBytes / size) * size + size;
}

export class Memory {
  private constructor(private readonly blocks: readonly Block[]) {}

  static *of(sys: Sys, handles: readonly number[]): Steps<Memory> {
    const blocks: Block[] = [];
    for (const handle of handles) {
      const { sizeBytes, leftBytes } = yield* untyped.info(sys, handle);
      blocks.push({ handle, sizeBytes, usedBytes: sizeBytes - leftBytes });
    }
    return new Memory(blocks);
  }

  /** Bytes in the block that has the most left. */
  get largestBytes(): number {
    return Math.max(0, ...this.blocks.map((block) => block.sizeBytes - block.usedBytes));
  }

  /**
   * Whether all of these can be made, in this order. Throws `NO_MEMORY` if not, and nothing has been
   * made then: what is half made could not be taken back.
   */
  check(wants: readonly Want[]): void {
    const blocks = this.blocks.map((block) => ({ ...block }));
    for (const want of wants) {
      const size = 2 ** bytesBits(want);
      const block = bestFit(blocks, size);
      if (block === undefined) throw this.#exhausted(size);
      block.usedBytes = usedAfter(block, size);
    }
  }

  /** Makes one object in a slot of a CNode. */
  *retype(sys: Sys, want: Want, into: number, slot: number): Steps<void> {
    const size = 2 ** bytesBits(want);
    const block = bestFit(this.blocks, size);
    if (block === undefined) throw this.#exhausted(size);
    yield* untyped.retype(sys, block.handle, want.type, want.sizeBits, 1, into, slot);
    block.usedBytes = usedAfter(block, size);
  }

  #exhausted(size: number): IpcError {
    return new IpcError(
      Err.NO_MEMORY,
      "memory",
      `${size} bytes wanted, at most ${this.largestBytes} left in one block`,
    );
  }
}

function bestFit(blocks: readonly Block[], size: number): Block | undefined {
  let best: Block | undefined;
  let bestLeft = Number.POSITIVE_INFINITY;
  for (const block of blocks) {
    const left = block.sizeBytes - usedAfter(block, size);
    if (left < 0 || left >= bestLeft) continue;
    best = block;
    bestLeft = left;
  }
  return best;
}
