/**
 * Fails if a comment or a document names a file, a package or a heading that does not exist: file:line of each place.
 *
 * A file is named by the end of its path, with or without `src`: `ring.ts`, `cpu/ring.ts`, `hal/src/cpu/ring.ts`. A
 * bare name in a package's comment is a file of that package. What begins with `./` is the reader's own, in an example.
 */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import ts from "typescript";
import { packageFolders, ROOT, walk } from "./setup.mjs";

/** The reader's own files that documents and comments name without `./`. */
const READERS = new Set(["a.ts", "A.ts", "b.ts", "B.ts", "hello.ts", "my-scenario.mjs", "ping.ts"]);

const FILE = /(?<![\w@./*$}-])(?!\.\/)(?:[\w.-]+\/)*[\w-][\w.-]*\.(?:[cm]?ts|[cm]js|md|css)\b(?![\w*/(])/g;
const PACKAGE = /@capos\/[\w-]+(?:\/[\w-]+)*/g;
const LINK = /\]\(([^)\s]+)\)/g;

const PACKAGES = packageFolders();
const files = [...PACKAGES, "docs", "scripts", "types"]
  .flatMap((folder) => walk(join(ROOT, folder)).map((path) => relative(ROOT, path)))
  .filter((path) => !/(^|\/)(node_modules|dist|\.tap)\//.test(path))
  .concat(".ci/run", ".dependency-cruiser.cjs", "README.md");
const ends = new Set(files.flatMap(endsOf));
const entries = new Set(PACKAGES.flatMap(entriesOf));
const problems = [];

for (const file of files) {
  // A diff that a document shows is held against the tree by a test; its lines stay for the numbers of those behind.
  const text = readFileSync(join(ROOT, file), "utf8").replace(/^```diff\n.*?^```$/gms, (diff) =>
    diff.replace(/.+/g, ""),
  );
  // Files that a page has its reader make, in blocks that are marked "file=" and the path.
  const made = new Set([...text.matchAll(/^```\w+ file=(\S+)/gm)].flatMap(([, path]) => endsOf(path)));
  for (const { at, prose } of proseOf(file, text)) {
    const report = (index, problem) =>
      problems.push(`${file}:${text.slice(0, at + index).split("\n").length}: ${problem}`);
    for (const { 0: name, index } of prose.matchAll(FILE)) {
      if (!made.has(name) && !isFile(name, file)) report(index, `there is no ${name}`);
    }
    for (const { 0: name, index } of prose.matchAll(PACKAGE)) {
      if (!entries.has(name)) report(index, `${name} is no entry of a package`);
    }
    if (!file.endsWith(".md")) continue;
    for (const { 1: target, index } of prose.matchAll(LINK)) {
      if (!leadsSomewhere(target, file)) report(index, `the link to ${target} leads nowhere`);
    }
  }
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`${files.length} files, ${problems.length} references that lead nowhere\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** The texts in a file that are written for people, and where they begin. */
function proseOf(file, text) {
  if (/\.md$|^\.ci\/run$/.test(file)) return [{ at: 0, prose: text }];
  return /\.[cm]?[jt]s$/.test(file) ? commentsOf(file, text) : [];
}

function commentsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = new Map();
  const visit = (node) => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ];
    for (const { pos, end } of ranges) found.set(pos, text.slice(pos, end));
    node.getChildren(source).forEach(visit);
  };
  visit(source);
  return [...found].map(([at, prose]) => ({ at, prose }));
}

/** All names of a file that say which one it is. */
function endsOf(path) {
  const parts = path.split("/");
  const whole = parts.map((_, index) => parts.slice(index));
  const short = whole.map((end) => end.filter((part, index) => part !== "src" || index === 0));
  return [...whole, ...short].map((end) => end.join("/"));
}

function isFile(name, from) {
  if (READERS.has(name)) return true;
  const home = PACKAGES.find((folder) => from.startsWith(`${folder}/`));
  // Tests name files of what they test.
  if (home === undefined || home === "test" || name.includes("/")) return ends.has(name);
  return files.some((path) => path.startsWith(`${home}/`) && path.endsWith(`/${name}`));
}

/** What may be imported of a package. */
function entriesOf(folder) {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
  return [".", ...Object.keys(exports ?? {})].map((entry) => join(name, entry));
}

function leadsSomewhere(target, from) {
  if (/^https?:/.test(target)) return true;
  const [path, heading] = target.split("#");
  const file = path === "" ? from : join(dirname(from), path);
  // A link may lead to a folder.
  if (!files.includes(file)) return files.some((other) => other.startsWith(`${file}/`));
  return heading === undefined || headingsOf(file).includes(heading);
}

/** A document's headings as links name them. */
function headingsOf(file) {
  return [...readFileSync(join(ROOT, file), "utf8").matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}
