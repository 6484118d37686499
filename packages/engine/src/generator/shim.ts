/**
 * The vetted shim: what is done to a realm's built-ins before `lockdown()` freezes them.
 *
 * Every built-in whose time depends on a length that the guest chooses gets a limit; functions that
 * nobody vetted are deleted. What the limits are and what they are for stands in shim-guard.ts.
 */
import { shimArrays } from "./shim-arrays.js";
import { type Guard, makeGuard, markNatives } from "./shim-guard.js";
import { limitAggregateError, shimIterables } from "./shim-iterables.js";
import { shimNumbers } from "./shim-numbers.js";
import { shimObjects } from "./shim-objects.js";
import { limitRegExp, shimStrings } from "./shim-strings.js";

/**
 * Installs the shim. Once a realm, before `repairIntrinsics()`; the kernel's own code in that realm
 * lives with the limits too. Answers the part that has to come after `repairIntrinsics()`, which makes what it changes.
 *
 * @param onWork called before built-ins work through another 2^20 elements; may throw
 */
export function installShim(onWork: () => void): () => void {
  const guard = makeGuard(onWork);
  shimArrays(guard);
  shimStrings(guard);
  shimObjects(guard);
  shimIterables(guard);
  shimNumbers();
  const words = function* (): Generator<undefined> {};
  markNatives(guard, [
    ...[
      Object,
      Function,
      Array,
      String,
      Number,
      BigInt,
      Boolean,
      Symbol,
      RegExp,
      Map,
      Set,
      WeakMap,
      WeakSet,
      Proxy,
    ],
    ...[Error, AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
    ...[
      Math,
      JSON,
      Reflect,
      words,
      [].values(),
      new Map().keys(),
      new Set().keys(),
      ""[Symbol.iterator](),
      "".matchAll(/a/g),
    ],
    ...[decodeURI, decodeURIComponent, encodeURI, encodeURIComponent, isFinite, isNaN, parseFloat, parseInt],
    (globalThis as { Iterator?: unknown }).Iterator,
  ]);
  return () => finish(guard);
}

function finish(guard: Guard): void {
  limitRegExp();
  limitAggregateError(guard);
  // Ways to move or resize a buffer under a view's feet. No guest should get hold of one.
  for (const name of [
    "transfer",
    "transferToFixedLength",
    "resize",
    "transferToImmutable",
    "sliceToImmutable",
  ]) {
    Reflect.deleteProperty(ArrayBuffer.prototype, name);
  }
}
