/**
 * A guest that makes calls of built-ins, one a turn: each built-in that a guest can reach with receivers and arguments that are
 * large in some dimension. What is tried at a position of a seed's walk is always the same.
 */

/** What the worker gives this guest instead of `sys`. */
export interface Caller {
  readonly seed: number;
  /** The first position to try; each turn tries the next one. */
  readonly from: number;
  /** A call is about to be made, by the name of it. */
  begin(position: number, name: string): void;
  /** How many calls there are. */
  total(count: number): void;
}

type Make = () => unknown;
type Callable = (...rest: unknown[]) => unknown;

const { apply, construct, ownKeys } = Reflect;
const { getOwnPropertyDescriptor, getPrototypeOf } = Object;

const long = "a".repeat(2 ** 26);
/** Two texts that differ in their last character alone. */
const one = `${long}b`;
const other = `${long}c`;
one.charCodeAt(0);
other.charCodeAt(0);
const digits = "1".repeat(2 ** 24);
digits.charCodeAt(0);
/** Takes a while, and is no code of a guest's. */
const slow: Callable = String.prototype.toUpperCase.call.bind(String.prototype.toUpperCase, long) as Callable;

function chain(under: object, links: number): object {
  for (let i = 0; i < links; i++) under = Object.create(under) as object;
  return under;
}

/** As many objects as `levels`, and 2^levels ways through them. */
function doubled(levels: number, wrap: (one: unknown) => unknown): unknown {
  let made = wrap([]);
  for (let i = 0; i < levels; i++) made = wrap([made, made]);
  return made;
}

/** A method that gives something, and is no code of a guest's. */
function giving(it: unknown): Callable {
  return Reflect.get.bind(null, { it }, "it") as Callable;
}

function keys(count: number): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (let i = 0; i < count; i++) made[`k${i}`] = undefined;
  return made;
}

function accessors(made: object, count: number): object {
  for (let i = 0; i < count; i++)
    Object.defineProperty(made, i, { get: slow, set: slow, enumerable: true, configurable: true });
  return made;
}

function* repeated(count: number, make: (i: number) => unknown): Generator<unknown> {
  for (let i = 0; i < count; i++) yield make(i);
}

