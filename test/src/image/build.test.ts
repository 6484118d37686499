/**
 * The image builder: what it refuses, and that what it lets through can be stopped and preempted.
 *
 * Images run here without a kernel: the test plays its part (tick, tickMain, caught). A loop that is not
 * stopped is stopped by the time limit of `vm`, and fails its test.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import vm from "node:vm";
import { type Image, Trap } from "@capos/abi";
import { buildImage, GuestBuildError, locate } from "@capos/image";
import t, { type Test } from "tap";

const TIME_LIMIT_MS = 60_000;

/** Writes a guest's files and builds the image of `main.ts`. */
async function build(t: Test, files: string | Record<string, string>): Promise<Image> {
  return await buildImage(writeGuest(t, files));
}

function writeGuest(t: Test, files: string | Record<string, string>): string {
  const folder = t.testdir();
  for (const [name, text] of Object.entries(typeof files === "string" ? { "main.ts": files } : files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, "main.ts");
}

interface Checks {
  tick?: () => void;
  tickMain?: () => boolean;
  caught?: (error: unknown) => void;
}

type Step = { done?: boolean; value: unknown };

/** Evaluates an image as the kernel does, without the hardening. */
function instantiate(image: Image, checks: Checks = {}): unknown {
  const program = vm.runInThisContext(image.code) as (...checks: unknown[]) => unknown;
  const { tick = () => {}, tickMain = () => false, caught = () => {} } = checks;
  return program(tick, tickMain, caught, (iterable: unknown) => iterable);
}

/** Runs something with a time limit that also ends loops. */
function limited<T>(run: () => T): T {
  return vm.runInNewContext("run()", { run }, { timeout: TIME_LIMIT_MS }) as T;
}

/** Runs `main` to its end; gives what it yielded and what it returned. */
function drive(image: Image, checks: Checks = {}): { yielded: unknown[]; returned: unknown } {
  return limited(() => {
    const main = instantiate(image, checks) as (sys: object) => { next(value: unknown): Step };
    const guest = main({});
    const yielded: unknown[] = [];
    for (;;) {
      const { done, value } = guest.next(0);
      if (done) return { yielded, returned: value };
      yielded.push(value);
    }
  });
}

const SENTINEL = Object.freeze({ condemned: true });

/** A kernel that condemns at the first tick: every check throws from then on, and catch clauses pass it on. */
function condemning(): Required<Checks> {
  let condemned = false;
  const check = () => {
    condemned = true;
    throw SENTINEL;
  };
  return {
    tick: check,
    tickMain: check,
    caught: () => {
      if (condemned) throw SENTINEL;
    },
  };
}

t.test(
  "evaluating an image runs nothing, calling it runs the top level and gives the default export",
  async (t) => {
    const image = await build(
      t,
      "(globalThis as any).ran = true; export default function* main() { return 7 }",
    );
    const global = globalThis as { ran?: boolean };
    const program = vm.runInThisContext(image.code) as () => unknown;
    t.equal(global.ran, undefined);
    t.type(program(), "function");
    t.equal(global.ran, true);
    delete global.ran;
    t.equal(image.name, "main.ts");
    t.equal(
      (await buildImage(writeGuest(t, "export default function* () {}"), { name: "echo" })).name,
      "echo",
    );
  },
);

t.test("a guest may be split into files and use the guest side of the system", async (t) => {
  const image = await build(t, {
    "main.ts": `
      import { Err, Trap } from "@capos/abi";
      import { IpcError } from "@capos/libos";
      import { twice } from "./lib/twice.js";
      export default function* main() { return new IpcError(Err.DENIED, "x") instanceof Error ? twice(Trap.YIELD) : 0 }`,
    "lib/twice.ts": "export const twice = (n: number): number => n * 2;",
  });
  t.equal(drive(image).returned, 22);
});

t.test("main and generators only ever used under yield* yield when the core is wanted", async (t) => {
  const image = await build(
    t,
    `function* work(): Generator<number, number, number> { let n = 0; for (let i = 0; i < 5000; i++) n++; return n + (yield* deeper()); }
     const deeper = function* (): Generator<number, number, number> { let i = 0; while (i < 5000) i++; yield 12; return i; };
     export default function* main() { let n = yield* work(); do n++; while (n < 20000); return n }`,
  );
  let wanted = 0;
  const { yielded, returned } = drive(image, {
    tickMain: () => ++wanted > 0,
    tick: () => t.fail("no plain check should run"),
  });
  t.equal(returned, 20000);
  t.equal(yielded.filter((value) => value === Trap.PREEMPTED).length, wanted);
  t.ok(wanted >= 15, "every part of it was preempted");
  t.equal(yielded.filter((value) => value === 12).length, 1);
});

const CONSUMERS: Record<string, string> = {
  "for..of": "for (const x of numbers(N)) take(x);",
  spread: "for (const x of [...numbers(N)]) take(x);",
  "spread into arguments": "((...all: any[]) => all.forEach(take))(...numbers(N));",
  destructuring: "const [a, ...rest] = numbers(N); take(a); rest.forEach(take);",
  "Array.from": "Array.from(numbers(N)).forEach(take);",
  "new Set": "new Set(numbers(N)).forEach(take);",
  next: "const it = numbers(N); for (let r = it.next(); !r.done; r = it.next()) take(r.value);",
  "yield* in a generator that is iterated":
    "function* outer() { yield* numbers(N) } for (const x of outer()) take(x);",
  "an alias": "const other = numbers; for (const x of other(N)) take(x);",
  "yield* of a stored iterator":
    "const it = numbers(N); function* outer() { yield* it } for (const x of outer()) take(x);",
  "a second use besides yield*":
    "for (const x of numbers(N)) take(x); yield* nothing(numbers(1)); function* nothing(_: unknown) {}",
  "a method":
    "const o = { *numbers() { for (let i = 0; i < N; i++) yield i } }; for (const x of o.numbers()) take(x);",
  "a class's iterator":
    "class C { *[Symbol.iterator]() { for (let i = 0; i < N; i++) yield i } } for (const x of new C()) take(x);",
  "a default value that names it":
    "const f = (g = numbers) => { var numbers = 1; for (const x of g(N)) take(x); return numbers }; f();",
  "a nested one of the same name":
    "function f() { function* numbers() { for (let i = 0; i < N; i++) yield i } for (const x of numbers()) take(x) } f();",
};

t.test("a generator that the guest itself iterates never gives it the kernel's number", async (t) => {
  for (const [how, statement] of Object.entries(CONSUMERS)) {
    const image = await build(
      t,
      `const N = 5000;
       function* numbers(n: number): Generator<number> { for (let i = 0; i < n; i++) yield i === 15 ? -15 : i; }
       export default function* main(): Generator<number, any, any> {
         const seen: unknown[] = [];
         const take = (x: unknown) => { seen.push(x === 15 ? -15 : x) };
         const taken = seen.length;
         ${statement.replaceAll("take(x)", "{ if (x === 15 && !own(15)) leaked++; take(x) }").replaceAll("leaked++", "leaks.push(x)")}
         return { count: seen.length - taken, leaks, distinct: new Set(seen).size };
       }
       const leaks: unknown[] = [];
       // Generators written in the statement itself count through 15.
       function own(_: number) { return ${/\*\s*(numbers|\[Symbol)/.test(statement)}; }`,
    );
    const { returned } = drive(image, { tickMain: () => true });
    t.match(returned, { count: 5000, leaks: [], distinct: 5000 }, how);
  }
});

t.test("main yields to nobody but the kernel: one that the guest iterates does not yield", async (t) => {
  const image = await build(
    t,
    `export default function* main(inner?: unknown): Generator<any, any, any> {
       if (inner === true) { for (let i = 0; i < 5000; i++); return 1 }
       return [...main(true)].length;
     }`,
  );
  t.equal(drive(image, { tickMain: () => true }).returned, 0);
});

const ENDLESS: Record<string, string> = {
  "main, for": "export default function* main() { for (;;); }",
  "main, while": "export default function* main() { while (true); }",
  "main, do": "export default function* main() { let n = 0; do n++; while (true); }",
  "main, labelled": "export default function* main() { a: for (;;) { for (;;) continue a; } }",
  "main, for..of its own endless iterator":
    "export default function* main() { const it = { [Symbol.iterator]() { return this }, next() { return { done: false } } }; for (const _ of it as any); }",
  "main, for..in":
    "export default function* main() { const o: any = {}; for (;;) for (const k in { a: 1 }) o[k] = 1; }",
  "a helper function": "function f() { for (;;); } export default function* main() { f(); }",
  "a helper generator": "function* g() { for (;;); } export default function* main() { yield* g(); }",
  "an iterated generator":
    "function* g() { for (;;); yield 1 } export default function* main() { for (const _ of g()); }",
  "the top level": "for (;;); export default function* main() {}",
  "a catch clause": "export default function* main() { try { throw 1 } catch { for (;;); } }",
  "a catch clause that catches everything":
    "export default function* main() { for (;;) { try { for (;;); } catch {} } }",
  "a catch clause with a parameter":
    "export default function* main() { for (;;) { try { for (;;); } catch (e) {} } }",
  "a finally clause": "export default function* main() { try { return 1 } finally { for (;;); } }",
  "nested finally clauses that go on":
    "export default function* main() { for (;;) try { for (;;) try { for (;;); } finally { continue } } finally { continue } }",
  "a finally clause that calls again":
    "function f() { try { for (;;); } finally { f() } } export default function* main() { f() }",
  "a finally clause that goes on":
    "export default function* main() { for (;;) { try { for (;;); } finally { continue } } }",
  "a field initialiser":
    "class C { x = new C2() } class C2 { y = (() => { for (;;); })() } export default function* main() { new C(); }",
  "recursion through field initialisers":
    "let d = 60; class C { x = d > 0 ? (d--, new C(), new C(), d++) : 0 } export default function* main() { new C() }",
  "recursion through computed names":
    "let d = 60; class A { x = class { [d > 0 ? (d--, new A(), new A(), d++, 'a') : 'b']() {} } } export default function* main() { new A(); }",
  "a static block": "class C { static { for (;;); } } export default function* main() { return C }",
  "arrow recursion":
    "const f = (n: number): number => n > 0 ? f(n - 1) + f(n - 1) : 0; export default function* main() { f(60); }",
  "recursion in parameters of a generator":
    "function* g(n: number, a: any = n > 0 ? g(n - 1) : 0, b: any = n > 0 ? g(n - 1) : 0): any {} export default function* main() { void g(60); }",
  "recursion in computed parameters":
    "function* g(n: number, { [n > 0 ? (g(n - 1, {}), g(n - 1, {}), 'a') : 'b']: x }: any): any {} export default function* main() { void g(60, {}); }",
  "a getter": "const o = { get x(): number { for (;;); } }; export default function* main() { return o.x }",
  "a setter": "const o = { set x(_: number) { for (;;); } }; export default function* main() { o.x = 1 }",
  "a constructor": "class C { constructor() { for (;;); } } export default function* main() { new C() }",
  "a derived constructor, before super":
    "class B {} class C extends B { constructor() { for (;;); super() } } export default function* main() { new C() }",
  "a toString": 'const o = { toString() { for (;;); } }; export default function* main() { return "" + o }',
  "a callback": "export default function* main() { [1].map(() => { for (;;); }) }",
  "a default value":
    "function f(x = (() => { for (;;); })()) { return x } export default function* main() { f() }",
  "a tag": "function f(_: any): any { for (;;); } export default function* main() { f`x` }",
  "a pattern's getter in a catch clause":
    "export default function* main() { for (;;) { try { for (;;); } catch ({ x }) { } } }",
  "object rest":
    "export default function* main() { const o: any = { get a() { for (;;); } }; const { ...r } = o; return r }",
  "a proxy's trap":
    "export default function* main() { const p: any = new Proxy({}, { get() { for (;;); } }); return p.x }",
};

t.test("no loop or recursion goes on once the kernel's check throws", async (t) => {
  for (const [where, source] of Object.entries(ENDLESS)) {
    const image = await build(t, source);
    let thrown: unknown = "nothing";
    try {
      drive(image, condemning());
    } catch (error) {
      thrown = error;
    }
    t.equal(thrown, SENTINEL, where);
  }
});

t.test(
  "a catch clause passes on what the kernel throws before any of the guest's code sees it",
  async (t) => {
    const image = await build(
      t,
      `const seen: unknown[] = [];
     export default function* main(): Generator<any, any, any> {
       try { throw { get x() { seen.push("getter"); return 1 } } } catch ({ x = seen.push("default") }) { seen.push(x) }
       try { throw "plain" } catch (e) { seen.push(e) }
       try { throw "none" } catch { seen.push("none") }
       try { throw { a: { b: [1, 2] } } } catch ({ a: { b: [p, ...q] } }) { seen.push(p, q[0]) }
       return seen;
     }`,
    );
    const caught: unknown[] = [];
    const { returned } = drive(image, { caught: (error) => caught.push(typeof error) });
    t.strictSame(returned, ["getter", 1, "plain", "none", 1, 2]);
    t.strictSame(caught, ["object", "string", "string", "object"]);
    let count = 0;
    t.throws(() =>
      drive(image, {
        caught: () => {
          if (++count === 1) throw new Error("condemned");
        },
      }),
    );
    t.equal(count, 1);
  },
);

t.test("no name in a guest can be one of the builder's", async (t) => {
  const image = await build(
    t,
    `let $tick = 1, $fuel = 2, $tickMain = 3, $caught = 4, $thrown = 5, $listed = 6;
     export default function* main() {
       for (let i = 0; i < 5000; i++) { $tick++; $fuel = 1e9; }
       try { throw 1 } catch { $thrown++ }
       for (const k in { ...{ a: 1 } }) $listed += k.length;
       return [$tick, $fuel, $tickMain, $caught, $thrown, $listed];
     }`,
  );
  let wanted = 0;
  const { returned } = drive(image, { tickMain: () => ++wanted < 0 });
  t.strictSame(returned, [5001, 1e9, 3, 4, 6, 7]);
  t.ok(wanted >= 4);
});

t.test("what a bundle means is not changed by its checks", async (t) => {
  const image = await build(
    t,
    `const seen: unknown[] = [];
     const object = (x: number) => ({ x });
     const nested = (a: number) => (b: number) => (c: number) => (a, b, c);
     class Base { kind = "base"; static made = 0; constructor(readonly n = 1) { Base.made++ } get double() { return this.n * 2 } }
     class Derived extends Base { extra = this.kind + "!"; named = () => 1; static { seen.push("static") } }
     function count(text: any) { const { length, ...rest } = text; return [length, Object.keys(rest).length] }
     label: for (const a of [1, 2, 3]) for (const b of [1, 2, 3]) { if (b === 2) continue label; seen.push(a * b) }
     let a = 5; const b = 3;
     function* g(n = 2, { [\`k\${n}\`]: v = n * 2 }: Record<string, number> = {}) { yield n; yield v }
     const tag = (s: TemplateStringsArray, ...v: unknown[]) => s.raw.join("|") + v.join();
     export default function* main() {
       const d = new Derived(21);
       if (a-->b) seen.push("greater");
       switch (a) { case 4: { let i = 0; do i++; while (i < 3); seen.push(i); break } default: seen.push("no") }
       return [seen, object(1).x, nested(1)(2)(3), d.double, d.extra, d.named.name, Base.made, count("abc"), [...g()], tag\`x\${1}y\`,
         "<!-- --> import(x) eval(y)", \`a-->\${1}<!--\`, /<!--|import (x)/.test("import x"), ((x) => x).toString().length > 0];
     }`,
  );
  t.strictSame(drive(image).returned, [
    ["static", 1, 2, 3, "greater", 3],
    1,
    3,
    42,
    "base!",
    "named",
    1,
    [3, 3],
    [2, 4],
    "x|y1",
    "<!-- --> import(x) eval(y)",
    "a-->1<!--",
    true,
    true,
  ]);
});

t.test("a long text cannot be taken apart into properties", async (t) => {
  for (const statement of [
    "for (const k in text) return k;",
    "return { ...text };",
    "const { ...rest } = text; return rest;",
    "const f = ({ a: { ...rest } }: any) => rest; return f({ a: text });",
    "let rest: any; ({ ...rest } = text); return rest;",
    "for (const { ...rest } of [text]) return rest;",
    "try { throw text } catch ({ ...rest }) { return rest }",
  ]) {
    const image = await build(
      t,
      `export default function* main() { const text: any = "a".repeat(2 ** 27); ${statement} }`,
    );
    t.throws(() => drive(image), { name: "RangeError", message: /too many properties/ }, statement);
  }
});

t.test("an error in an image is located in the guest's own file and line", async (t) => {
  const file = writeGuest(t, {
    "main.ts": `import { boom } from "./lib/boom.js";\n\ninterface Unused { x: number }\nexport default function* main() {\n  for (let i = 0; i < 3; i++)\n    boom(i);\n}\n`,
    "lib/boom.ts":
      "// a comment\nexport function boom(n: number): void {\n  if (n === 1) {\n    const unused: string = `x`;\n    throw new Error(unused);\n  }\n}\n",
  });
  const image = await buildImage(file);
  const program = vm.runInThisContext(image.code, { filename: "capos:test" }) as (
    ...checks: unknown[]
  ) => () => Iterator<unknown>;
  let stack = "";
  try {
    program(
      () => {},
      () => false,
      () => {},
    )().next();
  } catch (error) {
    stack = (error as Error).stack!;
  }
  const frames = [...stack.matchAll(/capos:test:(\d+):(\d+)/g)].map(([, line, column]) =>
    locate(image, Number(line), Number(column)),
  );
  t.strictSame(frames[0], { file: join(dirname(file), "lib/boom.ts"), line: 5, column: 11 });
  t.strictSame(frames[1], { file, line: 6, column: 5 });
  t.equal(locate(image, 1, 1), null);
  t.equal(locate(image, 0, 0), null);
  t.equal(locate(image, 1e6, 1), null);
});

/** Source, and what the one line says after the place. */
const REFUSED: Record<string, [source: string, place: string, reason: RegExp]> = {
  "a module of Node's": [
    'import fs from "node:fs";\nexport default function* main() { fs }',
    "1:16",
    /cannot import "node:fs".*relative files and capos\/guest/,
  ],
  "a module of Node's, by its old name": [
    'import "fs";\nexport default function* main() {}',
    "1:8",
    /cannot import "fs"/,
  ],
  "a package": [
    '\nimport x from "left-pad";\nexport default function* main() { x }',
    "2:15",
    /cannot import "left-pad"/,
  ],
  "an absolute path": [
    'import x from "/etc/passwd";\nexport default function* main() { x }',
    "1:15",
    /cannot import/,
  ],
  "a data URL": [
    'import x from "data:text/javascript,export default 1";\nexport default function* main() { x }',
    "1:15",
    /cannot import/,
  ],
  "the image builder": [
    'import { buildImage } from "@capos/image";\nexport default function* main() { buildImage }',
    "1:28",
    /for the host/,
  ],
  "another package of ours": [
    'import { x } from "@capos/kernel";\nexport default function* main() { x }',
    "1:19",
    /cannot import/,
  ],
  "a file that is not there": [
    'import { x } from "./x.js";\nexport default function* main() { x }',
    "1:19",
    /there is no such file/,
  ],
  "an export that is not there": [
    'import { nope } from "@capos/libos";\nexport default function* main() { nope }',
    "1:10",
    /No matching export/,
  ],
  "import() of a file": [
    'export default function* main() { import("./x.js") }',
    "1:42",
    /import\(\) does not work/,
  ],
  "import() of anything": [
    "export default function* main(s: any) { import(s) }",
    "1:41",
    /import\(\) does not work/,
  ],
  "import.meta": [
    "export default function* main() { return import.meta }",
    "1:42",
    /import.meta does not exist/,
  ],
  "require of a literal": [
    'declare const require: any;\nexport default function* main() { require("fs") }',
    "2:35",
    /require does not work/,
  ],
  "require in disguise": [
    'declare const require: any;\nexport default function* main() { const r = require; r("fs") }',
    "2:45",
    /require does not work/,
  ],
  "a module of the old kind": [
    "declare const module: any;\nmodule.exports = function* () {}",
    "1:1",
    /no default export|module.exports/,
  ],
  "top-level await": ["await 1;\nexport default function* main() {}", "1:1", /await does not work/],
  "an async function": [
    "async function f() {}\nexport default function* main() { f() }",
    "1:1",
    /async functions do not work.*yield\*/,
  ],
  "an async arrow": [
    "export default function* main() {\n  return async () => 1\n}",
    "2:10",
    /async functions/,
  ],
  "an async generator": ["export default async function* main() {}", "1:1", /async functions/],
  "an async method": [
    "const o = { async m() {} };\nexport default function* main() { o }",
    "1:19",
    /async functions/,
  ],
  "for await": ["for await (const x of []) x;\nexport default function* main() {}", "1:1", /for await/],
  eval: ['export default function* main() { eval("1") }', "1:35", /eval does not work/],
  debugger: ["export default function* main() {\n  debugger }", "2:3", /debugger/],
  "no default export": ["export function* main() {}", "1:1", /no default export/],
  "a mistake in the syntax": [
    "export default function* main() {\n  const = 3 }",
    "2:9",
    /Expected identifier/,
  ],
  "a tagged template that the Compartment would reject": [
    "const f = String.raw;\nexport default function* main() { f`import(x)` }",
    "2:35",
    /tagged template/,
  ],
  "a private name that the Compartment would reject": [
    "class A { #import() {}\nx() { this.#import() } }\nexport default function* main() { new A() }",
    "1:11",
    /rename/,
  ],
  "a regular expression too long to compile": [
    `export default function* main() { return /${"a".repeat(20000)}/ }`,
    "1:42",
    /limit is 16384/,
  ],
};

t.test("what cannot run in a guest is refused with one line that names place and thing", async (t) => {
  for (const [what, [source, place, reason]] of Object.entries(REFUSED)) {
    const file = writeGuest(t, source);
    try {
      await buildImage(file);
      t.fail(`${what} was built`);
    } catch (error) {
      t.ok(error instanceof GuestBuildError, what);
      const { message } = error as Error;
      t.match(message, reason, what);
      t.match(message, new RegExp(`main\\.ts:${place}: `), `${what}: ${message}`);
      t.notMatch(message, "\n", what);
    }
  }
});

t.test("a file that is no guest is refused with one line", async (t) => {
  const file = writeGuest(t, { "main.ts/inner.ts": "", "notes.txt": "", "main.css": "" });
  await t.rejects(buildImage(file), { name: "GuestBuildError", message: /not a file/ });
  await t.rejects(buildImage(join(dirname(file), "nothing.ts")), {
    name: "GuestBuildError",
    message: /no such file/,
  });
  await t.rejects(buildImage(join(dirname(file), "notes.txt")), {
    name: "GuestBuildError",
    message: /ends in \.ts/,
  });
});
