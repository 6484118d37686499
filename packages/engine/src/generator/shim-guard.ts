/**
 * The limits of what one call of a built-in may work through, and the guard that enforces them.
 *
 * A built-in's loop holds no check of the image builder's, and most hold none of V8's either: one such
 * call on a length of 2^53-1 hangs a core so that even `terminate()` does not end it. The invariant of
 * the shim: a call of a built-in either ends within about a second, or it runs code in which
 * `terminate()` takes effect.
 */
import { types } from "node:util";

/** Elements of a true array; also the characters of a text that a regular expression works through. */
export const MAX_LENGTH = 2 ** 22;
/** Elements of anything else with a length: nothing but a number stands behind it. */
export const MAX_ARRAY_LIKE_LENGTH = 2 ** 20;
/** Elements of a sort, which costs up to 20 comparisons of texts for each. */
export const MAX_SORT_LENGTH = 2 ** 20;
/** Characters of a text that is taken apart into properties: measured 1 us each, and several on a busy host. */
export const MAX_PROPERTIES_OF_TEXT = 2 ** 17;
/** Elements of an array whose properties are listed, which makes up to two objects for each. */
export const MAX_PROPERTIES_OF_ARRAY = 2 ** 20;
/** Product of the lengths of a text and of what is searched in it: V8 compares that often at worst. */
export const MAX_SEARCH_COMPARISONS = 2 ** 30;
/** Characters to normalise: a run of combining marks costs its square, 250 ms at this length. */
export const MAX_NORMALIZE_LENGTH = 2 ** 15;
/** Characters of a regular expression: V8 compiles at the first use, and cannot be interrupted in it. */
export const MAX_PATTERN_LENGTH = 2 ** 14;

/** Product of the elements of an array and of the prototypes under it: each hole is looked for in all of them. */
export const MAX_PROTOTYPE_LOOKS = 2 ** 26;
/** Characters, or bits, of a value that is compared with each element of an array. */
const MAX_COMPARED_LENGTH = 256;
const MAX_COMPARED_BITS = 64;

/** Elements after which the kernel is told. */
const WORK_PER_REPORT = 2 ** 20;

/** The intrinsics, taken when this module is loaded: before any guest. */
const { isArray } = Array;
const { asIntN } = BigInt;
const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { apply, ownKeys } = Reflect;
const { isProxy, isStringObject } = types;
const arrayPrototype: unknown = Array.prototype;
const objectPrototype: unknown = Object.prototype;

// biome-ignore lint/suspicious/noExplicitAny: a built-in takes and gives anything
export type Native = (self: unknown, ...rest: any[]) => any;

/**
 * A method as a function of its `this`. Called through a bound `call`, V8 inlines the built-in as if
 * there were no shim: measured 13 ns for a `map` of 8, against 45 through `Reflect.apply`.
 */
export const uncurry = Function.prototype.bind.bind(Function.prototype.call) as (method: unknown) => Native;

export interface Guard {
  /** Throws unless `self` is an array or array-like within the limits. To be called before the built-in. */
  elements(self: unknown, method: string, limit?: number): void;
  /** Throws if `self` is a text of too many characters, or an array of too many elements, to list its properties. */
  properties(self: unknown, method: string): void;
  /**
   * A guest's function as a built-in may call it again and again. V8 ends no loop that calls nothing but built-ins,
   * and one of these can take half a second (`Math.abs` of a long text): those get a function around them.
   */
  callback(given: unknown): unknown;
  /** Makes a function one of those that `callback` knows for a built-in. */
  mark(native: object): void;
  /** Throws if `length` exceeds `limit`. */
  length(length: number, limit: number, method: string, unit: string): void;
  /** Counts work of the built-in to come. */
  spend(work: number): void;
}

/** Throws the one error of the shim. */
export function refuse(method: string, found: string, limit: number, unit: string): never {
  throw new RangeError(`${method}: ${found} ${unit}, the limit is ${limit}`);
}

/**
 * Makes the guard.
 *
 * @param onWork called, with nothing changed yet, before built-ins work through another 2^20 elements;
 *   what it throws ends the call
 */