/** What is large, in one way or another. Made when it is first wanted. */
const SHAPES: Record<string, Make> = {
  nothing: () => undefined,
  small: () => [1, 2, 3],
  word: () => "ab",
  number: () => 2 ** 28,
  most: () => 2 ** 53 - 1,
  half: () => 2 ** 31,
  // Texts.
  long: () => one,
  rope: () => {
    let rope = "";
    for (let i = 0; i < 2 ** 20; i++) rope += "ab";
    return rope;
  },
  greek: () => "\u0394".repeat(2 ** 22),
  marks: () => `a${"\u0301\u0323".repeat(2 ** 13)}`,
  digits: () => digits,
  wrapped: () => new String("x".repeat(2 ** 17)),
  json: () => `${"[".repeat(2 ** 20)}`,
  source: () => "(?:".repeat(2 ** 12) + ")".repeat(2 ** 12),
  // Bigints.
  huge: () => 2n ** (2n ** 25n) + 1n,
  // Arrays.
  holes: () => Array(2 ** 22),
  longest: () => {
    const made: unknown[] = [];
    made.length = 2 ** 32 - 1;
    return made;
  },
  sparse: () => {
    const made: unknown[] = [];
    for (let i = 0; i < 2 ** 16; i++) made[i * 65_521] = i;
    return made;
  },
  texts: () => {
    const made = Array(2 ** 20).fill(one);
    for (let i = 0; i < 1000; i += 2) made[i] = other;
    return made;
  },
  numerals: () => Array(2 ** 15).fill(digits),
  bigints: () => Array(2 ** 20).fill(2n ** (2n ** 22n) + 1n),
  colliding: () => Array.from({ length: 2 ** 16 }, (_, i) => (BigInt(i) << 64n) + 1n),
  pairs: () => Array.from({ length: 2 ** 16 }, (_, i) => [(BigInt(i) << 64n) + 1n, i]),
  longKeys: () => Array.from({ length: 2 ** 10 }, (_, i) => `${i}${"k".repeat(2 ** 15)}`.slice(-(2 ** 15))),
  slowTexts: () => Array(2 ** 12).fill({ toString: slow, valueOf: slow, toLocaleString: slow }),
  wrappers: () => Array(2 ** 12).fill(new String("x".repeat(2 ** 17))),
  dictionaries: () => Array(2 ** 12).fill(keys(2 ** 16)),
  getters: () => accessors(Array(2 ** 12), 2 ** 12),
  deep: () => Object.setPrototypeOf(Array(2 ** 22), chain(Array.prototype, 20_000)),
  doubled: () => doubled(60, (it) => it),
  nest: () => {
    let nest: unknown[] = [];
    for (let i = 0; i < 100_000; i++) nest = [nest];
    return nest;
  },
  arrays: () => Array(2 ** 10).fill(Array(2 ** 20)),
  // Objects.
  like: () => ({ length: 2 ** 53 - 1 }),
  likely: () => ({ length: 2 ** 20, [Symbol.isConcatSpreadable]: true }),
  deepLike: () => Object.setPrototypeOf({ length: 2 ** 20 }, chain(Array.prototype, 20_000)),
  keys: () => keys(2 ** 17),
  fresh: () => keys(2 ** 14),
  descriptors: () => {
    const made: Record<string, unknown> = {};
    for (let i = 0; i < 2 ** 14; i++) made[`k${i}`] = { value: i, get: undefined };
    return made;
  },
  gettersLike: () => Object.assign(accessors({}, 2 ** 12), { length: 2 ** 12 }),
  chain: () => chain({}, 2 ** 20),
  crossed: () => {
    let under: object = {};
    for (let i = 0; i < 2 ** 12; i++) {
      under = Object.create(under) as object;
      for (let j = 0; j < 16; j++) (under as Record<string, number>)[`k${j}`] = j;
    }
    return under;
  },
  doubledObjects: () => doubled(60, (it) => ({ it })),
  doubledErrors: () =>
    doubled(60, (it) =>
      Object.assign(new Error(), { name: (it as unknown[])[0], message: (it as unknown[])[1] }),
    ),
  slowText: () => ({ toString: slow, valueOf: slow, toLocaleString: slow, toJSON: slow }),
  failing: () => ({
    get length() {
      throw new Error("no length");
    },
  }),
  // Collections.
  map: () => new Map(repeated(2 ** 18, (i) => [i, i]) as Iterable<[number, number]>),
  set: () => new Set(repeated(2 ** 18, (i) => i)),
  mapEntries: () => new Map([...repeated(2 ** 18, (i) => [i, i])] as [number, number][]).entries(),
  // Iterators.
  endless: () => ({ [Symbol.iterator]: giving({ next: Array.of }), next: Array.of }),
  endlessHelper: () =>
    Object.setPrototypeOf(
      { next: giving({ value: 1, done: false }) },
      getPrototypeOf(getPrototypeOf([].values())),
    ),
  generator: () => repeated(Number.POSITIVE_INFINITY, (i) => i),
  characters: () => one[Symbol.iterator](),
  // Patterns.
  pattern: () => /(a*)*b/,
  wide: () => /(?:a|a|aa)+$/g,
  empty: () => /(?:)/gu,
  // Functions.
  slow: () => slow,
  callback: () => (it: unknown) => it,
  maker: () => function (this: unknown) {},
  native: () => Array.of,
  bound: () => {
    let made: Callable = slow;
    for (let i = 0; i < 2 ** 14; i++) made = made.bind(null) as Callable;
    return made;
  },
  // Proxies.
  listed: () =>
    new Proxy({}, { ownKeys: giving(Array.from({ length: 2 ** 16 }, (_, i) => `k${i}`)) as never }),
  proxies: () => {
    let made: object = {};
    for (let i = 0; i < 2 ** 14; i++) made = new Proxy(made, {});
    return made;
  },
  proxy: () =>
    new Proxy(
      {},
      {
        ownKeys: giving(Array.from({ length: 2 ** 12 }, (_, i) => `k${i}`)) as never,
        getOwnPropertyDescriptor: giving({ value: 1, enumerable: true, configurable: true }) as never,
        get: slow as never,
        has: slow as never,
      },
    ),
  lengthy: () => new Proxy(() => {}, { get: giving(2 ** 53 - 1) as never, has: giving(true) as never }),
};
const NAMES = Object.keys(SHAPES);

