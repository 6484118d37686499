/**
 * What a guest's code may not contain, because it would run outside its turn (promises) or reach what
 * no check was put into (code made at run time, modules loaded at run time).
 */
import type { Bundle, Tree } from "./syntax-tree.js";

/** A thing that is not allowed, and where in the bundle it stands. */
export interface Offence {
  readonly node: Tree;
  readonly reason: string;
}

/** As the kernel limits patterns made at run time: V8 cannot be interrupted while it compiles one. */
const MAX_PATTERN_LENGTH = 2 ** 14;

/** How large a guest's file may be: more than any machine has room for as code. */
export const MAX_SOURCE_BYTES = 2 ** 24;

/** What the bundler calls `require` where a guest mentions it. */
export const REQUIRE = "$capos_require";

const ASYNC = "a guest traps with yield instead, and calls generators with yield*";
const MODULES =
  "a guest may import relative files and capos/guest with import statements at the top of a file";

/** The first thing that is not allowed, in source order; null if all is. */
export function firstOffence(bundle: Bundle): Offence | null {
  let first: Offence | null = null;
  for (const node of bundle.nodes) {
    const reason = reasonAgainst(node);
    if (reason !== null && (first === null || node.start < first.node.start)) first = { node, reason };
  }
  return first;
}

function reasonAgainst(node: Tree): string | null {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return node.async === true ? `async functions do not work in a guest: ${ASYNC}` : null;
    case "AwaitExpression":
      return `await does not work in a guest: ${ASYNC}`;
    case "ForOfStatement":
      return node.await === true ? `for await does not work in a guest: ${ASYNC}` : null;
    case "ImportExpression":
      return `import() does not work in a guest: ${MODULES}`;
    case "MetaProperty":
      return node.meta.name === "import"
        ? "import.meta does not exist in a guest: it has no files and no URL"
        : null;
    case "CallExpression":
      return node.callee.type === "Identifier" && node.callee.name === "eval"
        ? "eval does not work in a guest: only code that was built may run"
        : null;
    case "Identifier":
      return node.name === REQUIRE ? `require does not work in a guest: ${MODULES}` : null;
    case "DebuggerStatement":
      return "debugger does not work in a guest: it would stop the whole core";
    case "Literal":
      return node.regex !== undefined && node.regex.pattern.length > MAX_PATTERN_LENGTH
        ? `a regular expression of ${node.regex.pattern.length} characters, the limit is ${MAX_PATTERN_LENGTH}`
        : null;
    default:
      return null;
  }
}
