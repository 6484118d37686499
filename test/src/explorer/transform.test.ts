/**
 * The transformation: what it announces and where, what it replaces and edits, and what it refuses.
 */
import { Session } from "node:inspector";
import { SourceMap } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Coroutine, OP_NAMES, Op, type Runtime, UNUSED } from "@capos/explorer";
import {
  type Edit,
  EditError,
  instantiate,
  type Program,
  performAtOnce,
  runToEnd,
  TransformError,
  transformProgram,
} from "@capos/explorer/transform";
import t, { type Test } from "tap";
import { alwaysYield, atOnce, type Exports, transform, writeModules } from "./support/programs.js";

const view = () => new Int32Array(new SharedArrayBuffer(64));

/** Runs an exported function to its end. */
function run(exports: Exports, name: string, ...operands: unknown[]): unknown {
  return runToEnd((exports[name] as (...operands: unknown[]) => Coroutine)(...operands));
}

/** A runtime that performs at once and writes down what it was told. */
function recording(program: Program): { runtime: Runtime; log: string[] } {
  const log: string[] = [];
  const at = (site: number) => `${program.sites[site].function}:${program.sites[site].line}`;
  const performing = performAtOnce();
  const runtime: Runtime = {
    ...performing,
    op(site, op, ...rest) {
      log.push(`${at(site)} ${OP_NAMES[op & ~UNUSED]}${(op & UNUSED) === 0 ? "" : ", unused"}`);
      return performing.op(site, op, ...rest);
    },
    peek(site, ...rest) {
      log.push(`${at(site)} read ${String(rest[1])}`);
      return performing.peek(site, ...rest);
    },
    poke(site, ...rest) {
      log.push(`${at(site)} write ${String(rest[1])}`);
      return performing.poke(site, ...rest);
    },
    enter: () => log.push("enter"),
    turn: (loop) => log.push(`turn ${loop}`),
  };
  return { runtime, log };
}

async function logOf(t: Test, body: string): Promise<string[]> {
  const program = await transform(t, `export function main(v, x) {\n${body}\n}`);
  const { runtime, log } = recording(program);
  run(instantiate(program, runtime, {}), "main", view(), { v: view() });
  return log;
}

t.test("an operation says that its result is not used exactly where nothing uses it", async (t) => {
  const unused = async (body: string) =>
    (await logOf(t, body)).filter((line) => line.includes("add")).map((line) => line.endsWith("unused"));
  const add = "Atomics.add(v, 0, 1)";
  t.same(await unused(`${add};`), [true]);
  t.same(await unused(`void ${add};`), [true]);
  t.same(await unused(`${add}, x;`), [true]);
  t.same(await unused(`x && ${add};`), [true]);
  t.same(await unused(`x ? ${add} : 0;`), [true]);
  t.same(await unused(`for (let i = 0; i < 1; i++, ${add});`), [true]);
  t.same(await unused(`for (${add}; v[0] > 1; );`), [true]);
  t.same(await unused(`return ${add};`), [false]);
  t.same(await unused(`x = ${add};`), [false]);
  t.same(await unused(`x = (${add}, ${add});`), [true, false]);
  t.same(await unused(`${add} && x;`), [false]);
  t.same(await unused(`${add} ? x : x;`), [false]);
  t.same(await unused(`if (${add});`), [false]);
  t.same(await unused(`String(${add});`), [false]);
  t.same(await unused(`x = x && ${add};`), [false]);
});

t.test("every operation of Atomics is announced as what it is", async (t) => {
  const { log } = await announced(t, [
    "Atomics.load(v, 0)",
    "Atomics.store(v, 0, 1)",
    "Atomics.add(v, 0, 1)",
    "Atomics.sub(v, 0, 1)",
    "Atomics.and(v, 0, 1)",
    "Atomics.or(v, 0, 1)",
    "Atomics.xor(v, 0, 1)",
    "Atomics.exchange(v, 0, 1)",
    "Atomics.compareExchange(v, 0, 1, 2)",
    "Atomics.wait(v, 0, 9, 0)",
    "Atomics.notify(v, 0, 1)",
  ]);
  t.same(
    log,
    OP_NAMES.slice(0, Op.READ).map((name) => `main:2 ${name}, unused`),
  );
});

async function announced(t: Test, statements: string[]) {
  return { log: await logOf(t, statements.join("; ")) };
}

