/**
 * One call of a built-in ends soon, or V8 can end it: each built-in that a guest can reach, with receivers and arguments that are
 * large in some dimension. What neither ends nor lets its worker be terminated takes its core along, and the machine.
 */
import process from "node:process";
import { Worker } from "node:worker_threads";
import t from "tap";
import { REALM } from "./support/realm-worker.js";

// Thousands of calls, of which some take as long as they may.
t.setTimeout(900_000);

/** A call that took longer on the wall is terminated: so this is no limit, but the start of a try. */
const PATIENCE_MS = 500;
/** Processor time from there to the worker's exit. */
const MAX_CPU_MS = 2000;

/** Makes what is large. */
const SHAPES = `
  const long = "a".repeat(2 ** 26), one = long + "b", other = long + "c";
  one.charCodeAt(0); other.charCodeAt(0);
  const chain = (under, links) => { for (let i = 0; i < links; i++) under = Object.create(under); return under; };
  const get = (it) => Reflect.get.bind(null, { it }, "it");
  const slow = String.prototype.toUpperCase.call.bind(String.prototype.toUpperCase, long);
  const endless = () => ({ [Symbol.iterator]: get({ next: Array.of }) });
  const nested = (levels, wrap) => { let x = wrap([]); for (let i = 0; i < levels; i++) x = wrap([x, x]); return x; };
  const shapes = {
    long: () => long,
    holes: () => Array(2 ** 22),
    longest: () => { const a = []; a.length = 2 ** 32 - 1; return a; },
    texts: () => { const a = Array(2 ** 20).fill(one); for (let i = 0; i < 1000; i += 2) a[i] = other; return a; },
    digits: () => Array(2 ** 16).fill("1".repeat(2 ** 24)),
    bigints: () => Array(2 ** 20).fill(2n ** (2n ** 22n) + 1n),
    colliding: () => Array.from({ length: 2 ** 17 }, (_, i) => (BigInt(i) << 64n) + 1n),
    slowTexts: () => Array(2 ** 12).fill({ toString: slow, valueOf: slow, toLocaleString: slow }),
    deep: () => Object.setPrototypeOf(Array(2 ** 22), chain(Array.prototype, 20000)),
    deepLike: () => Object.setPrototypeOf({ length: 2 ** 20 }, chain(Array.prototype, 20000)),
    like: () => ({ length: 2 ** 53 - 1 }),
    wrapped: () => new String("x".repeat(2 ** 17)),
    keys: () => { const o = {}; for (let i = 0; i < 2 ** 17; i++) o["k" + i] = undefined; return o; },
    manyKeys: () => Array(2 ** 16).fill(shapes.keys()),
    doubled: () => nested(60, (x) => x),
    doubledObjects: () => nested(60, ([a, b]) => ({ a, b, toJSON: undefined })),
    nest: () => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a; },
    huge: () => 2n ** (2n ** 25n) + 1n,
    endless,
    endlessHelper: () => Object.setPrototypeOf({ next: Array.of }, Object.getPrototypeOf(Object.getPrototypeOf([].values()))),
    map: () => new Map(Array.from({ length: 2 ** 18 }, (_, i) => [i, i])),
    set: () => new Set(Array.from({ length: 2 ** 18 }, (_, i) => i)),
    pattern: () => /(a*)*b/,
    wide: () => /(?:a|a|aa)+$/g,
    listed: () => new Proxy({}, { ownKeys: get(Array.from({ length: 2 ** 17 }, (_, i) => "k" + i)) }),
    slow: () => slow,
    number: () => 2 ** 28,
    small: () => [1, 2, 3],
  };
  const holders = {};
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const value = globalThis[name];
    if (typeof value === "function") { holders[""] ??= {}; holders[""][name] = value; }
    if (value === null || (typeof value !== "function" && typeof value !== "object")) continue;
    holders[name] = value;
    if (value.prototype) holders[name + ".prototype"] = value.prototype;
  }
  delete holders.globalThis;
  // Made once a worker: what no call changes, or nothing that matters for the next.
  for (const name of ["keys", "manyKeys", "colliding", "bigints", "digits", "slowTexts", "doubled", "doubledObjects", "nest", "huge", "map", "set", "listed", "texts", "deep", "deepLike", "holes"]) {
    const make = shapes[name];
    let made;
    shapes[name] = () => made ??= make();
  }
  holders["new"] = { Map, Set, WeakSet, WeakMap, RegExp, AggregateError, Array };
  function each(use) {
    for (const [holder, object] of Object.entries(holders)) {
      // All errors are made alike.
      if (/(Eval|Range|Reference|Syntax|Type|URI)Error/.test(holder)) continue;
      for (const key of Reflect.ownKeys(object)) {
        if (holder === "" && /(Eval|Range|Reference|Syntax|Type|URI)Error/.test(String(key))) continue;
        const { value, get } = Object.getOwnPropertyDescriptor(object, key);
        const method = get?.originalValue ?? value;
        if (typeof method === "function" && key !== "constructor") use(holder, key, method);
      }
    }
  }
`;

/** Which receivers and arguments go with a built-in: those that it could work through. */
const PAIRS = `
  const lists = ["holes", "longest", "texts", "digits", "bigints", "slowTexts", "deep", "deepLike", "like", "manyKeys", "doubled", "nest"];
  function pairs(holder, key) {
    if (holder === "Array.prototype") return lists.flatMap((self) => ["small", "slow", "text"].map((first) => [self, first]));
    if (holder === "String.prototype") return ["long", "slowTexts", "wrapped"].flatMap((self) => ["long", "number", "wide", "slow"].map((first) => [self, first]));
    if (holder === "RegExp.prototype") return ["pattern", "wide", "long"].flatMap((self) => ["long", "slowTexts"].map((first) => [self, first]));
    if (holder.endsWith("prototype")) return ["map", "set", "huge", "wrapped", "long", "endlessHelper"].flatMap((self) => ["slow", "number"].map((first) => [self, first]));
    if (/^(|Math|Number|BigInt|Reflect)$/.test(holder)) return ["digits", "slowTexts", "long", "longest", "endless", "huge"].map((first) => ["undefined", first]);
    if (holder === "Symbol" || holder === "Proxy") return [];
    return Object.keys(shapes).map((first) => ["undefined", first]);
  }
`;

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
  ${PAIRS}
  shapes.text = () => one;
  shapes.undefined = () => undefined;
  const calls = [];
  each((holder, key, method) => { for (const [self, first] of pairs(holder, key)) calls.push([holder, key, method, self, first]); });
  const { apply, construct } = Reflect;
  return (i) => {
    if (i >= calls.length) return undefined;
    const [holder, key, method, self, first] = calls[i];
    const rest = [shapes[first](), shapes[self]()];
    return { name: holder + "[" + String(key) + "].call(" + self + ", " + first + ")", run: () => perform(holder, key, method, self, first, rest) };
  };
  function perform(holder, key, method, self, first, rest) {
    // What takes any number of arguments is given many.
    if (holder === "new") return construct(method, [rest[0]]);
    if (self === "undefined" && Array.isArray(rest[0]) && /^(max|min|hypot|from.*|assign|of)$/.test(String(key)) && rest[0].length < 2 ** 17) apply(method, undefined, rest[0]);
    return apply(method, rest[1], [rest[0], first === "slow" ? 1 : rest[1], 1]);
  }
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
  t.ok(calls > 2000, `${calls} calls`);
});
