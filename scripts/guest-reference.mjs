/**
 * Writes what follows from the library's source into docs/guest-reference.md: the members of `Os`, field types, limits,
 * and every name that a guest can import from libos, each with what its docstring says.
 *
 *     npm run reference               writes the page
 *     npm run reference -- --check    fails with one line if it is out of date, or a name has no docstring
 *
 * The packages have to be built: what libos takes from below is read from its declarations.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { formatted } from "./formatted.mjs";
import { ROOT } from "./setup.mjs";

const PAGE = "docs/guest-reference.md";
const LIBRARY = "packages/libos/src/index.ts";
const LIMITS = "packages/abi/src/limits.ts";

/** Parts of the library by what they are about: a heading, and the source files that it stands for, in this order. */
const PARTS = [
  ["Start, and what a thread is given", ["start", "environment"]],
  ["Protocols and fields", ["protocol", "fields", "message", "method"]],
  ["Serving", ["server", "objects", "describe"]],
  ["Threads and processes", ["spawn", "assets", "supervisor", "start-process"]],
  ["Capabilities", ["cspace", "capability", "held", "rights", "kernel-objects", "slots"]],
  ["The system's servers", ["console", "log", "names", "echo"]],
  ["Errors and steps", ["ipc-error", "steps"]],
  [
    "Memory that can be addressed",
    ["memory", "access", "struct", "channel", "ring", "party", "locks", "pool", "address-ranges"],
  ],
  ["Memory that objects are made of", ["own-memory", "block-pool", "object-size"]],
  ["Calls of kernel objects", ["kernel-calls"]],
  ["Texts", ["text"]],
];

/** Names without a docstring, found on the way. */
const undocumented = [];

/** A program over the library's source. */
function open() {
  const program = ts.createProgram([join(ROOT, LIBRARY), join(ROOT, LIMITS)], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    noEmit: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const exportsOf = (path) => {
    const file = program.getSourceFile(join(ROOT, path));
    return checker
      .getExportsOfModule(checker.getSymbolAtLocation(file))
      .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
  };
  return { checker, exportsOf };
}

/** A docstring as one line of a table; `whole`, or its first sentence. */
function docOf({ checker }, symbol, whole) {
  const text = ts
    .displayPartsToString(symbol.getDocumentationComment(checker))
    .split("\n\n")[0]
    .replace(/\s+/g, " ")
    .trim();
  if (text === "") undocumented.push(symbol.name);
  return cell(whole ? text : (/^.*?[.:](?= [A-Z`]|$)/.exec(text)?.[0] ?? text));
}

function cell(text) {
  return text.replaceAll("|", "\\|").replaceAll("<", "\\<");
}

function table(head, rows) {
  return [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => " --- |").join("")}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");
}

/** How a thing is written where it is used. */
function usage(symbol) {
  const declaration = symbol.valueDeclaration ?? symbol.declarations[0];
  const signature = ts.isFunctionLike(declaration)
    ? declaration
    : declaration.type !== undefined && ts.isFunctionTypeNode(declaration.type)
      ? declaration.type
      : undefined;
  if (signature === undefined) return symbol.name;
  const parameters = signature.parameters.map(
    ({ name, questionToken, initializer, dotDotDotToken }) =>
      `${dotDotDotToken ? "..." : ""}${name.getText()}${questionToken || initializer ? "?" : ""}`,
  );
  return `${symbol.name}(${parameters.join(", ")})`;
}

function osMembers(library) {
  const os = library.exportsOf(LIBRARY).find(({ name }) => name === "Os");
  const rows = [...os.members.values()].map((member) => {
    const { checker } = library;
    const declaration = member.declarations[0];
    const signature = ts.isMethodSignature(declaration);
    const type = (signature ? declaration.type : declaration.type).getText();
    return [`\`${usage(member)}\``, `\`${type.replaceAll("|", "\\|")}\``, docOf({ checker }, member, true)];
  });
  return table(["member", "type or answer", "what it is"], rows);
}

function limits(library) {
  const rows = library.exportsOf(LIMITS).map((symbol) => {
    const [declaration] = symbol.declarations;
    const list = declaration.parent.parent.parent;
    // Several constants can stand under one docstring: the next ones have its text.
    let at = list.statements.indexOf(declaration.parent.parent);
    while (ts.getJSDocCommentsAndTags(list.statements[at]).length === 0) at--;
    const [doc] = ts.getJSDocCommentsAndTags(list.statements[at]);
    const value = declaration.initializer.getText().replaceAll("_", " ");
    return [`\`${symbol.name}\``, value, cell(ts.getTextOfJSDocComment(doc.comment).replace(/\s+/g, " "))];
  });
  return table(["limit", "value", "what it is"], rows);
}

function names(library) {
  const byFile = new Map();
  for (const symbol of library.exportsOf(LIBRARY)) {
    const file = basename(symbol.declarations[0].getSourceFile().fileName, ".ts");
    byFile.set(file, [...(byFile.get(file) ?? []), symbol]);
  }
  return PARTS.map(([title, files]) => {
    const symbols = files.flatMap((file) => {
      const found = byFile.get(file) ?? [];
      byFile.delete(file);
      return found;
    });
    const rows = symbols.map((symbol) => [`\`${usage(symbol)}\``, docOf(library, symbol, false)]);
    return `### ${title}\n\n${table(["name", "what it is"], rows)}`;
  })
    .concat(rest(byFile))
    .join("\n\n");
}

/** What comes from below libos has tables of its own on this page or in the ABI's; a new file of libos is to be given its part. */
function rest(byFile) {
  for (const file of byFile.keys())
    if (!file.endsWith(".d"))
      throw new Error(`${file}.ts of libos has no part in scripts/guest-reference.mjs`);
  return [];
}

const MADE = { os: osMembers, limits, names };

/** The page with everything that is made anew. */
export function makePage() {
  const library = open();
  const old = readFileSync(join(ROOT, PAGE), "utf8");
  const made = Object.entries(MADE).reduce((page, [name, make]) => {
    const begin = `<!-- begin: ${name}, made by scripts/guest-reference.mjs -->`;
    const end = "<!-- end -->";
    const from = page.indexOf(begin);
    const to = page.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`${PAGE}: no place for what is made of ${name}`);
    return `${page.slice(0, from)}${begin}\n\n${make(library)}\n\n${page.slice(to)}`;
  }, old);
  if (undocumented.length > 0)
    throw new Error(`no docstring, which ${PAGE} would show: ${undocumented.join(", ")}`);
  return formatted(PAGE, made);
}

/** Whether the page says what it would say if it were made now. */
export function isCurrent() {
  return makePage() === readFileSync(join(ROOT, PAGE), "utf8");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    if (!process.argv.includes("--check")) writeFileSync(join(ROOT, PAGE), makePage());
    else if (!isCurrent()) throw new Error(`${PAGE} is out of date: npm run reference`);
  } catch (error) {
    process.stderr.write(`capos: ${error.message}\n`);
    process.exitCode = 1;
  }
}
