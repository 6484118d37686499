/** Plain functions that may run for long yield where they are called by code that may, and compute the same. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";
import { buildImage } from "@capos/image";
import fc from "fast-check";
import t, { type Test } from "tap";

t.setTimeout(600_000);

interface Ran {
  readonly out: readonly unknown[];
  /** How often it yielded to the kernel, and asked without being able to. */
  readonly yields: number;
  readonly ticks: number;
}

let files = 0;

/** Runs a guest as the kernel would, on a core that is always wanted, unless told. */
async function run(t: Test, source: string, isWanted: () => boolean = () => true): Promise<Ran> {
  const file = join(t.testdirName, `guest${files++}.ts`);
  writeFileSync(file, source);
  const image = await buildImage(file);
  const out: unknown[] = [];
  let yields = 0;
  let ticks = 0;
  const program = vm.runInThisContext(image.code) as (...given: unknown[]) => (sys: unknown) => Generator;
  const nothing = (): void => {};
  const main = program(
    () => void ticks++,
    isWanted,
    nothing,
    (all: unknown) => all,
    nothing,
    nothing,
    nothing,
  );
  for (const steps = main({ out }); steps.next().done !== true; ) yields++;
  return { out, yields, ticks };
}

/** A guest that puts what expressions give into `out`: called by main, and by a function that cannot yield. */
function both(declarations: string, expressions: readonly string[]): string {
  const lines = expressions.map((it) =>
    it.startsWith("yield* ")
      ? `{ let step; const it = ${it.slice("yield* ".length)}; do step = it.next(); while (!step.done); sys.out.push(${it}, step.value); }`
      : `{ const direct = () => ${it}; sys.out.push(${it}); sys.out.push(direct()); }`,
  );
  return `${declarations}\nexport default function* main(sys: any): any {\n${lines.join("\n")}\n}`;
}

/** Code that yields, and what of it is called; each runs for more than a few thousand checks. */
const YIELDING: Readonly<Record<string, readonly [declarations: string, expression: string]>> = {
  "a loop in a function": [
    "function f(n) { let s = 0; for (let i = 0; i < n; i++) s += i; return s; }",
    "f(5000)",
  ],
  "a loop in an arrow": ["const f = (n) => { let s = 0; while (s < n) s++; return s; };", "f(5000)"],
  "a loop in a function expression": [
    "const f = function (n) { let s = 0; do s++; while (s < n); return s; };",
    "f(5000)",
  ],
  "a recursion": ["function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2); }", "f(24)"],
  "a recursion of two": [
    "const log = []; function f(n) { return n < 2 ? 1 : g(n - 1) + g(n - 2); } function g(n) { log.length = 0; return f(n); }",
    "f(20)",
  ],
  "a function that calls one with a loop": [
    "function f(n) { let s = 0; for (const x of Array(n).fill(1)) s += x; return s; } const g = (n) => f(n) + f(n);",
    "g(5000)",
  ],
  "a method": [
    "class A { k = 2; f(n) { let s = 0; for (let i = 0; i < n; i++) s += this.k; return s; } } const a = new A();",
    "a.f(5000)",
  ],
  "a private method": [
    "class A { #k = 3; #f(n) { let s = 0; for (let i = 0; i < n; i++) s += this.#k; return s; } g(n) { return this.#f(n); } } const a = new A();",
    "a.g(5000)",
  ],
  "a method of the class above": [
    "class A { k = 2; f(n) { let s = 0; for (let i = 0; i < n; i++) s += this.k; return s; } } class B extends A {} class C extends B { g(n) { return this.f(n) + 1; } } const c = new C();",
    "c.g(5000) + c.f(5000)",
  ],
  "a generator method": [
    "class A { *f(n) { let s = 0; for (let i = 0; i < n; i++) s++; return s; } *g(n) { return (yield* this.f(n)) + 1; } } const a = new A();",
    "yield* a.g(5000)",
  ],
  "a private generator method, and what it calls": [
    "function* h(n) { let s = 0; for (let i = 0; i < n; i++) s++; return s; } function k(n) { let s = 0; while (s < n) s++; return s; } class A { *#f(n) { return (yield* h(n)) + k(n); } *g(n) { return yield* this.#f(n); } } const a = new A();",
    "yield* a.g(5000)",
  ],
  "a generator method of the class above": [
    "class A { *f(n) { for (let i = 0; i < n; i++); return n; } } class B extends A { *g(n) { return yield* this.f(n); } } const b = new B();",
    "yield* b.g(5000)",
  ],
  "a recursion of generator methods": [
    "class A { *f(n) { return n < 2 ? 1 : (yield* this.f(n - 1)) + (yield* this.f(n - 2)); } } const a = new A();",
    "yield* a.f(18)",
  ],
  "a recursive method": [
    "class A { f(n) { return n < 2 ? 1 : this.f(n - 1) + this.f(n - 2); } } const a = new A();",
    "a.f(20)",
  ],
};

