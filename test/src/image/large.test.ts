/** Guests that take long to build, and what only the last reader of a guest's code finds. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { buildImage } from "@capos/image";
import t, { type Test } from "tap";
import { caposSmp } from "../support/cli-process.js";

t.setTimeout(600_000);

/** A guest of several hundred KiB. */
function large(t: Test): string {
  const lines = Array.from({ length: 12_000 }, (_, i) => `  x = (x + ${i}) ^ [1, 2, x].length;`);
  const source = `export default function* main() {\n  let x = 0;\n${lines.join("\n")}\n  return x;\n}\n`;
  return join(t.testdir({ "large.ts": source }), "large.ts");
}

t.test("what V8 alone refuses is told with its place in the guest's own file", async (t) => {
  const many = Array(65_536).fill("1").join(",");
  const parameters = Array.from({ length: 65_536 }, (_, i) => `a${i}`).join(",");
  const folder = t.testdir({
    "main.ts": 'import { f } from "./far.js";\nexport default function* main() { return f() }\n',
    "far.ts": `interface Gone { x: number }\n\nexport function f() {\n  return f2(${many});\n}\n\nfunction f2(...x: number[]) { return x; }\n`,
    "parameters.ts": `\n\nexport default function* main() { return f(1) }\nfunction f(${parameters}) { return a0 }\n`,
  });
  await t.rejects(buildImage(join(folder, "main.ts")), {
    name: "GuestBuildError",
    message: /far\.ts:4:\d+: Too many arguments in function call/,
  });
  await t.rejects(buildImage(join(folder, "parameters.ts")), {
    name: "GuestBuildError",
    message: /parameters\.ts:4:\d+: Too many parameters in function definition/,
  });
});

t.test("a large guest is built beside the thread that asks for it, which goes on meanwhile", async (t) => {
  let turns = 0;
  let isBuilt = false;
  const turn = (): void => {
    turns++;
    if (!isBuilt) setImmediate(turn);
  };
  const whenMade = new Promise<number>((resolve) => process.once("worker", () => resolve(turns)));
  turn();
  await buildImage(large(t));
  isBuilt = true;
  // A thread that makes the image itself has no turn meanwhile.
  t.ok(turns > (await whenMade) + 10, `${turns} turns`);
});

t.test("an abort ends a build, whatever it is at, and the next one works", async (t) => {
  const file = large(t);
  const reason = new Error("no more");
  await t.rejects(buildImage(file, { signal: AbortSignal.abort(reason) }), reason, "before");
  const whileBundling = new AbortController();
  const first = buildImage(file, { signal: whileBundling.signal });
  setImmediate(() => whileBundling.abort(reason));
  await t.rejects(first, reason, "while esbuild works");
  const whileMaking = new AbortController();
  process.once("worker", () => whileMaking.abort(reason));
  await t.rejects(buildImage(file, { signal: whileMaking.signal }), reason, "while the image is made");
  const other = new AbortController();
  const both = [buildImage(file, { signal: other.signal }), buildImage(file)];
  setImmediate(() => other.abort(reason));
  await t.rejects(both[0]!, reason);
  t.equal((await both[1]!).name, "large.ts", "another one of the same time goes on");
});

t.test("Ctrl-C in a build is status 130, and no process is left", async (t) => {
  const file = large(t);
  const folder = t.testdirName;
  // What a terminal does, at the moments that count.
  const moments: Readonly<Record<string, string>> = {
    "when esbuild starts": `
      import childProcess from "node:child_process";
      const { spawn } = childProcess;
      childProcess.spawn = (...args) => {
        const child = spawn(...args);
        process.kill(process.pid, "SIGINT");
        child.on("exit", () => console.error("esbuild ended"));
        return child;
      };`,
    "when the image is made": `process.once("worker", () => process.kill(process.pid, "SIGINT"));`,
  };
  for (const [moment, code] of Object.entries(moments)) {
    const preload = join(folder, "preload.mjs");
    writeFileSync(preload, code);
    const run = await caposSmp(["run", "--cores", "2", file], { node: ["--import", preload] });
    t.match(run, { status: 130, signal: null, stdout: "" }, moment);
    t.equal(run.stderr.replace("esbuild ended\n", ""), "capos-smp: interrupted\n", moment);
  }
});
