/**
 * How much memory kernel objects take: the kernel's layout, as far as whoever makes them has to know it.
 */
import { ObjectType } from "@capos/abi";

/** An object to be made. */
export interface Want {
  readonly type: ObjectType;
  /** As `untyped.retype` has it: log2 of bytes (untyped) or of slots (CNode), else 0. */
  readonly sizeBits: number;
}

/** log2 of an object's size in bytes. */
export function objectBits({ type, sizeBits }: Want): number {
  switch (type) {
    case ObjectType.UNTYPED:
      return sizeBits;
    case ObjectType.CNODE:
      return sizeBits + 6;
    case ObjectType.FRAME:
      return 12;
    case ObjectType.THREAD:
      return 10;
    case ObjectType.PROCESS:
      return 9;
    case ObjectType.MONITOR:
      return 8;
    case ObjectType.SEALER:
      return 6;
    default:
      return 7;
  }
}

/** log2 of the smallest block that has room for these objects, made in this order. */
export function blockBitsFor(wants: readonly Want[]): number {
  let used = 0;
  for (const want of wants) {
    const size = 2 ** objectBits(want);
    // Every object is aligned to its size.
    used = Math.ceil(used / size) * size + size;
  }
  return Math.ceil(Math.log2(used));
}
