/**
 * `npm run test:nodes [-- VERSION ...]`: what users install, tested on every Node that it is for. Each comes from npm, as a
 * package of this system's binary.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { Extent, ensureReady, ROOT } from "./setup.mjs";

const VERSIONS = ["20.19.0", "22", "24", "26"];
const FILES = ["packed", "new-user"].map((name) => join(ROOT, `test/dist/workspace/${name}.test.js`));

await ensureReady(Extent.ALL);

const asked = process.argv.slice(2);
const system = process.platform === "win32" ? "win" : process.platform;
const failed = [];
for (const version of asked.length > 0 ? asked : VERSIONS) {
  const folder = mkdtempSync(join(tmpdir(), "capos-node-"));
  try {
    if (!test(version, folder)) failed.push(version);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.stdout.write(failed.length === 0 ? "all pass\n" : `failed on Node ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

function test(version, folder) {
  writeFileSync(join(folder, "package.json"), "{}");
  const name = `node-${system}-${process.arch}`;
  if (!run("npm", ["install", "--no-audit", "--no-fund", `${name}@${version}`], { cwd: folder }))
    return false;
  const node = join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) };
  process.stdout.write(`--- Node ${version}\n`);
  return FILES.map((file) => run(node, [file], { cwd: join(ROOT, "test"), env })).every(Boolean);
}

function run(program, args, options) {
  return spawnSync(program, args, { stdio: ["ignore", 1, 2], ...options }).status === 0;
}
