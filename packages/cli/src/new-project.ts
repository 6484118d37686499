/** `capos-smp new DIR`: a project to start from. Its files are those of `templates/project`. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "@capos/machine/errors";
import { VERSION } from "./version.js";

/** This package's folder. */
const PACKAGE = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");
const TEMPLATE = join(PACKAGE, "templates/project");

/** Versions of what a project needs beside capos: those that capos is made with. */
const { dependencies } = createRequire(import.meta.url)("../package.json") as {
  readonly dependencies: Readonly<Record<string, string>>;
};

const REASONS: Readonly<Record<string, string>> = Object.freeze({
  ENOTDIR: "a file is in its place",
  ENOENT: "the folder that it is to be in is not there",
  EACCES: "permission denied",
});

/**
 * Makes a project in a folder, which is made if it is not there; gives the folder.
 * @throws UsageError if the folder has something in it, or cannot be written
 */
export function newProject(folder: string): string {
  const path = resolve(folder);
  try {
    // Not with its parents: for some folders Node would try for ever.
    if (!existsSync(path)) mkdirSync(path);
    if (readdirSync(path).length > 0)
      throw new UsageError(`${folder} is not empty: name a folder that is, or is not there yet`);
    cpSync(TEMPLATE, path, { recursive: true });
    // npm leaves a file of this name out of packages.
    renameSync(join(path, "gitignore"), join(path, ".gitignore"));
    const name = nameOf(path);
    const text = JSON.stringify(manifest(name, ownSource(path)), null, 2);
    writeFileSync(join(path, "package.json"), `${text}\n`);
    const readme = join(path, "README.md");
    writeFileSync(readme, readFileSync(readme, "utf8").replace("PROJECT", name));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof UsageError) throw error;
    throw new UsageError(`${folder} cannot be made: ${REASONS[code] ?? message}`);
  }
  return path;
}

/** A folder's name, as far as npm takes it. */
function nameOf(path: string): string {
  const name = basename(path)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return name === "" || name === "capos" ? "capos-project" : name;
}

/**
 * Where the project gets capos from: where the project that has this one got it, if that is a file or the like; else it is
 * the same version.
 */
function ownSource(path: string): string {
  const modules = dirname(PACKAGE);
  if (basename(modules) !== "node_modules") return VERSION;
  try {
    const owner = JSON.parse(readFileSync(join(modules, "../package.json"), "utf8")) as {
      readonly dependencies?: Readonly<Record<string, string>>;
      readonly devDependencies?: Readonly<Record<string, string>>;
    };
    const source = { ...owner.devDependencies, ...owner.dependencies }.capos ?? VERSION;
    if (!source.startsWith("file:")) return /^[^:]+$/.test(source) ? VERSION : source;
    return `file:${relative(path, resolve(modules, "..", source.slice("file:".length)))}`;
  } catch {
    return VERSION;
  }
}

function manifest(name: string, source: string): object {
  return {
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    engines: { node: ">=20.19" },
    scripts: {
      programs: "capos-smp run guests/counter.ts guests/client.ts",
      build: "tsc && tsc -p guests",
      start: "npm run --silent build && node dist/app.js",
      test: "npm run --silent build && node --test dist/counter.test.js",
    },
    dependencies: { capos: source },
    devDependencies: {
      "@types/node": dependencies["@types/node"],
      typescript: dependencies["typescript-compiler"]?.replace(/^.*@/, ""),
    },
  };
}
