/**
 * Steps: a piece of guest code that may trap, to be run with `yield*` from `main`.
 *
 * Each value that goes up through it is a trap number, each value that comes down is the trap's
 * answer. Nothing else is ever yielded, so the kernel may treat a whole `yield*` chain as one thread.
 */

/** Guest code that traps any number of times and then gives a `T`. Run it with `yield*`. */
export type Steps<T> = Generator<number, T, number>;

/** What a callback may give: the value at once, or steps that lead to it. */
export type MaybeSteps<T> = T | Steps<T>;

/** True if a callback gave steps rather than a value. Values that are passed here never have a method `next`. */
export function isSteps<T>(value: MaybeSteps<T>): value is Steps<T> {
  return (
    typeof value === "object" && value !== null && typeof (value as { next?: unknown }).next === "function"
  );
}