for (const [what, [declarations, expression]] of Object.entries(YIELDING)) {
  t.test(`${what} yields when main calls it, and gives the same`, async (t) => {
    t.testdir({});
    const alone = `${declarations}\nexport default function* main(sys: any): any { sys.out.push(${expression}); }`;
    const { out, yields, ticks } = await run(t, alone);
    t.ok(yields > 0 && ticks === 0, `${yields} yields, ${ticks} ticks`);
    const twice = await run(t, both(declarations, [expression]));
    t.strictSame(twice.out, [out[0], out[0]]);
  });
}

/** Code that cannot yield, for each way in which a function gets out of sight. */
const PLAIN: Readonly<Record<string, readonly [declarations: string, expression: string]>> = {
  "a callback": [
    "function f(n) { let s = 0; for (let i = 0; i < n; i++) s++; return s; }",
    "[5000].map(f)[0]",
  ],
  "a call in a function inside of main": [
    "function f(n) { let s = 0; for (let i = 0; i < n; i++) s++; return s; }",
    "(() => f(5000))()",
  ],
  "a function that is assigned anew": [
    "let f = (n) => n; f = (n) => { let s = 0; for (let i = 0; i < n; i++) s++; return s; };",
    "f(5000)",
  ],
  "a method that a class inherits": [
    "class A { f(n) { let s = 0; for (let i = 0; i < n; i++) s++; return s; } } class B extends A { f(n) { return super.f(n) + 1; } } const a = new B();",
    "a.f(5000)",
  ],
  "a method of a class that others inherit from, called in it": [
    "class A { f(n) { let s = 0; for (let i = 0; i < n; i++) s++; return s; } g(n) { return this.f(n); } } class B extends A { f(n) { return 1; } } const a = new A();",
    "a.g(5000) + new B().f(1)",
  ],
  "a generator method that is iterated": [
    "class A { *f(n) { for (let i = 0; i < n; i++); yield n; } } const a = new A();",
    "[...a.f(5000)][0]",
  ],
  "a method by a computed name": [
    "class A { f(n) { let s = 0; for (let i = 0; i < n; i++) s++; return s; } } const a = new A();",
    "a['f'](5000)",
  ],
  "a getter": [
    "class A { get f() { let s = 0; for (let i = 0; i < 5000; i++) s++; return s; } } const a = new A();",
    "a.f",
  ],
  "a parameter's default": [
    "function f(n) { let s = 0; for (let i = 0; i < n; i++) s++; return s; } function* g(x = f(5000)) { return x; }",
    "yield* g()",
  ],
};

for (const [what, [declarations, expression]] of Object.entries(PLAIN)) {
  t.test(`${what} does not yield, and is bounded as before`, async (t) => {
    t.testdir({});
    const source = `${declarations}\nexport default function* main(sys: any): any { sys.out.push(${expression}); }`;
    const { yields, ticks } = await run(t, source);
    t.ok(ticks > 0, `${yields} yields, ${ticks} ticks`);
  });
}

/** Expressions that tell what a function can notice of how it is called. */
const SEMANTICS: readonly (readonly [declarations: string, expression: string])[] = [
  ["function f(this: any) { for (let i = 0; i < 3; i++); return String(this); }", "f()"],
  ["function f() { for (;;) return arguments.length; }", "(f as any)(1, 2, 3)"],
  [
    "function f(a, b = a + 1, ...rest) { for (;;) return [a, b, rest].join(); }",
    "f(1) + f(1, 2) + f(1, undefined, 3, 4)",
  ],
  ["function f({ a = 1 }, [b] = [2]) { for (;;) return a + b; }", "f({}) + f({ a: 5 }, [6])"],
  [
    "function f(n) { if (n === 0) throw new RangeError('end'); return f(n - 1); } const g = () => { try { return f(9); } catch (e) { for (;;) return e.name + e.message; } };",
    "g()",
  ],
  ["function f(n, a = [n]) { if (n > 0) { a.push(n); return f(n - 1, a); } return a.join(); }", "f(300)"],
  [
    "const seen = []; function f(n) { for (;;) { try { return n; } finally { seen.push(n); } } }",
    "[f(1), f(2), seen.length % 2].length",
  ],
  ["function f(n) { return n < 1 ? 0 : 1 + f(n - 1); }", "f(3000)"],
  ["function f(n) { return n > 100 ? n - 10 : f(f(n + 11)); }", "f(1)"],
  [
    "class A { #n = 0; up(k) { for (let i = 0; i < k; i++) this.#n++; return this; } get n() { return this.#n; } } const make = () => { const a = new A(); return a.up(2).up(3).n; };",
    "make()",
  ],
  [
    "class A { f(n) { for (;;) return n; } } const a = new A(); Object.defineProperty(a, 'f', { value: () => 'mine' });",
    "a.f(1)",
  ],
  [
    "class A { f(n) { for (;;) return n; } } const a = new A(); Object.defineProperty(A.prototype, 'f', { value: () => 'ours' });",
    "a.f(1)",
  ],
  [
    "function f(o) { return o > 3 ? 'x' : f(o + 1); } let n = 0; const o = { valueOf() { return ++n % 5; } };",
    "typeof f(o)",
  ],
  ["function f(n) { for (let i = 0; i < 3; i++) n += i; return n; }", "[1, 2].map(f).concat(f(3)).join()"],
  ["function f(n) { for (;;) return (m) => m + n; }", "f(1)(2)"],
  ["function f() { for (;;) return class { x = 1; }; }", "new (f())().x"],
  [
    "class A { f(n) { for (;;) return n; } } class B extends A {} const b = new B(); Object.defineProperty(B.prototype, 'f', { value: () => 'ours' });",
    "b.f(1)",
  ],
  [
    "const key = 'f'; class A { f(n) { for (;;) return n; } } class B extends A { [key]() { return 'mine'; } } const b = new B();",
    "b.f(1)",
  ],
  [
    "class A { f(n) { for (;;) return n; } } class B extends A { 'f'() { return 'mine'; } } const b = new B();",
    "b.f(1)",
  ],
  [
    "class A { f(n) { for (;;) return n; } } class B extends A { f = () => 'own' } const b = new B();",
    "b.f(1)",
  ],
  ["class A { #n = 4; *f(a = this.#n) { for (;;) return a; } } const a = new A();", "yield* a.f()"],
  [
    "class A { *f(n) { for (;;) return n; } } const a = new A(); Object.defineProperty(a, 'f', { value: function* () { return 'mine'; } });",
    "yield* a.f(1)",
  ],
  [
    "class A { *f(n) { try { for (;;) return n; } finally { this.done = n; } } } const a = new A(); function* g() { const r = yield* a.f(2); return r + a.done; }",
    "yield* g()",
  ],
  ["function* h(n) { for (let i = 0; i < 3; i++) n += i; return n; } const all = [h];", "yield* h(1)"],
];