/** Those of which many are given as arguments. */
const LISTS = ["texts", "numerals", "bigints", "slowTexts", "wrappers", "dictionaries", "arrays", "holes"];
const ARGUMENTS_OF_A_CALL = 2 ** 15;
/** A first argument that is drawn. */
const ANY = "?";

/** A built-in, or what the language does by itself. */
interface Target {
  readonly name: string;
  readonly run: (self: unknown, rest: unknown[]) => unknown;
  /** How many arguments it says it takes. */
  readonly takes: number;
  /** What it is given to begin with, that is not looked for. */
  readonly hasReceiver: boolean;
}

/** What the language does without a name. */
const OPERATIONS: Record<string, (a: never, b: never) => unknown> = {
  "a === b": (a, b) => a === b,
  // biome-ignore lint/suspicious/noDoubleEquals: this one converts
  "a == b": (a, b) => a == b,
  "a < b": (a, b) => a < b,
  "a + b": (a, b) => (a as string) + b,
  "a * b": (a, b) => a * b,
  "a / b": (a, b) => a / b,
  "a % b": (a, b) => a % b,
  "a ** b": (a, b) => a ** b,
  "a << b": (a, b) => a << b,
  "a >> b": (a, b) => a >> b,
  "a & b": (a, b) => a & b,
  "-a": (a) => -a,
  "~a": (a) => ~a,
  text: (a, b) => `${a}${b}`,
  "a in b": (a, b) => a in (b as object),
  "a instanceof b": (a, b) => (a as unknown) instanceof (b as never),
  "a[b]": (a, b) => (a as unknown[])[b],
  "a[b] = 1": (a, b) => {
    (a as unknown[])[b] = 1;
  },
  "a.length = b": (a, b) => {
    (a as { length: number }).length = b;
  },
  "delete a[b]": (a, b) => Reflect.deleteProperty(a, b),
  "[...a, ...b]": (a, b) => [...(a as []), ...(b as [])],
  "{...a, ...b}": (a, b) => ({ ...(a as object), ...(b as object) }),
  "f(...a)": (a, b) => Math.max(...(a as []), b),
  "[x, ...y] = a": (a) => {
    const [, ...rest] = a as unknown[];
    return rest;
  },
  "[[...y]] = [a]": (a) => {
    const [[...rest]] = [a as unknown[]] as const;
    return rest;
  },
  "([...y]) => y": (a) => (([...rest]: unknown[]) => rest)(a as []),
  "(...y) => y": (a) => ((...rest: unknown[]) => rest)(...(a as [])),
  "{x, ...y} = a": (a) => {
    const { length, ...rest } = a as { length: number };
    return [length, rest];
  },
  "for (x of a)": (a) => {
    for (const it of a as unknown[]) if (it === a) return;
  },
  "for (x in a)": (a) => {
    for (const it in a as object) if (it === a) return;
  },
  "yield* a": (a) => {
    function* all(): Generator<unknown> {
      yield* a as Iterable<unknown>;
    }
    return all().next();
  },
  "class extends a": (a) => class extends (a as new () => object) {},
  "throw a": (a) => {
    throw new AggregateError([a], a);
  },
  switch: (a, b) => {
    switch (a) {
      case b:
        return 1;
      default:
        return 2;
    }
  },
};

