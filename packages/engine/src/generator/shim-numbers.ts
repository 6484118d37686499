/**
 * The vetted shim, part five: functions of numbers that take as many as they are given.
 *
 * An argument may be a text of 2^29 digits, and takes V8 half a second to read. One is no matter; for a hundred
 * thousand of them each is read here, where V8 can stop it.
 */
import { keepOnly, replaceMethods } from "./shim-guard.js";

const { apply } = Reflect;

/** Functions of Math that work on a number or two. */
const MATH = Object.freeze([
  ...[
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "clz32",
    "cos",
    "cosh",
    "exp",
  ],
  ...[
    "expm1",
    "floor",
    "fround",
    "f16round",
    "imul",
    "log",
    "log10",
    "log1p",
    "log2",
    "pow",
    "random",
    "round",
    "sign",
  ],
  ...["sin", "sinh", "sqrt", "tan", "tanh", "trunc"],
]);

export function shimNumbers(): void {
  const { hypot, max, min } = Math;
  const methods = {
    // Two are the usual case, and V8 compiles the call to an instruction.
    max: (...values: number[]) =>
      values.length === 2 ? max(values[0]!, values[1]!) : apply(max, Math, read(values)),
    min: (...values: number[]) =>
      values.length === 2 ? min(values[0]!, values[1]!) : apply(min, Math, read(values)),
    hypot: (...values: number[]) => apply(hypot, Math, read(values)),
  };
  replaceMethods(Math, methods);
  keepOnly(Math, [...MATH, ...Object.keys(methods)]);
}

/** Turns values into numbers, in place. */
export function read(values: unknown[]): number[] {
  for (let i = 0; i < values.length; i++) values[i] = toNumber(values[i]);
  return values as number[];
}

/**
 * A function of its own: V8 can stop at each call of one, but looks into an interpreted loop only every few thousand
 * turns, and one long text takes 100 ms.
 */
function toNumber(value: unknown): number {
  return +(value as number);
}

/** Once a realm, after `repairIntrinsics()`, which makes the `Math` that guests have. */
export function explainRandom(math: object): void {
  const { random } = {
    random(): never {
      throw new TypeError(
        "Math.random does not exist in a guest: count, or start the program with a seed as its argument",
      );
    },
  };
  Object.defineProperty(math, "random", { value: random, writable: true, configurable: true });
}
