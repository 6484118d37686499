/**
 * A runtime without a scheduler: every access happens as soon as it is announced, nothing is a scheduling
 * point. For set-up code, and for comparing a transformed program with the one that it was.
 */
import { Op, UNUSED } from "../explore/operation.js";
import type { Runtime } from "../explore/runtime.js";

export function performAtOnce(): Runtime {
  let result: unknown;
  const take = (): unknown => result;
  return {
    op(_site, op, view, index, a, b): boolean {
      result = perform(op & ~UNUSED, view as Int32Array, index, a, b);
      return false;
    },
    run: take,
    peek(_site, view, index): boolean {
      result = (view as Record<PropertyKey, unknown>)[index as PropertyKey];
      return false;
    },
    take,
    poke(_site, view, index, value): boolean {
      (view as Record<PropertyKey, unknown>)[index as PropertyKey] = value;
      result = value;
      return false;
    },
    put: take,
    enter(): void {},
    turn(): void {},
  };
}

function perform(op: Op, view: Int32Array, index: number, a?: number, b?: number): unknown {
  switch (op) {
    case Op.LOAD:
      return Atomics.load(view, index);
    case Op.STORE:
      return Atomics.store(view, index, a!);
    case Op.ADD:
      return Atomics.add(view, index, a!);
    case Op.SUB:
      return Atomics.sub(view, index, a!);
    case Op.AND:
      return Atomics.and(view, index, a!);
    case Op.OR:
      return Atomics.or(view, index, a!);
    case Op.XOR:
      return Atomics.xor(view, index, a!);
    case Op.EXCHANGE:
      return Atomics.exchange(view, index, a!);
    case Op.COMPARE_EXCHANGE:
      return Atomics.compareExchange(view, index, a!, b!);
    case Op.WAIT:
      return Atomics.wait(view, index, a!, b);
    case Op.NOTIFY:
      return Atomics.notify(view, index, a);
    default:
      throw new RangeError(`no atomic operation has the number ${op}`);
  }
}
