/**
 * A runtime without a scheduler: every access happens as soon as it is announced, nothing is a scheduling
 * point. For set-up code, and for comparing a transformed program with the one that it was.
 */
import { performAtomic } from "../explore/atomic.js";
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

function perform(op: Op, view: Int32Array, index: number, a = 0, b?: number): unknown {
  if (op === Op.WAIT) return Atomics.wait(view, index, a, b);
  if (op === Op.NOTIFY) return Atomics.notify(view, index, a);
  return performAtomic(op, view, index, a, b ?? 0);
}
