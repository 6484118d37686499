/**
 * Finds tests by a part of their name, in the sources, so that only files that may have such a test are run.
 *
 * Many names are made at run time: from a table, for each number of cores, from the name of a guest's test. What
 * stands in the source is enough to leave out most files; which tests do run is decided by their real names.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";

/** A text that shares fewer letters with a part of a name says nothing of it. */
const TELLING = 8;

/**
 * What to run for a part of a name: files, and patterns of which the outermost test's name must match one.
 *
 * @param files sources of tests
 */
export function findTests(files, name) {
  const wanted = name.toLowerCase();
  const shares = files.map((file) => {
    const { calls, texts } = readTests(file);
    const share = Math.max(0, ...[...texts].map((text) => shared(text, wanted)));
    const named = calls.filter(({ pieces }) => pieces.some((text) => shared(text, wanted) > 0));
    // A text that is in no name may yet be the name of a test in a loop.
    const hits = named.length > 0 || share === 0 ? named : calls.filter(({ pieces }) => isUnknown(pieces));
    // A test within a test runs with the whole of the outermost one.
    const outermost = hits.flatMap((hit) => (hit.outermost === null ? [] : [patternOf(hit.outermost)]));
    return { file, share, outermost };
  });
  // What has as much as this of a name is as likely made into it as what has most.
  const least = Math.max(1, ...shares.map(({ share }) => share / 2));
  const found = shares.filter(({ share }) => share >= least);
  return {
    files: found.map(({ file }) => file),
    patterns: [...new Set([escaped(name), ...found.flatMap(({ outermost }) => outermost)])],
  };
}

/** Names of tests that stand in sources. */
export function knownNames(files) {
  return [...new Set(files.flatMap((file) => [...readTests(file).names]))];
}

/** The likest of some texts to one, best first. */
export function likest(text, others, count = 5) {
  const own = trigrams(text);
  const likeness = (other) => {
    const theirs = trigrams(other);
    const common = [...own].filter((it) => theirs.has(it)).length;
    return (2 * common) / (own.size + theirs.size);
  };
  return others
    .map((other) => ({ other, like: likeness(other) }))
    .filter(({ like }) => like > 0.15)
    .sort((a, b) => b.like - a.like)
    .slice(0, count)
    .map(({ other }) => other);
}

function trigrams(text) {
  const padded = `  ${text.toLowerCase()} `;
  return new Set(Array.from({ length: padded.length - 2 }, (_, i) => padded.slice(i, i + 3)));
}

/** The calls of `test` in a source with the pieces of their names; all names and texts in it and in what it imports. */
function readTests(file) {
  const texts = new Set();
  const names = new Set();
  const seen = new Set();
  add(file);
  return { calls: readSource(file).calls, texts, names };

  function add(path) {
    if (seen.has(path) || !existsSync(path)) return;
    seen.add(path);
    const source = readSource(path);
    for (const text of source.texts) texts.add(text);
    for (const name of source.names) names.add(name);
    for (const imported of source.imports) add(imported);
  }
}

const sources = new Map();

function readSource(path) {
  const known = sources.get(path);
  if (known !== undefined) return known;
  const source = { calls: [], texts: new Set(), names: new Set(), imports: [] };
  sources.set(path, source);
  visit(ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest), []);
  return source;

  function visit(node, outer) {
    if (ts.isImportDeclaration(node)) {
      const { text } = node.moduleSpecifier;
      if (text.startsWith(".")) source.imports.push(join(dirname(path), text.replace(/\.js$/, ".ts")));
      return;
    }
    let within = outer;
    if (isTest(node)) {
      const pieces = piecesOf(node.arguments[0]);
      source.calls.push({ pieces, outermost: outer[0] ?? null });
      within = [...outer, pieces];
    }
    for (const name of namesIn(node)) source.names.add(name);
    for (const text of piecesOf(node)) if (text !== "") source.texts.add(text.toLowerCase());
    ts.forEachChild(node, (child) => visit(child, within));
  }
}

/** A call with a text and, last, a function is how every test is written: `test`, or what makes some. */
function namesIn(node) {
  if (!ts.isCallExpression(node)) return [];
  const last = node.arguments.at(-1);
  if (last === undefined || !(ts.isArrowFunction(last) || ts.isFunctionExpression(last))) return [];
  return node.arguments
    .slice(0, -1)
    .map(piecesOf)
    .filter((pieces) => !isUnknown(pieces))
    .map((pieces) => pieces.join("..."));
}

/** `t.test(name, ...)`: a regular expression's `test` has one argument. */
const isTest = (node) =>
  ts.isCallExpression(node) &&
  ts.isPropertyAccessExpression(node.expression) &&
  node.expression.name.text === "test" &&
  node.arguments.length > 1;

/** What is known of a text, with something unknown between each two pieces. */
function piecesOf(node) {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node))
    return [node.head.text, ...node.templateSpans.map((it) => it.literal.text)];
  return ["", ""];
}

const isUnknown = (pieces) => pieces.every((text) => text === "");

const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");

const patternOf = (pieces) => `^${pieces.map(escaped).join(".*")}$`;

/** How many letters of a part of a name are in a text, around it, or across one of its ends; 0 if too few to tell. */
function shared(text, wanted) {
  const piece = text.toLowerCase();
  if (piece.includes(wanted)) return wanted.length;
  if (piece.length < TELLING || wanted.length < TELLING) return 0;
  if (wanted.includes(piece)) return piece.length;
  for (let length = Math.min(piece.length, wanted.length); length >= TELLING; length--) {
    if (piece.endsWith(wanted.slice(0, length)) || piece.startsWith(wanted.slice(-length))) return length;
  }
  return 0;
}
