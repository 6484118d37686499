/**
 * Bundles the kernel with all it needs into the one script that a core's worker loads: a worker that
 * resolves and reads fifty modules starts several times slower than one that reads one. Twice: with trace points
 * and without; and has V8's code of both made. The chipset's program likewise, for it starts beside the cores.
 */

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { SEALED, setFlags } from "@capos/hal/host";
import { type BuildOptions, build, type Plugin, type PluginBuild } from "esbuild";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What a kernel is built with: see kernel/src/state/build.ts. */
function building(traced: boolean): Plugin {
  return {
    name: "building",
    setup({ onLoad, onEnd }: PluginBuild) {
      let isReplaced = false;
      onLoad({ filter: /[\\/]state[\\/]build\.js$/ }, () => {
        isReplaced = true;
        return { contents: `export const TRACED = ${traced}; export const CHECKED = false;` };
      });
      // No call of it is left then; the function would be.
      onLoad({ filter: /[\\/]state[\\/]assert\.js$/ }, () => ({ contents: "export function assert() {}" }));
      // A kernel that traces and asserts for nothing works as well: only its speed would tell.
      onEnd(() => {
        if (!isReplaced)
          throw new Error("the kernel's state/build.js, which is to be replaced, is not in the bundle");
      });
    },
  };
}

/** What all programs are bundled with. Numbers that are constants of another file become literals; names and layout stay readable. */
const COMMON = Object.freeze({
  ...{ bundle: true, platform: "node", target: "node20" },
  ...{ sourcemap: "linked", minifySyntax: true, logLevel: "warning" },
} satisfies BuildOptions);

async function buildCore(outfile: string, traced: boolean): Promise<void> {
  const script = new URL(outfile, import.meta.url);
  await build({
    ...COMMON,
    entryPoints: [here("./core-program.js")],
    outfile: fileURLToPath(script),
    plugins: [building(traced)],
    // A function expression and nothing else: see `Definition` in load-core.ts.
    format: "cjs",
    banner: { js: '(function (exports, require, module, scriptUrl) { "use strict";' },
    footer: { js: "})" },
    define: { "import.meta.url": "scriptUrl" },
  });
  const maker = new Worker(new URL("./make-code.js", import.meta.url), {
    ...SEALED,
    workerData: script.href,
  });
  const [status] = await once(maker, "exit");
  if (status !== 0) throw new Error(`no code was made of ${outfile}`);
}

setFlags();
await Promise.all([
  buildCore("./core.cjs", false),
  buildCore("./core-traced.cjs", true),
  build({
    ...COMMON,
    entryPoints: [here("./chipset-program.js")],
    outfile: here("./chipset.mjs"),
    format: "esm",
  }),
]);
