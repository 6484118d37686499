/**
 * Makes a clone ready to run: installs what it needs, compiles what changed, builds the images.
 *
 * Every entry point (`npm start`, `npm test`, `npm run build`) goes through ensureReady(), so a clean
 * clone needs only Node and npm. When nothing changed, the answer comes from two stamps and costs one
 * stat() per source file. Speaks on stderr only: stdout belongs to the program that is started.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const PNPM = "pnpm@10.34.9";
const MINIMUM_NODE = [20, 19];
const MODULES = join(ROOT, "node_modules");
const INSTALL_STAMP = join(MODULES, ".capos-install");
const BUILD_STAMP = join(MODULES, ".capos-build");
// Outside node_modules: an install may empty that folder.
const LOCK = join(ROOT, ".capos-lock");

/** Programs that turn compiled code into more of dist, in the order in which they need each other. */
const IMAGE_BUILDERS = [
  "packages/machine/dist/build-core.js",
  "packages/servers/dist/build-images.js",
  "bench/dist/build-images.js",
  "packages/stress/dist/build-images.js",
  "packages/cli/dist/report/build-page.js",
];

/** A failure that needs no stack trace: its message says all there is to say. */
class SetupError extends Error {}

const say = (text) => process.stderr.write(`capos: ${text}\n`);

/** Folders of all workspace packages, relative to ROOT. */
export function packageFolders() {
  const inPackages = readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}`);
  return [...inPackages.sort(), "bench", "test"].filter((folder) =>
    existsSync(join(ROOT, folder, "package.json")),
  );
}

/** Files under a folder, as paths that begin with it; none if the folder is missing. */
export function walk(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [path] : [];
  });
}

/**
 * Installs and builds if anything changed since the last time. Ends the process with one clear line
 * if it cannot.
 */
export async function ensureReady() {
  try {
    checkNode();
    if (isInstalled() && isBuilt()) return;
    await withLock(async () => {
      // Asked again: whoever held the lock before may have done it all.
      if (!isInstalled()) await install();
      if (!isBuilt()) build();
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exit(1);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [needMajor, needMinor] = MINIMUM_NODE;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  throw new SetupError(`needs Node ${MINIMUM_NODE.join(".")} or newer, this is ${process.versions.node}`);
}

// Installing

/** By content, not by time: a fresh checkout of the same lock file needs no new install. */
function installFingerprint() {
  const manifests = packageFolders().map((folder) => `${folder}/package.json`);
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...manifests]) {
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest("hex");
}

const isInstalled = () => readStamp(INSTALL_STAMP) === installFingerprint();

async function install() {
  const fingerprint = installFingerprint();
  say(`installing packages with ${PNPM} (once, and again when the lock file changes; about a minute) ...`);
  // --prod=false: an NODE_ENV=production in the caller's shell would leave the compiler out.
  const argv = ["-y", PNPM, "install", "--frozen-lockfile", "--prod=false"];
  const { code, output } = await run("npx", argv, installEnvironment());
  if (code !== 0) {
    const tail = output.trimEnd().split("\n").slice(-25).join("\n");
    throw new SetupError(
      `the install failed (exit ${code}):\n\n${tail}\n\ncapos: npx ${argv.join(" ")} failed`,
    );
  }
  writeFileSync(INSTALL_STAMP, fingerprint);
}

function installEnvironment() {
  // CI makes pnpm decide where it would ask. NODE_ENV: see --prod=false.
  const env = { ...process.env, CI: "true", NODE_ENV: "" };
  // npm and pnpm keep their caches under HOME, and resolve an empty one against the current folder.
  if (!isWritableFolder(env.HOME) && process.platform !== "win32") {
    env.HOME = join(MODULES, ".capos-home");
    mkdirSync(env.HOME, { recursive: true });
  }
  return env;
}

function isWritableFolder(path) {
  if (!path) return false;
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function run(command, argv, env) {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, argv, {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.on("error", (error) => resolve({ code: -1, output: `${output}${error.message}` }));
    child.on("close", (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

// Building

/** Name, size and time of every file that the compiler reads. */
function buildFingerprint() {
  const hash = createHash("sha256").update(`${process.versions.modules}\n`);
  const add = (path) => {
    const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  for (const file of ["package.json", "pnpm-lock.yaml", "tsconfig.json", "tsconfig.base.json"]) {
    add(join(ROOT, file));
  }
  for (const path of walk(join(ROOT, "types")).sort()) add(path);
  for (const folder of packageFolders()) {
    add(join(ROOT, folder, "package.json"));
    add(join(ROOT, folder, "tsconfig.json"));
    for (const path of walk(join(ROOT, folder, "src")).sort()) add(path);
  }
  return hash.digest("hex");
}

function isBuilt() {
  if (packageFolders().some((folder) => !existsSync(join(ROOT, folder, "dist/.tsbuildinfo")))) return false;
  return readStamp(BUILD_STAMP) === buildFingerprint();
}

function build() {
  // Taken first: a file saved while the compiler runs must count as changed next time.
  const fingerprint = buildFingerprint();
  say("compiling (again when a source changes) ...");
  // A build that fails half-way leaves no stamp that vouches for it.
  rmSync(BUILD_STAMP, { force: true });
  removeStaleOutput();
  node("the compiler", [join(MODULES, "typescript/bin/tsc"), "-b"]);
  for (const builder of IMAGE_BUILDERS) {
    if (existsSync(join(ROOT, builder))) node(builder, [join(ROOT, builder)]);
  }
  writeFileSync(BUILD_STAMP, fingerprint);
}

function node(what, argv) {
  // Its stdout goes to our stderr: see the head of this file.
  const { status, signal } = spawnSync(process.execPath, argv, { cwd: ROOT, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new SetupError(`${what} failed (exit ${status ?? signal})`);
}

/**
 * Removes what was compiled from sources that are gone, else a deleted test would run for ever. Only
 * tsc writes `.d.ts` into dist, so one without a source names a stale group of files, and images and
 * bundles, which have none, are left alone.
 */
function removeStaleOutput() {
  for (const folder of packageFolders()) {
    const dist = join(ROOT, folder, "dist");
    const source = join(ROOT, folder, "src");
    for (const declaration of walk(dist).filter((path) => path.endsWith(".d.ts"))) {
      const stem = declaration.slice(0, -".d.ts".length);
      const sourceStem = join(source, stem.slice(dist.length));
      if (existsSync(`${sourceStem}.ts`) || existsSync(`${sourceStem}.tsx`)) continue;
      for (const ending of [".d.ts", ".d.ts.map", ".js", ".js.map"]) rmSync(stem + ending, { force: true });
    }
  }
}

// Stamps and the lock

function readStamp(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** One setup at a time in a clone: two installs at once would break each other's node_modules. */
async function withLock(work) {
  for (let told = false; !takeLock(); await delay(200)) {
    if (!told) say(`waiting for another process that sets up this clone (its number is in ${LOCK})`);
    told = true;
  }
  // finally blocks do not run on Ctrl-C. Taken off again: the program that follows has its own idea of it.
  const onSignal = (_name, number) => {
    rmSync(LOCK, { force: true });
    process.exit(128 + number);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    await work();
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    rmSync(LOCK, { force: true });
  }
}

function takeLock() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  // 0 is a lock whose process has not written its number yet.
  const holder = Number(readStamp(LOCK));
  if (holder !== 0 && !isAlive(holder)) rmSync(LOCK, { force: true });
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureReady();
