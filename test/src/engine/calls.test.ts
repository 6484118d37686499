/**
 * One call of a built-in ends soon, or V8 can end it, whatever is large in its receiver or arguments. What neither ends nor lets its worker be terminated takes its core along, and the machine.
 */
import process from "node:process";
import { Worker } from "node:worker_threads";
import t from "tap";
import { REALM } from "./support/realm-worker.js";

// Each call may take as long as it likes, if it can be ended.
/** A call that took longer on the wall is terminated: so this is no limit, but the start of a try. */
const PATIENCE_MS = 500;
/** Processor time from there to the worker's exit. */
const MAX_CPU_MS = 2000;

/** What is large, in one way or another. */
const SHAPES = `
  const long = "a".repeat(2 ** 26), one = long + "b", other = long + "c";
  one.charCodeAt(0); other.charCodeAt(0);
  const chain = (under, links) => { for (let i = 0; i < links; i++) under = Object.create(under); return under; };
  const slow = String.prototype.toUpperCase.call.bind(String.prototype.toUpperCase, long);
  const endless = { [Symbol.iterator]: Reflect.get.bind(null, { it: { next: Array.of } }, "it") };
  const texts = Array(2 ** 20).fill(one);
  for (let i = 0; i < 1000; i += 2) texts[i] = other;
  const digits = Array(2 ** 15).fill("1".repeat(2 ** 24));
  const bigints = Array(2 ** 20).fill(2n ** (2n ** 22n) + 1n);
  const deep = Object.setPrototypeOf(Array(2 ** 22), chain(Array.prototype, 20000));
  const deepLike = Object.setPrototypeOf({ length: 2 ** 20 }, chain(Array.prototype, 20000));
  const many = Array(2 ** 12).fill(0);
  const longest = []; longest.length = 2 ** 32 - 1;
`;

/** One call each. */
const CALLS: readonly string[] = Object.freeze([
  ...["indexOf", "lastIndexOf", "includes"].flatMap((name) => [
    `texts.${name}(long + "d")`,
    `bigints.${name}(bigints[0] + 2n)`,
  ]),
  ...["sort", "toSorted"].flatMap((name) => [`texts.${name}()`, `many.${name}(slow)`]),
  ...["reverse", "join", "fill", "indexOf", "flat", "toLocaleString"].flatMap((name) => [
    `Array.prototype.${name}.call(deep)`,
    `Array.prototype.${name}.call(deepLike)`,
  ]),
  ...["forEach", "map", "some", "find", "findLast", "reduce", "flatMap"].map(
    (name) => `many.${name}(slow, 0)`,
  ),
  "longest.toLocaleString()",
  "new Set(many.keys()).forEach(slow)",
  '"a".repeat(2 ** 12).replace(/a/g, slow)',
  'JSON.parse("[" + "1,".repeat(2 ** 12) + "1]", slow)',
  "many.map(slow.bind(null))",
  "many.map(new Proxy(slow, {}))",
  ...["Set", "WeakSet", "Map", "AggregateError"].map((name) => `new ${name}(endless)`),
  "new Set(longest)",
  "Object.fromEntries(endless)",
  "Math.max.apply(null, digits)",
  "String.fromCharCode.apply(null, digits)",
  'Object.assign({}, ...Array(1000).fill(new String("x".repeat(2 ** 17))))',
  "[].concat(...Array(1000).fill(Array(2 ** 22)))",
]);

const RUNNER = `
  import { parentPort, workerData } from "node:worker_threads";
  const { hardenRealm, compileProgram } = await import(workerData.realm);
  hardenRealm();
  const call = compileProgram(workerData.program, "calls")();
  for (let i = workerData.from; ; i++) {

    const said = call(i);
    // What it takes has been made: from here on it is the call alone.
    parentPort.postMessage({ at: i, name: said?.name });
    if (said === undefined) break;
    try { said.run(); } catch {}
    parentPort.postMessage({ at: i, name: "the next one's making" });
  }
`;

const PROGRAM = `(function () {
  ${SHAPES}
  const calls = [${CALLS.map((call) => `{ name: ${JSON.stringify(call)}, run: () => ${call} }`).join(",\n")}];
  return (i) => calls[i];
})`;

t.test("every call of a built-in ends soon, or can be terminated", async (t) => {
  const url = new URL(`data:text/javascript,${encodeURIComponent(RUNNER)}`);
  let from = 0;
  let calls = 0;
  for (let isOver = false; !isOver; ) {
    const worker = new Worker(url, {
      workerData: { realm: REALM, program: PROGRAM, from },
      execArgv: [],
      env: {},
    });
    let name: string | undefined = "the first";
    let timer: NodeJS.Timeout | undefined;
    let began: NodeJS.CpuUsage | null = null;
    await new Promise<void>((resolve, reject) => {
      worker.on("message", (said: { at: number; name?: string }) => {
        clearTimeout(timer);
        if (began !== null) return;
        name = said.name;
        from = said.at + 1;
        if (name === "the next one's making") return;
        if (name === undefined) {
          isOver = true;
          calls = said.at;
          return;
        }
        timer = setTimeout(() => {
          began = process.cpuUsage();
          void worker.terminate();
          timer = setTimeout(() => {
            // Such a worker would keep this process from its end, too.
            process.stderr.write(`cannot be terminated: ${name}\n`);
            process.kill(process.pid, "SIGKILL");
          }, 60_000);
        }, PATIENCE_MS);
      });
      worker.on("error", reject);
      worker.on("exit", () => resolve());
    });
    clearTimeout(timer);
    if (began === null) continue;
    const { user, system } = process.cpuUsage(began);
    t.ok(
      (user + system) / 1000 < MAX_CPU_MS,
      `${name} ended ${(user + system) / 1000} ms after it was terminated`,
    );
  }
  t.equal(calls, CALLS.length);
});