/** Calls that once did not end, or are the whole of their kind: in every selection. */
const KNOWN: Record<string, Make> = {
  ...Object.fromEntries(
    ["indexOf", "lastIndexOf", "includes"].flatMap((method) => [
      [`texts.${method}(another)`, () => calling(shape("texts"), method, `${long}d`)],
      [`bigints.${method}(another)`, () => calling(shape("bigints"), method, 2n ** (2n ** 22n) + 3n)],
    ]),
  ),
  ...Object.fromEntries(
    ["sort", "toSorted"].map((method) => [`texts.${method}()`, () => calling(shape("texts"), method)]),
  ),
  ...Object.fromEntries(
    ["forEach", "map", "some", "find", "findLast", "reduce", "flatMap", "sort", "toSorted"].map((method) => [
      `many.${method}(slow)`,
      () => calling(Array(2 ** 12).fill(0), method, slow, 0),
    ]),
  ),
  ...Object.fromEntries(
    ["reverse", "join", "fill", "indexOf", "flat", "toLocaleString"].flatMap((method) =>
      ["deep", "deepLike", "getters", "gettersLike"].map((self) => [
        `${method} of ${self}`,
        () => apply((Array.prototype as unknown as Record<string, Callable>)[method]!, shape(self), []),
      ]),
    ),
  ),
  "many.map(slow, bound)": () =>
    Array(2 ** 12)
      .fill(0)
      .map(slow.bind(null)),
  "many.map(slow, proxy)": () =>
    Array(2 ** 12)
      .fill(0)
      .map(new Proxy(slow, {})),
  "set.forEach(slow)": () => new Set(Array(2 ** 12).keys()).forEach(slow),
  "text.replace(pattern, slow)": () => "a".repeat(2 ** 12).replace(/a/g, slow as never),
  "JSON.parse(text, slow)": () => JSON.parse(`[${"1,".repeat(2 ** 12)}1]`, slow),
  "JSON.stringify(getters)": () => JSON.stringify(shape("getters")),
  "Object.assign(getters)": () => Object.assign({}, shape("gettersLike")),
  "Object.assign(proxy)": () => Object.assign({}, shape("proxy")),
  "{...proxy}": () => ({ ...(shape("proxy") as object) }),
  "Object.assign(wrappers)": () => Object.assign({}, ...(shape("wrappers") as object[])),
  "String.raw(slow texts)": () => String.raw({ raw: shape("slowTexts") as string[] }),
  "concat(arrays)": () => ([] as unknown[]).concat(...(shape("arrays") as unknown[][])),
  "Math.max(numerals)": () => Math.max(...(shape("numerals") as number[])),
  "String.fromCharCode(numerals)": () => String.fromCharCode(...(shape("numerals") as number[])),
  ...Object.fromEntries(
    ["Set", "WeakSet", "Map", "AggregateError"].map((name) => [
      `new ${name}(endless)`,
      () => construct((globalThis as unknown as Record<string, Callable>)[name]!, [shape("endless")]),
    ]),
  ),
  "new Set(longest)": () => new Set(shape("longest") as unknown[]),
  "Object.fromEntries(endless)": () => Object.fromEntries(shape("endless") as Iterable<never>),
};

function calling(self: unknown, method: string, ...rest: unknown[]): unknown {
  return apply((self as Record<string, Callable>)[method]!, self, rest);
}

const made = new Map<string, unknown>();

/** A shape. It is made once, until something may have changed it. */
function shape(name: string): unknown {
  if (!made.has(name)) made.set(name, SHAPES[name]!());
  return made.get(name);
}

/** What changes no object, to judge by its name: only after all else are the shapes made anew. */
const HARMLESS =
  /^get |^(new )?\w+$|^[^.\w]|\.(apply|at|bind|call|char\w*|codePointAt|concat|every|filter|find\w*|flat\w*|forEach|from|get\w*|has\w*|includes|indexOf|is\w*|join|keys|lastIndexOf|map|max|min|reduce\w*|slice|some|to\w+|valueOf|values|entries|stringify|with|parse\w*|search|match\w*|replace\w*|split|test|pad\w+|trim\w*)$/;

