/**
 * The transformation keeps what a program does: every form of expression and statement that holds an access
 * gives the same value, reads and writes the same elements and evaluates its operands in the same order.
 *
 * Each form is run as it is, transformed with a runtime that performs at once, and transformed with one that makes
 * every access a scheduling point.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { instantiate, performAtOnce } from "@capos/explorer/transform";
import fc from "fast-check";
import t, { type Test } from "tap";
import { useSeed } from "../support/machine.js";
import { alwaysYield, type Exports, native, outcomeOf, transform } from "./support/programs.js";

useSeed(t);

/**
 * What forms are made with. `a` is an array that logs, `view` a shared view, `f` logs what it is called
 * with, `o` holds both, `p` is `a` until it is given another value, `r` is an instance of a class with an accessing method, `n` is null.
 */
const PRELUDE = `
class Base {
  constructor(a) { this.a = a; }
  get(i) { return this.a[i]; }
  bare(i) { return this.a[i]; }
  over(i) { return this.a[i] + 1; }
  static of(a, i) { return a[i]; }
}
class Ring extends Base {
  #secret(i) { return this.a[i] * 10; }
  hidden(i) { return this.#secret(i); }
  over(i) { return super.over(i) * 2; }
  self() { return this; }
  bare(i) { return i * 3; }
}
function read(a, i) { return a[i]; }
function chosen(a, i = a[1], j = i) { return [i, j, a[0]].join(); }
function sum(a, n) { return n === 0 ? 0 : a[n] + sum(a, n - 1); }
const arrow = (a, i) => a[i] + 100;
`;

type Form = (a: unknown, view: Int32Array, f: (x: unknown) => unknown) => unknown;

/** A module that exports a function for each form. */
function moduleOf(forms: readonly string[]): string {
  const functions = forms.map(
    (form, i) => `
export function form${i}(a, view, f) {
  const o = { a, view, at: 1, k: 7, i32: view }, r = new Ring(a), n = null;
  let x = 1, y = 2, p = a;
  const inner = (i) => a[i] + x;
  ${/^\s*\{/.test(form) ? form : `return ${form};`}
}`,
  );
  return PRELUDE + functions.join("\n");
}

/** What happens while a form runs: elements that are read and written, operands that are evaluated. */
function loggingArray(log: string[]): unknown {
  const values: unknown[] = [1, 2, 3, 0, -5, "6", null, undefined];
  const array: unknown = new Proxy(values, {
    get(target, key) {
      if (/^[\d-]/.test(String(key))) log.push(`get ${String(key)}`);
      return Reflect.get(target, key);
    },
    set(target, key, value) {
      log.push(`set ${String(key)} ${String(value)}`);
      return Reflect.set(target, key, value);
    },
    deleteProperty(target, key) {
      log.push(`delete ${String(key)}`);
      return Reflect.deleteProperty(target, key);
    },
  });
  values.push(function (this: unknown, ...rest: unknown[]) {
    return `${this === array ? "its own" : "no"} receiver, ${rest.join()}`;
  });
  return array;
}

/** Everything that can be seen of a run: its result, what happened, and the shared memory behind. */
function observe(exports: Exports, name: string): string {
  const log: string[] = [];
  const array = loggingArray(log);
  const view = new Int32Array(new SharedArrayBuffer(32));
  view.set([3, 1, 4, 1, 5, 9, 2, 6]);
  const f = (value: unknown) => {
    log.push(`f ${typeof value}`);
    return value;
  };
  const form = exports[name] as Form;
  const outcome = outcomeOf(() => form(array, view, f));
  const text = (_key: string, value: unknown) =>
    typeof value === "bigint" || value === undefined ? `(${String(value)})` : value;
  return JSON.stringify({ outcome, log, memory: [...view] }, text);
}

/** Null if all forms do what they did; else the first that does not, and how. */
async function difference(t: Test, forms: readonly string[]): Promise<string | null> {
  const text = moduleOf(forms);
  // Node loads a file once: each text has a name of its own.
  const name = `forms${createHash("sha256").update(text).digest("hex")}.js`;
  const program = await transform(t, { "main.js": text, [name]: text });
  const plain = await native(join(t.testdirName, name));
  const runs = [performAtOnce(), alwaysYield()].map((runtime) => instantiate(program, runtime, {}));
  for (const [i, form] of forms.entries()) {
    const expected = observe(plain, `form${i}`);
    for (const run of runs) {
      const found = observe(run, `form${i}`);
      if (found !== expected) return `${form}\n  gives ${found}\n  not ${expected}`;
    }
  }
  return null;
}

