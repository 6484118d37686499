/** An atomic operation by its number. */
import { Op } from "./operation.js";

/** Performs an operation on a word of a view; answers what `Atomics` does. Not for WAIT and NOTIFY. */
export function performAtomic(op: Op, view: Int32Array, index: number, a: number, b: number): number {
  switch (op) {
    case Op.LOAD:
      return Atomics.load(view, index);
    case Op.STORE:
      return Atomics.store(view, index, a);
    case Op.ADD:
      return Atomics.add(view, index, a);
    case Op.SUB:
      return Atomics.sub(view, index, a);
    case Op.AND:
      return Atomics.and(view, index, a);
    case Op.OR:
      return Atomics.or(view, index, a);
    case Op.XOR:
      return Atomics.xor(view, index, a);
    case Op.EXCHANGE:
      return Atomics.exchange(view, index, a);
    case Op.COMPARE_EXCHANGE:
      return Atomics.compareExchange(view, index, a, b);
    default:
      throw new RangeError(`no atomic operation has the number ${op}`);
  }
}
