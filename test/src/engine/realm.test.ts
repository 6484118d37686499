/**
 * The hardened realm: what a guest can reach, how long one call of a built-in may take, and what the
 * kernel says of what a guest threw. Each test has a worker of its own, which never shares its realm.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildImage, locate } from "@capos/image";
import t from "tap";
import { inRealm, inRealmOne, REALM } from "./support/realm-worker.js";

const HANGING = [
  ...["indexOf", "lastIndexOf", "includes"].map(
    (name) => `Array.prototype.${name}.call({ length: 2 ** 53 - 1 }, 1)`,
  ),
  ...["fill", "reverse", "join", "slice", "shift", "flat", "sort", "toSorted", "toReversed", "toString"].map(
    (name) => `const a = []; a.length = 2 ** 32 - 1; a.${name}()`,
  ),
  ...[
    "forEach",
    "map",
    "filter",
    "every",
    "some",
    "find",
    "findLast",
    "findIndex",
    "findLastIndex",
    "flatMap",
  ].map((name) => `Array(2 ** 32 - 1).${name}(Math.abs)`),
  ...["reduce", "reduceRight"].map((name) => `Array(2 ** 32 - 1).${name}(Math.abs, 0)`),
  ...["splice(1)", "unshift(1)", "copyWithin(1, 0)", "toSpliced(0, 1)", "with(0, 1)"].map(
    (call) => `Array(2 ** 32 - 1).${call}`,
  ),
  "[].concat(Array(2 ** 32 - 1))",
  "[Array(2 ** 32 - 1)].flat()",
  "[1].flatMap(() => Array(2 ** 32 - 1))",
  "let a = []; for (let i = 0; i < 40; i++) a = [a, a]; a.flat(Infinity)",
  "Array.from({ length: 2 ** 53 - 1 })",
  "Array.from({ [Symbol.iterator]: Object.bind(null, { next: Object.bind(null, { value: 1, done: false }) }) })",
  "Math.max.apply(null, { length: 2 ** 31 })",
  "Reflect.apply(Math.max, null, { length: 2 ** 27 })",
  "Reflect.construct(Set, { length: 2 ** 27 })",
  "String.raw({ raw: { length: 2 ** 53 - 1 } })",
  "JSON.stringify({}, Array(2 ** 32 - 1))",
  "JSON.stringify(Array(2 ** 26))",
  'Object.keys("a".repeat(2 ** 29 - 24))',
  'Object.entries("a".repeat(2 ** 25))',
  'Object.getOwnPropertyDescriptors("a".repeat(2 ** 25))',
  'Object.assign({}, "a".repeat(2 ** 25))',
  'new String("a".repeat(2 ** 25))',
  'new (class extends String {})("a".repeat(2 ** 25))',
  'Reflect.construct(String, ["a".repeat(2 ** 25)])',
  'new String({ toString: () => "a".repeat(2 ** 25) })',
  'Object("a".repeat(2 ** 25))',
  'new Object("a".repeat(2 ** 25))',
  '({}).constructor("a".repeat(2 ** 25))',
  'Object.prototype.valueOf.call("a".repeat(2 ** 25))',
  '"a".repeat(2 ** 28).lastIndexOf("a".repeat(2 ** 27) + "b")',
  '("a".repeat(2 ** 23) + "c").repeat(4).indexOf("a".repeat(2 ** 22) + "b" + "a".repeat(2 ** 22))',
  '"a".repeat(2 ** 24).includes({ toString: () => "a".repeat(2 ** 23) + "b" })',
  '"a".repeat(2 ** 27).split("")',
  '"a".repeat(2 ** 27).replaceAll("a", "b")',
  '"a".repeat(2 ** 27).match(/a/g)',
  '"a".repeat(2 ** 27).replace(/a/g, "b")',
  '"a".repeat(2 ** 27).split(/a/)',
  '[..."a".repeat(2 ** 27)]',
  '"\\u0301\\u0316".repeat(2 ** 18).normalize("NFD")',
  'RegExp("[a-z]|".repeat(2 ** 20)).test("Y")',
  '"Y".match("[a-z]|".repeat(2 ** 20))',
  'new (/a/.constructor)("[a-z]|".repeat(2 ** 20)).test("Y")',
];

t.test("a built-in refuses a length that would hang the core", async (t) => {
  const outcomes = await inRealm(HANGING);
  for (const [i, { fault }] of outcomes.entries())
    t.match(fault?.text, /^RangeError: .*limit is|^RangeError: Array.from: more/, HANGING[i]);
});

t.test("no length can change between the check and the built-in", async (t) => {
  const lies = [
    "let n = 0; Array.prototype.indexOf.call({ get length() { return n++ === 0 ? 5 : 2 ** 53 - 1 } }, 1)",
    "Array.prototype.indexOf.call({ length: { valueOf: [].pop.bind([2 ** 53 - 1, 5]) } }, 1)",
    "Array.prototype.indexOf.call({ __proto__: { get length() { return 5 } } }, 1)",
    "Array.prototype.indexOf.call(new Proxy({ length: 5 }, {}), 1)",
    "Array.prototype.indexOf.call({ __proto__: new Proxy({ length: 5 }, {}) }, 1)",
    "new Proxy([], {})",
    "Proxy.revocable([], {})",
    "class A extends Array {}; new Proxy(new A(), {})",
    "RegExp.prototype[Symbol.replace].call({ flags: '', exec: Object.bind(null, { length: 2 ** 53 - 1, 0: 'a', index: 0 }) }, 'a', 'b')",
    "const r = /a/; r.exec = Object.bind(null, { length: 2 ** 53 - 1, 0: 'a', index: 0 }); 'a'.replace(r, 'b')",
    "Object.defineProperty(/a/, 'flags', { value: 'g' })[Symbol.replace]('a', 'b')",
    "class R extends RegExp {}; 'a'.replace(new R('a'), 'b')",
  ];
  const outcomes = await inRealm(lies);
  for (const [i, { fault }] of outcomes.entries()) t.match(fault?.text, /^TypeError/, lies[i]);
});

t.test("the kernel is told of work that built-ins do by themselves, and can end it", async (t) => {
  const [counted] = await inRealm([
    "const before = $tick.work(); const a = Array(2 ** 20).fill(1); for (let i = 0; i < 8; i++) a.indexOf(2); return $tick.work() - before",
  ]);
  t.equal(counted!.value, 9);
});

t.test("a program without bad lengths sees the built-ins it knows", async (t) => {
  const cases: Record<string, unknown> = {
    "[3, 1, 2].sort().concat([4], 5, [[6]]).flat().join('-')": "1-2-3-4-5-6",
    "[1, [2, [3, [4]]]].flat(Infinity).length + [[1, 2], [3]].flatMap((x) => x).length": 7,
    "[1, , 3].flat().length": 2,
    "Array.from('h\\u00e9', (c, i) => c + i).join() + Array.from({ length: 3 }, (_, i) => i * 2) + Array.from(new Set([1, 1]))":
      "h0,\u00e910,2,41",
    "class A extends Array {} return [A.from([1, 2]) instanceof A, A.from({ length: 2 }).length, A.of(1) instanceof A].join()":
      "true,2,true",
    "[1, 2, 3].lastIndexOf(3) + [1, 2, 3].lastIndexOf(3, undefined) + [1, 2, 3].indexOf(2)": 2,
    "[1, 2, 3].reduce((a, b) => a + b) + [1, 2].reduce((a, b) => a + b, '')": "612",
    "try { [].reduce(() => 1) } catch (e) { return e.message }":
      "Reduce of empty array with no initial value",
    "const a = [1, 2, 3, 4]; a.splice(1, 2, 9); a.unshift(0); return [a, a.splice(), a.toSpliced(0, 1), a.with(0, 7)].join('|')":
      "0,1,9,4||1,9,4|7,1,9,4",
    "'a-b-c'.replace('-', '+') + 'a-b-c'.replace(/-/g, (m) => m + m) + 'x.y'.split('.') + 'a1b2'.split(/\\d/) + 'abc'.match(/b(c)/)[1]":
      "a+b-ca--b--cx,ya,b,c",
    "[...'a1b22'.matchAll(/\\d+/g)].map((m) => m[0]).join() + 'abc'.search(/c/) + 'aXbX'.replaceAll('X', '') + 'aXbX'.replaceAll(/x/gi, 'y')":
      "1,222abaybY".replace("ybY", "yby"),
    "try { 'a'.replaceAll(/a/, 'b') } catch (e) { return e.name }": "TypeError",
    "try { 'a'.includes(/a/) } catch (e) { return e.name }": "TypeError",
    "'abc'.replace({ [Symbol.replace]: (s, r) => s + r }, '!') + 'a,b'.split(undefined).length + 'undefined'.match().index":
      "abc!10",
    "String(null) + String(Symbol('z')) + new String('q').length + (new String('q') instanceof String) + Object(1) + (Object(1) instanceof Number) + String.raw`a\\n${1}`":
      "nullSymbol(z)1true1truea\\n1",
    "try { Symbol() + '' } catch (e) { return e.name }": "TypeError",
    "JSON.stringify({ a: [1, { b: undefined }] }, ['a'], 1)": '{\n "a": [\n  1,\n  {}\n ]\n}',
    "Object.keys('abc').join() + Object.entries({ a: 1 }) + JSON.stringify(Object.assign({}, 'xy', null, [5]))":
      '0,1,2a,1{"0":5,"1":"y"}',
    "Math.max.apply(null, [1, 2]) + Reflect.apply(Math.max, null, [3]) + Reflect.construct(Array, [1, 2, 3]).length + (function () { return Math.min.apply(null, arguments) })(4, 5)": 12,
    "const s = new Set([1, 2]); let n = 0; s.forEach((v) => { n += v }); new Map([[3, 4]]).forEach((v, k) => { n += v * k }); return n": 15,
    "const p = new Proxy({}, { get: (_, k) => k }); return p.hello + typeof Proxy.revocable({}, {}).proxy":
      "helloobject",
    "class H { #n = 2; get(t, k) { return this.#n + k } } return new Proxy({}, new H()).x + typeof new Proxy(function () {}, {})":
      "2xfunction",
    "const h = {}, p = new Proxy({ a: 1 }, h); h.get = () => 5; return [p.a, 'a' in p, Object.keys(p), delete p.a, Object.keys(p).length].join()":
      "5,true,a,true,0",
    "const p = new Proxy(function (a) { return this + a }, {}); return p.call(1, 2) + Reflect.apply(p, 3, [4]) + new (new Proxy(class { constructor(a) { this.a = a } }, {}))(5).a": 15,
    "const p = new Proxy(Object.freeze({ a: 1 }), { get: () => 2 }); try { return p.a } catch (e) { return e.name }":
      "TypeError",
    "const o = Object.create({}, { a: { get() { return this.b }, enumerable: true }, b: { value: 7 } }); return Object.keys(o) + o.a":
      "a7",
    "const o = {}; o.__defineGetter__('a', () => 3); Object.defineProperty(o, 'b', { value: 4 }); return [o.a, o.b, Object.keys(o), Reflect.defineProperty(Object.freeze({}), 'a', {})].join()":
      "3,4,a,false",
    "try { Object.defineProperty({}, 'a', { get() {}, value: 1 }) } catch (e) { return e.name }": "TypeError",
    "new RegExp('a+', 'g').flags + (/a/ instanceof RegExp) + RegExp(/x/y).sticky + new RegExp(/q/, 'i').flags + (class extends RegExp {}, 1)":
      "gtruetruei1",
    "class E extends Error { constructor(m) { super(m); this.name = 'E' } } return String(new E('x')) + new E('y').stack":
      "E: x",
    "Array.prototype.map.length + Array.prototype.map.name + Array.prototype.splice.length + String(Array.prototype.map)":
      "1mapsplice".replace("mapsplice", "map2function map() { [native code] }"),
    "[typeof {}.constructor, Object.name, String.length, Object.getPrototypeOf(class extends Object {}) === Object].join()":
      "function,Object,1,true",
  };
  const bodies = Object.keys(cases).map((text) =>
    /^(class|const|try|let)\b/.test(text) ? text : `return ${text}`,
  );
  const outcomes = await inRealm(bodies);
  for (const [i, [text, expected]] of Object.entries(cases).entries()) {
    t.strictSame(outcomes[i].value ?? outcomes[i].fault, expected, text);
  }
});

const ABSENT = [
  ...[
    "eval",
    "Function",
    "Compartment",
    "Promise",
    "lockdown",
    "harden",
    "repairIntrinsics",
    "getStackString",
    "assert",
  ],
  ...[
    "ArrayBuffer",
    "SharedArrayBuffer",
    "DataView",
    "Atomics",
    "WebAssembly",
    "WeakRef",
    "FinalizationRegistry",
  ],
  ...[
    "Int8Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "Int16Array",
    "Uint16Array",
    "Int32Array",
    "Uint32Array",
  ],
  ...[
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "BigInt64Array",
    "BigUint64Array",
    "Buffer",
    "TextEncoder",
    "TextDecoder",
  ],
  ...[
    "Date",
    "Temporal",
    "console",
    "process",
    "require",
    "module",
    "global",
    "performance",
    "setTimeout",
    "queueMicrotask",
  ],
  ...["fetch", "structuredClone", "escape", "unescape", "Intl", "ModuleSource", "HandledPromise", "Worker"],
];

t.test("a guest's global object has nothing that could leave its turn, its memory or its code", async (t) => {
  const { value } = await inRealmOne(
    `return ${JSON.stringify(ABSENT)}.filter((name) => name in globalThis || Reflect.ownKeys(globalThis).includes(name))`,
  );
  t.strictSame(value, []);
  const names = await inRealm([
    ...ABSENT.filter((name) => name !== "eval").map((name) => `return typeof ${name}`),
    "return typeof (0, eval)",
  ]);
  for (const [i, outcome] of names.entries()) {
    t.ok(
      outcome.value === "undefined" || outcome.fault?.text.startsWith("ReferenceError"),
      `${ABSENT[i]}: ${outcome.value}`,
    );
  }
  const random = await inRealm([
    "return Math.random()",
    "return Array.fromAsync",
    "return Object[Symbol.for('harden')]",
  ]);
  t.match(random[0].fault?.text, /TypeError/);
  t.equal(random[1].value, undefined);
  t.equal(random[2].value, undefined);
});

t.test("no chain of properties and prototypes leads from a guest to what it must not have", async (t) => {
  const { value, fault } = await inRealmOne(`
    const forbidden = new Map(Object.entries($tick.intrinsics).map(([name, value]) => [value, name]));
    delete $tick.intrinsics;
    const samples = [globalThis, function () {}, () => {}, function* () {}, (function* () {})(), class {}, /a/, "", 1, 1n, true, Symbol(), [],
      [][Symbol.iterator](), new Map().entries(), new Set().values(), ""[Symbol.iterator](), "a".matchAll(/a/g), new Error("x"), $tick.words,
      (function () { return arguments })(), new Proxy({}, {}), Object.getOwnPropertyDescriptor(Map.prototype, "size").get];
    try { null.x } catch (error) { samples.push(error) }
    const seen = new Set(), found = [];
    const visit = (value, path) => {
      if (value === null || (typeof value !== "object" && typeof value !== "function")) return;
      if (forbidden.has(value)) found.push(path + " is " + forbidden.get(value));
      if (seen.has(value)) return;
      seen.add(value);
      const tag = Object.prototype.toString.call(value);
      if (/Array(Buffer)?\\]|DataView|Promise|Async|Atomics|WebAssembly|process/.test(tag) && !Array.isArray(value) && value !== $tick.words) found.push(path + " is " + tag);
      visit(Object.getPrototypeOf(value), path + ".__proto__");
      for (const key of Reflect.ownKeys(value)) {
        if (value === $tick.words && typeof key === "string") continue;
        const d = Object.getOwnPropertyDescriptor(value, key);
        for (const part of ["value", "get", "set"]) visit(d[part], path + "." + String(key) + (part === "value" ? "" : "<" + part + ">"));
      }
    };
    for (const sample of samples) visit(Object(sample), String(typeof sample));
    return { found, count: seen.size };
  `);
  t.equal(fault, undefined);
  const { found, count } = value as { found: string[]; count: number };
  t.strictSame(found, []);
  t.ok(count > 300, `${count} objects`);
});

t.test("no constructor that a guest can reach makes code", async (t) => {
  const outcomes = await inRealm(
    [
      "function () {}",
      "() => {}",
      "function* () {}",
      "async function () {}",
      "async () => {}",
      "async function* () {}",
      "class {}",
      "Math.abs",
      "$tick.work",
    ]
      .flatMap((source) => ["constructor", "__proto__.constructor"].map((path) => `(${source}).${path}`))
      .flatMap((maker) => [
        `return ${maker}("return 1")()`,
        `return new (${maker})("return 1")()`,
        `return Reflect.construct(${maker}, ["return 1"])()`,
      ]),
  );
  for (const { value, fault } of outcomes) {
    t.equal(value, undefined);
    t.match(fault?.text, /^TypeError|^ReferenceError/);
  }
});

t.test("a guest cannot get at the buffer behind a view, nor at another view of it", async (t) => {
  const outcomes = await inRealm([
    "return $tick.words.buffer",
    "return $tick.words.constructor",
    "return Object.getPrototypeOf($tick.words)",
    "return Object.getOwnPropertyNames($tick.words).filter((name) => !/^\\d+$/.test(name)).length",
    "$tick.words[3] = 4.5; return $tick.words[3]",
    "return Array.prototype.slice.call($tick.words).length",
  ]);
  t.strictSame(
    outcomes.map(({ value }) => value),
    [undefined, undefined, null, 0, 4.5, 0],
  );
});

t.test("a guest can change neither its global object nor a built-in", async (t) => {
  const attempts = [
    "globalThis.x = 1",
    "x = 1",
    "Array = 1",
    "delete globalThis.Array",
    "Object.defineProperty(globalThis, 'y', { value: 1 })",
    "Object.setPrototypeOf(globalThis, {})",
    ...[
      "Object",
      "Function",
      "Array",
      "String",
      "Number",
      "Map",
      "Set",
      "Error",
      "RegExp",
      "Symbol",
      "Proxy",
    ].flatMap((name) =>
      name === "Function"
        ? ["Object.getPrototypeOf(() => {}).x = 1"]
        : [
            `${name}.x = 1`,
            ...(name === "Proxy" ? [] : [`${name}.prototype.x = 1`, `delete ${name}.prototype.constructor`]),
          ],
    ),
    "Array.prototype.map = 1",
    "Object.getPrototypeOf(function* () {}).prototype.next = 1",
    "Object.getPrototypeOf([][Symbol.iterator]()).next = 1",
    "Math.abs.x = 1",
    "Array.prototype.map.x = 1",
    "Object.getPrototypeOf(Object.getPrototypeOf(function* () {}).prototype)[Symbol.iterator] = 1",
  ];
  const outcomes = await inRealm(attempts.map((attempt) => `"use strict"; ${attempt}; return "done"`));
  for (const [i, { value, fault }] of outcomes.entries()) {
    t.equal(value, undefined, attempts[i]);
    t.match(fault?.text, /^TypeError|^ReferenceError/, attempts[i]);
  }
});

t.test("two guests share no object that either could change", async (t) => {
  const outcomes = await inRealm([
    "globalThis.Symbol.for('shared').description; return Object.isFrozen(globalThis)",
    "return Object.getOwnPropertyNames(globalThis).every((name) => { const v = globalThis[name]; return (typeof v !== 'object' && typeof v !== 'function') || Object.isFrozen(v) })",
  ]);
  t.strictSame(
    outcomes.map(({ value }) => value),
    [true, true],
  );
});

t.test("a guest sees no stack: not its own, not the kernel's", async (t) => {
  const outcomes = await inRealm([
    "return new Error('x').stack",
    "try { null.x } catch (e) { return e.stack }",
    "const o = {}; Error.captureStackTrace(o); return o.stack",
    "Error.stackTraceLimit = 100; Error.prepareStackTrace = (_, frames) => frames; return typeof new Error().stack",
  ]);
  t.strictSame(
    outcomes.map(({ value }) => value),
    ["", "", "", "string"],
  );
});

t.test("a fault says what was thrown and where in the image, and runs nothing of the guest's", async (t) => {
  const cases: [string, object][] = [
    ["throw new TypeError('hey')", { text: "TypeError: hey", line: 2, column: 7 }],
    [
      "class My extends Error {}\nfunction f() {\n  throw new My('boo') }\nf()",
      { text: "My: boo", line: 4, column: 9 },
    ],
    [
      "class My extends Error { constructor() { super('m'); this.name = 'Zed' } }\nthrow new My()",
      { text: "Zed: m", line: 3 },
    ],
    ["null.x", { text: "TypeError: Cannot read properties of null (reading 'x')", line: 2, column: 6 }],
    ["function f() { f() } f()", { text: "RangeError: Maximum call stack size exceeded", line: 2 }],
    ["throw null", { text: "null", line: 0, column: 0 }],
    ["throw undefined", { text: "undefined" }],
    ["throw 'a text'", { text: "a text" }],
    ["throw -0.5", { text: "-0.5" }],
    ["throw 7n", { text: "7n" }],
    ["throw 2n ** 1000000n", { text: "a bigint of more than 64 bits" }],
    ["throw Symbol('s')", { text: "Symbol(s)" }],
    ["throw function named() {}", { text: "a function, named" }],
    ["throw { message: 'm', name: 'N' }", { text: "N: m" }],
    [
      "throw { toString() { for (;;); }, get message() { for (;;); }, get name() { for (;;); } }",
      { text: "an object, Object" },
    ],
    ["throw Object.create(null)", { text: "an object, Object" }],
    ["throw new Proxy({}, new Proxy({}, { get() { for (;;); } }))", { text: "a proxy" }],
    [
      "throw Object.create(new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); } }))",
      { text: "an object, Object" },
    ],
    ["throw new Proxy(function () {}, { get() { for (;;); } })", { text: "a function" }],
    [
      "const e = new Error('q'); Object.defineProperty(e, 'stack', { get() { for (;;); } }); throw e",
      { text: "Error: q" },
    ],
    [
      "const e = new Error('q'); Object.defineProperty(e, 'message', { get() { for (;;); } }); throw e",
      { text: "Error" },
    ],
    ["const e = new Error('q'); e.stack = '  at x (capos:y:77:88)'; throw e", { text: "Error: q" }],
    ["throw 'x'.repeat(2 ** 29 - 24)", { text: "(a text of 536870888 characters)" }],
    [
      "let s = 'ab'; for (let i = 0; i < 27; i++) s += s; throw new Error(s)",
      { text: "Error: (a text of 268435456 characters)" },
    ],
    ["throw 'a\\x1b[31mred\\nline\\u2028'", { text: "a\\x1b[31mred\\x0aline\\u2028" }],
    [
      "let p = {}; for (let i = 0; i < 1e5; i++) p = Object.create(p); throw p",
      { text: "an object, Object" },
    ],
  ];
  const outcomes = await inRealm(cases.map(([body]) => body));
  for (const [i, [body, expected]] of cases.entries()) t.match(outcomes[i].fault, expected, body);
  const [long] = await inRealm(["throw new Error('\\u{1f600}'.repeat(1000))"]);
  const bytes = Buffer.byteLength(long!.fault!.text);
  t.ok(bytes <= 192 && bytes > 180, `${bytes} bytes`);
});

t.test("what the image builder made runs in the realm, and its faults are located", async (t) => {
  const file = join(t.testdir({ "guest.ts": GUEST }), "guest.ts");
  const image = await buildImage(file);
  const [well, badly] = await inRealm([image.code, image.code.replace("fails = false", "fails = true ")]);
  t.strictSame(well!.fault, undefined);
  t.match(well!.value, { returned: "<!-- a-->b import(x) eval(y) false 49995000 3" });
  t.ok((well!.value as { yielded: number }).yielded >= 9, "main was preempted");
  const { text, line, column } = badly!.fault!;
  t.match(text, /^IpcError: test/);
  t.match(locate(image, line, column), { file, line: 6 });
});

const GUEST = `import { Err, IpcError } from "@capos/libos";
/* a comment with --> and import( in it */
let fails = false;
let a = 3, b = 3;
function fail(): never {
  throw new IpcError(Err.DENIED, "test");
}
export default function* main() {
  if (fails) fail();
  let sum = 0;
  for (let i = 0; i < 10000; i++) sum += i;
  const { a: dropped, ...rest } = { a: 1, b: 3 };
  return ["<!-- a-->b", \`import(x) eval(y)\`, a-->b, sum, rest.b * dropped].join(" ");
}
`;

t.test("the realm works when it is bundled into one file", async (t) => {
  const fromLibos = createRequire(fileURLToPath(import.meta.resolve("@capos/image")));
  const { build } = fromLibos("esbuild") as { build(options: object): Promise<unknown> };
  const folder = mkdtempSync(join(tmpdir(), "capos-realm-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const outfile = join(folder, "realm.mjs");
  await build({
    entryPoints: [fileURLToPath(REALM)],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outfile,
  });
  writeFileSync(join(folder, "package.json"), "{}");
  const outcomes = await inRealm(
    ["return [1, 2].map((x) => x + 1).join()", "Array(2 ** 32 - 1).fill(1)", "null.x"],
    pathToFileURL(outfile).href,
  );
  t.equal(outcomes[0].value, "2,3");
  t.match(outcomes[1].fault?.text, /^RangeError/);
  t.match(outcomes[2].fault, { line: 2, column: 6 });
});
