/**
 * Writes what follows from the declaration of kernel objects' methods (packages/abi/src/methods.ts): their
 * numbers, the kernel's checks of arguments, the library's stubs and the tables in docs/abi.md.
 *
 *     npm run methods               writes the files
 *     npm run methods -- --check    fails with one line if one of them is out of date
 *
 * The declaration is compiled by itself, because the packages may not compile before these files are new.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { formatted } from "./formatted.mjs";
import { decode, operands } from "./methods/decode.mjs";
import { dispatch } from "./methods/dispatch.mjs";
import { numbers } from "./methods/numbers.mjs";
import { stubs } from "./methods/stubs.mjs";
import { tables } from "./methods/tables.mjs";
import { ROOT } from "./setup.mjs";

const HEAD = "made by scripts/methods.mjs from packages/abi/src/methods.ts";

/** Source files that are made whole, and what makes them. */
const SOURCES = {
  "packages/abi/src/method.ts": numbers,
  "packages/kernel/src/state/operands.ts": operands,
  "packages/kernel/src/object/decode.ts": decode,
  "packages/kernel/src/object/invoke.ts": dispatch,
  "packages/libos/src/kernel-calls.ts": stubs,
};

const DOCS = "docs/abi.md";
const BEGIN = `<!-- begin: ${HEAD} -->`;
const END = "<!-- end -->";

/** The package's modules, compiled one by one into a folder that is gone afterwards. */
async function readDeclaration() {
  const source = join(ROOT, "packages/abi/src");
  const folder = mkdtempSync(join(tmpdir(), "capos-methods-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    mkdirSync(join(folder, "src"));
    for (const name of readdirSync(source).filter((it) => it.endsWith(".ts"))) {
      const { outputText } = ts.transpileModule(readFileSync(join(source, name), "utf8"), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2023,
          module: ts.ModuleKind.ES2022,
          preserveConstEnums: true,
        },
      });
      writeFileSync(join(folder, "src", name.replace(/ts$/, "js")), outputText);
    }
    const load = (name) => import(pathToFileURL(join(folder, "src", `${name}.js`)).href);
    const { METHODS } = await load("methods");
    return {
      objects: METHODS,
      ...(await load("capability")),
      ...(await load("errors")),
      ...(await load("object-type")),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withTables(text, declaration) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`${DOCS} has no lines "${BEGIN}" and "${END}"`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${tables(declaration)}\n${text.slice(end)}`;
}

function read(path) {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return "";
    throw error;
  }
}

const options = process.argv.slice(2);
const unknown = options.find((option) => option !== "--check");
if (unknown !== undefined) {
  process.stderr.write(`methods: unknown option ${unknown}; say nothing or --check\n`);
  process.exit(2);
}

const declaration = await readDeclaration();
const made = Object.entries(SOURCES).map(([path, make]) => [
  path,
  formatted(path, make(declaration).replace("HEAD", HEAD)),
]);
made.push([DOCS, withTables(read(DOCS), declaration)]);

const stale = made.filter(([path, text]) => read(path) !== text);
if (options.includes("--check")) {
  if (stale.length > 0) {
    process.stderr.write(
      `methods: out of date: ${stale.map(([path]) => path).join(", ")}; run: npm run methods\n`,
    );
    process.exitCode = 1;
  }
} else {
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
    process.stdout.write(`${path}\n`);
  }
}