t.test(
  "a loop that holds an access is entered once and counts its turns, any other is left alone",
  async (t) => {
    t.same(await logOf(t, "for (let i = 0; i < 2; i++) v[i];"), [
      "enter",
      "turn 1",
      "main:2 read 0",
      "turn 1",
      "main:2 read 1",
    ]);
    t.same(await logOf(t, "while (v[0]); v[1];"), ["enter", "main:2 read 0", "main:2 read 1"]);
    t.same(await logOf(t, "for (let i = 0; i < 2; i++); v[0];"), ["main:2 read 0"]);
    t.same(await logOf(t, "for (const i of [v[0]]); v[1];"), ["main:2 read 0", "main:2 read 1"]);
    const nested = "a: do { for (const i of [7]) { v[i]; continue a; } } while (false);";
    t.same(await logOf(t, nested), ["enter", "turn 2", "enter", "turn 1", "main:2 read 7"]);
  },
);

t.test("a loop that only calls what has an access counts its turns too", async (t) => {
  const program = await transform(
    t,
    "const look = (v) => v[0];\nexport function main(v) { while (look(v) < 1) v[0] = 1; }",
  );
  const { runtime, log } = recording(program);
  run(instantiate(program, runtime, {}), "main", view());
  t.same(log, ["enter", "look:1 read 0", "turn 1", "main:2 write 0", "look:1 read 0"]);
});

t.test("an access that is a scheduling point is performed after the yield, and yields once", async (t) => {
  const program = await transform(t, "export function main(v) { return Atomics.add(v, 0, 1) + v[0]; }");
  const coroutine = (instantiate(program, alwaysYield(), {}).main as (v: Int32Array) => Coroutine)(
    Object.assign(view(), { 0: 5 }),
  );
  t.same(coroutine.next(), { done: false, value: undefined });
  t.same(coroutine.next(), { done: false, value: undefined });
  t.same(coroutine.next(), { done: true, value: 11 });
});

t.test("coroutines of one program do not share temporaries", async (t) => {
  const program = await transform(t, "export const main = (v, i) => [v[i]++, v[i]--, v[i] += 2];");
  const main = instantiate(program, alwaysYield(), {}).main as (v: Int32Array, i: number) => Coroutine;
  const shared = view();
  shared.set([10, 20]);
  // An announcement and its performance belong together: each core's access happens in its own step.
  const runtimes = [alwaysYield(), alwaysYield()];
  const both = runtimes.map((runtime, i) =>
    (instantiate(program, runtime, {}).main as typeof main)(shared, i),
  );
  const results: unknown[] = [];
  while (results.filter((it) => it !== undefined).length < 2)
    both.forEach((coroutine, i) => {
      const { done, value } = coroutine.next();
      if (done) results[i] ??= value;
    });
  t.same(results, [
    [10, 11, 12],
    [20, 21, 22],
  ]);
});

t.test("sites name the source file, the line and column from 1, and the function", async (t) => {
  const program = await transform(t, {
    "main.js":
      'import { Ring } from "./lib/ring.js";\nexport function main(v) {\n  return new Ring(v).at(v[3]);\n}\n',
    "lib/ring.js":
      "export class Ring {\n  constructor(v) { this.v = v; }\n  at(i) {\n    const one = () => Atomics.load(this.v, i);\n    return this.v[i];\n  }\n}\n",
  });
  t.same(
    program.sites.map(({ file, line, column, function: name }) => `${file}:${line}:${column} ${name}`).sort(),
    ["lib/ring.js:5:12 Ring.at", "main.js:3:25 main"],
  );
});

t.test("what cannot yield is left alone and listed", async (t) => {
  const program = await transform(
    t,
    [
      "class Box { constructor(v) { this.v = v; v[0]; } get size() { return this.v[0]; } start = [].concat(1)[0]; }",
      "function* old(v) { yield v[0]; }",
      "function passed(v) { return v[0]; }",
      "function both(v) { return v[0]; }",
      "const table = { m(v) { return both(v); } };",
      "export function main(v) { [v].map(passed); both(v); v.fill(0); for (const x of old(v)) x; return new Box(v).size + table.m(v); }",
      "export const seen = (v) => v[0];",
    ].join("\n"),
  );
  t.same(program.untouched.map(({ line, function: name }) => `${line} ${name}`).sort(), [
    "1 Box.constructor",
    "1 Box.size",
    "1 Box.start",
    "2 old",
    "3 passed",
    "4 both",
    "6 main",
  ]);
  const v = view();
  t.equal(run(atOnce(program), "main", v), 0);
});

