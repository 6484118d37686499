/**
 * How much memory objects take together.
 */
import { type ObjectType, objectBits } from "@capos/abi";

/** An object to be made. */
export interface Want {
  readonly type: ObjectType;
  /** As `untyped.retype` has it: log2 of bytes (untyped) or of slots (CNode), else 0. */
  readonly sizeBits: number;
}

/** log2 of the smallest block that has room for these objects, made in this order. */
export function blockBitsFor(wants: readonly Want[]): number {
  let used = 0;
  for (const want of wants) {
    const size = 2 ** objectBits(want.type, want.sizeBits);
    // Every object is aligned to its size.
    used = Math.ceil(used / size) * size + size;
  }
  return Math.ceil(Math.log2(used));
}
