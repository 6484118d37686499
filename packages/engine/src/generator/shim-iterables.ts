/**
 * The vetted shim, part four: built-ins that work through whatever iterator they are given.
 *
 * `{ next: Object.bind(null, {}) }` never ends, and consists of built-ins alone, so V8 would not end who uses it. The
 * built-in is given an iterator whose `next` is a function of this file: V8 can stop that, and the kernel is told.
 * This holds for arrays too, beyond a few elements: a Map can take long to find where texts or bigints belong.
 */
import { type Guard, keepOnly, replaceMethods, uncurry } from "./shim-guard.js";

const { apply, construct, ownKeys } = Reflect;
const { isArray } = Array;
const { defineProperty, getOwnPropertyDescriptors, getPrototypeOf, setPrototypeOf } = Object;

/** Elements of an array that a built-in may work through by itself. */
const FEW = 64;

type Constructor = (new (...rest: unknown[]) => object) & { readonly prototype: unknown };

export function shimIterables(guard: Guard): void {
  const over = iterableOver(guard);
  for (const name of ["Map", "Set", "WeakMap", "WeakSet"] as const)
    defineProperty(globalThis, name, { value: limited(globalThis[name], over) });
  const { fromEntries } = Object;
  replaceMethods(Object, { fromEntries: (entries: unknown) => fromEntries(over(entries) as []) });
  shimHelpers(guard);
}

/** Makes an iterable into one whose iterators count. */
function iterableOver(guard: Guard): (iterable: unknown) => unknown {
  const own = Array.prototype[Symbol.iterator] as unknown;
  return (iterable) => {
    // What cannot be iterated is the built-in's to say.
    if (iterable === undefined || iterable === null) return iterable;
    const method = (iterable as Iterable<unknown>)[Symbol.iterator] as unknown;
    if (typeof method !== "function") return iterable;
    if (method === own && isArray(iterable) && iterable.length <= FEW) return iterable;
    return { [Symbol.iterator]: () => counted(guard, apply(method, iterable, []) as Iterator<unknown>) };
  };
}

/** An iterator that does as another, and can be stopped. */
function counted(guard: Guard, iterator: Iterator<unknown>): Iterator<unknown> {
  const { next } = iterator;
  return {
    next(...rest: unknown[]) {
      guard.spend(1);
      return apply(next, iterator, rest) as IteratorResult<unknown>;
    },
    get return() {
      const { return: close } = iterator;
      return close === undefined || close === null
        ? undefined
        : (...rest: unknown[]) => apply(close, iterator, rest) as IteratorResult<unknown>;
    },
  } as Iterator<unknown>;
}

/**
 * Makes the errors of many take iterators as all others do. Works on what `repairIntrinsics()` left: that
 * insists on the constructor of the language.
 */
export function limitAggregateError(guard: Guard): void {
  limited(AggregateError.prototype.constructor, iterableOver(guard));
}

/** A constructor that gives another what `over` makes of its first argument, in the place of that for its prototype. */
function limited(constructor: unknown, over: (iterable: unknown) => unknown): unknown {
  const given = constructor as Constructor;
  const replacement = function (this: unknown, iterable?: unknown, ...rest: unknown[]): object {
    const isOwn = (new.target as unknown) === replacement;
    if (isOwn && iterable === undefined && rest.length === 0) return new given();
    // Called without `new`, an error is made all the same, and a collection refused.
    if (new.target === undefined)
      return apply(given as never, undefined, [over(iterable), ...rest]) as object;
    return construct(given, [over(iterable), ...rest], isOwn ? given : new.target);
  };
  const facts = getOwnPropertyDescriptors(given) as Record<PropertyKey, PropertyDescriptor>;
  for (const key of ownKeys(facts)) defineProperty(replacement, key, facts[key as string]!);
  setPrototypeOf(replacement, getPrototypeOf(given) as object);
  defineProperty(given.prototype as object, "constructor", { value: replacement });
  return replacement;
}

/** The helpers of iterators, where Node has them: each works on an iterator that counts. */
function shimHelpers(guard: Guard): void {
  const { Iterator } = globalThis as { Iterator?: { prototype: object } };
  if (Iterator === undefined) return;
  const eager = ["every", "find", "forEach", "reduce", "some", "toArray"];
  const lazy = ["drop", "filter", "flatMap", "map", "take"];
  const methods: Record<string, unknown> = {};
  for (const name of [...eager, ...lazy]) {
    const native = uncurry((Iterator.prototype as Record<string, unknown>)[name]);
    const helper = {
      [name](this: unknown, ...rest: unknown[]) {
        const isIterator = (typeof this === "object" && this !== null) || typeof this === "function";
        return native(isIterator ? counted(guard, this as Iterator<unknown>) : this, ...rest);
      },
    };
    methods[name] = helper[name];
  }
  replaceMethods(Iterator.prototype, methods);
  keepOnly(Iterator.prototype, ["constructor", ...Object.keys(methods)]);
  keepOnly(Iterator, ["from"]);
}
