/**
 * The vetted shim, part one: arrays.
 *
 * Each method checks the length and then calls the built-in. Those that meet other lengths on their way
 * (`flat`, `flatMap`, `concat`, `from`) are written out. `push`, `pop`, `at` and the iterators do a
 * bounded amount of work per call and stay as they are: replacing `Symbol.iterator` would make every
 * spread 15 times slower, and loops over iterators can be interrupted.
 */
import {
  type Guard,
  keepOnly,
  MAX_ARRAY_LIKE_LENGTH,
  MAX_LENGTH,
  MAX_SORT_LENGTH,
  refuse,
  replaceMethods,
  uncurry,
} from "./shim-guard.js";

const { apply, construct } = Reflect;
const { isArray } = Array;
const { defineProperty } = Object;

type Callback = (...rest: unknown[]) => unknown;

/** Methods of Array.prototype whose work does not depend on a length. */
const CONSTANT = Object.freeze([
  "at",
  "constructor",
  "entries",
  "keys",
  "pop",
  "push",
  "toLocaleString",
  "values",
]);

export function shimArrays(guard: Guard): void {
  const methods = {
    ...searches(guard),
    ...walks(guard),
    ...moves(guard),
    ...copies(guard),
    ...nested(guard),
  };
  replaceMethods(Array.prototype, methods);
  keepOnly(Array.prototype, [...CONSTANT, ...Object.keys(methods)]);
  replaceMethods(Array, { from: arrayFrom });
  // fromAsync would be a way to a promise.
  keepOnly(Array, ["from", "isArray", "of"]);
}

function searches({ elements }: Guard): object {
  const proto = Array.prototype;
  const includes = uncurry(proto.includes);
  const indexOf = uncurry(proto.indexOf);
  const lastIndexOf = uncurry(proto.lastIndexOf);
  const find = uncurry(proto.find);
  const findIndex = uncurry(proto.findIndex);
  const findLast = uncurry(proto.findLast);
  const findLastIndex = uncurry(proto.findLastIndex);
  return {
    includes(this: unknown, what: unknown, from: unknown) {
      elements(this, "Array.prototype.includes");
      return includes(this, what, from);
    },
    indexOf(this: unknown, what: unknown, from: unknown) {
      elements(this, "Array.prototype.indexOf");
      return indexOf(this, what, from);
    },
    lastIndexOf(this: unknown, what: unknown, ...from: unknown[]) {
      elements(this, "Array.prototype.lastIndexOf");
      return from.length === 0 ? lastIndexOf(this, what) : lastIndexOf(this, what, from[0]);
    },
    find(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.find");
      return find(this, callback, self);
    },
    findIndex(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.findIndex");
      return findIndex(this, callback, self);
    },
    findLast(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.findLast");
      return findLast(this, callback, self);
    },
    findLastIndex(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.findLastIndex");
      return findLastIndex(this, callback, self);
    },
  };
}

function walks({ elements }: Guard): object {
  const proto = Array.prototype;
  const forEach = uncurry(proto.forEach);
  const map = uncurry(proto.map);
  const filter = uncurry(proto.filter);
  const every = uncurry(proto.every);
  const some = uncurry(proto.some);
  const reduce = uncurry(proto.reduce);
  const reduceRight = uncurry(proto.reduceRight);
  const join = uncurry(proto.join);
  const textOf = uncurry(proto.toString);
  return {
    forEach(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.forEach");
      return forEach(this, callback, self);
    },
    map(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.map");
      return map(this, callback, self);
    },
    filter(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.filter");
      return filter(this, callback, self);
    },
    every(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.every");
      return every(this, callback, self);
    },
    some(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.some");
      return some(this, callback, self);
    },
    reduce(this: unknown, callback: Callback, ...first: unknown[]) {
      elements(this, "Array.prototype.reduce");
      return first.length === 0 ? reduce(this, callback) : reduce(this, callback, first[0]);
    },
    reduceRight(this: unknown, callback: Callback, ...first: unknown[]) {
      elements(this, "Array.prototype.reduceRight");
      return first.length === 0 ? reduceRight(this, callback) : reduceRight(this, callback, first[0]);
    },
    join(this: unknown, separator: unknown) {
      elements(this, "Array.prototype.join");
      return join(this, separator);
    },
    // Finds `join` by name. That this is JavaScript makes nested arrays interruptible.
    toString(this: unknown) {
      return textOf(this);
    },
  };
}

function moves({ elements }: Guard): object {
  const proto = Array.prototype;
  const fill = uncurry(proto.fill);
  const reverse = uncurry(proto.reverse);
  const copyWithin = uncurry(proto.copyWithin);
  const shift = uncurry(proto.shift);
  const sort = uncurry(proto.sort);
  const { splice, unshift } = proto;
  return {
    fill(this: unknown, value: unknown, start: unknown, end: unknown) {
      elements(this, "Array.prototype.fill");
      return fill(this, value, start, end);
    },
    reverse(this: unknown) {
      elements(this, "Array.prototype.reverse");
      return reverse(this);
    },
    copyWithin(this: unknown, target: unknown, start: unknown, end: unknown) {
      elements(this, "Array.prototype.copyWithin");
      return copyWithin(this, target, start, end);
    },
    shift(this: unknown) {
      elements(this, "Array.prototype.shift");
      return shift(this);
    },
    sort(this: unknown, compare: unknown) {
      elements(this, "Array.prototype.sort", MAX_SORT_LENGTH);
      return sort(this, compare);
    },
    splice(this: unknown, ...rest: unknown[]) {
      elements(this, "Array.prototype.splice");
      return apply(splice, this, rest);
    },
    unshift(this: unknown, ...rest: unknown[]) {
      elements(this, "Array.prototype.unshift");
      return apply(unshift, this, rest);
    },
  };
}