t.test("an element of a literal, or by a name, is no access", async (t) => {
  const program = await transform(
    t,
    'const names = ["a"], frozen = Object.freeze([1]), made = new Array(3);\nexport const main = (o, i) => [names[i], frozen[i], made[i], o["x"], o[Symbol.iterator], [1][i]];',
  );
  t.same([program.sites, program.untouched], [[], []]);
  t.equal(typeof (atOnce(program).main as (...operands: unknown[]) => unknown)({}, 0), "object");
});

t.test("modules of Node are there, and $host is what was given", async (t) => {
  const program = await transform(
    t,
    'import { format } from "node:util";\nimport path, { sep } from "node:path";\nimport * as os from "node:os";\nexport const main = (v) => [format("%d", v[0]), path.sep === sep, typeof os.cpus, $host.gift];',
  );
  const exports = instantiate(program, performAtOnce(), { gift: 7 });
  t.same(run(exports, "main", view()), ["0", true, "function", 7]);
});

t.test("a replacement stands in for a module everywhere, and may use it", async (t) => {
  const files = {
    "main.js":
      'import { now } from "./lib/clock.js";\nimport { twice } from "./lib/twice.js";\nexport const main = (v) => now(v) + twice(v);',
    "lib/twice.js": 'import { now } from "./clock.js";\nexport const twice = (v) => 2 * now(v);',
    "lib/clock.js": "export const now = (v) => v[0];",
    "fake.js": 'import { now as real } from "./lib/clock.js";\nexport const now = (v) => 100 + real(v);',
  };
  const entry = writeModules(t, files);
  const replacements = { "lib/clock.js": join(dirname(entry), "fake.js") };
  const program = await transformProgram({ entry, replacements, edits: [] });
  t.equal(run(atOnce(program), "main", Object.assign(view(), { 0: 1 })), 303);
});

t.test("a replacement for a module that the program has not is refused", async (t) => {
  const replacements = { "clokc.js": "fake.js" };
  await t.rejects(transform(t, "export const main = 1;", { replacements }), {
    name: "TransformError",
    message: /no module of the program ends in clokc\.js/,
  });
});

const EDITED = {
  "main.js": 'import { a } from "./a.js";\n\nexport const main = (v) => a(v) + v[1];\n',
  "a.js": "export function a(v) {\n  v[0] = 1;\n  v[1] = 2;\n  return v[0];\n}\n",
};
const edit = (name: string, find: string, replace = "") => ({ function: name, find, replace });

t.test(
  "an edit changes what the program does, and neither its fingerprint nor other lines' places",
  async (t) => {
    const plain = await transform(t, EDITED);
    t.match(plain.fingerprint, /^[0-9a-f]{16}$/);
    t.equal(run(atOnce(plain), "main", view()), 3);
    const edits = [
      edit("a", "v[0] = 1;"),
      edit("a", "return v[0]", "const more = v[5];\n\n  return more + v[0] + 7"),
    ];
    const edited = await transform(t, EDITED, { edits });
    t.equal(edited.fingerprint, plain.fingerprint);
    t.equal(run(atOnce(edited), "main", view()), 9);
    const places = (program: Program) => program.sites.map(({ file, line }) => `${file}:${line}`);
    t.same(places(plain), ["a.js:2", "a.js:3", "a.js:4", "main.js:3"]);
    t.same(places(edited), ["a.js:3", "a.js:4", "a.js:4", "main.js:3"]);
  },
);

/** What `main` answers after the edits. */
async function mainAfter(t: Test, files: string | Record<string, string>, ...edits: Edit[]) {
  return run(atOnce(await transform(t, files, { edits })), "main", view());
}

t.test("an edit finds its code whatever its white space, comments and trailing commas", async (t) => {
  const text =
    "export const main = (v) => {\n  v[0] = [\n    1, // one\n    2,\n  ].length;\n  return v[0];\n};\n";
  t.equal(await mainAfter(t, text, edit("main", "v[0]=[1,2].length;", "v[0] = 9;")), 9);
  t.equal(await mainAfter(t, text, edit("main", "v[0] = [ /* all */ 1, 2 ]", "v[0] = [1]")), 1);
});

