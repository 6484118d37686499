/** Objects of a guest's have properties by the names of frozen built-ins, as ordinary code expects. */
import t from "tap";
import { inRealm } from "./support/realm-worker.js";

/**
 * Every kind of object that a guest can make, or make another inherit from. `ITERATORS` is there from Node 22 on.
 */
const KINDS = `
  const ITERATORS = typeof Iterator === "function" && Iterator.from
    ? { wrapped: () => Iterator.from({ next() {} }), helper: () => [].values().map((x) => x), iterator: () => new (class extends Iterator {})() } : {};
  const kinds = {
    object: () => ({}), function: () => function () {}, arrow: () => () => {}, method: () => ({ f() {} }).f, generator: () => function* () {},
    running: () => (function* () {})(), "class": () => class {}, array: () => [], map: () => new Map(), set: () => new Set(),
    weakMap: () => new WeakMap(), weakSet: () => new WeakSet(), regexp: () => /a/g, number: () => Object(1), boolean: () => Object(true),
    bigint: () => Object(1n), symbol: () => Object(Symbol()), string: () => new String("ab"), arguments: () => (function () { return arguments })(),
    arrayIterator: () => [].values(), mapIterator: () => new Map().keys(), setIterator: () => new Set().keys(), stringIterator: () => ""[Symbol.iterator](),
    matches: () => "a".matchAll(/a/g), parsed: () => JSON.parse("{}"), parsedList: () => JSON.parse("[]"), group: () => /(?<a>b)/.exec("b"),
    ...ITERATORS,
  };
  for (const [name, maker] of Object.entries({ Error, TypeError, RangeError, SyntaxError, URIError, EvalError, ReferenceError, AggregateError }))
    kinds[name] = () => name === "AggregateError" ? new maker([], "m") : new maker("m");
  for (const [name, maker] of Object.entries({ Object, Array, Map, Set, WeakMap, WeakSet, RegExp, Error, TypeError, String, Number, Boolean })) {
    kinds["of a subclass of " + name] = () => new (class extends maker {})();
    kinds["a subclass of " + name] = () => class extends maker {};
    kinds["inheriting from " + name + ".prototype"] = () => Object.create(maker.prototype);
  }
`;

/** By whom a property is inherited that stays as it is: what docs/caveats.md says to define instead. */
const KEPT = Object.freeze([
  "Array.prototype Symbol(Symbol.iterator)",
  "Array.prototype constructor",
  "Array.prototype length",
  "Iterator.prototype Symbol(Symbol.iterator)",
  "Map.prototype Symbol(Symbol.iterator)",
  "Set.prototype Symbol(Symbol.iterator)",
  "array iterator next",
  "map iterator next",
  "set iterator next",
]);

const TABLE = `${KINDS}
  const holders = new Map([[Array.prototype, "Array.prototype"], [Map.prototype, "Map.prototype"], [Set.prototype, "Set.prototype"],
    [Object.getPrototypeOf(Object.getPrototypeOf([].values())), "Iterator.prototype"], [Object.getPrototypeOf([].values()), "array iterator"],
    [Object.getPrototypeOf(new Map().keys()), "map iterator"], [Object.getPrototypeOf(new Set().keys()), "set iterator"]]);
  const refused = new Set();
  let tried = 0;
  const ways = [(o, k) => { o[k] = 7 }, (o, k) => Object.assign(o, { [k]: 7 }), (o, k) => { if (!Reflect.set(o, k, 7)) throw new TypeError() }];
  // These no program may assign to; the last two are the hardened realm's own.
  const never = ["__proto__", "prototype", Symbol.hasInstance, "stackTraceLimit", "prepareStackTrace"];
  for (const [kind, make] of Object.entries(kinds)) {
    const seen = new Set(never);
    for (let holder = Object.getPrototypeOf(make()); holder !== null; holder = Object.getPrototypeOf(holder)) {
      for (const key of Reflect.ownKeys(holder)) {
        if (seen.has(key)) continue;
        seen.add(key);
        const { set, get } = Object.getOwnPropertyDescriptor(holder, key);
        // A size, the flags of a regular expression; the length of a text, the constants of Number.
        if ((get !== undefined && set === undefined) || (key === "length" && holder === String.prototype) || holder === Number) continue;
        for (const assign of ways) {
          const o = make();
          const own = Object.getOwnPropertyDescriptor(o, key);
          if (own !== undefined && !own.writable) continue;
          tried++;
          try { assign(o, key) } catch { refused.add((holders.get(holder) ?? kind) + " " + String(key)); continue; }
          const made = Object.getOwnPropertyDescriptor(o, key);
          if (made?.value !== 7 || !made.writable || own === undefined && !(made.enumerable && made.configurable)) refused.add(kind + " has no own " + String(key));
        }
      }
    }
  }
  return { refused: [...refused].sort(), tried };
`;

t.test(
  "every object can be given what it inherits from a built-in, by assignment, but for a list",
  async (t) => {
    const [outcome] = await inRealm([TABLE]);
    t.equal(outcome!.fault, undefined);
    const { refused, tried } = outcome!.value as { refused: string[]; tried: number };
    t.strictSame(refused, KEPT);
    t.ok(tried > 2000, `${tried} tried`);
  },
);

t.test("what stays as it is can be defined, in a class or a literal", async (t) => {
  const outcomes = await inRealm([
    "class A extends Array { *[Symbol.iterator]() { yield 7 } } return [...new A()][0]",
    "class M extends Map { *[Symbol.iterator]() { yield 7 } } return [...new M()][0]",
    "const i = [][Symbol.iterator](); Object.defineProperty(i, 'next', { value: () => ({ done: true }) }); return 7",
    "const o = { __proto__: [], [Symbol.iterator]: 7, constructor: 7 }; return o.constructor",
  ]);
  for (const { value, fault } of outcomes) t.equal(value ?? fault, 7);
});

t.test("a property of a built-in behaves as before, and what it was is frozen", async (t) => {
  const outcomes = await inRealm([
    `const thawed = [];
     for (const holder of [Object, Array, Map, RegExp, Error, Object.prototype, Array.prototype, Map.prototype, Error.prototype, Object.getPrototypeOf(() => {})]) {
       for (const [key, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(holder)))
         for (const f of [get, set, get?.originalValue]) if (Object(f) === f && !Object.isFrozen(f)) thawed.push(key);
     }
     return thawed.length`,
    "return ['toString' in {}, Object.keys({}).length, Map.name, [].map.name, {}.constructor === Object, new Error('m').name].join()",
    "const f = Object.freeze({}); f.toString = 1",
    "'text'.length.toString = 1",
    "const set = Object.getOwnPropertyDescriptor(Object.prototype, 'valueOf').set; set.call(Object.prototype, 1)",
    "const set = Object.getOwnPropertyDescriptor(Object.prototype, 'valueOf').set; set.call(Array.prototype, 1)",
    "class A { f() { super.toString = 3; return Object.keys(this).join() } } return new A().f()",
    "const o = Object.defineProperty({}, 'toString', { value: 1 }); return Reflect.set(Object.prototype, 'toString', 2, o)",
  ]);
  t.equal(outcomes[0]!.value, 0);
  t.equal(outcomes[1]!.value, "true,0,Map,map,true,Error");
  for (const { fault } of outcomes.slice(2, 6)) t.match(fault?.text, /^TypeError/);
  t.equal(outcomes[6]!.value, "toString");
  t.match(outcomes[7]!.fault?.text ?? outcomes[7]!.value, /^TypeError|false/);
});