function copies({ elements }: Guard): object {
  const proto = Array.prototype;
  const slice = uncurry(proto.slice);
  const toReversed = uncurry(proto.toReversed);
  const toSorted = uncurry(proto.toSorted);
  const replaced = uncurry(proto.with);
  const { toSpliced } = proto;
  return {
    slice(this: unknown, start: unknown, end: unknown) {
      elements(this, "Array.prototype.slice");
      return slice(this, start, end);
    },
    toReversed(this: unknown) {
      elements(this, "Array.prototype.toReversed");
      return toReversed(this);
    },
    toSorted(this: unknown, compare: unknown) {
      elements(this, "Array.prototype.toSorted", MAX_SORT_LENGTH);
      return toSorted(this, compare);
    },
    toSpliced(this: unknown, ...rest: unknown[]) {
      elements(this, "Array.prototype.toSpliced");
      return apply(toSpliced, this, rest);
    },
    with(this: unknown, index: unknown, value: unknown) {
      elements(this, "Array.prototype.with");
      return replaced(this, index, value);
    },
  };
}

function nested({ elements, spend }: Guard): object {
  const { concat } = Array.prototype;

  /** An array within the limit stands for its elements, all else for itself, spreadable or not. */
  function operand(value: unknown): unknown {
    if (isArray(value)) elements(value, "Array.prototype.concat");
    else if ((typeof value === "object" && value !== null) || typeof value === "function") return [value];
    return value;
  }

  /** Copies the elements of `source` that exist; `visited` counts every one looked at, at all depths. */
  function flatten(out: unknown[], source: object, depth: number, visited: number): number {
    elements(source, "Array.prototype.flat");
    const { length } = source as unknown[];
    visited += length;
    if (visited > MAX_LENGTH) refuse("Array.prototype.flat", `${visited} and more`, MAX_LENGTH, "elements");
    for (let i = 0; i < length; i++) {
      if (!(i in source)) continue;
      const element = (source as unknown[])[i];
      if (depth >= 1 && isArray(element)) visited = flatten(out, element, depth - 1, visited);
      else out.push(element);
    }
    return visited;
  }

  return {
    concat(this: unknown, ...items: unknown[]) {
      for (let i = 0; i < items.length; i++) items[i] = operand(items[i]);
      return apply(concat, operand(this) as unknown[], items);
    },
    flat(this: unknown, depth: unknown = 1) {
      const out: unknown[] = [];
      const levels = +(depth as number);
      flatten(out, asObject(this, "Array.prototype.flat"), levels > 0 ? Math.trunc(levels) : 0, 0);
      return out;
    },
    flatMap(this: unknown, callback: Callback, self: unknown) {
      const source = asObject(this, "Array.prototype.flatMap") as unknown[];
      elements(source, "Array.prototype.flatMap");
      if (typeof callback !== "function") throw new TypeError("flatMap mapper function is not callable");
      const { length } = source;
      const out: unknown[] = [];
      let visited = length;
      for (let i = 0; i < length; i++) {
        if (!(i in source)) continue;
        const element = apply(callback, self, [source[i], i, source]);
        if (isArray(element)) visited = flatten(out, element, 0, visited);
        else out.push(element);
      }
      spend(out.length);
      return out;
    },
  };
}

function asObject(self: unknown, method: string): object {
  if (self === null || self === undefined) throw new TypeError(`${method} called on null or undefined`);
  return Object(self) as object;
}

/** `Array.from`, with a limit on what an iterator may give and on what an array-like may claim. */
function arrayFrom(this: unknown, items: unknown, mapper?: Callback, self?: unknown): unknown {
  if (mapper !== undefined && typeof mapper !== "function") {
    throw new TypeError(`${typeof mapper} is not a function`);
  }
  if (items === null || items === undefined) throw new TypeError(`${items} is not iterable`);
  const own =
    typeof this === "function" && this !== Array ? (this as new (length?: number) => unknown[]) : null;
  const method = (items as Iterable<unknown>)[Symbol.iterator];
  const give = (target: unknown[], index: number, value: unknown) => {
    const element = mapper === undefined ? value : apply(mapper, self, [value, index]);
    if (own === null) target[index] = element;
    else
      defineProperty(target, index, { value: element, writable: true, enumerable: true, configurable: true });
  };

  if (method !== undefined && method !== null) {
    const target = own === null ? [] : (construct(own, []) as unknown[]);
    let count = 0;
    for (const item of { [Symbol.iterator]: () => apply(method, items, []) as Iterator<unknown> }) {
      if (count === MAX_LENGTH) refuse("Array.from", "more", MAX_LENGTH, "elements");
      give(target, count++, item);
    }
    if (own !== null) target.length = count;
    return target;
  }
  // Read once: a getter answers what it likes, but it cannot change its mind.
  const claimed = +(items as ArrayLike<unknown>).length;
  const length = claimed > 0 ? Math.trunc(claimed) : 0;
  if (length > MAX_ARRAY_LIKE_LENGTH)
    refuse("Array.from", `a length of ${length}`, MAX_ARRAY_LIKE_LENGTH, "elements");
  const target = own === null ? [] : (construct(own, [length]) as unknown[]);
  for (let i = 0; i < length; i++) give(target, i, (items as ArrayLike<unknown>)[i]);
  if (own !== null) target.length = length;
  return target;
}
