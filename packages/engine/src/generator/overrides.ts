/**
 * Lets guests give their own objects properties by the names that frozen built-ins have.
 *
 * The language refuses `o.toString = f` if `o` inherits a `toString` that cannot be written: so every built-in
 * that is frozen would break a dictionary of words, a subclass of Error, an inheritance without `class`.
 * Therefore each property of the built-ins that guests can inherit from becomes a pair: the getter gives
 * what was there, the setter defines a property of the receiver's own. Optimised code inlines the getter.
 *
 * `KEPT` stay as they are. V8 spreads and iterates arrays, maps and sets by themselves only while these
 * are plain (measured: a spread of 8 elements costs 15 times as much otherwise). The image builder hands an assignment to
 * one of these names that the language refused to `assignKept`.
 */
import { types } from "node:util";

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { ownKeys } = Reflect;
const hasOwn = Object.hasOwn;
const { isProxy } = types;

const arrayIterator = getPrototypeOf([][Symbol.iterator]()) as object;
const mapIterator = getPrototypeOf(new Map().entries()) as object;
const setIterator = getPrototypeOf(new Set().values()) as object;
const iterator = getPrototypeOf(arrayIterator) as object;

/** What V8's fast paths look at, by holder. */
const KEPT: ReadonlyMap<object, readonly PropertyKey[]> = new Map<object, readonly PropertyKey[]>([
  [Array.prototype, ["constructor", Symbol.iterator]],
  [Map.prototype, [Symbol.iterator]],
  [Set.prototype, [Symbol.iterator]],
  [iterator, [Symbol.iterator]],
  [arrayIterator, ["next"]],
  [mapIterator, ["next"]],
  [setIterator, ["next"]],
]);

/**
 * Makes what guests inherit overridable by assignment. Once a realm, after `repairIntrinsics()` and before
 * `hardenIntrinsics()`.
 *
 * @param globals what a guest's global object has
 */
export function allowOverrides(globals: readonly unknown[]): void {
  for (const holder of holders(globals)) {
    const kept = KEPT.get(holder) ?? [];
    for (const key of ownKeys(holder)) if (!kept.includes(key)) allowOverride(holder, key);
  }
}

/**
 * Does an assignment that the language refused because a built-in of `KEPT` is inherited: what is assigned becomes a property of
 * the object's own. Throws what the assignment threw if it was refused for another reason.
 */
export function assignKept(it: unknown, key: PropertyKey, value: unknown, refusal: unknown): unknown {
  if (!isKept(it, key)) throw refusal;
  defineProperty(it as object, key, { value, writable: true, enumerable: true, configurable: true });
  return value;
}

/** True if an object inherits a property of `KEPT`. Runs nothing of the object's. */
function isKept(it: unknown, key: PropertyKey): boolean {
  if ((typeof it !== "object" && typeof it !== "function") || it === null) return false;
  for (let holder: object | null = it; holder !== null && !isProxy(holder); ) {
    if (hasOwn(holder, key)) return holder !== it && KEPT.get(holder)?.includes(key) === true;
    holder = getPrototypeOf(holder) as object | null;
  }
  return false;
}

/** The constructors, their prototypes, and the prototypes that have no constructor. */
function holders(globals: readonly unknown[]): Set<object> {
  const found = new Set<object>();
  const add = (first: unknown): void => {
    for (
      let holder = first as object | null;
      holder !== null;
      holder = getPrototypeOf(holder) as object | null
    )
      found.add(holder);
  };
  for (const value of globals) {
    const prototype: unknown = typeof value === "function" ? value.prototype : undefined;
    if (typeof prototype !== "object" || prototype === null) continue;
    add(prototype);
    // Which for some is not the start compartment's own.
    add(prototype.constructor);
  }
  const words = function* (): Generator<undefined> {};
  const samples: unknown[] = [
    ...[
      words,
      words(),
      [][Symbol.iterator](),
      new Map().entries(),
      new Set().values(),
      ""[Symbol.iterator](),
    ],
    "a".matchAll(/a/g),
  ];
  const { Iterator } = globalThis as { Iterator?: { from?: (from: object) => { map(by: unknown): object } } };
  if (Iterator?.from !== undefined) {
    const wrapped = Iterator.from({ next: () => ({ done: true }) });
    samples.push(wrapped, wrapped.map(String));
  }
  for (const sample of samples) add(getPrototypeOf(sample));
  return found;
}

function allowOverride(holder: object, key: PropertyKey): void {
  const descriptor = getOwnPropertyDescriptor(holder, key)!;
  if (descriptor.configurable !== true || !("value" in descriptor)) return;
  // Each function and class has its own.
  if (typeof holder === "function" && (key === "name" || key === "length")) return;
  const original: unknown = descriptor.value;
  const pair = getOwnPropertyDescriptor(
    {
      get [key](): unknown {
        return original;
      },
      set [key](value: unknown) {
        if ((this as object) === holder)
          throw new TypeError(`${String(key)} of a built-in cannot be changed`);
        // Not inherited, then: `super.x = 1`, `Reflect.set`.
        if (hasOwn(this, key)) (this as Record<PropertyKey, unknown>)[key] = value;
        else defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true });
      },
    },
    key,
  )!;
  // `hardenIntrinsics()` freezes what it finds, and looks into no closure.
  defineProperty(pair.get, "originalValue", { value: original });
  defineProperty(holder, key, { ...pair, enumerable: descriptor.enumerable === true });
}
