/** The code that V8 made of a core's program: it is taken where it was made, and elsewhere the program is compiled anew. */
import { once } from "node:events";
import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { SEALED, setFlags } from "@capos/hal/host";
import t, { type Test } from "tap";
import { ROOT } from "../support/cli-process.js";

const MACHINE = join(ROOT, "packages/machine/dist");
const CODE = `.${process.versions.v8}-${process.arch}.code`;

/** Loads a script as a core does; says whether V8 refuses its code, and what it exports. */
const LOAD = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { existsSync, readFileSync } = require("node:fs");
  import(workerData.loader).then(({ codeOf, compileCore, loadCore }) => {
    const script = new URL(workerData.script);
    const code = codeOf(script);
    const isRefused = existsSync(code) && compileCore(script, readFileSync(code)).cachedDataRejected;
    parentPort.postMessage({ isRefused, exports: Object.keys(loadCore(script)).sort() });
  });`;

/** A copy of a core's program, with code that this Node made. */
async function copyOf(t: Test, name: string): Promise<string> {
  const script = join(t.testdir(), name);
  copyFileSync(join(MACHINE, name), script);
  setFlags();
  const maker = new Worker(pathToFileURL(join(MACHINE, "make-code.js")), {
    ...SEALED,
    workerData: pathToFileURL(script).href,
  });
  t.same(await once(maker, "exit"), [0]);
  return script;
}

async function load(script: string): Promise<{ isRefused: boolean; exports: string[] }> {
  const loader = new Worker(LOAD, {
    ...SEALED,
    eval: true,
    workerData: {
      loader: pathToFileURL(join(MACHINE, "load-core.js")).href,
      script: pathToFileURL(script).href,
    },
  });
  const [answer] = await once(loader, "message");
  return answer;
}

for (const name of ["core.cjs", "core-traced.cjs"]) {
  t.test(`the code of ${name} is taken by the workers of machines`, async (t) => {
    t.same(await load(await copyOf(t, name)), { isRefused: false, exports: ["main", "rehearse"] });
  });

  t.test(`${name} is compiled anew where its code is another V8's`, async (t) => {
    const script = await copyOf(t, name);
    const code = readFileSync(script + CODE);
    // The head of V8's code says which version and flags it is of.
    code.fill(0, 0, 16);
    writeFileSync(script + CODE, code);
    t.same(await load(script), { isRefused: true, exports: ["main", "rehearse"] });
  });

  t.test(`${name} is compiled where there is code of a V8 that is patched otherwise alone`, async (t) => {
    const script = await copyOf(t, name);
    renameSync(script + CODE, `${script}.${process.versions.v8}1-${process.arch}.code`);
    t.same(await load(script), { isRefused: false, exports: ["main", "rehearse"] });
  });
}