t.test("a function cannot tell its twin from itself", async (t) => {
  t.testdir({});
  for (const [declarations, expression] of SEMANTICS) {
    const { out } = await run(t, both(`// @ts-nocheck\n${declarations}`, [expression]));
    t.strictSame(out[0], out[1], `${declarations} ${expression}`);
  }
});

t.test("a recursion of twins is as deep as one of the functions", async (t) => {
  t.testdir({});
  const { out } = await run(
    t,
    both("const l = []; function f(n) { l.length = 0; return n === 0 ? 0 : 1 + f(n - 1); }", ["f(4000)"]),
  );
  t.strictSame(out, [4000, 4000]);
});

/** Programs of five functions that loop, call themselves and later ones, throw, and keep state. */
const program = fc
  .array(
    fc.record({
      loops: fc.integer({ min: 0, max: 40 }),
      recursion: fc.integer({ min: 0, max: 3 }),
      callee: fc.integer({ min: 0, max: 4 }),
      throwsAt: fc.integer({ min: 0, max: 60 }),
      form: fc.constantFrom("function", "arrow", "method"),
      state: fc.boolean(),
    }),
    { minLength: 5, maxLength: 5 },
  )
  .map((parts) => {
    const call = (i: number, n: string): string =>
      parts[i]!.form === "method" ? `o${i}.m(${n})` : `f${i}(${n})`;
    return parts.map(({ loops, recursion, callee, throwsAt, form, state }, i) => {
      const later = callee > i ? `if (n > 0) s += ${call(callee, "n >> 1")};` : "";
      const again = Array.from(
        { length: recursion },
        (_, k) => `if (n > ${k + 1}) s += ${call(i, `n - ${k + 2}`)};`,
      );
      const body = `let s = n;
        for (let i = 0; i < ${loops}; i++) { s = (s * 31 + i) % 1009; ${state ? "count++;" : ""} }
        ${later} ${again.join(" ")}
        if (s % 61 === ${throwsAt}) throw new RangeError("at " + s);
        return s % 1013;`;
      if (form === "function") return `function f${i}(n) { ${body} }`;
      if (form === "arrow") return `const f${i} = (n) => { ${body} };`;
      return `class C${i} { m(n) { ${body} } }\nconst o${i} = new C${i}();`;
    });
  })
  .map((texts) => {
    const top = texts[0]!;
    const first = top.startsWith("class") ? "o0.m(n)" : "f0(n)";
    return { declarations: `let count = 0;\n${texts.toReversed().join("\n")}`, first };
  });

t.test("programs compute the same however often they yield", async (t) => {
  t.testdir({});
  await fc.assert(
    fc.asyncProperty(program, fc.integer({ min: 1, max: 7 }), async ({ declarations, first }, every) => {
      const source = `${declarations}
        export default function* main(sys: any): any {
          for (let n = 0; n < 9; n++) {
            count = 0;
            try { sys.out.push(${first}); } catch (error: any) { sys.out.push(error.message); }
            sys.out.push(count);
            count = 0;
            const direct = () => { try { return ${first}; } catch (error: any) { return error.message; } };
            sys.out.push(direct(), count);
          }
        }`;
      let asked = 0;
      const { out } = await run(t, `// @ts-nocheck\n${source}`, () => ++asked % every === 0);
      for (let i = 0; i < out.length; i += 4) {
        t.strictSame(out.slice(i, i + 2), out.slice(i + 2, i + 4), source);
      }
    }),
    { numRuns: 40 },
  );
});
