/**
 * The vetted shim, part three: objects, functions, JSON, and the three constructors that could undo the
 * other parts.
 *
 * A text is an object with a property per character to all that lists properties. As a primitive it is
 * checked where it is listed (in `for..in` and `{...text}` by the image builder); as a wrapper object
 * it cannot be told apart cheaply, so no wrapper of a long text can be made.
 */
import {
  type Guard,
  keepOnly,
  MAX_ARRAY_LIKE_LENGTH,
  MAX_LENGTH,
  replaceMethods,
  uncurry,
} from "./shim-guard.js";

const { apply, construct } = Reflect;
const { isArray } = Array;

/** Functions of Object that look at one property, or at those a guest made one by one. */
const OBJECT_FUNCTIONS = Object.freeze([
  ...["assign", "create", "defineProperties", "defineProperty", "entries", "freeze", "fromEntries"],
  ...[
    "getOwnPropertyDescriptor",
    "getOwnPropertyDescriptors",
    "getOwnPropertyNames",
    "getOwnPropertySymbols",
  ],
  ...["getPrototypeOf", "hasOwn", "is", "isExtensible", "isFrozen", "isSealed", "keys", "preventExtensions"],
  ...["seal", "setPrototypeOf", "values"],
]);
const SET_METHODS = Object.freeze([
  "add",
  "clear",
  "constructor",
  "delete",
  "entries",
  "forEach",
  "has",
  "keys",
  "values",
]);
const MAP_METHODS = Object.freeze([...SET_METHODS, "get", "set"]);

export function shimObjects(guard: Guard): void {
  replaceMethods(Object, { ...listings(guard), ...definitions(guard) });
  keepOnly(Object, OBJECT_FUNCTIONS);
  replaceMethods(Reflect, { ...applications(guard), ...reflectDefinition(guard) });
  replaceMethods(Function.prototype, { ...functionApply(guard), ...functionBind(guard) });
  replaceMethods(JSON, json(guard));
  replaceMethods(Object.prototype, { ...wrapping(guard), ...accessors(guard) });
  replaceMethods(Error.prototype, errorText(guard));
  replaceMethods(Set.prototype, setWalk(guard));
  replaceMethods(Map.prototype, mapWalk(guard));
  // Set's newer methods loop over whatever iterator their argument brings.
  keepOnly(Set.prototype, SET_METHODS);
  keepOnly(Map.prototype, MAP_METHODS);
  keepOnly(Map, []);

  replaceConstructor("Object", boxing(guard, Object, "Object"));
  replaceConstructor("String", boxing(guard, String, "String"));
  replaceProxy(guard);
}

function listings({ properties }: Guard): object {
  const { keys, values, entries, getOwnPropertyNames, getOwnPropertyDescriptors, assign } = Object;
  return {
    keys(of: object) {
      properties(of, "Object.keys");
      return keys(of);
    },
    values(of: object) {
      properties(of, "Object.values");
      return values(of);
    },
    entries(of: object) {
      properties(of, "Object.entries");
      return entries(of);
    },
    getOwnPropertyNames(of: object) {
      properties(of, "Object.getOwnPropertyNames");
      return getOwnPropertyNames(of);
    },
    getOwnPropertyDescriptors(of: object) {
      properties(of, "Object.getOwnPropertyDescriptors");
      return getOwnPropertyDescriptors(of);
    },
    assign(target: object, ...sources: object[]) {
      properties(target, "Object.assign");
      let assigned = target;
      // One by one: between two of them V8 can stop it.
      for (let i = 0; i < sources.length; i++) {
        properties(sources[i], "Object.assign");
        assigned = assign(target, sources[i]);
      }
      return sources.length === 0 ? assign(target) : assigned;
    },
  };
}

/** What a property can be told to be. */
const FIELDS = Object.freeze(["enumerable", "configurable", "value", "writable", "get", "set"] as const);

/**
 * A description of a property whose accessors V8 can stop: another built-in may call them for each of many elements. Every field is
 * read once, as the language does, for a description may be a proxy.
 */
function described({ callback }: Guard, given: unknown): PropertyDescriptor {
  if ((typeof given !== "object" && typeof given !== "function") || given === null)
    return given as unknown as PropertyDescriptor;
  const made: Record<string, unknown> = { __proto__: null };
  for (let i = 0; i < FIELDS.length; i++) {
    const field = FIELDS[i]!;
    if (!(field in given)) continue;
    const value = (given as PropertyDescriptor)[field] as unknown;
    made[field] = field === "get" || field === "set" ? callback(value) : value;
  }
  return made;
}

