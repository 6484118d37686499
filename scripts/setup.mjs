/**
 * Makes a clone ready to run: installs what it needs, compiles what changed, builds the images.
 *
 * Every entry point (`npm start`, `npm test`, `npm run build`) goes through ensureReady(), so a clean
 * clone needs only Node and npm. It says how much it needs: the command line needs a third of the packages that
 * all of the workspace does. When nothing changed, the answer comes from two stamps and costs one
 * stat() per source file; a clone that was copied or moved is read once more, and not built again. Speaks on stderr only: stdout belongs to the program that is started.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { basename, dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const PNPM = "pnpm@10.34.9";
const MINIMUM_NODE = [20, 19];
const MODULES = join(ROOT, "node_modules");
/** The workspace's package of tests, which needs more than all others together. */
const TESTS = "test";
// Outside node_modules: an install may empty that folder.
const LOCK = join(ROOT, ".capos-lock");

/**
 * How much of a clone is to be ready. The command line needs the packages' dependencies, for it is built from them
 * before it runs; tests, checks and whoever writes code need `devDependencies` too. Who has all has the command line.
 */
export const Extent = Object.freeze({
  COMMAND: extent("command", ["--prod"], ["packages/cli"]),
  // --prod=false: a NODE_ENV=production in the caller's shell would leave the tools out.
  ALL: extent("all", ["--prod=false"], []),
});

function extent(name, installOptions, projects) {
  return Object.freeze({
    installOptions,
    /** What the compiler is asked for; everything if it is nothing. */
    projects,
    installStamp: join(MODULES, `.capos-install-${name}`),
    buildStamp: join(MODULES, `.capos-build-${name}`),
  });
}

const EXTENTS = Object.values(Extent);

/** The extents that are ready when one is. */
const covered = (actual) => (actual === Extent.ALL ? EXTENTS : [actual]);

/** Programs that turn compiled code into more of dist. None needs what another makes. */
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

