/**
 * Bundles the kernel with all it needs into the one file that a core's worker loads: a worker that
 * resolves and reads fifty modules starts several times slower than one that reads one. Twice: with trace points
 * and without. The chipset's program likewise, for it starts beside the cores.
 */

import { fileURLToPath } from "node:url";
import { build, type Plugin, type PluginBuild } from "esbuild";

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

for (const { program, outfile, plugins } of [
  { program: "./core-program.js", outfile: "./core.mjs", plugins: [building(false)] },
  { program: "./core-program.js", outfile: "./core-traced.mjs", plugins: [building(true)] },
  { program: "./chipset-program.js", outfile: "./chipset.mjs", plugins: [] },
]) {
  await build({
    entryPoints: [here(program)],
    outfile: here(outfile),
    plugins,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "linked",
    // Numbers that are constants of another file become literals; names and layout stay readable.
    minifySyntax: true,
    logLevel: "warning",
  });
}
