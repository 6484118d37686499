/** Objects of a guest's have properties by the names of frozen built-ins, as ordinary code expects. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage } from "@capos/image";
import t, { type Test } from "tap";
import { inRealm, type Outcome } from "./support/realm-worker.js";

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

/** By whom a property is inherited that stays as it is: what docs/guests.md says of it. */
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

/** Runs statements as guests are built, each in one of its own; they see `it`. */
async function inGuests(t: Test, statements: readonly string[]): Promise<Outcome[]> {
  const folder = t.testdir();
  const codes = statements.map(async (body, i) => {
    const file = join(folder, `guest${i}.ts`);
    writeFileSync(file, `export default function* main(): any {\n${body}\n}`);
    return (await buildImage(file)).code;
  });
  return await inRealm(await Promise.all(codes));
}

t.test("what stays as it is can be assigned to by its name, if that is in the code", async (t) => {
  const made: Record<string, readonly string[]> = {
    "[].values()": ["next", "constructor", "[Symbol.iterator]"],
    "new Map().keys()": ["next", '["next"]', "[Symbol.iterator]"],
    "new Set().values()": ["next", "[Symbol.iterator]"],
    "[1, 2]": ["constructor", '["constructor"]', "[Symbol.iterator]"],
    "new Map()": ["[Symbol.iterator]", "constructor"],
    "new Set()": ["[Symbol.iterator]"],
    "Object.create(Array.prototype)": ["constructor", "[Symbol.iterator]"],
    "(class extends Array {}).prototype": ["constructor"],
    "(function* () {})()": ["next", "[Symbol.iterator]"],
    "{}": ["next", "constructor", "[Symbol.iterator]"],
  };
  const statements = Object.entries(made).flatMap(([maker, keys]) =>
    keys.map((key) => {
      const name = key.startsWith("[") ? key : `["${key}"]`;
      const place = key.startsWith("[") ? `it${key}` : `it.${key}`;
      return `const it: any = ${maker}; const f = () => 7; const given = (${place} = f);
        const { value, writable } = Object.getOwnPropertyDescriptor(it, ${name.slice(1, -1)})!;
        return given === f && value === f && writable && it.propertyIsEnumerable(${name.slice(1, -1)})`;
    }),
  );
  const outcomes = await inGuests(t, statements);
  outcomes.forEach(({ value, fault }, i) => {
    const { returned } = (value ?? {}) as { returned?: unknown };
    // A class's prototype has had its constructor from the start, and not to be listed.
    const isListed = !statements[i]!.includes("extends");
    t.equal(returned ?? fault?.text, isListed, statements[i]);
  });
});

t.test("such an assignment is the language's own in all else", async (t) => {
  const outcomes = await inGuests(t, [
    // In its order, once each.
    `const said: string[] = []; const it: any = { next: 0 };
     const say = (word: string, it: any) => (said.push(word), it);
     say("object", it).next = say("value", 5); return said.join() + it.next`,
    "const it: any = { set next(value: number) { throw new Error('a setter') } }; try { it.next = 1 } catch (error: any) { return error.message }",
    "const it: any = { get next() { throw new Error('a getter') }, set next(value: number) {} }; return (it.next = 5)",
    "const seen: any[] = []; const it: any = new Proxy([].values(), { set(...all) { seen.push(all[1]); return false } }); try { it.next = 5 } catch { return seen.join() }",
    "const it: any = Object.freeze([].values()); try { it.next = 1 } catch (error: any) { return error.name }",
    "const it: any = Object.freeze({ constructor: 1 }); try { it.constructor = 2 } catch (error: any) { return error.name + it.constructor }",
    "const p: any = Object.getPrototypeOf([].values()); try { p.next = 2 } catch (error: any) { return error.name }",
    "let it: any; try { it.next = 3 } catch (error: any) { return error.message }",
    "const a: any = {}, b: any = {}; a.next = b.next = (a, 4); return a.next + b.next",
    "const a: any = {}; (a).next /* = . */ = /* . = */ [...(a.constructor = [1, 2])].length; return a.next",
    "const a: any = {}; a.next = yield 15; const [b = (a.constructor = 6)] = []; return [a.next, b].join()",
    `class Node { next: any; constructor(next: any) { this.next = next; } static { (Node as any).next = 3; } field = ((this as any).constructor = 2) }
     const node: any = new Node(new Node(1)); node.next.next = node; return [node.next.next === node, (Node as any).next, node.constructor].join()`,
    "const names = (o: any) => o.next = function () {}; return names({}).name",
  ]);
  const returned = outcomes.map(
    ({ value, fault }) => (value as { returned: unknown })?.returned ?? fault?.text,
  );
  t.strictSame(returned, [
    "object,value5",
    "a setter",
    5,
    "next",
    "TypeError",
    "TypeError1",
    "TypeError",
    "Cannot set properties of undefined (setting 'next')",
    8,
    2,
    ",6",
    "true,3,2",
    "",
  ]);
});