/** Folders of workspace packages, relative to ROOT: of all, or of those that are to be built. */
export function packageFolders(wanted = Extent.ALL) {
  const inPackages = readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}`);
  return [...inPackages.sort(), "bench", ...(wanted === Extent.ALL ? [TESTS] : [])].filter((folder) =>
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
 * @param wanted one of `Extent`
 */
export async function ensureReady(wanted) {
  try {
    checkNode();
    if (isInstalled(wanted) && isBuilt(wanted)) return;
    await withLock(async () => {
      // Asked again: whoever held the lock before may have done it all.
      if (!isInstalled(wanted)) await install(wanted);
      if (!isBuilt(wanted)) await build(wanted);
    });
  } catch (error) {
    // A full disk, a folder without permission: what the system says is all there is to say.
    if (!(error instanceof SetupError || error.syscall !== undefined)) throw error;
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

const isInstalled = (wanted) => readStamp(wanted.installStamp) === installFingerprint();

async function install(wanted) {
  const fingerprint = installFingerprint();
  // Whoever had the tools keeps them.
  const actual = existsSync(Extent.ALL.installStamp) ? Extent.ALL : wanted;
  say(`installing packages with ${PNPM} (once, and again when the lock file changes) ...`);
  // An install that fails half-way leaves no stamp that vouches for it; an empty one still tells of the tools.
  for (const { installStamp } of EXTENTS) if (existsSync(installStamp)) writeFileSync(installStamp, "");
  const argv = ["-y", PNPM, "install", "--frozen-lockfile", ...actual.installOptions];
  const { code, output } = await run("npx", argv, installEnvironment());
  if (code !== 0) {
    const tail = output.trimEnd().split("\n").slice(-25).join("\n");
    throw new SetupError(
      `the install failed (exit ${code}):\n\n${tail}\n\ncapos: npx ${argv.join(" ")} failed`,
    );
  }
  for (const { installStamp } of covered(actual)) writeFileSync(installStamp, fingerprint);
}

function installEnvironment() {
  // CI makes pnpm decide where it would ask. NODE_ENV: see Extent.
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
    const stdio = ["ignore", "pipe", "pipe"];
    const child = spawnHere(command, argv, { env, stdio, shell: process.platform === "win32" });
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

/** Every file that the compiler reads. */
function buildInputs(wanted) {
  const files = ["package.json", "pnpm-lock.yaml", "tsconfig.json", "tsconfig.base.json"];
  return [
    ...files.map((file) => join(ROOT, file)),
    ...walk(join(ROOT, "types")).sort(),
    ...packageFolders(wanted).flatMap((folder) => [
      join(ROOT, folder, "package.json"),
      join(ROOT, folder, "tsconfig.json"),
      ...walk(join(ROOT, folder, "src")).sort(),
    ]),
  ];
}

/** What the inputs are called, and of each what `look` says. Where the clone lies is no part of it. */
function fingerprint(inputs, look) {
  const hash = createHash("sha256");
  for (const path of inputs)
    hash
      .update(`${relative(ROOT, path)}\n`)
      .update(look(path))
      .update("\n");
  return hash.digest("hex");
}

/** Size and time: whether they are what they were costs one look at each. */
const glance = (inputs) =>
  fingerprint(inputs, (path) => {
    const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
    return `${size} ${mtimeMs}`;
  });

/** What is in them: the same in a copy of the clone. */
const contents = (inputs) => fingerprint(inputs, (path) => (existsSync(path) ? readFileSync(path) : "none"));

/** The stamp of a build has two lines: its inputs' contents, and how they looked when that was last true. */
function isBuilt(wanted) {
  if (packageFolders(wanted).some((folder) => !existsSync(join(ROOT, folder, "dist/.tsbuildinfo"))))
    return false;
  const [built, looked] = (readStamp(wanted.buildStamp) ?? "").split("\n");
  const inputs = buildInputs(wanted);
  const look = glance(inputs);
  if (look === looked) return true;
  if (contents(inputs) !== built) return false;
  try {
    writeFileSync(wanted.buildStamp, `${built}\n${look}`);
  } catch {
    // A clone that cannot be written to: read again the next time.
  }
  return true;
}

async function build(wanted) {
  // Taken first: a file saved while the compiler runs must count as changed next time.
  const stamps = covered(wanted).map((it) => {
    const inputs = buildInputs(it);
    return { file: it.buildStamp, text: `${contents(inputs)}\n${glance(inputs)}` };
  });
  say("compiling (again when a source changes) ...");
  // A build that fails half-way leaves no stamp that vouches for it, of whatever extent.
  for (const { buildStamp } of EXTENTS) rmSync(buildStamp, { force: true });
  removeStaleOutput();
  await node("the compiler", [join(MODULES, "typescript-compiler/bin/tsc"), "-b", ...wanted.projects]);
  await Promise.all(IMAGE_BUILDERS.map((builder) => node(builder, [join(ROOT, builder)])));
  for (const { file, text } of stamps) writeFileSync(file, text);
}

async function node(what, argv) {
  // Its stdout goes to our stderr: see the head of this file.
  const child = spawnHere(process.execPath, argv, { stdio: ["ignore", 2, 2] });
  const [code, signal] = await once(child, "exit");
  if (code !== 0) throw new SetupError(`${what} failed (exit ${code ?? signal})`);
}

/** A child that does not outlive this process: the next setup would meet what it still writes. */
function spawnHere(command, argv, options) {
  const child = spawn(command, argv, { cwd: ROOT, ...options });
  const end = () => child.kill();
  process.once("exit", end);
  return child.once("exit", () => process.off("exit", end));
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

/**
 * One setup at a time in a clone: two installs at once would break each other's node_modules. The lock is a socket that
 * its holder listens at, so it ends with its holder, whatever becomes of that; a file at its place that nobody listens
 * at, or that is no socket, locks nothing. A process's number would say nothing: it may be one of another container's.
 */
async function withLock(work) {
  const lock = await takeLock();
  // finally blocks do not run on Ctrl-C. Taken off again: the program that follows has its own idea of it.
  const onSignal = (_name, number) => {
    lock.release();
    process.exit(128 + number);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    await work();
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    lock.release();
    // Node's realpathSync looks at the last file that was looked at, and after a socket resolves no links: imports
    // would find packages, and not what these need.
    statSync(ROOT);
  }
}

async function takeLock() {
  if (process.platform === "win32") return takePipe();
  const own = `${LOCK}-${randomBytes(6).toString("hex")}`;
  const waiting = new Set();
  const server = createServer((socket) => waiting.add(socket.unref().on("error", () => {})));
  await listen(server, own);
  try {
    for (let told = false; !tryLink(own, LOCK); ) {
      const isHeld = await untilReleased(LOCK, () => {
        if (!told) say(`waiting for another process that sets up this clone (it listens at ${LOCK})`);
        told = true;
      });
      if (!isHeld) await removeLeftOver(LOCK, own);
    }
  } catch (error) {
    server.close();
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
  return releasing(server, waiting, () => rmSync(LOCK, { force: true }));
}

/** Lets go of a lock: takes it away, then tells those who wait. */
const releasing = (server, waiting, takeAway) => ({
  release() {
    takeAway();
    server.close();
    for (const socket of waiting) socket.destroy();
  },
});

/** On Windows a pipe's name has one listener, and ends with it. */
async function takePipe() {
  const waiting = new Set();
  const server = createServer((socket) => waiting.add(socket.unref().on("error", () => {})));
  for (;;) {
    server.listen(routeTo(LOCK).route);
    try {
      await once(server, "listening");
      server.unref();
      return releasing(server, waiting, () => {});
    } catch (error) {
      if (error.code !== "EADDRINUSE") throw error;
      await untilReleased(LOCK, () => {});
    }
  }
}

function tryLink(own, path) {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw new SetupError(`${path} cannot be made: ${error.message}`);
  }
}

/** Takes a lock away that nobody listens at; gives it back if it became somebody's at this moment. */
async function removeLeftOver(path, own) {
  const aside = `${own}-old`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw new SetupError(
      `${path} is left over from a setup that was ended and cannot be removed: ${error.code}`,
    );
  }
  if (await isListenedAt(aside)) tryLink(aside, path);
  rmSync(aside, { recursive: true, force: true });
}

const isListenedAt = (path) =>
  untilConnected(path, (socket) => {
    socket.destroy();
    return true;
  });

/** Waits until whoever listens at the path ends; false if nobody does. */
const untilReleased = (path, onWait) =>
  untilConnected(path, async (socket) => {
    onWait();
    // However it ends: `once` would throw at a connection that breaks off.
    await new Promise((resolve) => socket.resume().on("close", resolve));
    return true;
  });

async function untilConnected(path, use) {
  const { route, close } = routeTo(path);
  const socket = connect(route);
  // A connection that breaks off later has ended: that is waited for as its close.
  socket.on("error", () => {});
  try {
    await once(socket, "connect");
  } catch {
    return false;
  } finally {
    close();
  }
  return use(socket);
}

async function listen(server, path) {
  let way = null;
  try {
    way = routeTo(path);
    server.listen(way.route);
    await once(server, "listening");
    server.unref();
  } catch (error) {
    throw new SetupError(
      `${ROOT} is to be set up, and cannot be written to or holds no sockets (${error.code ?? error.message}): ` +
        "run npm run build where it can be written, or make a copy",
    );
  } finally {
    way?.close();
  }
}

/** A path to a socket that is short enough for the system: it takes about a hundred bytes. */
function routeTo(path) {
  if (process.platform === "win32")
    return { route: `\\\\.\\pipe\\${path.replaceAll(/[:\\/]/g, "-")}`, close() {} };
  if (Buffer.byteLength(path) <= 100 || process.platform !== "linux") return { route: path, close() {} };
  const folder = openSync(dirname(path), constants.O_RDONLY);
  return { route: `/proc/self/fd/${folder}/${basename(path)}`, close: () => closeSync(folder) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureReady(Extent.ALL);
