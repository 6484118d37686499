/**
 * Checks the types of guests' files, beside their build: by a compiler of its own process, which is quick enough to be asked
 * at every run.
 *
 * What is checked is what the builder takes: the files themselves and what they import, `capos/guest` being that of this
 * installation. How strictly says the nearest `tsconfig.json`; without one, strict. Files of JavaScript are checked if it
 * says `checkJs`.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { UsageError } from "@capos/machine/errors";

/** Mistakes that are told; how many more there are is said. */
const MOST_TOLD = 20;

/** What holds without a `tsconfig.json`. */
const STRICT = Object.freeze({
  ...{ target: "ES2022", lib: ["ES2022"], types: [] },
  ...{ strict: true, allowJs: true, resolveJsonModule: true },
});

/** What a check needs, whatever a project says that is to be made of its files. */
const CHECK_ONLY = Object.freeze({
  ...{ noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true },
  // As the builder finds files and reads them.
  ...{ module: "ESNext", moduleResolution: "Bundler" },
  // What is unused is no mistake of types, and usual in a file that is being written.
  ...{
    noUnusedLocals: false,
    noUnusedParameters: false,
    allowUnreachableCode: true,
    allowUnusedLabels: true,
  },
  // They may be told from the folder of whatever file has the project.
  ...{ rootDir: null, outDir: null },
  ...{ composite: null, incremental: null, tsBuildInfoFile: null },
  ...{ declaration: null, declarationMap: null, emitDeclarationOnly: null, isolatedDeclarations: null },
});

/** Holds what a project says unless told, beside that of the check. */
const DEFAULTS = "defaults.json";

/** Names that guests import of the system, whose types are those of what they are built with. */
const SYSTEM: Readonly<Record<string, string>> = Object.freeze({
  "capos/guest": "@capos/libos/guest",
  "@capos/abi": "@capos/abi",
  "@capos/libos": "@capos/libos",
});

/** Why nothing could be checked: the host's fault, and no reason not to run anything. */
class NoCompilerError extends Error {}

/**
 * Checks files. Gives null, or why the host could not check them.
 * @throws UsageError that names each mistake's place; the signal's reason
 */
export async function checkTypes(files: readonly string[], signal: AbortSignal): Promise<string | null> {
  try {
    await check(files, signal);
    return null;
  } catch (error) {
    if (error instanceof NoCompilerError) return error.message;
    throw error;
  }
}

async function check(files: readonly string[], signal: AbortSignal): Promise<void> {
  const groups = new Map<string | null, string[]>();
  for (const file of new Set(files.map((name) => resolve(name)))) {
    // One that is not there is told of by who builds it.
    if (!existsSync(file)) continue;
    const config = nearestConfig(dirname(file));
    if (/\.m?js$/.test(file) && !(config !== null && (await checksJavaScript(config)))) continue;
    groups.set(config, [...(groups.get(config) ?? []), file]);
  }
  const mistakes = await Promise.all([...groups].map(([config, own]) => mistakesIn(own, config, signal)));
  const all = mistakes.flat();
  if (all.length === 0) return;
  const more = all.length > MOST_TOLD ? [`and ${all.length - MOST_TOLD} more`] : [];
  const advice = "mend what is wrong, or run it unchecked with --no-check";
  throw new UsageError([...all.slice(0, MOST_TOLD), ...more, advice].join("\n"));
}

function nearestConfig(folder: string): string | null {
  for (let above = folder; ; above = dirname(above)) {
    const file = join(above, "tsconfig.json");
    if (existsSync(file)) return file;
    if (dirname(above) === above) return null;
  }
}

async function checksJavaScript(config: string): Promise<boolean> {
  const text = await readFile(config, "utf8").catch(() => "");
  return /"checkJs"\s*:\s*true/.test(text);
}