const EXPRESSIONS: readonly string[] = [
  // Reading.
  "a[0]",
  "a[f(0)] + a[f(1)]",
  "f(a)[f(1)]",
  "a[a[0]]",
  "a[a[a[0]]]",
  'a["5"]',
  "a[-1]",
  "typeof a[7]",
  "typeof a[f(20)]",
  "void a[0]",
  "!a[3]",
  "-a[4]",
  "-(-a[4])",
  "a[1] ** a[2]",
  "(-a[1]) ** 2",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the form is one
  "`${a[0]}-${f(a[1])}`",
  "[a[0], ...[a[1]], , a[2]]",
  "({ x: a[0], [a[1]]: a[2], ...{ y: a[3] } })",
  "f(a[0], a[1])",
  "Math.max(...[a[0], a[1]])",
  "a[0] in { 1: 1 }",
  "new Array(a[0], a[1]).length",
  "/a/.test(a[0])",
  "a[6]?.x",
  "n[0]",
  // Choosing.
  "a[0] ? a[1] : a[2]",
  "a[3] ? a[1] : a[2]",
  "a[3] && a[1]",
  "a[0] && a[1]",
  "a[3] || a[1]",
  "a[6] ?? a[1]",
  "(a[3] || a[6]) ?? a[2]",
  "(f(1), a[1])",
  "(a[0], f(2), a[2])",
  // Writing.
  "a[1] = 5",
  "a[f(1)] = f(5)",
  "f(a)[f(1)] = f(5)",
  "a[1] = a[2] = a[0]",
  "a[x++] = x++",
  "x = a[x]",
  "a[x] = (x = 5, a[x])",
  "o.k = a[1]",
  "o.k += a[1]",
  "o.k += (o.k = 1, a[1])",
  "x += a[x = 2]",
  "p[(p = view, 0)] = 8",
  "p[(p = view, 0)] += 8",
  "p[(p = view, 3)] ||= 8",
  "p[(p = view, 0)]++",
  "++p[(p = view, 0)]",
  "p[(p = view, 8)](1)",
  "view[0] = 2 ** 31 + 0.5",
  // Reading and writing.
  "a[1] += 5",
  "a[f(1)] += f(5)",
  "f(a)[f(1)] -= f(5)",
  "a[x] += (x = 0, 5)",
  "(a)[x++] *= x++",
  "a[5] += 1",
  "a[0] += a[1] += a[2]",
  "a[1] **= 2",
  "a[2] >>>= 1",
  "a[3] ||= f(8)",
  "a[0] ||= f(8)",
  "a[0] &&= f(8)",
  "a[3] &&= f(8)",
  "a[6] ??= f(8)",
  "a[0] ??= f(8)",
  "f(a)[f(6)] ??= f(8)",
  "a[1]++",
  "++a[1]",
  "a[f(1)]--",
  "--a[f(1)]",
  "a[5]++",
  "a[6]++",
  "a[7]--",
  "f(a)[x++]++",
  "a[1]++ + a[1]++",
  "a[a[0]++]++",
  "[a[1]++, ++a[1], a[1]--, --a[1]]",
  "o.view[1]++",
  "new BigInt64Array(2)[1]++",
  "-a[1]--",
  // Taking away.
  "delete a[1]",
  "delete f(a)[f(1)]",
  "delete a[a[0]]",
  // Calling.
  "a[8](1, f(2))",
  "f(a)[f(8)](1)",
  "a[8](...[a[0], a[1]])",
  "(0, a[8])(1)",
  "a[1](1)",
  "read(a, 1)",
  "read(a, read(a, 0))",
  "read(...[a, 1])",
  "inner(1)",
  "arrow(a, 1)",
  "sum(a, 3)",
  "chosen(a)",
  "chosen(a, 2)",
  "chosen(a, undefined, 3)",
  "r.get(1)",
  "r.self().get(f(1))",
  "r.over(1)",
  "r.bare(1) + new Base(a).bare(1)",
  "r.hidden(1)",
  "Ring.of(a, 1)",
  "f(r).get(r.get(0))",
  "new Map([[1, a[1]]]).get(1)",
  "new Map([[1, 2]]).get(a[0])",
  "[0, 1].map((i) => a[i])",
  "[0, 1].map(inner)",
  "[0, 1].map((i) => r.get(i))",
  "f(read)(a, 1)",
  "new Ring(a).a[1]",
  "new (a[8])(1).constructor === Object",
  "read?.(a, 1)",
  // Perhaps not there.
  "a?.[1]",
  "n?.[f(1)]",
  "n?.[f(1)][f(2)].x(f(3))",
  "o?.a[1]",
  "o?.a?.[f(1)]",
  "o.a?.[1]",
  "o.none?.[a[1]]",
  "o.none?.a[1]",
  "(n?.a)[1]",
  "(o?.a)[1]",
  "a?.[8](1)",
  "a?.[8]?.(1, a[0])",
  "a[8]?.(1)",
  "a[7]?.(f(1))",
  "a[1]?.(f(1))",
  "r?.get(1)",
  "n?.get(f(1))",
  "r.get?.(1)",
  "r.none?.(a[1])",
  "r?.self()?.get(1)",
  "f(r)?.self().a[1]",
  "a[0]?.toString()",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the form is one
  "`${n?.[a[1]]}`",
  "n?.[a[1]] ?? a[2]",
  // Atomics.
  "Atomics.load(view, 0)",
  "Atomics.store(view, f(0), f(8))",
  "Atomics.store(view, 0, Atomics.load(view, 1))",
  "Atomics.add(view, 0, view[1])",
  "Atomics.sub(view, 0, 1)",
  "Atomics.and(view, 0, 2)",
  "Atomics.or(view, 0, 4)",
  "Atomics.xor(view, 0, 1)",
  "Atomics.exchange(view, 0, 9)",
  "Atomics.compareExchange(view, 0, 3, 9)",
  "Atomics.compareExchange(view, 0, f(4), f(9))",
  "Atomics.wait(view, 0, 4)",
  "Atomics.wait(view, 0, 3, 0)",
  "Atomics.notify(view, 0)",
  "Atomics.notify(view, 0, 1)",
  "Atomics.isLockFree(view[2])",
  "Atomics.load(view, 99)",
  "Atomics.load(f(o).view, a[0])",
  "(Atomics.add(view, 0, 1), Atomics.add(view, 0, 1))",
  "Atomics.load(view, 3) ? Atomics.add(view, 0, 1) : Atomics.sub(view, 0, 1)",
];

