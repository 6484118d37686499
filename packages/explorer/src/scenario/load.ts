/** Loads a file with a scenario: as it is, with what it imports, in TypeScript or JavaScript. */
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { dirname, extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BuildFailure, build, type Loader, type Plugin } from "esbuild";
import * as v from "valibot";
import { CheckFileError, strategy } from "../campaign/files.js";
import type { ScenarioDefinition } from "./define.js";

export interface LoadedScenario {
  readonly definition: ScenarioDefinition;
  /** Paths of its file, and of the program's. */
  readonly file: string;
  readonly program: string;
  /** Hash of the file and of what it imports from its folders. */
  readonly hash: string;
}

export const MAX_CORES = 4;
const MAX_WORDS = 65_536;
const DEFINE = new URL("./define.js", import.meta.url).href;

const functionName = v.pipe(
  v.string(),
  v.regex(/^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u, "a function's name"),
);
const label = v.pipe(
  v.string(),
  v.maxLength(100),
  v.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "small letters, digits and hyphens"),
);
const sentence = v.pipe(v.string(), v.nonEmpty("a sentence"));
const number = (low: number, high: number) =>
  v.pipe(
    v.number(),
    v.integer(`a whole number`),
    v.minValue(low, `${low} to ${high}`),
    v.maxValue(high, `${low} to ${high}`),
  );
const called = v.optional(v.function());

const schema = v.strictObject({
  name: label,
  holds: sentence,
  program: v.union(
    [v.instance(URL), v.pipe(v.string(), v.nonEmpty())],
    "an address, or a path from this file",
  ),
  cores: v.pipe(
    v.array(functionName),
    v.minLength(1, "1 to 4 names of functions"),
    v.maxLength(MAX_CORES, "1 to 4 names of functions"),
  ),
  words: number(1, MAX_WORDS),
  names: v.optional(v.record(v.string(), number(0, MAX_WORDS - 1))),
  racing: v.optional(v.record(v.string(), sentence)),
  mayWait: v.optional(v.array(number(0, MAX_CORES - 1))),
  timeouts: v.optional(v.boolean()),
  begin: called,
  atEnd: called,
  specification: v.optional(v.looseObject({ step: v.function(), key: v.function() })),
  plan: v.optional(strategy),
  quick: v.optional(strategy),
  mutants: v.optional(
    v.array(
      v.strictObject({
        name: label,
        breaks: sentence,
        strategy: v.optional(strategy),
        edits: v.array(v.strictObject({ function: v.string(), find: v.string(), replace: v.string() })),
      }),
    ),
  ),
});

/** @throws CheckFileError for a file that has no scenario, or one of another shape. */
export async function loadScenario(path: string): Promise<LoadedScenario> {
  const file = resolve(path);
  if (!existsSync(file)) throw new CheckFileError(`${path} cannot be read: there is no such file`);
  if (!statSync(file).isFile()) throw new CheckFileError(`${path} cannot be read: it is no file`);
  const code = await codeOf(file, path);
  let exported: { readonly default?: unknown };
  try {
    exported = await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
  } catch (error) {
    throw new CheckFileError(`${path} throws when it is loaded: ${messageOf(error)}`);
  }
  if (exported.default === undefined)
    throw new CheckFileError(`${path} has no scenario: export default defineScenario({ ... })`);
  const parsed = v.safeParse(schema, exported.default);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const where = v.getDotPath(issue);
    throw new CheckFileError(
      `${path} has no proper scenario: ${where === null ? "" : `${where}: `}${oneLine(issue.message)}`,
    );
  }
  const definition = exported.default as ScenarioDefinition;
  checkNames(path, definition);
  const program = programOf(path, file, definition);
  return { definition, file, program, hash: createHash("sha256").update(code).digest("hex") };
}

/** What its parts say of each other. */
function checkNames(
  path: string,
  { words, names = {}, racing = {}, cores, mayWait = [] }: ScenarioDefinition,
): void {
  const refuse = (what: string) => {
    throw new CheckFileError(`${path} has no proper scenario: ${what}`);
  };
  for (const [name, word] of Object.entries(names))
    if (word >= words) refuse(`names.${name} is word ${word}, and there are ${words}`);
  for (const name of Object.keys(racing))
    if (!(name in names)) refuse(`racing.${name}: names does not say which words these are`);
  for (const core of mayWait)
    if (core >= cores.length) refuse(`mayWait: core ${core}, and there are ${cores.length}, from 0`);
}

function programOf(path: string, file: string, { program }: ScenarioDefinition): string {
  let found: string;
  try {
    found = program instanceof URL ? fileURLToPath(program) : resolve(dirname(file), program);
  } catch (error) {
    throw new CheckFileError(`${path}: program: ${messageOf(error)}`);
  }
  if (!existsSync(found) || !statSync(found).isFile())
    throw new CheckFileError(`${path}: program: there is no file ${found}`);
  return found;
}

/** The file as one module that can be imported from nowhere. */
async function codeOf(file: string, path: string): Promise<string> {
  try {
    const result = await build({
      entryPoints: [file],
      write: false,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      charset: "utf8",
      logLevel: "silent",
      absWorkingDir: dirname(file),
      plugins: [OUTSIDE, ADDRESSES],
    });
    return result.outputFiles[0].text;
  } catch (error) {
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    if (first === undefined) throw error;
    const { location, text } = first;
    const place = location === null ? path : `${location.file}:${location.line}`;
    throw new CheckFileError(`${place}: ${oneLine(text)}`);
  }
}

/** Packages are imported from where they are; `capos` is the one that checks. */
const OUTSIDE: Plugin = Object.freeze({
  name: "outside",
  setup(hooks) {
    hooks.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...where }) => {
      if (pluginData === OUTSIDE || where.kind === "entry-point") return undefined;
      if (path === "capos") return { path: DEFINE, external: true };
      if (isBuiltin(path)) return { path, external: true };
      const found = await hooks.resolve(path, { ...where, pluginData: OUTSIDE });
      if (found.errors.length > 0) return { errors: found.errors };
      return { path: pathToFileURL(found.path).href, external: true };
    });
  },
} satisfies Plugin);

/** `import.meta.url` is the file's own. */
const ADDRESSES: Plugin = Object.freeze({
  name: "addresses",
  setup(hooks) {
    hooks.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const contents = text.replaceAll("import.meta.url", () => JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: extname(path).replace(/^\.[cm]?/, "") as Loader };
    });
  },
} satisfies Plugin);

export function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}
