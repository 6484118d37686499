#!/usr/bin/env node
/** `npm start -- ...`: capos-smp, in this process, from a clone that may be fresh. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { Extent, ensureReady, ROOT } from "./setup.mjs";

await ensureReady(Extent.COMMAND);

const program = join(ROOT, "packages/cli/dist/bin.js");
if (!existsSync(program)) {
  process.stderr.write("capos: packages/cli/src/bin.ts does not exist, there is nothing to start\n");
  process.exit(1);
}
// As if started by its own name, so that usage lines and re-executions see the program, not this file.
process.argv[1] = program;
try {
  await import(pathToFileURL(program).href);
} catch (error) {
  // Packages lie behind links, and find each other by where these lead.
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ");
  if (error.code !== "ERR_MODULE_NOT_FOUND" || !options.includes("--preserve-symlinks")) throw error;
  process.stderr.write("capos: its packages are not found: start Node without --preserve-symlinks\n");
  process.exit(2);
}
