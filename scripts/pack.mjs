/**
 * `npm run pack`: the one package that users install, as a folder that `npm publish` takes and as a tarball.
 *
 * The workspace's packages travel inside of it, in its node_modules: users know `capos` alone. What they need of others
 * is what `capos` depends on, in the versions that were tested. Only what runs, and the types that can be reached from the
 * entries, is in it. V8's code of the kernel is not: V8 takes it only where it was made.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { Extent, ensureReady, packageFolders, ROOT, walk } from "./setup.mjs";

/**
 * What the tarball and its contents may take, in bytes. Who has to raise them says why: every image has what libos has
 * of memory, since `Os` leads there, and there are two dozen images of benchmarks.
 */
const MOST_PACKED = 2_600_000;
const MOST_UNPACKED = 10_600_000;

const MAIN = "packages/cli";
const read = (file) => JSON.parse(readFileSync(file, "utf8"));

await ensureReady(Extent.COMMAND);

const { out } = parseArgs({ options: { out: { type: "string", default: join(ROOT, "dist") } } }).values;
const target = resolve(out);
const stage = join(target, "capos");
rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });

const manifests = new Map(
  packageFolders(Extent.COMMAND).map((folder) => [folder, read(join(ROOT, folder, "package.json"))]),
);
const names = new Map([...manifests].map(([folder, { name }]) => [name, folder]));
const needed = neededBy(MAIN);
const typed = reachableTypes();

for (const folder of needed) {
  const place = folder === MAIN ? stage : join(stage, "node_modules", manifests.get(folder).name);
  copyPackage(folder, place);
}
for (const name of ["README.md", "LICENSE"]) cpSync(join(ROOT, name), join(stage, name));
writeJson(join(stage, "package.json"), mainManifest());

const [{ filename, size, unpackedSize, entryCount }] = pack();
const kilobytes = (bytes) => `${Math.ceil(bytes / 1000).toLocaleString("en")} kB`;
process.stdout.write(
  `${join(target, filename)}: ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked, ${entryCount} files\n`,
);
if (size > MOST_PACKED || unpackedSize > MOST_UNPACKED) {
  process.stderr.write(
    `capos: the package is larger than the ${kilobytes(MOST_PACKED)} packed and ${kilobytes(MOST_UNPACKED)} unpacked that it may be\n`,
  );
  process.exitCode = 1;
}

/** The folders of the workspace's packages that one needs, and itself. */
function neededBy(folder, found = new Set()) {
  if (found.has(folder)) return found;
  found.add(folder);
  for (const name of Object.keys(manifests.get(folder).dependencies ?? {}))
    if (names.has(name)) neededBy(names.get(name), found);
  return found;
}

function copyPackage(folder, place) {
  const { files = ["dist"], exports } = manifests.get(folder);
  const entries = Object.values(exports ?? {}).filter((entry) => typeof entry === "string");
  for (const file of [...files, ...entries].flatMap((name) => filesOf(join(ROOT, folder, name)))) {
    const name = relative(join(ROOT, folder), file);
    const contents = contentsOf(file, name);
    if (contents === null) continue;
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), contents);
  }
  if (folder !== MAIN) writeJson(join(place, "package.json"), innerManifest(manifests.get(folder)));
}

function filesOf(path) {
  return statSync(path).isDirectory() ? walk(path) : [path];
}

/** What a file of a package's is in the tarball; null if it is not in it. */
function contentsOf(file, name) {
  if (name.startsWith("templates/")) return readFileSync(file);
  if (/(\.map|\.tsbuildinfo|\.code)$/.test(name)) return null;
  // What makes the rest of dist.
  if (/(^|\/)(build-(core|images|page)|make-code)\.(js|d\.ts)$/.test(name)) return null;
  // In the page's script.
  if (/^dist\/report\/page\/./.test(name)) return null;
  if (name.endsWith(".d.ts")) return typed.has(file) ? declarations(readFileSync(file, "utf8")) : null;
  if (/^dist\/images\/.*\.json$/.test(name)) return image(read(file));
  if (name.endsWith(".js")) return readFileSync(file, "utf8").replace(/^\/\/# sourceMappingURL=.*\n?$/m, "");
  return readFileSync(file);
}

/** Const enums are enums at run time too. Under `isolatedModules` a user may name them as such only. */
function declarations(text) {
  return text
    .replace(/^(export )?declare const enum /gm, "$1declare enum ")
    .replace(/^\/\/# sourceMappingURL=.*\n?$/m, "");
}

/** An image whose map names files as they are called in the package, and has no text of theirs. */
function image({ map, ...rest }) {
  const { sourcesContent: _, sources, ...others } = JSON.parse(map);
  const named = sources.map((source) => {
    const path = relative(ROOT, source);
    const folder = [...manifests.keys()].find((one) => path.startsWith(`${one}/`));
    return folder === undefined ? path : path.replace(folder, manifests.get(folder).name);
  });
  return JSON.stringify({ ...rest, map: JSON.stringify({ ...others, sources: named }) });
}

/** The files of types that those of the entries import, and these. */
function reachableTypes() {
  const { exports } = manifests.get(MAIN);
  const found = new Set();
  const visit = (file) => {
    if (found.has(file)) return;
    found.add(file);
    const code = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, name] of code.matchAll(/(?:from|import\() ?"([^"]+)"/g)) {
      const next = name.startsWith(".") ? resolve(dirname(file), name) : entryOf(name);
      if (next !== null) visit(next.replace(/\.js$/, ".d.ts"));
    }
  };
  for (const { types } of Object.values(exports)) visit(join(ROOT, MAIN, types));
  return found;
}

/** The types that an import of a package of the workspace's leads to; null for any other. */
function entryOf(name) {
  const [scope, packageName, ...rest] = name.split("/");
  const folder = names.get(`${scope}/${packageName}`);
  if (folder === undefined) return null;
  return join(ROOT, folder, manifests.get(folder).exports[[".", ...rest].join("/")].types);
}

function innerManifest({ name, version, license, type, exports }) {
  return { name, version, license, type, exports };
}

function mainManifest() {
  const { private: _, dependencies: __, ...manifest } = manifests.get(MAIN);
  const dependencies = {};
  for (const folder of needed) {
    for (const [name, version] of Object.entries(manifests.get(folder).dependencies ?? {}))
      dependencies[name] = names.has(name) ? manifests.get(names.get(name)).version : version;
  }
  return {
    ...manifest,
    ...repository(),
    files: [...manifest.files, "README.md", "LICENSE"],
    dependencies: Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1))),
    bundleDependencies: [...needed]
      .filter((folder) => folder !== MAIN)
      .map((folder) => manifests.get(folder).name)
      .sort(),
  };
}

/** Where the clone came from, if it knows. */
function repository() {
  try {
    const options = { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
    const url = execFileSync("git", ["remote", "get-url", "origin"], options).trim();
    if (!/^(https|ssh|git):\/\/|^git@/.test(url)) return {};
    return { repository: { type: "git", url: url.replace(/\/\/[^@/]*@/, "//") } };
  } catch {
    return {};
  }
}

function pack() {
  const argv = ["pack", "--json", "--ignore-scripts", "--pack-destination", target];
  const options = {
    cwd: stage,
    encoding: "utf8",
    stdio: ["ignore", "pipe", 2],
    shell: process.platform === "win32",
  };
  return JSON.parse(execFileSync("npm", argv, options));
}

function writeJson(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
