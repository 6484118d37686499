/** Fails if pnpm-lock.yaml names where packages came from: a clone must install from anybody's registry. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "./setup.mjs";

// `deprecated:` messages are prose of the packages' authors and may point anywhere.
const isProse = (line) => /^\s*deprecated:/.test(line);
const namesAddress = (line) => /\b(tarball|resolved|registry):|https?:\/\//.test(line);

const found = readFileSync(join(ROOT, "pnpm-lock.yaml"), "utf8")
  .split("\n")
  .map((line, index) => ({ line, number: index + 1 }))
  .filter(({ line }) => namesAddress(line) && !isProse(line));

for (const { line, number } of found) process.stderr.write(`pnpm-lock.yaml:${number}: ${line.trim()}\n`);
process.stdout.write(
  found.length === 0 ? "pnpm-lock.yaml holds no addresses\n" : `${found.length} addresses\n`,
);
process.exitCode = found.length === 0 ? 0 : 1;
