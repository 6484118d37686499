/**
 * Builds the page's one script and one style sheet, with uPlot's: dist/report/page.js and page.css. A report holds
 * both, so they are minified.
 */

import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

await build({
  // The sources, not what the compiler made of them: it leaves style sheets where they are.
  entryPoints: [here("../../src/report/page/main.ts")],
  outfile: here("./page.js"),
  bundle: true,
  platform: "browser",
  format: "iife",
  target: ["es2022"],
  charset: "utf8",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
});