function definitions(guard: Guard): object {
  const { create, defineProperty, defineProperties, getOwnPropertyDescriptor } = Object;
  const { ownKeys } = Reflect;

  function all(from: object): PropertyDescriptorMap {
    guard.properties(from, "Object.defineProperties");
    const made = { __proto__: null } as unknown as PropertyDescriptorMap;
    const source = Object(from) as Record<PropertyKey, unknown>;
    const keys = ownKeys(source);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (getOwnPropertyDescriptor(source, key)?.enumerable === true)
        made[key] = described(guard, source[key]);
    }
    return made;
  }
  return {
    create(proto: object | null, properties: unknown) {
      const made = create(proto) as object;
      return properties === undefined ? made : defineProperties(made, all(properties as object));
    },
    defineProperty(target: object, key: PropertyKey, descriptor: unknown) {
      return defineProperty(target, key, described(guard, descriptor));
    },
    defineProperties(target: object, from: object) {
      return defineProperties(target, from === undefined || from === null ? from : all(from));
    },
  };
}

function reflectDefinition(guard: Guard): object {
  const { defineProperty } = Reflect;
  return {
    defineProperty(target: object, key: PropertyKey, descriptor: unknown) {
      return defineProperty(target, key, described(guard, descriptor));
    },
  };
}

function accessors({ callback }: Guard): object {
  const proto = Object.prototype as unknown as Record<"__defineGetter__" | "__defineSetter__", unknown>;
  const defineGetter = uncurry(proto.__defineGetter__);
  const defineSetter = uncurry(proto.__defineSetter__);
  return {
    __defineGetter__(this: unknown, key: PropertyKey, get: unknown) {
      return defineGetter(this, key, callback(get));
    },
    __defineSetter__(this: unknown, key: PropertyKey, set: unknown) {
      return defineSetter(this, key, callback(set));
    },
  };
}

/** The third parameter of `construct` counts by being there. */
function applications({ elements }: Guard): object {
  return {
    apply(target: () => unknown, self: unknown, list: ArrayLike<unknown>) {
      elements(list, "Reflect.apply", MAX_ARRAY_LIKE_LENGTH);
      return apply(target, self, list);
    },
    construct(target: () => unknown, list: ArrayLike<unknown>, ...newTarget: (() => unknown)[]) {
      elements(list, "Reflect.construct", MAX_ARRAY_LIKE_LENGTH);
      return newTarget.length === 0 ? construct(target, list) : construct(target, list, newTarget[0]);
    },
  };
}

function functionApply({ elements }: Guard): object {
  const nativeApply = uncurry(Function.prototype.apply);
  return {
    apply(this: unknown, self: unknown, list: unknown) {
      if (list !== undefined && list !== null)
        elements(list, "Function.prototype.apply", MAX_ARRAY_LIKE_LENGTH);
      return nativeApply(this, self, list);
    },
  };
}

/** What is bound to a built-in is as bad as that. */
function functionBind({ callback, mark }: Guard): object {
  const { bind } = Function.prototype;
  return {
    bind(this: () => unknown, ...rest: unknown[]) {
      const bound = apply(bind, this, rest) as object;
      if (callback(this) !== this) mark(bound);
      return bound;
    },
  };
}

function json({ callback, elements, length, spend }: Guard): object {
  const { parse, stringify } = JSON;
  return {
    // Makes a value every other character, and does not come back before it is through.
    parse(text: unknown, reviver: unknown) {
      const source = `${text as string}`;
      length(source.length, MAX_LENGTH, "JSON.parse", "characters");
      spend(source.length);
      return parse(source, callback(reviver) as undefined);
    },
    stringify(value: unknown, replacer: unknown, space: unknown) {
      if (isArray(value)) elements(value, "JSON.stringify");
      if (isArray(replacer)) length(replacer.length, MAX_ARRAY_LIKE_LENGTH, "JSON.stringify", "names");
      return stringify(value, callback(replacer) as undefined, space as undefined);
    },
  };
}

/** A text's `valueOf` as an object's is the text, wrapped. */
function wrapping({ properties }: Guard): object {
  const native = uncurry(Object.prototype.valueOf);
  return {
    valueOf(this: unknown) {
      properties(this, "Object.prototype.valueOf");
      return native(this);
    },
  };
}

/** Turns two properties into texts, which may be errors again: 60 of them nested never end. Here V8 can stop it. */
function errorText({ spend }: Guard): object {
  const native = uncurry(Error.prototype.toString);
  return {
    toString(this: unknown) {
      spend(1);
      return native(this);
    },
  };
}

function setWalk({ callback: called, spend }: Guard): object {
  const forEach = uncurry(Set.prototype.forEach);
  const size = uncurry(Object.getOwnPropertyDescriptor(Set.prototype, "size")!.get);
  return {
    forEach(this: unknown, callback: () => unknown, self: unknown) {
      spend(size(this) as number);
      return forEach(this, called(callback), self);
    },
  };
}

