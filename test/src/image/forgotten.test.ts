/** Slips with generators that the builder sees. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage } from "@capos/image";
import t, { type Test } from "tap";

const HEAD = `import { IpcError, spawnThread, start, type Os, type Steps, type Sys } from "@capos/libos";
function* work(n: number): Steps<number> { if (n > 1e9) throw new IpcError(-1, "x"); return n; }
const arrow = (n: number) => work(n);
class Store { *flush(): Steps<void> {} now(): number { return 1; } *all() { this.flush(); } }
`;

async function problem(t: Test, body: string): Promise<string> {
  const file = join(t.testdir(), "guest.ts");
  writeFileSync(file, HEAD.replace("this.flush();", "") + body);
  try {
    await buildImage(file);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const main = (body: string): string =>
  `export default function* main(sys: Sys) {\n  const os = start(sys);\n  const store = new Store();\n  ${body}\n}`;

/** Statements of main that are mistakes, the column of the call, and what the builder says. */
const MISTAKES: readonly (readonly [statement: string, column: number, said: RegExp])[] = [
  ["work(1);", 3, /work is a generator, .*did you mean yield\*\?/],
  ["arrow(1);", 3, /arrow is a generator/],
  ["os.print('x');", 3, /os\.print is a generator/],
  ["os.log.info('x');", 3, /os\.log\.info is a generator/],
  ["os.endpoint();", 3, /os\.endpoint is a generator/],
  ["const { print } = os; print('x');", 25, /print is a generator/],
  ["spawnThread(os);", 3, /spawnThread is a generator/],
  ["store.flush();", 3, /store\.flush is a generator/],
  ["if (os.cores > 1) os.drop(3);", 21, /os\.drop is a generator/],
  ["os.cores > 1 && work(1);", 19, /work is a generator/],
  ["yield work(1);", 9, /did you mean yield\* instead of yield\?/],
  ["yield os.print('x');", 9, /did you mean yield\* instead of yield\?/],
  ["return work(1);", 10, /did you mean return yield\*\?/],
  ["if (work(1)) return 1;", 7, /did you mean yield\*\?/],
  ["while (!work(1)) return 1;", 11, /did you mean yield\*\?/],
  ["return work(1) + 1;", 10, /did you mean yield\*\?/],
  ["yield* os.print(`$" + "{work(1)}`);", 22, /did you mean yield\*\?/],
];

for (const [statement, column, said] of MISTAKES) {
  t.test(`a guest with ${JSON.stringify(statement)} is refused at that place`, async (t) => {
    const message = await problem(t, main(statement));
    t.match(message, said);
    t.match(message, new RegExp(`guest\\.ts:8:${column}: `));
  });
}

/** Statements of main that are none. */
const FINE: readonly string[] = [
  "yield* work(1);",
  "const steps = work(1); yield* steps;",
  "void work(1);",
  "for (const x of work(1)) x;",
  "[...work(1)].length;",
  "work(1).next();",
  "store.now();",
  "let f: any = work; f = () => 1; f(1);",
  "const f = os.cores > 1 ? work : () => 1; f(1);",
  "const o: any = { work, ...os.args }; o.work(1);",
  "const o: any = { work }; o.work = () => 1; o.work(1);",
  "const later = () => work(1); return (yield* later()) === 1 ? 0 : 1;",
  "const maybe = (n: number) => { if (n > 1) return work(n); }; if (maybe(1)) return 1;",
  "if (work(1) === (work(1) as unknown)) return 1;",
];

t.test("nothing else is refused", async (t) => {
  for (const statement of FINE) t.equal(await problem(t, main(statement)), "", statement);
});

t.test("a method whose class another one inherits from may be any function", async (t) => {
  const text = "class A { *f(): any {} g() { this.f(); } }\n";
  t.match(await problem(t, text + main("new A().g();")), /this\.f is a generator/);
  t.equal(await problem(t, `${text}class B extends A { f() {} }\n${main("new B().g();")}`), "");
});

t.test("a default export that gives no generator is refused at its place", async (t) => {
  for (const [text, place] of [
    ["export default function main() { return 0; }", /guest\.ts:5:1/],
    ["export default () => {};", /guest\.ts:5:\d+/],
    ["export default 3;", /guest\.ts:5:\d+/],
    ["export default class {}", /guest\.ts:5:\d+/],
    ["export default { main: work };", /guest\.ts:5:\d+/],
  ] as const) {
    const message = await problem(t, text);
    t.match(message, /the default export is .*export default function\* main\(sys\)/, text);
    t.match(message, place, message);
  }
  t.equal(await problem(t, "export default (sys: Sys) => work(sys.startWords);"), "");
});
