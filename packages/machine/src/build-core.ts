/**
 * Bundles the kernel with all it needs into the one file that a core's worker loads: a worker that
 * resolves and reads fifty modules starts several times slower than one that reads one. Twice: with trace points
 * and without.
 */

import { fileURLToPath } from "node:url";
import { build, type Plugin, type PluginBuild } from "esbuild";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The kernel without trace points: what they stand behind is false there, and the bundler leaves it out. */
const untraced: Plugin = Object.freeze({
  name: "untraced",
  setup({ onLoad }: PluginBuild) {
    onLoad({ filter: /[\\/]dist[\\/]traced\.js$/ }, () => ({ contents: "export const TRACED = false;" }));
  },
});

for (const { outfile, plugins } of [
  { outfile: "./core.mjs", plugins: [untraced] },
  { outfile: "./core-traced.mjs", plugins: [] },
]) {
  await build({
    entryPoints: [here("./core-program.js")],
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