const STATEMENTS: readonly string[] = [
  "{ for (let i = 0; i < 3; i++) a[i] += i; }",
  "{ for (let i = a[3]; i < a[2]; i += a[0]) f(i); }",
  "{ let i = 0; while (i < a[2]) i++; return i; }",
  "{ let i = 0; do i += a[0]; while (i < a[2]); return i; }",
  "{ let i = 0; do { if (i++ === 1) continue; f(a[i]); } while (i < 3); return i; }",
  "{ outer: for (let i = 0; i < 3; i++) for (let j = 0; ; j++) { if (j === 2) continue outer; if (i === 2) break outer; a[j] += i; } }",
  "{ outer: { f(a[0]); if (a[1]) break outer; f(a[2]); } }",
  "{ if (a[3]) f(0); else for (const i of [0, 1]) f(a[i]); }",
  "{ if (a[0]) while (a[3]++ < 2) f(1); else f(2); }",
  "{ for (const i in { x: 1, y: 2 }) f(a[0] + i); }",
  "{ for (const i of [a[0], a[1]]) f(i); }",
  "{ for (const { i = a[1] } of [{}, { i: 5 }]) f(i); }",
  "{ const made = []; for (let i = 0; i < 3; i++) { a[i]++; made.push(() => i); } return made.map((it) => it()); }",
  "{ switch (a[1]) { case a[0]: f(0); case 2: f(a[2]); break; default: f(1); } }",
  "{ switch (a[1]) { case a[0]: while (a[3]++ < 2) f(0); break; default: while (a[3]++ < 2) f(1); } }",
  "{ try { return a[0]; } finally { f(a[1]); a[0] = 5; } }",
  "{ try { n[a[0]]; } catch (error) { return a[1]; } }",
  "{ try { n.x; } catch ({ name = a[0], message }) { return [name, a[1]]; } }",
  "{ throw a[0]; }",
  "{ const { k = a[0], none = a[1], ...others } = o; return [k, none, others.at]; }",
  "{ const [p = a[0], q = a[1]] = [5]; return [p, q]; }",
  "{ let p; [p, o.k] = [a[1], a[0]]; return [p, o.k]; }",
  "{ ({ k: o.at, none: o.k = a[1] } = o); return [o.at, o.k]; }",
  "{ var s = a[0], q = () => a[1]; return s + q(); }",
  "{ return later(1); function later(i) { return a[i] + (i > 0 ? later(i - 1) : 0); } }",
  "{ const own = function (i) { return this === undefined ? a[i] : 0; }; return own(1); }",
  "{ const own = () => a[o.at]; o.at = 2; return own() + [own].map((it) => it())[0]; }",
  "{ let own = (i) => a[i]; own = (i) => a[i] + 1; return own(1); }",
  "{ const own = (...rest) => a[rest.length]; return own(1, 2); }",
  "{ const own = ({ i }, [j] = [2]) => a[i] + a[j]; return own({ i: 1 }); }",
  "{ class Inner { static at = 1; get(i) { return a[i]; } [f('late')](i) { return a[i]; } } const it = new Inner(); return it.get(Inner.at) + it.late(2); }",
  "{ function count() { return a[0] + arguments.length; } return count(1, 2, 3); }",
  "{ const all = [...(function* () { yield a[0]; yield a[1]; })()]; return all; }",
  "{ const table = [(i) => a[i], (i) => a[i] + 1]; return table[1](1); }",
  "{ const table = { read, inner }; return table.read(a, 1) + table.inner(2); }",
  "{ const it = { get(i) { return a[i] * 2; }, a }; return it.get(1); }",
  "{ label: while (true) { a[0]++; while (true) { if (a[0] > 3) break label; continue label; } } return a[0]; }",
  "{ for (;;) if (Atomics.add(view, 0, 1) > 5) return view[0]; }",
  "{ for (let i = 0; i < 3; Atomics.add(view, 0, 1), i++); return view[0]; }",
];

