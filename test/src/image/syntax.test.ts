/** Code that one reader takes and another does not, and code too deep for any: it works, or one line says why not. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import vm from "node:vm";
import { Worker } from "node:worker_threads";
import { type Image, visible } from "@capos/abi";
import { buildImage, GuestBuildError } from "@capos/image";
import t, { type Test } from "tap";

/** Builds a guest; gives its image, or the line that refuses it. */
async function built(file: string): Promise<Image | string> {
  try {
    return await buildImage(file);
  } catch (error) {
    if (!(error instanceof GuestBuildError)) throw error;
    if (visible(error.message) !== error.message) throw new Error("not one plain line", { cause: error });
    return error.message;
  }
}

/** Runs an image without a kernel; gives what it returned. */
function run(image: Image): unknown {
  const program = vm.runInThisContext(image.code) as (...checks: unknown[]) => () => Iterator<unknown>;
  const main = program(
    () => {},
    () => false,
    () => {},
  );
  return main().next().value;
}

async function resultOf(file: string): Promise<unknown> {
  const image = await built(file);
  return typeof image === "string" ? image : run(image);
}

function write(
  t: Test,
  source: string | Uint8Array,
  name = "main.ts",
  others: Record<string, string> = {},
): string {
  const folder = t.testdir();
  writeFileSync(join(folder, name), source);
  for (const [other, text] of Object.entries(others)) writeFileSync(join(folder, other), text);
  return join(folder, name);
}

const returning = (expression: string) => `export default function* main(): any { return ${expression} }`;
const SEVEN = returning("7");
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");

/** Source, and what running it gives; an expression is what the one line says. */
const SYNTAX: Readonly<
  Record<string, readonly [source: string | Uint8Array, result: unknown, name?: string]>
