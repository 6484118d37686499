/**
 * The vetted shim, part two: texts and regular expressions.
 *
 * Searching costs the product of two lengths at worst, normalising the square of one, a regular
 * expression's `Symbol` methods loop as often as they match; none of these can be interrupted. Matching
 * itself (`exec`, `test`) can. What costs its own length once is left alone: V8's longest text, 2^29
 * characters, takes such a method under a second.
 *
 * An argument is turned into a text once, here, and the built-in is given that text: an object could
 * answer a short text to a check and a long one to the built-in.
 */
import { types } from "node:util";
import {
  type Guard,
  keepOnly,
  MAX_ARRAY_LIKE_LENGTH,
  MAX_LENGTH,
  MAX_NORMALIZE_LENGTH,
  MAX_PATTERN_LENGTH,
  MAX_SEARCH_COMPARISONS,
  refuse,
  replaceMethods,
  uncurry,
} from "./shim-guard.js";
import { read } from "./shim-numbers.js";

const { apply, construct, ownKeys } = Reflect;
const { getPrototypeOf } = Object;
const { isRegExp } = types;

/** Methods of String.prototype that go once through their text, and through nothing else. */
const LINEAR = Object.freeze([
  ...["at", "charAt", "charCodeAt", "codePointAt", "concat", "constructor", "endsWith", "isWellFormed"],
  ...["localeCompare", "padEnd", "padStart", "repeat", "slice", "startsWith", "substr", "substring"],
  ...["toLocaleLowerCase", "toLocaleUpperCase", "toLowerCase", "toString", "toUpperCase", "toWellFormed"],
  ...["trim", "trimEnd", "trimLeft", "trimRight", "trimStart", "valueOf"],
]);

export function shimStrings(guard: Guard): void {
  const methods = { ...searches(guard), ...patterns(guard), ...others(guard) };
  replaceMethods(String.prototype, methods);
  keepOnly(String.prototype, [...LINEAR, ...Object.keys(methods)]);
  replaceMethods(String, { ...raw(guard), ...characters() });
  keepOnly(String, ["fromCharCode", "fromCodePoint", "raw"]);
  shimUris(guard);
  replaceMethods(RegExp.prototype, regularExpressions(guard));
  keepOnly(RegExp.prototype, ["constructor", "exec", "test", "toString"]);
}

/** Each of many arguments becomes a number here, where V8 can stop it: one may be a text of 2^29 digits. */
function characters(): object {
  const { fromCharCode, fromCodePoint } = String;
  return {
    fromCharCode: (...codes: unknown[]) => apply(fromCharCode, String, read(codes)),
    fromCodePoint: (...codes: unknown[]) => apply(fromCodePoint, String, read(codes)),
  };
}

