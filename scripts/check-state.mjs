/**
 * Fails if a package that runs on a core keeps mutable state in a module: file:line of each place.
 *
 * All kernel state lives in physical memory, and a core's caches in one object that can be reset. A
 * module-level variable would survive that reset, differ between cores, and be invisible to the model
 * checker. Static class fields and namespace members are module-level variables by another name.
 */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import ts from "typescript";
import { ROOT, walk } from "./setup.mjs";

const FOLDERS = ["trace", "hal", "engine", "kernel", "inspect"].map((name) => `packages/${name}/src`);

const MUTABLE_CLASSES = new Set([
  ...["Map", "Set", "WeakMap", "WeakSet", "Array", "Object", "Date"],
  ...["ArrayBuffer", "SharedArrayBuffer", "DataView", "Buffer"],
  ...["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array"],
  ...["Uint32Array", "BigInt64Array", "BigUint64Array", "Float32Array", "Float64Array"],
]);
const MAKERS = new Set(["from", "of", "create", "fromEntries", "assign", "alloc", "allocUnsafe"]);
const FREEZERS = new Set(["Object.freeze", "harden", "freeze"]);
const READONLY_TYPES = /^(readonly\b|Readonly\b|Readonly(Array|Map|Set|<))/;

const problems = [];

/** Says what is mutable about a value, or nothing if it cannot change or nobody can tell from here. */
function whatIsMutable(node) {
  if (ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node))
    return whatIsMutable(node.expression);
  if (ts.isAsExpression(node) || ts.isTypeAssertionExpression(node)) {
    return isReadonlyType(node.type) ? undefined : whatIsMutable(node.expression);
  }
  if (ts.isSatisfiesExpression(node)) {
    return isReadonlyType(node.type) ? undefined : whatIsMutable(node.expression);
  }
  if (ts.isConditionalExpression(node)) return whatIsMutable(node.whenTrue) ?? whatIsMutable(node.whenFalse);
  if (ts.isArrayLiteralExpression(node)) return "an array that is not frozen";
  if (ts.isObjectLiteralExpression(node)) return "an object that is not frozen";
  if (ts.isNewExpression(node)) {
    const name = node.expression.getText();
    return MUTABLE_CLASSES.has(name) ? `a mutable ${name}` : undefined;
  }
  if (ts.isCallExpression(node)) return whatCallMakes(node.expression);
  return undefined;
}

function whatCallMakes(callee) {
  if (FREEZERS.has(callee.getText())) return undefined;
  if (ts.isIdentifier(callee) && MUTABLE_CLASSES.has(callee.text)) return `a mutable ${callee.text}`;
  if (!ts.isPropertyAccessExpression(callee)) return undefined;
  const isMaker = MUTABLE_CLASSES.has(callee.expression.getText()) && MAKERS.has(callee.name.text);
  return isMaker ? `what ${callee.getText()}() makes, not frozen` : undefined;
}

const isReadonlyType = (type) =>
  type !== undefined && (ts.isConstTypeReference(type) || READONLY_TYPES.test(type.getText()));

const hasModifier = (node, kind) => node.modifiers?.some((modifier) => modifier.kind === kind) ?? false;

function report(node, text) {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  problems.push(`${relative(ROOT, file.fileName)}:${line + 1}: ${text}`);
}

function checkVariables(statement) {
  if (hasModifier(statement, ts.SyntaxKind.DeclareKeyword)) return;
  const isConst = (statement.declarationList.flags & ts.NodeFlags.BlockScoped) === ts.NodeFlags.Const;
  for (const variable of statement.declarationList.declarations) {
    const name = variable.name.getText();
    if (!isConst) report(variable, `${name} is module-level and not const`);
    else if (variable.initializer && !isReadonlyType(variable.type)) {
      const mutable = whatIsMutable(variable.initializer);
      if (mutable) report(variable, `${name} is module-level and holds ${mutable}`);
    }
  }
}

function checkClass(declaration) {
  const name = declaration.name?.text ?? "class";
  for (const member of declaration.members) {
    if (!ts.isPropertyDeclaration(member) || !hasModifier(member, ts.SyntaxKind.StaticKeyword)) continue;
    const field = `${name}.${member.name.getText()}`;
    if (!hasModifier(member, ts.SyntaxKind.ReadonlyKeyword))
      report(member, `${field} is static and not readonly`);
    else if (member.initializer && !isReadonlyType(member.type)) {
      const mutable = whatIsMutable(member.initializer);
      if (mutable) report(member, `${field} is static and holds ${mutable}`);
    }
  }
}

function checkStatement(node) {
  if (ts.isVariableStatement(node)) checkVariables(node);
  else if (ts.isClassDeclaration(node)) checkClass(node);
  else if (ts.isExportAssignment(node)) {
    const mutable = whatIsMutable(node.expression);
    if (mutable) report(node, `the default export is ${mutable}`);
  } else if (ts.isModuleDeclaration(node)) {
    const isAmbient = hasModifier(node, ts.SyntaxKind.DeclareKeyword);
    if (!isAmbient && node.body) ts.forEachChild(node.body, checkStatement);
  }
}

let files = 0;
for (const path of FOLDERS.flatMap((folder) => walk(join(ROOT, folder)))) {
  if (!/\.[cm]?tsx?$/.test(path) || /\.d\.[cm]?ts$/.test(path)) continue;
  files += 1;
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  ts.forEachChild(source, checkStatement);
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`${files} files, ${problems.length} places with mutable module-level state\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