> = {
  "a private name that is a built-in's property too": [
    `class A { #next = 1; set() { this.#next = 7; return this.#next + Object.keys(this).length; } }
     export default function* main(): any { return new A().set(); }`,
    7,
  ],
  "a hashbang line": [`#!/usr/bin/env capos-smp run\n${SEVEN}`, 7],
  "a hashbang line that ends in CRLF": [`#!/usr/bin/env x\r\n${SEVEN}`, 7],
  "a byte order mark before a hashbang line": [`\ufeff#!x\n${SEVEN}`, 7],
  "a hashbang line alone": ["#!x", /no default export/],
  "a hashbang in the middle": [`\n#!x\n${SEVEN}`, /main\.ts:2:\d+: /],
  "a byte order mark": [`\ufeff${SEVEN}`, 7],
  CRLF: [SEVEN.replace("{ ", "{\r\n").replace("* ", "*\r\n"), 7],
  "lines that end in CR": [`// a comment\r${SEVEN}`, 7],
  "U+2028 and U+2029 in texts and between lines": [`const a = "\u2028";\u2029${returning("a.length")}`, 1],
  decorators: [
    `const d = (_: any, c: any) => { seen = c.kind }; let seen = ""; @d class C {} ${returning("[new C() instanceof C, seen].join()")}`,
    "true,class",
  ],
  accessor: [`class C { accessor x = 7 } ${returning("new C().x")}`, 7],
  "accessor, static and private": [
    `class C { static accessor #x = 7; static y() { return C.#x } } ${returning("C.y()")}`,
    7,
  ],
  using: [
    `let n = 0; function f() { using x = { [Symbol.dispose ?? "d"]() { n = 7 } } as any; void x } ${returning("typeof f === 'function' ? 7 : n")}`,
    7,
  ],
  "await using": [`function* f() { await using x = null } ${SEVEN}`, /main\.ts:1:/],
  "an enum": [`enum E { A = 3, B } ${returning("E.B + E[3].length")}`, 5],
  "a const enum": [`const enum E { A = 7 } ${returning("E.A")}`, 7],
  "a namespace": [`namespace N { export const x = 7 } ${returning("N.x")}`, 7],
  "a parameter property": [`class C { constructor(readonly x = 7) {} } ${returning("new C().x")}`, 7],
  "an abstract class, overloads, satisfies, as const": [
    `abstract class A { abstract m(): number } class B extends A { m(): number { return 7 } } ${returning("(new B() satisfies A).m() as number")}`,
    7,
  ],
  "export =": ["export = function* main() {}", /main\.ts:1:/],
  "import = require": [
    `import x = require("./x.js"); ${returning("x")}`,
    /main\.ts:1:\d+: require does not work/,
  ],
  "JSX in TypeScript": [returning("<div/>"), /main\.ts:1:/],
  "JSX in JavaScript": ["export default function* main() { return <div/> }", /main\.js:1:/, "main.js"],
  "a .tsx file": [SEVEN, /ends in \.ts/, "main.tsx"],
  "a .cjs file": ["module.exports = 1", /ends in \.ts/, "main.cjs"],
  "types in JavaScript": ["export default function* main(): any {}", /main\.js:1:/, "main.js"],
  "a module of JavaScript": ["export default function* main() { return 7 }", 7, "main.mjs"],
  "a module of TypeScript": [SEVEN, 7, "main.mts"],
  "an HTML comment": [`<!-- x\n${SEVEN}`, /main\.ts:1:/],
  "an HTML comment that closes": [`/**/ let x = 1;\n--> x\n${SEVEN}`, /main\.ts:2:/],
  "escapes in identifiers": [`let \\u0061b = 7; ${returning("a\\u{62}")}`, 7],
  "letters of other scripts in identifiers": [
    `let \u00e9\u6f22\u{1d4d0} = 7; ${returning("\u00e9\u6f22\u{1d4d0}")}`,
    7,
  ],
  "an escape in a keyword": [`l\\u0065t x = 1; ${SEVEN}`, /main\.ts:1:/],
  "a legacy octal number": [returning("07"), /main\.ts:1:/],
  "a legacy octal escape": [returning('"\\07"'), /main\.ts:1:/],
  with: [`with ({}) {} ${SEVEN}`, /main\.ts:1:/],
  "delete of a name": [`let x; delete x; ${SEVEN}`, /main\.ts:1:/],
  "arguments as a name": [`let arguments = 1; ${SEVEN}`, /main\.ts:1:/],
  "a directive": [`"use strict"; ${SEVEN}`, 7],
  "a directive in a function with parameters": [
    `function f(a = 1) { "use strict"; return a } ${returning("f()")}`,
    /main\.ts:1:\d+: .*"use strict"/,
  ],
  "top-level await": [`await 1; ${SEVEN}`, /main\.ts:1:1: await does not work/],
  "numeric separators": [returning("1_000n + 0b1_1n + 0x1_0n"), 1019n],
  "the v flag of a regular expression": [returning("/[\\p{L}--[a-z]]/v.test('A')"), true],
  "names of groups, twice": [returning("/(?<y>a)|(?<y>b)/.source.length"), /main\.ts:|\d+/],
  "modifiers in a regular expression": [returning("typeof (() => /(?i:a)b/)"), "function"],
  "a regular expression that is wrong": [returning("/(/"), /main\.ts:1:\d+: /],
  "lookbehind, named groups, the d flag": [returning("/(?<=a)(?<n>b)/d.exec('ab').indices.groups.n[0]"), 1],
  "optional chains, nullish, logical assignment": [
    `let a: any; a ??= { b: 7 }; ${returning("a?.b ?? a?.['c']?.()")}`,
    7,
  ],
  "private names in objects": [
    `class C { #x = 1; static has(o: any) { return #x in o } } ${returning("C.has(new C())")}`,
    true,
  ],
  "a static block": [`class C { static x: number; static { C.x = 7 } } ${returning("C.x")}`, 7],
  "a label and a goto of sorts": [`${returning("7")} a: b: for (;;) { break a }`, 7],
  "new.target, super, getters": [
    `class A { get x() { return 7 } } class B extends A { get x() { return super.x } } ${returning("new B().x")}`,
    7,
  ],
  "an export by a text": [`const x = 7; export { x as "a b" }; ${returning("x")}`, 7],
  "a name that the checks have": [`let $tick = 7; ${returning("$tick")}`, 7],
  "a duplicate declaration": [`let x = 1; let x = 2; ${SEVEN}`, /main\.ts:1:\d+: .*already been declared/],
  "a duplicate default export": [`${SEVEN} ${SEVEN}`, /main\.ts:1:/],
  "yield as a name": [`let yield = 1; ${SEVEN}`, /main\.ts:1:/],
  "a break to nowhere": [`function f() { break a } ${SEVEN}`, /main\.ts:1:/],
  "return at the top": [`return 1; ${SEVEN}`, /main\.ts:1:/],
  "an assignment to a constant": [`const x = 1; function f() { x = 2 } ${SEVEN}`, /main\.ts:1:|7/],
  "import defer": [`import defer * as x from "./x.js"; ${returning("x")}`, /main\.ts:1:/],
  "import source": [`import source x from "./x.js"; ${returning("x")}`, /main\.ts:1:/],
  "an attribute of another type": [
    `import x from "./x.js" with { type: "text" }; ${returning("x")}`,
    /main\.ts:1:\d+: cannot import "\.\/x\.js" with type "text": there are type "image" .* and type "json" /,
  ],
  "an unknown attribute": [
    `import x from "./data.json" with { a: "b" }; ${returning("x")}`,
    /main\.ts:1:\d+: cannot import "\.\/data\.json" with a "b": there are type "image" /,
  ],
  "the attribute of JSON": [`import x from "./data.json" with { type: "json" }; ${returning("x.a")}`, 7],
  "JSON with a byte order mark": [`import x from "./bom.json"; ${returning("x")}`, 7],
  "JSON that is broken": [`import x from "./broken.json"; ${returning("x")}`, /broken\.json:1:\d+: /],
  "JSON that is empty": [`import x from "./empty.json"; ${returning("x")}`, /empty\.json:1:\d+: /],
  "a style sheet": [`import "./x.css"; ${SEVEN}`, /x\.css:1:1: a guest imports files that end in/],
  "an import of an https: URL": [
    `import x from "https://example.com/x.js"; ${returning("x")}`,
    /cannot import/,
  ],
  "an import of a file: URL": [`import x from "file:///x.js"; ${returning("x")}`, /cannot import/],
  "an import of nothing": [`import ""; ${SEVEN}`, /main\.ts:1:\d+: cannot import ""/],
  "an import with a NUL": [`import "./\\0"; ${SEVEN}`, /main\.ts:1:\d+: cannot import "\.\/\\x00"/],
  "an import with control characters": [
    `import "./\\x1b]0;x\\x07\\u202e"; ${SEVEN}`,
    /cannot import "\.\/\\x1b\]0;x\\x07\\u202e"/,
  ],
  "a very long line": [`${returning("7")} /*${"x".repeat(1_000_000)}*/`, 7],
  "a very long text": [returning(`"${"x".repeat(1_000_000)}".length`), 1_000_000],
  "a NUL between tokens": [`\0${SEVEN}`, /main\.ts:1:/],
  "a NUL in a text": [returning('"a\0b".length'), 3],
  "bytes that are not UTF-8": [
    Buffer.concat([Buffer.from(`// `), Buffer.from([0xff, 0xfe, 0x0a])]),
    /not text in UTF-8/,
  ],
  "UTF-16": [utf16(SEVEN), /not text in UTF-8/],
  "a program for the machine": [Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0x80]), /main\.ts:1:1: /],
  "an empty file": ["", /no default export/],
  "a space": [" ", /no default export/],
  "a comment that does not end": [`${SEVEN} /*`, /main\.ts:1:/],
  "a text that does not end": [`${SEVEN} "`, /main\.ts:1:/],
  "a template that does not end": [`${SEVEN} \``, /main\.ts:/],
  "a bracket that does not close": [`${SEVEN} {`, /main\.ts:/],
  "a bracket too many": [`${SEVEN} }`, /main\.ts:1:/],
};