t.test("an edit says const enums by name, where it finds and where it replaces", async (t) => {
  const files = {
    "main.js": [
      'import { other } from "./other.js";',
      "export function main(v) {",
      "  v[3 /* Word.COUNT */] = -2 /* Step.BACK */;",
      "  v[1] = 5 - 2 /* Word.FLAGS */;",
      "  return v[3 /* Word.COUNT */] + v[1] + other(v);",
      "}",
    ].join("\n"),
    "other.js": "export const other = (v) => v[4 /* Other.WORD */];",
  };
  const main = (find: string, replace: string) => mainAfter(t, files, edit("main", find, replace));
  t.equal(await main("= Step.BACK;", "= Step.BACK - Step.BACK;"), 3);
  t.equal(await main("v[Word.COUNT] = Step.BACK;", ""), 3);
  t.equal(await main("5 - Word.FLAGS", "Word.COUNT"), 1);
  t.equal(await main("v[1] = 5", "v[Other.WORD] = 7; v[1] = 5"), 8);
  await t.rejects(main("v[3]", "v[2]"), { name: EditError.name, message: /main .* does not have this code/ });
});

t.test("an edit names methods with their class, and the innermost function that has a name", async (t) => {
  const text = [
    "class Ring { at(v) { return [0].map(() => v[0] + 1)[0]; } static of(v) { return v[0]; } #own(v) { return v[0]; } read(v) { return this.#own(v); } }",
    "class Box { at = (v) => v[0]; }",
    "const table = { at(v) { return v[0]; } };",
    "export function main(v) {",
    "  function inner() { return v[0]; }",
    "  return [new Ring().at(v), Ring.of(v), new Ring().read(v), new Box().at(v), table.at(v), inner(), v[0]].join();",
    "}",
  ].join("\n");
  t.equal(await mainAfter(t, text), "1,0,0,0,0,0,0");
  t.equal(await mainAfter(t, text, edit("Ring.at", "v[0]", "5")), "6,0,0,0,0,0,0");
  t.equal(await mainAfter(t, text, edit("Ring.of", "v[0]", "5")), "1,5,0,0,0,0,0");
  t.equal(await mainAfter(t, text, edit("Ring.#own", "v[0]", "5")), "1,0,5,0,0,0,0");
  t.equal(await mainAfter(t, text, edit("Box.at", "v[0]", "5")), "1,0,0,5,0,0,0");
  t.equal(await mainAfter(t, text, edit("at", "v[0]", "5")), "1,0,0,0,5,0,0");
  t.equal(await mainAfter(t, text, edit("inner", "v[0]", "5")), "1,0,0,0,0,5,0");
  t.equal(await mainAfter(t, text, edit("main", "v[0]", "5")), "1,0,0,0,0,0,5");
});

t.test("an edit may use what another module of the program exports", async (t) => {
  const files = {
    "main.js": 'import { a } from "./a.js";\nexport const main = (v) => a(v);',
    "a.js": 'import { b } from "./b.js";\nexport const a = (v) => v[0] + b(v);',
    "b.js": "export const b = (v) => c(v);\nexport function c(v) { return v[1] + 1; }",
  };
  t.equal(await mainAfter(t, files, edit("a", "b(v)", "b(v) + c(v) + Math.max(1, 2)")), 4);
  await t.rejects(mainAfter(t, files, edit("a", "b(v)", "d(v)")), {
    name: EditError.name,
    message: /^a: the edit uses d, which is not there and exported by 0 modules/,
  });
});

t.test("a change of the source changes the fingerprint", async (t) => {
  const { fingerprint } = await transform(t, EDITED);
  const other = await transform(t, { ...EDITED, "a.js": EDITED["a.js"].replace("v[1] = 2", "v[1] = 3") });
  t.not(other.fingerprint, fingerprint);
});