for (const form of [...EXPRESSIONS, ...STATEMENTS])
  t.test(`the transformation keeps what this does: ${form}`, async (t) => {
    t.equal(await difference(t, [form]), null);
  });

/** Random expressions of the same parts. */
const expression = fc.letrec<Record<"any" | "place" | "leaf", string>>((tie) => ({
  leaf: fc.constantFrom("0", "1", "2", "x", "y", "a[0]", "view[1]", "o.k", "n", "(x = y)", "y++"),
  place: fc.oneof(
    fc.constantFrom("a[1]", "view[2]", "o.view[0]", "o.a[x]"),
    tie("any").map((index) => `a[(${index}) & 7]`),
    tie("any").map((index) => `f(o).view[f(${index}) & 7]`),
  ),
  any: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie("leaf"),
    tie("place"),
    fc
      .tuple(tie("place"), fc.constantFrom("=", "+=", "||=", "&&=", "??=", ">>="), tie("any"))
      .map(([place, operator, value]) => `(${place} ${operator} ${value})`),
    fc
      .tuple(fc.constantFrom("++", "--", "-", "!", "typeof ", "void "), tie("place"))
      .map(([operator, place]) => `(${operator}${place})`),
    fc.tuple(tie("place"), fc.constantFrom("++", "--")).map((parts) => `(${parts.join("")})`),
    fc
      .tuple(tie("any"), fc.constantFrom("+", "-", "*", "&&", "||", "===", "<", ","), tie("any"))
      .map((parts) => `(${parts.join(" ")})`),
    fc.tuple(tie("any"), tie("any"), tie("any")).map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`),
    fc
      .tuple(
        fc.constantFrom("read(a, ", "r.get(", "r?.over(", "inner(", "Atomics.load(view, ", "a[8]("),
        tie("any"),
      )
      .map(([call, index]) => `${call}(${index}) & 7)`),
    fc
      .tuple(tie("place"), fc.constantFrom("?.x", "?.[1]", "?.x[a[0]]", "?.toString()"))
      .map((parts) => parts.join("")),
    tie("any").map((value) => `Atomics.add(view, 3, ${value})`),
  ),
})).any;

t.test("the transformation keeps what random expressions do", async (t) => {
  let rounds = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(expression, { minLength: 20, maxLength: 40 }), async (forms) => {
      rounds++;
      t.equal(await difference(t, forms), null);
    }),
    { numRuns: 25 },
  );
  t.ok(rounds >= 25);
});