/** Every built-in that can be reached, by a name of it. */
function targets(): Target[] {
  const found: Target[] = [];
  const seen = new Set<unknown>();
  const rest: [string, unknown][] = [];
  for (const key of ownKeys(globalThis)) {
    const value: unknown = (globalThis as Record<PropertyKey, unknown>)[key];
    if (key !== "globalThis") rest.push([String(key), value]);
  }
  const words = repeated(0, () => 0);
  const samples: Record<string, unknown> = {
    generator: words,
    arrayIterator: [].values(),
    mapIterator: new Map().keys(),
    setIterator: new Set().keys(),
    textIterator: ""[Symbol.iterator](),
    matches: "".matchAll(/a/g),
  };
  const { Iterator: helpers } = globalThis as {
    Iterator?: { from?: (it: object) => { map(by: unknown): object } };
  };
  if (helpers?.from !== undefined) {
    samples.wrapped = helpers.from({ next: slow });
    samples.helper = helpers.from({ next: slow }).map(String);
  }
  for (const [name, sample] of Object.entries(samples)) rest.push([name, getPrototypeOf(sample)]);
  for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
    const [name, value] = next;
    if (((typeof value !== "object" || value === null) && typeof value !== "function") || seen.has(value))
      continue;
    seen.add(value);
    // All errors are made alike.
    if (/(Eval|Range|Reference|Syntax|URI)Error/.test(name)) continue;
    if (typeof value === "function") add(name, value as Callable);
    for (const key of ownKeys(value)) {
      const { value: held, get, set } = getOwnPropertyDescriptor(value, key)!;
      const path = `${name}.${String(key)}`;
      const original: unknown = (get as { originalValue?: unknown } | undefined)?.originalValue;
      // What stands there to be overridden is what counts.
      if (original !== undefined) rest.push([path, original]);
      else rest.push([path, held], [`get ${path}`, get], [`set ${path}`, set]);
    }
    rest.push([`${name}.__proto__`, getPrototypeOf(value)]);
  }
  for (const [name, run] of Object.entries(OPERATIONS)) {
    found.push({ name, run: (_, [a, b]) => run(a as never, b as never), takes: 2, hasReceiver: false });
  }
  return found;

  function add(name: string, method: Callable): void {
    const takes = Math.max(method.length, name.startsWith("get ") ? 0 : 1);
    const hasReceiver = /prototype|^[a-z]/.test(name);
    found.push({ name, run: (self, rest) => apply(method, self, rest), takes, hasReceiver });
    if (/^[A-Z]\w*$/.test(name))
      found.push({
        name: `new ${name}`,
        run: (_, rest) => construct(method, rest),
        takes,
        hasReceiver: false,
      });
  }
}

/** A number below 2^32 that depends on both in no obvious way. */
function mixed(seed: number, position: number): number {
  let x = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(position + 1, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

interface Call {
  readonly name: string;
  readonly run: Make;
}

/** One of a target's calls: its receiver and its first argument; the rest is drawn. */
type Choice = readonly [self: string, first: string];

/** By what a method belongs to: the receivers that it does not refuse at once. */
const FIT: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /^(get |set )?Array\.prototype/,
    [
      ...[
        "holes",
        "longest",
        "sparse",
        "texts",
        "numerals",
        "bigints",
        "slowTexts",
        "wrappers",
        "dictionaries",
      ],
      ...[
        "getters",
        "deep",
        "doubled",
        "nest",
        "arrays",
        "like",
        "likely",
        "deepLike",
        "gettersLike",
        "proxies",
      ],
    ],
  ],
  [/String\.prototype/, ["long", "rope", "greek", "marks", "digits", "wrapped", "slowText"]],
  [/RegExp\.prototype|^matches/, ["pattern", "wide", "empty"]],
  [/Map\.prototype|^mapIterator/, ["map", "mapEntries"]],
  [/Set\.prototype/, ["set"]],
  [/Function\.prototype/, ["slow", "callback", "maker", "native", "bound", "lengthy"]],
  [/BigInt\.prototype/, ["huge"]],
  [/Number\.prototype/, ["number", "most"]],
  [/Error\.prototype/, ["doubledErrors", "slowText"]],
  [/terator|^helper|^wrapped/, ["endless", "endlessHelper", "generator", "mapEntries", "characters"]],
  [/^generator/, ["generator"]],
  [/Object\.prototype/, ["keys", "chain", "proxies", "proxy", "long"]],
];