t.test("any syntax works, or is refused in one line that names the place", async (t) => {
  const others = {
    "data.json": '{"a": 7}',
    "bom.json": "\ufeff7",
    "broken.json": "{",
    "empty.json": "",
    "x.css": "a {}",
    "x.js": "export default 7;",
  };
  for (const [what, [source, result, name]] of Object.entries(SYNTAX)) {
    await t.test(what, async (t) => {
      const found = await resultOf(write(t, source, name, others));
      if (result instanceof RegExp) t.match(String(found), result);
      else t.equal(found, result);
    });
  }
});

t.test("what is no file of text is refused in one line, and waited for by nobody", async (t) => {
  const folder = t.testdir({ "folder.ts": {}, "main.ts": "" });
  execFileSync("mkfifo", [join(folder, "pipe.ts"), join(folder, "pipe.json")]);
  symlinkSync("/dev/zero", join(folder, "zero.ts"));
  symlinkSync("/dev/zero", join(folder, "zero.json"));
  symlinkSync("circle.ts", join(folder, "circle.ts"));
  symlinkSync("nothing.ts", join(folder, "dangling.ts"));
  mkdirSync(join(folder, "folder.json"));
  writeFileSync(join(folder, "large.json"), `"${"x".repeat(2 ** 24)}"`);
  const entries: [string, RegExp][] = [
    ["folder.ts", /folder\.ts: not a file/],
    ["pipe.ts", /pipe\.ts: not a file/],
    ["zero.ts", /zero\.ts: not a file/],
    ["circle.ts", /circle\.ts: links that lead in a circle/],
    ["dangling.ts", /dangling\.ts: there is no such file/],
    [`${"x".repeat(300)}.ts`, /cannot be read \(ENAMETOOLONG\)/],
    ["main.ts/x.ts", /there is no such file/],
    ["\0.ts", /\\x00\.ts: not a path/],
    ["\x1b[31m.ts", /\\x1b\[31m\.ts: there is no such file/],
  ];
  for (const [name, message] of entries) t.match(await resultOf(join(folder, name)), message);
  const imports: [string, RegExp][] = [
    ["pipe.json", /pipe\.json:1:1: not a file/],
    ["zero.json", /a guest's files are below/],
    ["folder.json", /there is no such file/],
    ["large.json", /large\.json:1:1: larger than 16 MiB/],
    ["circle.ts", /there is no such file/],
  ];
  for (const [name, message] of imports) {
    writeFileSync(join(folder, "main.ts"), `import x from "./${name}"; ${returning("x")}`);
    t.match(await resultOf(join(folder, "main.ts")), message);
  }
});

t.test(
  "a file that may not be read is refused in one line",
  { skip: process.getuid?.() === 0 && "root may read everything" },
  async (t) => {
    const file = write(t, SEVEN);
    execFileSync("chmod", ["000", file]);
    t.match(await resultOf(file), /main\.ts:1:1: permission denied/);
  },
);

const body = (statements: string) => `export default function* main(): any { let z: any = 1; ${statements} }`;

/** Code that nests as deep as it is told. */
const NESTED: Readonly<Record<string, (depth: number) => string>> = {
  "a chain of +": (n) => body(`return z${"+z".repeat(n)}`),
  "a chain of + and -": (n) => body(`return z${"+z-z".repeat(n / 2)}`),
  "a chain of ??": (n) => body(`return z${"??z".repeat(n)}`),
  "a chain of commas": (n) => body(`return z${",z".repeat(n)}`),
  powers: (n) => body(`return ${"z**".repeat(n)}1`),
  assignments: (n) => body(`return ${"z=".repeat(n)}1`),
  negations: (n) => body(`return ${"!".repeat(n)}z`),
  arrays: (n) => body(`return ${"[".repeat(n)}${"]".repeat(n)}`),
  objects: (n) => body(`return ${"{a:".repeat(n)}1${"}".repeat(n)}`),
  parentheses: (n) => body(`return ${"(".repeat(n)}1${")".repeat(n)}`),
  "sums in parentheses": (n) => body(`return ${"(z+".repeat(n)}1${")".repeat(n)}`),
  calls: (n) => body(`const f = (x: any) => x; return ${"f(".repeat(n)}1${")".repeat(n)}`),
  "members and calls": (n) => body(`z = { a: () => z }; return z${".a()".repeat(n)} && 1`),
  ternaries: (n) => body(`return ${"z?1:".repeat(n)}2`),
  "else-ifs": (n) => body(`${"if(!z)z++;else ".repeat(n)}; return 1`),
  ifs: (n) => body(`${"if(z)".repeat(n)}z++; return 1`),
  loops: (n) => body(`${"for(;z-->0;)".repeat(n)}; return 1`),
  blocks: (n) => body(`${"{z;".repeat(n)}${"}".repeat(n)} return 1`),
  templates: (n) => body(`return ${"`${".repeat(n)}z${"}`".repeat(n)}`),
  arrows: (n) => body(`return ${"()=>".repeat(n)}1`),
  functions: (n) => body(`return ${"function(){return ".repeat(n)}1${"}".repeat(n)}`),
  classes: (n) => body(`return ${"class{static a=".repeat(n)}z${"}".repeat(n)}`),
  generators: (n) => body(`void ${"(function*(){yield* ".repeat(n)}1${"})()".repeat(n)}; return 1`),
  patterns: (n) =>
    body(`const ${"[".repeat(n)}x${"]".repeat(n)} = ${"[".repeat(n)}1${"]".repeat(n)}; return 1`),
  labels: (n) => body(`${Array.from({ length: n }, (_, i) => `a${i}:`).join("")}z; return 1`),
  types: (n) => `type T = ${"[".repeat(n)}${"]".repeat(n)}; ${body("return 1")}`,
};

t.test(
  "code of any depth is built, or refused in one line that says that it is nested too deep",
  async (t) => {
    for (const [what, source] of Object.entries(NESTED)) {
      await t.test(what, async (t) => {
        // Ordinary code; more than a caller's stack takes; more than anybody takes.
        for (const depth of [50, 300, 3000]) {
          const image = await built(write(t, source(depth)));
          if (typeof image === "string") {
            t.match(image, /main\.ts:1:\d+: nested more than 1000 levels deep/);
            t.not(depth, 50);
          } else t.ok(await compiles(image), `at depth ${depth} it is compiled`);
        }
      });
    }
  },
);

/** Whether V8 compiles and runs an image on the stack that a core has. */
async function compiles(image: Image): Promise<boolean> {
  const program = `const main = (0, eval)(${JSON.stringify(image.code)})(() => {}, () => false, () => {}); main().next()`;
  const worker = new Worker(program, { eval: true, resourceLimits: { stackSizeMb: 2 } });
  return await new Promise((resolve) => {
    worker.once("error", () => resolve(false));
    worker.once("exit", (code) => resolve(code === 0));
  });
}

t.test("JSON of any depth is built, or refused in one line", async (t) => {
  for (const [open, close] of [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const) {
    for (const depth of [50, 400, 100_000]) {
      const json = `${open.repeat(depth)}1${close.repeat(depth)}`;
      const file = write(t, `import x from "./x.json"; ${returning("typeof x")}`, "main.ts", {
        "x.json": json,
      });
      t.match(await resultOf(file), depth < 1000 ? "object" : /x\.json:1:\d+: nested more than 1000 levels/);
    }
  }
});

t.test("brackets in texts, templates, comments and patterns are not taken for nesting", async (t) => {
  const texts = ['"(("', "'[['", "`{{`", "/\\(\\(\\{/.source", '"\\"(("'];
  const lines = texts.map((text) => `${text},\n`.repeat(1500)).join("");
  const file = write(
    t,
    `// ${"(".repeat(5000)}\n/* ${"[".repeat(5000)} */\n${returning(`[${lines}].length`)}`,
  );
  t.equal(await resultOf(file), 7500);
  const arrows = Array.from({ length: 3000 }, (_, i) => `const f${i} = () => ${i}\n`).join("");
  t.equal(await resultOf(write(t, `${arrows}${returning("f7()")}`)), 7);
});

t.test("an expression too long for esbuild's stack is refused before it has it", async (t) => {
  for (const source of [
    body(`return ${"z?1:".repeat(300_000)}2`),
    body(`${"if(z)z++;else ".repeat(300_000)};`),
  ])
    t.match(await resultOf(write(t, source)), /main\.ts:1:\d+: more than 250000 words and operators/);
  const statements = `${"z\n=\n1;".repeat(80_000)}`;
  t.equal(await resultOf(write(t, body(`${statements} return z`))), 1);
});

t.test("a chain of a hundred thousand operators of one kind is built", async (t) => {
  t.equal(await resultOf(write(t, NESTED["a chain of +"]!(100_000))), 100_001);
});
