/** What is said of a guest's fault: the guest's own line, who called it, and what was probably meant. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { boot, type CaposMachine, type RunResult } from "@capos/machine";
import t, { type Test } from "tap";

t.setTimeout(600_000);

const HEAD = `import { process, spawnProcess, start, untyped, type Os, type Steps, type Sys } from "@capos/libos";\n`;
const MAIN = "export default function* main(sys: Sys) {\n  const os = start(sys);\n";

const log: string[] = [];
let machine: CaposMachine;
let runs = 0;

t.before(async () => {
  machine = await boot({
    cores: 2,
    watchdogMs: 1000,
    onConsole: () => {},
    logLevel: "error",
    logDestination: { write: (line: string) => void log.push(line) },
  });
});
t.teardown(() => machine.halt());

/** Runs a guest, whose first line is a file's second; its file is called `guest.ts` in what is said of it. */
async function run(t: Test, body: string, args: readonly string[] = []): Promise<RunResult> {
  const file = join(t.testdir(), `guest${runs++}.ts`);
  writeFileSync(file, HEAD + body);
  const result = await machine.run(file, { args });
  return { ...result, fault: short(result.fault), stack: result.stack.map(short) };
}

function short(text: string): string {
  return text.replaceAll(/[^\s(]*guest\d+\.ts/g, "guest.ts");
}

t.test("a failed call names the guest's own line and its callers, through yield* and libos", async (t) => {
  const { fault, stack } = await run(
    t,
    `function* size(os: Os): Steps<number> {
  return (yield* untyped.info(os.sys, 12345)).sizeBytes;
}
class Store {
  constructor(private readonly os: Os) {}
  *get(): Steps<number> {
    return yield* size(this.os);
  }
}
${MAIN}  const store = new Store(os);
  yield* store.get();
}`,
  );
  t.match(fault, /^guest\.ts:3:\d+: IpcError: untyped info: ERR_BAD_CAP$/);
  t.match(stack, [/^at size \(guest\.ts:3:/, /^at get \(guest\.ts:8:/, /^at main \(guest\.ts:14:/]);
  t.equal(stack.length, 3);
});

t.test("an error that libos makes without a trap names the guest's own line", async (t) => {
  const { fault, stack } = await run(t, `${MAIN}  os.slots.take(1e6);\n}`);
  t.match(fault, /^guest\.ts:4:12: \w*Error: /);
  t.equal(stack.length, 1);
});

t.test("of more callers than are kept the innermost are named", async (t) => {
  const { stack } = await run(
    t,
    `function deep(n: number): number { if (n === 0) throw new Error("deep"); return deep(n - 1) + 1; }
${MAIN}  return deep(100);\n}`,
  );
  t.equal(stack.length, 16);
  t.equal(stack[0], "at deep (guest.ts:2:55)");
});

t.test("a crash of a spawned process is logged with its name, its line and its callers", async (t) => {
  log.length = 0;
  const { status } = await run(
    t,
    `function boom(): never {
  throw new TypeError("oh no");
}
${MAIN}  if (os.args[0] === "child") boom();
  const child = yield* spawnProcess(os, { image: os.environment.image, name: "worker", args: ["child"] });
  while ((yield* process.status(sys, child.process)).state < 2) yield sys.yield();
  return 7;
}`,
  );
  t.equal(status, 7);
  const records = log.map((line) => JSON.parse(line) as { process: string; msg: string });
  t.equal(records.length, 1, "once");
  t.equal(records[0]!.process, "worker");
  t.equal(
    short(records[0]!.msg),
    "faulted: guest.ts:3:9: TypeError: oh no, at boom (guest.ts:3:9), at main (guest.ts:7:31)",
  );
});

t.test("a program that ends by itself, or is run by the host, is logged by nobody", async (t) => {
  log.length = 0;
  await run(t, `${MAIN}  throw new Error("told to who ran it");\n}`);
  await run(t, `${MAIN}  return 1;\n}`);
  t.strictSame(log, []);
});

t.test("code that ran for too long is told where it was and what to do", async (t) => {
  const { fault, stack } = await run(
    t,
    `const table: Record<string, (n: number) => void> = {
  spin(n) {
    for (let x = 0; ; ) x += n;
  },
};
${MAIN}  table[os.name === "" ? "other" : "spin"]!(3);\n}`,
  );
  t.match(
    fault,
    /^guest\.ts:4:\d+: ran for more than \d+ ms.* without a trap, the limit of code that cannot yield: /,
  );
  t.match(stack, [/^at spin \(guest\.ts:4:/, /^at main \(guest\.ts:9:/]);
});

/** What a guest does, and what is said of it. */
const SLIPS: Readonly<Record<string, readonly [body: string, expected: RegExp]>> = {
  "yields a generator": [
    "yield hidden.os.print('x');",
    /guest\.ts:5:\d+: TypeError: .*did you mean yield\* instead of yield/,
  ],
  "calls a generator and no more": [
    "hidden.os.print('x');",
    /guest\.ts:5:\d+: TypeError: .*did you mean yield\*/,
  ],
  "calls a generator where something holds": [
    "os.cores > 0 && hidden.os.print('x');",
    /guest\.ts:5:\d+: TypeError: .*did you mean yield\*/,
  ],
  "yields an object": ["yield hidden;", /guest\.ts:5:\d+: TypeError: yielded an object.*not a trap/],
  "yields nothing": ["yield;", /guest\.ts:5:\d+: TypeError: yielded undefined/],
  "returns a generator": [
    "return hidden.os.print('x');",
    /TypeError: .*status from 0 to 255.*did you mean return yield\*/,
  ],
  "iterates the message words": [
    "for (const word of hidden.words) yield word;",
    /guest\.ts:5:\d+: TypeError: sys\.words cannot be iterated: read words\[0\]/,
  ],
  "spreads the message words": [
    "[...hidden.words].length;",
    /guest\.ts:5:\d+: TypeError: sys\.words cannot be iterated/,
  ],
  "asks for a random number": [
    "Math.random();",
    /guest\.ts:5:\d+: TypeError: Math\.random does not exist in a guest/,
  ],
};

for (const [what, [body, expected]] of Object.entries(SLIPS)) {
  t.test(`a guest that ${what} is told so, with the line`, async (t) => {
    const { fault, state } = await run(
      t,
      `${MAIN}  const hidden: any = os.args.length > 9 ? null : { os, words: sys.words };\n  ${body}\n}`,
    );
    t.equal(state, "faulted");
    t.match(fault, expected);
  });
}

t.test("what only looks like such a slip works", async (t) => {
  const { fault, status } = await run(
    t,
    `function* words() { yield "a"; yield { b: 1 }; yield; }
class Bag { *[Symbol.iterator]() { yield "c"; } }
${MAIN}  const made: any[] = [...words(), ...new Bag()];
  void words();
  Object.freeze(words());
  new Map().set(1, 2);
  [3].map((n) => n);
  made.push(words().next());
  return made.length;
}`,
  );
  t.equal(fault, "");
  t.equal(status, 5);
});

t.test("a default export that gives no generator is told so at its start too", async (t) => {
  const { fault } = await run(t, "const mains: any[] = [() => 3];\nexport default mains[0];");
  t.match(fault, /must be a generator function, and gave 3/);
});