t.test("an edit that does not fit is refused in one line that says what there is", async (t) => {
  const files = {
    ...EDITED,
    "main.js": `import { twin } from "./lib/twin.js";\nexport const keep = [twin];\n${EDITED["main.js"]}`,
    "lib/twin.js": 'import { twin as other } from "./other.js";\nexport const twin = (v) => other(v);',
    "lib/other.js": "export const twin = (v) => v[7];",
  };
  const refused = (message: RegExp, ...edits: Edit[]) =>
    t.rejects(mainAfter(t, files, ...edits), { name: EditError.name, message });
  await refused(
    /^a \(in .*a\.js\) does not have this code, .*: "v\[1\] = 3;"; it has "v\[1\] =", and then "2; ret/,
    edit("a", "v[1] = 3;"),
  );
  await refused(/^main .* does not have this code.*: "v\[1\] = 2"; it is in a$/, edit("main", "v[1] = 2"));
  await refused(/^a has this code 3 times, write more .*: "v\["/, edit("a", "v["));
  await refused(
    /^the program has no function mai, .*; there is main; it is in a, main$/,
    edit("mai", "a(v)"),
  );
  await refused(/^there are 2 functions twin, .*: in lib\/other\.js, lib\/twin\.js$/, edit("twin", "v"));
  await refused(/^main: two edits overlap, make them one/, edit("main", "a(v)"), edit("main", "=> a(v)"));
  await refused(/^a: an edit needs code to find$/, edit("a", " "));
  await refused(/^a: this is no code, .*"'"/, edit("a", "'"));
  await refused(/^a: the code is none after the edits, correct them: /, edit("a", "return", "("));
});

t.test("what cannot be rewritten is refused, with its place and what to write instead", async (t) => {
  const refused = async (text: string, message: RegExp) =>
    await t.rejects(transform(t, text), { name: TransformError.name, message });
  const inMain = (text: string) => `export function main(v, o) {\n  ${text}\n}`;
  await refused("const { load } = Atomics;\nexport { load };", /^main\.js:1:18: use Atomics only as/);
  await refused(inMain("[1].map(Atomics.load);"), /^main\.js:2:11: call Atomics\.load where it is needed/);
  await refused(inMain("Atomics.waitAsync(v, 0, 0);"), /^main\.js:2:3: .*does not know/);
  await refused(inMain("Atomics.load(...v);"), /^main\.js:2:3: write the operands of Atomics\.load out/);
  await refused(inMain("[v[0], v[1]] = [1, 2];"), /^main\.js:2:4: assign to this element in a statement/);
  await refused(inMain("({ x: v[0] } = o);"), /^main\.js:2:9: assign to this element/);
  await refused(inMain("for (v[0] of [1]);"), /^main\.js:2:8: assign to this element/);
  await refused(inMain("v[0]`x`;"), /^main\.js:2:3: call this function in the ordinary way/);
  await refused(inMain("delete o?.[v[0]];"), /^main\.js:2:3: write delete without/);
  await refused("export function main({ x = o[0] }, o) {}", /^main\.js:1:22: take this parameter apart/);
  await refused("export const main$ = 1;", /rename main\$/);
  await refused("export const main = import.meta.url;", /^main\.js:1:21: replace this module/);
  await refused("export const main = await 1;", /^main\.js:1:21: replace this module/);
  await refused(
    "class A { m(v) { return v[0]; } }\nclass B extends A { *m() {} }\nexport const main = (v) => new B().m(v);",
    /^main\.js:2:22: make m an ordinary method/,
  );
  await refused('import { none } from "./none.js";\nexport { none };', /main\.js:1: .*none\.js/);
  await refused("export const = 1;", /main\.js:1: /);
});

t.test("a debugger is told where the program's lines stand in its source", async (t) => {
  const text = "\nexport function main(v) {\n  v[0] = 1;\n\n  if (v[0]) throw new Error('it');\n}\n";
  const program = await transform(t, text);
  const session = new Session();
  session.connect();
  const maps: string[] = [];
  session.on("Debugger.scriptParsed", ({ params: { url, sourceMapURL } }) => {
    if (url.includes(program.fingerprint) && sourceMapURL !== undefined) maps.push(sourceMapURL);
  });
  session.post("Debugger.enable");
  atOnce(program);
  session.disconnect();
  t.equal(maps.length, 1);
  const payload = JSON.parse(Buffer.from(maps[0].split(",")[1], "base64").toString());
  const map = new SourceMap(payload);
  const lines = program.code.split("\n");
  const places = lines.flatMap((line, i) => {
    const found = map.findEntry(i, line.indexOf("throw"));
    return line.includes("throw") && "originalLine" in found ? [found] : [];
  });
  t.same(
    places.map(({ originalSource, originalLine, originalColumn }) => [
      originalSource,
      originalLine,
      originalColumn,
    ]),
    [[pathToFileURL(join(t.testdirName, "main.js")).href, 4, 12]],
    "once, though the program holds the function twice",
  );
});