export function makeGuard(onWork: () => void): Guard {
  let work = 0;
  const natives = new WeakSet<object>();
  const isNative = uncurry(natives.has);
  const addNative = uncurry(natives.add);

  function spend(more: number): void {
    work += more;
    if (work >= WORK_PER_REPORT) {
      work = 0;
      onWork();
    }
  }

  function arrayLike(self: unknown, method: string, limit: number): void {
    const length = lengthOfArrayLike(self, method);
    if (length > limit) refuse(method, `a length of ${length}`, limit, "elements");
    spend(length);
    if ((typeof self === "object" && self !== null) || typeof self === "function")
      prototypes(self, length, method);
  }

  /** Throws if what is under an object is deep, or a proxy. */
  function prototypes(self: object, length: number, method: string): void {
    const links = MAX_PROTOTYPE_LOOKS / length;
    let count = 0;
    let under = getPrototypeOf(self) as object | null;
    for (; under !== null && under !== arrayPrototype; under = getPrototypeOf(under) as object | null) {
      if (isProxy(under)) throw new TypeError(`${method}: not on what inherits from a proxy`);
      if (++count > links) {
        refuse(
          method,
          `${length * count}`,
          MAX_PROTOTYPE_LOOKS,
          "looks at the prototypes below the elements",
        );
      }
    }
  }

  return {
    spend,
    callback(given) {
      if (typeof given !== "function" || !isNative(natives, given)) return given;
      return function (this: unknown, ...rest: unknown[]): unknown {
        spend(1);
        return apply(given, this, rest);
      };
    },
    mark: (native) => void addNative(natives, native),
    elements(self, method, limit = MAX_LENGTH) {
      // No guest has a proxy of an array (see shim-objects.ts), so this `length` is an own data property,
      // and the built-in will read the same: nothing of the guest's runs in between.
      if (!isArray(self)) {
        arrayLike(self, method, Math.min(limit, MAX_ARRAY_LIKE_LENGTH));
        return;
      }
      const { length } = self;
      if (length > limit) refuse(method, `an array of ${length}`, limit, "elements");
      spend(length);
      if (getPrototypeOf(self) !== arrayPrototype) prototypes(self, length, method);
    },
    properties(self, method) {
      if (typeof self === "string") {
        if (self.length > MAX_PROPERTIES_OF_TEXT) {
          refuse(method, `a text of ${self.length}`, MAX_PROPERTIES_OF_TEXT, "characters");
        }
        spend(self.length);
      } else if (isArray(self)) {
        if (self.length > MAX_PROPERTIES_OF_ARRAY) {
          refuse(method, `an array of ${self.length}`, MAX_PROPERTIES_OF_ARRAY, "elements");
        }
        spend(self.length);
      } else if (typeof self === "object" && self !== null) {
        // Most objects are no wrapped text, and this way it costs nothing to see.
        if (getPrototypeOf(self) !== objectPrototype && isStringObject(self)) spend((self as string).length);
      }
    },
    length(length, limit, method, unit) {
      if (length > limit) refuse(method, `${length}`, limit, unit);
    },
  };
}

/** True if a value is compared with another in next to no time. */
export function isShort(value: unknown): boolean {
  if (typeof value === "string") return value.length <= MAX_COMPARED_LENGTH;
  return typeof value !== "bigint" || asIntN(MAX_COMPARED_BITS, value) === value;
}

/** Calls `mark` with every built-in function that can be reached from some objects. */
export function markNatives(guard: Guard, from: readonly unknown[]): void {
  const sourceOf = uncurry(Function.prototype.toString);
  const seen = new Set<unknown>();
  const todo = [...from];
  while (todo.length > 0) {
    const one = todo.pop();
    if ((typeof one !== "object" && typeof one !== "function") || one === null || seen.has(one)) continue;
    seen.add(one);
    if (typeof one === "function" && (sourceOf(one) as string).endsWith("{ [native code] }")) guard.mark(one);
    todo.push(getPrototypeOf(one));
    for (const key of ownKeys(one)) {
      const { value, get, set } = getOwnPropertyDescriptor(one, key)!;
      todo.push(value, get, set);
    }
  }
}

/**
 * The length of an array-like, which must be a data property of a plain number: a getter or a proxy
 * could answer 5 to the guard and 2^53-1 to the built-in.
 */
function lengthOfArrayLike(self: unknown, method: string): number {
  if (typeof self === "string") return self.length;
  let holder: object | null =
    typeof self === "object" || typeof self === "function" ? (self as object | null) : null;
  while (holder !== null) {
    if (isProxy(holder)) throw new TypeError(`${method}: not on a proxy`);
    const descriptor = getOwnPropertyDescriptor(holder, "length");
    if (descriptor !== undefined) {
      const { value } = descriptor;
      if (
        !("value" in descriptor) ||
        (typeof value === "object" && value !== null) ||
        typeof value === "function"
      ) {
        throw new TypeError(`${method}: the length of an array-like must be a number, not computed`);
      }
      return +value > 0 ? Math.trunc(+value) : 0;
    }
    holder = getPrototypeOf(holder) as object | null;
  }
  return 0;
}

/**
 * Replaces methods of an intrinsic, keeping what a program can see of them: name, length, and that
 * they are writable and not enumerable (until they are frozen).
 */
export function replaceMethods(target: object, methods: object): void {
  for (const key of Reflect.ownKeys(methods)) {
    const old = getOwnPropertyDescriptor(target, key);
    if (old === undefined) continue;
    const method = (methods as Record<PropertyKey, object>)[key];
    Object.defineProperty(method, "length", {
      value: (old.value as { length: number }).length,
      configurable: true,
    });
    Object.defineProperty(method, "name", {
      value: (old.value as { name: string }).name,
      configurable: true,
    });
    Object.defineProperty(target, key, { ...old, value: method });
  }
}

/**
 * Deletes the methods of an intrinsic that nobody vetted: a later version of the language may bring
 * loops that this shim does not know.
 */
export function keepOnly(target: object, vetted: readonly string[]): void {
  const known = new Set<PropertyKey>(vetted);
  for (const key of Reflect.ownKeys(target)) {
    const descriptor = getOwnPropertyDescriptor(target, key);
    if (typeof key !== "string" || typeof descriptor?.value !== "function" || known.has(key)) continue;
    Reflect.deleteProperty(target, key);
  }
}