function mapWalk({ callback: called, spend }: Guard): object {
  const forEach = uncurry(Map.prototype.forEach);
  const size = uncurry(Object.getOwnPropertyDescriptor(Map.prototype, "size")!.get);
  return {
    forEach(this: unknown, callback: () => unknown, self: unknown) {
      spend(size(this) as number);
      return forEach(this, called(callback), self);
    },
  };
}

/** What a handler of a proxy may have, each called as the function of `Reflect` is. */
const TRAPS = Object.freeze([
  ...[
    "apply",
    "construct",
    "defineProperty",
    "deleteProperty",
    "get",
    "getOwnPropertyDescriptor",
    "getPrototypeOf",
  ],
  ...["has", "isExtensible", "ownKeys", "preventExtensions", "set", "setPrototypeOf"],
] as (keyof ProxyHandler<object>)[]);
/** As the language has them. */
const reflect = Object.freeze(Object.fromEntries(TRAPS.map((trap) => [trap, Reflect[trap] as Callable])));

type Callable = (...rest: unknown[]) => unknown;
type Constructor = new (...rest: unknown[]) => object;

/** A constructor that refuses to wrap a long text, and else is the given one. */
function boxing(guard: Guard, given: unknown, name: "Object" | "String"): Constructor {
  const plain = given as (...rest: unknown[]) => unknown;
  const boxer = function (this: unknown, ...rest: unknown[]): unknown {
    // String(value) wraps nothing; Object(value) does.
    if (new.target === undefined && name === "String") return plain(...rest);
    // Once, here: an object may turn into another text each time.
    if (name === "String" && rest.length > 0) rest[0] = `${rest[0] as string}`;
    if (typeof rest[0] === "string") guard.properties(rest[0], name);
    if (new.target === undefined) return plain(...rest);
    return construct(plain, rest, (new.target as unknown) === boxer ? plain : new.target);
  };
  return boxer as unknown as Constructor;
}

/** Puts a constructor in the place of a global one, with its prototype and its functions. */
function replaceConstructor(name: "Object" | "String", replacement: Constructor): void {
  const given = globalThis[name] as unknown as { prototype: object };
  const { prototype, ...functions } = Object.getOwnPropertyDescriptors(given) as Record<
    string,
    PropertyDescriptor
  >;
  Object.defineProperties(replacement, {
    ...functions,
    prototype: { ...prototype!, value: given.prototype },
  });
  Object.defineProperty(given.prototype, "constructor", { value: replacement });
  Object.defineProperty(globalThis, name, { value: replacement });
}

/**
 * No proxies of arrays: `Array.isArray` is true for them, and a `length` that a trap answers could
 * be short for the guard and long for the built-in. This makes every array a true one.
 */
function replaceProxy({ mark, callback }: Guard): void {
  const given = Proxy;
  function refuseArrays(target: unknown): void {
    if (isArray(target)) throw new TypeError("Proxy: a guest cannot make a proxy of an array");
  }
  /**
   * A handler whose traps V8 can stop, for a trap may be a built-in, and a built-in call it for each of many properties. A
   * trap that is not there does what is done without it.
   */
  function stoppable(handler: ProxyHandler<object>): ProxyHandler<object> {
    if ((typeof handler !== "object" && typeof handler !== "function") || handler === null) return handler;
    const traps: Record<string, unknown> = { __proto__: null };
    for (let i = 0; i < TRAPS.length; i++) {
      const name = TRAPS[i]!;
      traps[name] = (...rest: unknown[]): unknown => {
        const trap: unknown = handler[name];
        if (trap === undefined || trap === null) return apply(reflect[name]!, undefined, rest);
        if (typeof trap !== "function") throw new TypeError(`${name} of a proxy's handler is not a function`);
        return apply(callback(trap) as Callable, handler, rest);
      };
    }
    return traps;
  }
  const limited = function (target: object, handler: ProxyHandler<object>): object {
    if (new.target === undefined) throw new TypeError("Constructor Proxy requires 'new'");
    refuseArrays(target);
    const made = new given(target, stoppable(handler));
    // Its trap may be a built-in.
    if (typeof target === "function") mark(made);
    return made;
  };
  // Writable, for `lockdown()` writes the same into it.
  Object.defineProperties(limited, { name: { value: "Proxy" }, prototype: { value: undefined } });
  const { revocable } = given;
  const methods = {
    revocable(target: object, handler: ProxyHandler<object>) {
      refuseArrays(target);
      const made = revocable(target, stoppable(handler));
      if (typeof target === "function") mark(made.proxy);
      return made;
    },
  };
  Object.defineProperty(limited, "revocable", {
    value: methods.revocable,
    writable: true,
    configurable: true,
  });
  Object.defineProperty(globalThis, "Proxy", { value: limited });
}
