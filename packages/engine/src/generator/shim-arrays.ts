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
  isShort,
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
const CONSTANT = Object.freeze(["at", "constructor", "entries", "keys", "pop", "push", "values"]);

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

function searches({ elements, callback: called, spend }: Guard): object {
  const proto = Array.prototype;
  const includes = uncurry(proto.includes);
  const indexOf = uncurry(proto.indexOf);
  const lastIndexOf = uncurry(proto.lastIndexOf);
  const find = uncurry(proto.find);
  const findIndex = uncurry(proto.findIndex);
  const findLast = uncurry(proto.findLast);
  const findLastIndex = uncurry(proto.findLastIndex);

  /** Where a value stands that takes time to compare; -1 if nowhere. Here V8 can stop the search. */
  function search(list: ArrayLike<unknown>, what: unknown, first: number, step: 1 | -1): number {
    const { length } = list;
    for (let i = first; i >= 0 && i < length; i += step) {
      const element = list[i];
      // The length first: V8 makes a text flat before it compares its characters.
      if (typeof what === "string" && typeof element === "string") {
        if (element.length !== what.length) continue;
        spend(what.length >> 10);
      }
      if (element === what) return i;
    }
    return -1;
  }
  /** The first index of a search forwards. */
  function begin(list: ArrayLike<unknown>, from: unknown): number {
    const index = Math.trunc(+(from as number)) || 0;
    return index < 0 ? Math.max(list.length + index, 0) : index;
  }

  return {
    includes(this: ArrayLike<unknown>, what: unknown, from: unknown) {
      elements(this, "Array.prototype.includes");
      if (isShort(what)) return includes(this, what, from);
      return search(this, what, begin(this, from), 1) >= 0;
    },
    indexOf(this: ArrayLike<unknown>, what: unknown, from: unknown) {
      elements(this, "Array.prototype.indexOf");
      if (isShort(what)) return indexOf(this, what, from);
      return search(this, what, begin(this, from), 1);
    },
    lastIndexOf(this: ArrayLike<unknown>, what: unknown, ...from: unknown[]) {
      elements(this, "Array.prototype.lastIndexOf");
      if (!isShort(what)) {
        const last = from.length === 0 ? this.length - 1 : Math.trunc(+(from[0] as number)) || 0;
        return search(this, what, last < 0 ? this.length + last : Math.min(last, this.length - 1), -1);
      }
      return from.length === 0 ? lastIndexOf(this, what) : lastIndexOf(this, what, from[0]);
    },
    find(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.find");
      return find(this, called(callback), self);
    },
    findIndex(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.findIndex");
      return findIndex(this, called(callback), self);
    },
    findLast(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.findLast");
      return findLast(this, called(callback), self);
    },
    findLastIndex(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.findLastIndex");
      return findLastIndex(this, called(callback), self);
    },
  };
}

function walks({ elements, callback: called, spend }: Guard): object {
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
      return forEach(this, called(callback), self);
    },
    map(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.map");
      return map(this, called(callback), self);
    },
    filter(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.filter");
      return filter(this, called(callback), self);
    },
    every(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.every");
      return every(this, called(callback), self);
    },
    some(this: unknown, callback: Callback, self: unknown) {
      elements(this, "Array.prototype.some");
      return some(this, called(callback), self);
    },
    reduce(this: unknown, callback: Callback, ...first: unknown[]) {
      elements(this, "Array.prototype.reduce");
      const by = called(callback);
      return first.length === 0 ? reduce(this, by) : reduce(this, by, first[0]);
    },
    reduceRight(this: unknown, callback: Callback, ...first: unknown[]) {
      elements(this, "Array.prototype.reduceRight");
      const by = called(callback);
      return first.length === 0 ? reduceRight(this, by) : reduceRight(this, by, first[0]);
    },
    join(this: unknown, separator: unknown) {
      elements(this, "Array.prototype.join");
      return join(this, separator);
    },
    toLocaleString(this: unknown) {
      const list = asObject(this, "Array.prototype.toLocaleString") as unknown[];
      elements(list, "Array.prototype.toLocaleString");
      let text = "";
      for (let i = 0; i < list.length; i++) {
        // V8 looks into a loop seldom, but at each call.
        spend(1);
        const element = list[i] as { toLocaleString(): unknown } | null | undefined;
        if (i > 0) text += ",";
        if (element !== null && element !== undefined) text += `${element.toLocaleString() as string}`;
      }
      return text;
    },
    // Finds `join` by name. That this is JavaScript makes nested arrays interruptible.
    toString(this: unknown) {
      return textOf(this);
    },
  };
}

/** A sort's own order: of texts. As a function of the guest's would, it can be stopped between two comparisons. */
function byText({ spend }: Guard): (a: unknown, b: unknown) => number {
  return (a, b) => {
    const one = `${a as string}`;
    const other = `${b as string}`;
    spend(Math.min(one.length, other.length) >> 10);
    return one < other ? -1 : one > other ? 1 : 0;
  };
}

/** True if the built-in orders elements by their texts in next to no time: all are short, none is an object. */
function isQuicklySorted(self: unknown): boolean {
  const list = self as ArrayLike<unknown>;
  const { length } = list;
  let characters = 0;
  for (let i = 0; i < length; i++) {
    const element = list[i];
    if (typeof element === "string") characters += element.length;
    else if (typeof element !== "number" && typeof element !== "boolean" && element !== undefined)
      return false;
    if (characters > MAX_LENGTH) return false;
  }
  return true;
}

function moves(guard: Guard): object {
  const { elements } = guard;
  const order = byText(guard);
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
      if (compare !== undefined) return sort(this, guard.callback(compare));
      return isQuicklySorted(this) ? sort(this) : sort(this, order);
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

function copies(guard: Guard): object {
  const { elements } = guard;
  const order = byText(guard);
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
      if (compare !== undefined) return toSorted(this, guard.callback(compare));
      return isQuicklySorted(this) ? toSorted(this) : toSorted(this, order);
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

function nested({ elements, callback: called, spend }: Guard): object {
  const { concat } = Array.prototype;

  /** An array within the limit stands for its elements, all else for itself, spreadable or not. */
  function operand(value: unknown): unknown {
    if (isArray(value)) elements(value, "Array.prototype.concat");
    else if ((typeof value === "object" && value !== null) || typeof value === "function") return [value];
    return value;
  }
  /** What all operands together make: the same long array may be among them a thousand times. */
  function checkTotal(items: readonly unknown[]): void {
    let total = 0;
    for (let i = 0; i < items.length; i++) total += isArray(items[i]) ? (items[i] as unknown[]).length : 1;
    if (total > MAX_LENGTH) refuse("Array.prototype.concat", `${total}`, MAX_LENGTH, "elements");
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
      const first = operand(this) as unknown[];
      for (let i = 0; i < items.length; i++) items[i] = operand(items[i]);
      checkTotal([first, ...items]);
      return apply(concat, first, items);
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
      const by = called(callback) as Callback;
      const { length } = source;
      const out: unknown[] = [];
      let visited = length;
      for (let i = 0; i < length; i++) {
        if (!(i in source)) continue;
        const element = apply(by, self, [source[i], i, source]);
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