async function mistakesIn(
  files: readonly string[],
  config: string | null,
  signal: AbortSignal,
): Promise<string[]> {
  const project = JSON.stringify(await projectOf(files, config));
  const folder = temporary(() => mkdtempSync(join(tmpdir(), "capos-types-")));
  try {
    const own = join(folder, "tsconfig.json");
    temporary(() => {
      // A guest is a module, and may import images, whatever a project that says nothing of it would have.
      writeFileSync(join(folder, DEFAULTS), JSON.stringify({ compilerOptions: { module: "ESNext" } }));
      writeFileSync(own, project);
    });
    return read(await compile(["-p", own, "--pretty", "false"], signal), own);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes something for a while that the host may have no room for. */
function temporary<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new NoCompilerError(`nothing can be written in ${tmpdir()} (${code})`);
  }
}

/** A project of these files alone. */
async function projectOf(files: readonly string[], config: string | null): Promise<object> {
  const paths = Object.fromEntries(Object.entries(SYSTEM).map(([name, by]) => [name, [typesOf(by)]]));
  const references = systemProjects();
  if (config === null) return { compilerOptions: { ...STRICT, ...CHECK_ONLY, paths }, files, references };
  const hasRoots = (await readFile(config, "utf8").catch(() => "")).includes('"typeRoots"');
  return {
    extends: [`./${DEFAULTS}`, config],
    // What the project names by `types` is found from where it lies.
    compilerOptions: { ...CHECK_ONLY, paths, ...(!hasRoots && { typeRoots: typeRoots(dirname(config)) }) },
    ...{ files, include: [], references },
  };
}

function typeRoots(folder: string): string[] {
  const own = [join(folder, "node_modules/@types"), join(folder, "node_modules")];
  return dirname(folder) === folder ? own : [...own, ...typeRoots(dirname(folder))];
}

/**
 * What compiles the system's types in a clone. It says that const enums are there at run time as well, without which a project of
 * `isolatedModules` or `verbatimModuleSyntax` cannot name them. What is installed has plain enums, and none of these.
 */
function systemProjects(): { readonly path: string }[] {
  const folders = new Set(Object.values(SYSTEM).map((name) => dirname(dirname(typesOf(name)))));
  return [...folders].filter((path) => existsSync(join(path, "tsconfig.json"))).map((path) => ({ path }));
}

function typesOf(name: string): string {
  return fileURLToPath(import.meta.resolve(name)).replace(/\.js$/, ".d.ts");
}

/** What the compiler says; empty if all is well. */
async function compile(args: readonly string[], signal: AbortSignal): Promise<string> {
  const program = compiler();
  return new Promise((done, reject) => {
    const options = { encoding: "utf8", signal, maxBuffer: 2 ** 26 } as const;
    execFile(program, args, options, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason);
      else if (error === null || stdout !== "") done(stdout);
      else reject(new NoCompilerError(whyItFailed(stderr || error.message)));
    });
  });
}

/** One line of what a compiler that is no more has said. */
function whyItFailed(text: string): string {
  if (/failed to create new OS thread|EAGAIN/.test(text))
    return "the host gives the compiler no more threads or processes (ulimit -u)";
  return `the compiler failed: ${text.trim().split("\n", 1)[0]}`;
}

/** The compiler's program, which is one package for each kind of host. */
function compiler(): string {
  const name = `@typescript/typescript-${process.platform}-${process.arch}/package.json`;
  try {
    const manifest = import.meta.resolve("typescript-compiler/package.json");
    const end = process.platform === "win32" ? "tsc.exe" : "tsc";
    return join(dirname(createRequire(manifest).resolve(name)), "lib", end);
  } catch {
    throw new NoCompilerError("there is no compiler of TypeScript for this host");
  }
}

/** A line for each mistake, as builds tell theirs. Further lines of the compiler's are what led to it. */
function read(output: string, own: string): string[] {
  const mistakes: string[] = [];
  for (const line of output.split("\n")) {
    const found = /^(?:(.*)\((\d+),(\d+)\): )?error (TS\d+): (.*)$/.exec(line);
    if (found !== null) {
      const [, file, row, column, code, text] = found;
      // What it holds of the project that was made for it is about the user's own.
      const place = file === undefined || resolve(file) === own ? "" : `${file}:${row}:${column}: `;
      mistakes.push(`${place}${text} (${code})`);
    } else if (line.startsWith("  ") && mistakes.length > 0) {
      mistakes.push(`${mistakes.pop()} ${line.trim()}`);
    }
  }
  return mistakes;
}
