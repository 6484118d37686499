/** Memory for objects that are made and ended over and over. */
import { ObjectType } from "@capos/abi";
import { cnode, type Os, type Steps, untyped } from "@capos/libos";

/**
 * Untyped memory of 2^`sizeBits` bytes. Whoever uses it up calls `empty` and then has half of it; nothing
 * that is made from it may be larger than that half.
 */
export class Scratch {
  private constructor(
    private readonly os: Os,
    readonly handle: number,
    readonly sizeBits: number,
    private readonly slot: number,
  ) {}

  static *of(os: Os, sizeBits: number): Steps<Scratch> {
    return new Scratch(os, yield* os.make(ObjectType.UNTYPED, sizeBits), sizeBits, os.slots.take());
  }

  /** How many objects of so many bytes there is room for after `empty`. */
  roomFor(bytes: number): number {
    return 2 ** (this.sizeBits - 1) / bytes;
  }

  /**
   * Ends all that was made from it. To be called when more than half is used: memory is cleared when
   * something is wanted that does not fit, and this asks for half of it, so that no later retype has to.
   */
  *empty(): Steps<void> {
    const { sys, environment } = this.os;
    yield* cnode.revoke(sys, environment.cnode, this.handle);
    yield* untyped.retype(
      sys,
      this.handle,
      ObjectType.UNTYPED,
      this.sizeBits - 1,
      1,
      environment.cnode,
      this.slot,
    );
    yield* cnode.delete(sys, environment.cnode, this.slot);
  }
}
