/** Computing code that yields where it can, on one core with others. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { boot } from "@capos/machine";
import t from "tap";

t.setTimeout(600_000);

/** A quarter of it is the limit of code that cannot yield: 25 ms of CPU time. */
const WATCHDOG_MS = 100;

/** Each computes for several times the limit. */
const COMPUTATIONS: Readonly<
  Record<string, readonly [declarations: string, expression: string, result: string]>
> = {
  "a recursion": [
    "function fib(n: number): number { return n < 2 ? n : fib(n - 1) + fib(n - 2); }",
    "fib(34)",
    "5702887",
  ],
  "a method's loop": [
    "class Sum { total = 0; add(n: number) { for (let i = 0; i < n; i++) this.total += i % 3; return this.total; } }\nconst sum = new Sum();",
    "sum.add(3e7)",
    "30000000",
  ],
  "a loop of a method of the class above": [
    "class Base { add(n: number) { let s = 0; for (let i = 0; i < n; i++) s += i % 3; return s; } }\nclass Sum extends Base { twice(n: number) { return 2 * this.add(n); } }\nconst sum = new Sum();",
    "sum.twice(3e7)",
    "60000000",
  ],
  "a loop of a generator method": [
    "function* third(n: number) { let s = 0; for (let i = 0; i < n; i++) s += i % 3; return s; }\nclass Sum { total = 0; *add(n: number) { for (let i = 0; i < n; i++) this.total += i % 3; return this.total + (yield* third(n)); } }\nconst sum = new Sum();",
    "yield* sum.add(3e7)",
    "60000000",
  ],
  "a function's loop": [
    "const count = (n: number) => { let found = 0; for (let i = 0; i < n; i++) if (i % 3 === 0) found++; return found; };",
    "count(6e7)",
    "20000000",
  ],
};

for (const [what, [declarations, expression, result]] of Object.entries(COMPUTATIONS)) {
  t.test(
    `${what} of any length runs to its end, and another thread of its core runs beside it`,
    async (t) => {
      const lines: string[] = [];
      const machine = await boot({
        cores: 2,
        watchdogMs: WATCHDOG_MS,
        logLevel: "silent",
        onConsole: (line: string) => void lines.push(line),
      });
      t.teardown(() => machine.halt());
      const file = join(t.testdir(), "guest.ts");
      writeFileSync(
        file,
        `import { spawnThread, start, type Sys } from "@capos/libos";
${declarations}
export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.threadIndex > 0) {
    yield* os.print("beside");
    return;
  }
  yield* spawnThread(os);
  yield* os.print(\`\${${expression}}\`);
  return 0;
}`,
      );
      const { status, fault } = await machine.run(file, { cores: [1] });
      t.equal(fault, "");
      t.equal(status, 0);
      t.strictSame(lines, ["beside", result]);
    },
  );
}
