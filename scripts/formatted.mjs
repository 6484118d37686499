/** What scripts write is formatted as everything else is. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "./setup.mjs";

/** A file's text as biome formats it. Throws if that is no such file. */
export function formatted(path, text) {
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const argv = [biome, "format", `--stdin-file-path=${path}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: ROOT,
    input: text,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`biome cannot format ${path}: ${stderr}`);
  return stdout;
}