/** All calls of a target: each shape as its first argument of what it fits to, and each shape as its receiver. */
function choices({ name, hasReceiver, takes }: Target): Choice[] {
  const firsts = [...NAMES, ...LISTS.map((list) => `...${list}`)];
  const fit = FIT.find(([pattern]) => pattern.test(name))?.[1] ?? ["small"];
  const selves = hasReceiver ? fit : ["nothing"];
  const ofFit = takes === 0 ? [] : selves.flatMap((self) => firsts.map((first): Choice => [self, first]));
  return hasReceiver ? [...NAMES.map((self): Choice => [self, ANY]), ...ofFit] : ofFit;
}

/** All calls, in the order of a seed's walk. */
function walk(seed: number): { readonly total: number; readonly at: (position: number) => Call } {
  const known = Object.entries(KNOWN);
  const all: (readonly [Target, Choice])[] = [];
  for (const target of targets()) for (const choice of choices(target)) all.push([target, choice]);
  // A step that has no factor in common with the count comes by everything once.
  let step = Math.floor(all.length * 0.618_033_988_75) + 1;
  while (divisor(step, all.length) !== 1) step++;
  const begin = mixed(seed, 0) % all.length;
  return { total: known.length + all.length, at };

  function at(position: number): Call {
    if (position < known.length) {
      const [name, run] = known[position]!;
      return { name, run };
    }
    const index = Number(
      (BigInt(begin) + BigInt(position - known.length) * BigInt(step)) % BigInt(all.length),
    );
    const [target, [self, first]] = all[index]!;
    return prepare(target, self, first, (nth) => NAMES[mixed(seed + nth, index) % NAMES.length]!);
  }
}

/** Makes what a call takes. */
function prepare(target: Target, self: string, first: string, draw: (nth: number) => string): Call {
  const { name, run, takes, hasReceiver } = target;
  const given = [first === ANY ? draw(0) : first, draw(1), draw(2)].slice(0, takes + 1);
  const receiver = hasReceiver ? shape(self) : undefined;
  const rest: unknown[] = [];
  for (const it of given) {
    if (it.startsWith("...")) rest.push(...(shape(it.slice(3)) as unknown[]).slice(0, ARGUMENTS_OF_A_CALL));
    else rest.push(shape(it));
  }
  if (!HARMLESS.test(name)) for (const it of [self, ...given]) made.delete(it.replace("...", ""));
  // What is consumed by the first look at it.
  for (const it of ["rope", "generator", "characters", "mapEntries"]) made.delete(it);
  const words = `${name}${hasReceiver ? ` of ${self}` : ""} (${given.join(", ")})`;
  return { name: words, run: () => run(receiver, rest) };
}

function divisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

export default function* main(caller: Caller): Generator<number, void, number> {
  const { total, at } = walk(caller.seed);
  caller.total(total);
  for (let position = caller.from; position < total; position++) {
    let call: Call;
    try {
      call = at(position);
    } catch {
      // What it takes cannot be made.
      made.clear();
      continue;
    }
    caller.begin(position, call.name);
    try {
      call.run();
    } catch {
      // A call that fails has ended.
    }
    yield 0;
  }
}