function textOf(self: unknown, method: string): string {
  if (typeof self === "string") return self;
  if (self === null || self === undefined) throw new TypeError(`${method} called on null or undefined`);
  return `${self as string}`;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function checkSearch({ spend }: Guard, text: string, pattern: string, method: string): void {
  const comparisons = text.length * pattern.length;
  if (comparisons > MAX_SEARCH_COMPARISONS) {
    const found = `a text of ${text.length} and a pattern of ${pattern.length}: ${comparisons}`;
    refuse(method, found, MAX_SEARCH_COMPARISONS, "comparisons");
  }
  spend(comparisons >> 10);
}

function searches(guard: Guard): object {
  const includes = uncurry(String.prototype.includes);
  const indexOf = uncurry(String.prototype.indexOf);
  const lastIndexOf = uncurry(String.prototype.lastIndexOf);
  return {
    includes(this: unknown, pattern: unknown, from: unknown) {
      const text = textOf(this, "String.prototype.includes");
      if (isRegExp(pattern)) {
        throw new TypeError("First argument to String.prototype.includes must not be a regular expression");
      }
      const searched = `${pattern as string}`;
      checkSearch(guard, text, searched, "String.prototype.includes");
      return includes(text, searched, from);
    },
    indexOf(this: unknown, pattern: unknown, from: unknown) {
      const text = textOf(this, "String.prototype.indexOf");
      const searched = `${pattern as string}`;
      checkSearch(guard, text, searched, "String.prototype.indexOf");
      return indexOf(text, searched, from);
    },
    lastIndexOf(this: unknown, pattern: unknown, from: unknown) {
      const text = textOf(this, "String.prototype.lastIndexOf");
      const searched = `${pattern as string}`;
      checkSearch(guard, text, searched, "String.prototype.lastIndexOf");
      return lastIndexOf(text, searched, from);
    },
  };
}

/** Methods that hand over to a method of the pattern's, if it has one, and search for a text otherwise. */
function patterns(guard: Guard): object {
  const proto = String.prototype;
  const replace = uncurry(proto.replace);
  const replaceAll = uncurry(proto.replaceAll);
  const split = uncurry(proto.split);
  const match = uncurry(proto.match);
  const matchAll = uncurry(proto.matchAll);
  const search = uncurry(proto.search);

  /** The method that an object brings along for this; read once, as the language says. */
  function methodOf(pattern: unknown, symbol: symbol): unknown {
    return isObject(pattern) ? ((pattern as Record<symbol, unknown>)[symbol] ?? undefined) : undefined;
  }
  function needsGlobal(pattern: unknown, method: string): void {
    if (isRegExp(pattern) && !pattern.global) {
      throw new TypeError(`${method} must be called with a global regular expression`);
    }
  }
  /** A pattern that is no object of its own method becomes a regular expression. */
  function asPattern(pattern: unknown, method: string): unknown {
    if (pattern === undefined) return undefined;
    const source = `${pattern as string}`;
    guard.length(source.length, MAX_PATTERN_LENGTH, method, "characters of a regular expression");
    return source;
  }
  function within(text: string, method: string): string {
    guard.length(text.length, MAX_LENGTH, method, "characters");
    return text;
  }

  return {
    replace(this: unknown, pattern: unknown, replacement: unknown) {
      if (this === null || this === undefined) return replace(this, "", "");
      const own = methodOf(pattern, Symbol.replace);
      if (own !== undefined) return apply(own as () => unknown, pattern, [this, replacement]);
      const text = textOf(this, "String.prototype.replace");
      const searched = `${pattern as string}`;
      checkSearch(guard, text, searched, "String.prototype.replace");
      return replace(text, searched, guard.callback(replacement));
    },
    replaceAll(this: unknown, pattern: unknown, replacement: unknown) {
      if (this === null || this === undefined) return replaceAll(this, "", "");
      needsGlobal(pattern, "replaceAll");
      const own = methodOf(pattern, Symbol.replace);
      if (own !== undefined) return apply(own as () => unknown, pattern, [this, replacement]);
      const text = within(textOf(this, "String.prototype.replaceAll"), "String.prototype.replaceAll");
      const searched = `${pattern as string}`;
      checkSearch(guard, text, searched, "String.prototype.replaceAll");
      return replaceAll(text, searched, guard.callback(replacement));
    },
    split(this: unknown, separator: unknown, limit: unknown) {
      if (this === null || this === undefined) return split(this, "");
      const own = methodOf(separator, Symbol.split);
      if (own !== undefined) return apply(own as () => unknown, separator, [this, limit]);
      const text = within(textOf(this, "String.prototype.split"), "String.prototype.split");
      if (separator === undefined) return split(text, undefined, limit);
      const searched = `${separator as string}`;
      checkSearch(guard, text, searched, "String.prototype.split");
      return split(text, searched, limit);
    },
    match(this: unknown, pattern: unknown) {
      if (this === null || this === undefined) return match(this, "");
      const own = methodOf(pattern, Symbol.match);
      if (own !== undefined) return apply(own as () => unknown, pattern, [this]);
      const text = textOf(this, "String.prototype.match");
      return match(within(text, "String.prototype.match"), asPattern(pattern, "String.prototype.match"));
    },
    matchAll(this: unknown, pattern: unknown) {
      if (this === null || this === undefined) return matchAll(this, "");
      needsGlobal(pattern, "String.prototype.matchAll");
      const own = methodOf(pattern, Symbol.matchAll);
      if (own !== undefined) return apply(own as () => unknown, pattern, [this]);
      const text = textOf(this, "String.prototype.matchAll");
      return matchAll(
        within(text, "String.prototype.matchAll"),
        asPattern(pattern, "String.prototype.matchAll"),
      );
    },
    search(this: unknown, pattern: unknown) {
      if (this === null || this === undefined) return search(this, "");
      const own = methodOf(pattern, Symbol.search);
      if (own !== undefined) return apply(own as () => unknown, pattern, [this]);
      const text = textOf(this, "String.prototype.search");
      return search(within(text, "String.prototype.search"), asPattern(pattern, "String.prototype.search"));
    },
  };
}

function others(guard: Guard): object {
  const normalize = uncurry(String.prototype.normalize);
  const iterate = uncurry(String.prototype[Symbol.iterator]);
  return {
    normalize(this: unknown, form: unknown) {
      const text = textOf(this, "String.prototype.normalize");
      guard.length(text.length, MAX_NORMALIZE_LENGTH, "String.prototype.normalize", "characters");
      return normalize(text, form);
    },
    // A text that is spread makes an array, and V8 ends the process if an array grows past its bounds.
    [Symbol.iterator](this: unknown) {
      const text = textOf(this, "String.prototype[Symbol.iterator]");
      guard.length(text.length, MAX_LENGTH, "String.prototype[Symbol.iterator]", "characters");
      return iterate(text);
    },
  };
}

/**
 * The methods behind `replace`, `match` and so on. They call `exec` by name and believe what it answers
 * (a length of 2^53-1, a match without end), so they work on plain regular expressions only.
 */
function regularExpressions(guard: Guard): object {
  const proto = RegExp.prototype;
  const replace = uncurry(proto[Symbol.replace]);
  const match = uncurry(proto[Symbol.match]);
  const matchAll = uncurry(proto[Symbol.matchAll]);
  const search = uncurry(proto[Symbol.search]);
  const split = uncurry(proto[Symbol.split]);
  const sourceOf = uncurry(proto.toString);

  function checked(self: unknown, text: unknown, method: string): string {
    // `lastIndex` is the one own property of a regular expression that nobody touched.
    if (!isRegExp(self) || getPrototypeOf(self) !== proto || ownKeys(self).length !== 1) {
      throw new TypeError(`${method}: only on a plain regular expression, with no properties of its own`);
    }
    const coerced = `${text as string}`;
    guard.length(coerced.length, MAX_LENGTH, method, "characters");
    guard.spend(coerced.length);
    return coerced;
  }

  return {
    // As Error.prototype.toString (shim-objects.ts): two properties that may nest.
    toString(this: unknown) {
      guard.spend(1);
      return sourceOf(this);
    },
    [Symbol.replace](this: unknown, text: unknown, replacement: unknown) {
      const searched = checked(this, text, "RegExp.prototype[Symbol.replace]");
      return replace(this, searched, guard.callback(replacement));
    },
    [Symbol.match](this: unknown, text: unknown) {
      return match(this, checked(this, text, "RegExp.prototype[Symbol.match]"));
    },
    [Symbol.matchAll](this: unknown, text: unknown) {
      return matchAll(this, checked(this, text, "RegExp.prototype[Symbol.matchAll]"));
    },
    [Symbol.search](this: unknown, text: unknown) {
      return search(this, checked(this, text, "RegExp.prototype[Symbol.search]"));
    },
    [Symbol.split](this: unknown, text: unknown, limit: unknown) {
      return split(this, checked(this, text, "RegExp.prototype[Symbol.split]"), limit);
    },
  };
}

/** Measured 50 ns for a character that is not ASCII, without a stop. */
function shimUris({ length, spend }: Guard): void {
  for (const name of ["encodeURI", "encodeURIComponent", "decodeURI", "decodeURIComponent"] as const) {
    const given = globalThis[name];
    const limited = {
      [name](text: unknown) {
        const source = `${text as string}`;
        length(source.length, MAX_LENGTH, name, "characters");
        spend(source.length);
        return given(source);
      },
    };
    replaceMethods(globalThis, limited);
  }
}

/** `String.raw`, reading the length once. */
function raw({ spend }: Guard): object {
  return {
    raw(template: { raw: ArrayLike<unknown> }, ...substitutions: unknown[]): string {
      const literals = Object(template.raw) as ArrayLike<unknown>;
      const length = +literals.length;
      if (length > MAX_ARRAY_LIKE_LENGTH)
        refuse("String.raw", `a length of ${length}`, MAX_ARRAY_LIKE_LENGTH, "elements");
      let text = "";
      for (let i = 0; i < length; i++) {
        // V8 looks into a loop seldom, but at each call.
        spend(1);
        text += `${literals[i] as string}`;
        if (i + 1 < length && i < substitutions.length) text += `${substitutions[i] as string}`;
      }
      return text;
    },
  };
}

/**
 * Puts a constructor with a limited pattern in the place of the one that guests have. Works on what
 * `repairIntrinsics()` left: that constructor was taken from the realm before any shim could run.
 */
export function limitRegExp(): void {
  const given = RegExp.prototype.constructor as RegExpConstructor;
  const limited = function (pattern?: unknown, ...flags: unknown[]): unknown {
    const source = isRegExp(pattern) || pattern === undefined ? pattern : `${pattern as string}`;
    if (typeof source === "string" && source.length > MAX_PATTERN_LENGTH) {
      refuse("RegExp", `${source.length}`, MAX_PATTERN_LENGTH, "characters of a regular expression");
    }
    return construct(
      given,
      [source, ...flags],
      new.target === undefined || new.target === limited ? given : new.target,
    );
  };
  Object.defineProperties(limited, {
    name: { value: "RegExp" },
    length: { value: 2 },
    prototype: { value: RegExp.prototype, writable: false },
    [Symbol.species]: Object.getOwnPropertyDescriptor(given, Symbol.species)!,
  });
  Object.defineProperty(RegExp.prototype, "constructor", { value: limited });
}
