/**
 * Text that a hardened Compartment rejects wherever it stands (comments, texts, code), because it looks
 * like an HTML comment, an `import()` or a direct `eval`. Where its meaning survives it is spelled
 * differently; comments are dropped.
 */
import type MagicString from "magic-string";
import type { Offence } from "./restrictions.js";
import type { Bundle, Tree } from "./syntax-tree.js";

/** As `ses` looks for them (its transforms.js), which looks at text and not at syntax. */
const REJECTED = /<!--|-->|(?<=^|[^.]|\.\.\.)\bimport(?=\s*(?:\(|\/[/*]))|(?<=^|[^.])\beval(?=\s*\()/g;

/** The same text with one character as an escape, as a string, a template or a pattern may spell it. */
const SPELLED: Readonly<Record<string, string>> = Object.freeze({
  "<!--": "<!\\x2d-",
  "-->": "-\\x2d>",
  import: "impor\\x74",
  eval: "eva\\x6c",
});

/** Drops the comments and respells rejected text; gives the first place where that is not possible. */
export function respell(bundle: Bundle, out: MagicString): Offence | null {
  for (const comment of bundle.comments) {
    // A comment that spans lines ends a statement as a line break does.
    const text = bundle.code.slice(comment.start, comment.end);
    out.overwrite(comment.start, comment.end, text.includes("\n") ? "\n" : " ");
  }
  for (const node of bundle.nodes) {
    const offence = respellNode(bundle, node, out);
    if (offence !== null) return offence;
  }
  return null;
}

/** What is still rejected in finished code, and where; null if nothing is. */
export function firstRejected(code: string): { readonly text: string; readonly index: number } | null {
  for (const { 0: text, index } of code.matchAll(REJECTED)) return { text, index };
  return null;
}

function respellNode(bundle: Bundle, node: Tree, out: MagicString): Offence | null {
  const parent = bundle.parents.get(node);
  if (node.type === "Literal" && typeof node.value === "string") return spell(bundle, node, out);
  if (node.type === "Literal" && node.regex !== undefined) {
    const isAmbiguous = node.regex.pattern.includes("[") && /<!--|-->/.test(node.regex.pattern);
    if (isAmbiguous)
      return { node, reason: "a regular expression with <!-- or --> and a class: write one - as \\x2d" };
    return spell(bundle, node, out);
  }
  if (node.type === "TemplateElement") {
    // A tag sees the spelling.
    const isTagged = bundle.parents.get(parent!)?.type === "TaggedTemplateExpression";
    if (isTagged && bundle.code.slice(node.start, node.end).search(REJECTED) >= 0) {
      return {
        node,
        reason: "a tagged template with <!--, -->, import( or eval(: put that text into a substitution",
      };
    }
    return spell(bundle, node, out);
  }
  // `a-->b` and `a<!--b` are two operators each.
  if (node.type === "UpdateExpression" && node.operator === "--") {
    const end = node.prefix ? node.argument.start : node.end;
    if (!node.prefix && bundle.code[end] === ">") out.appendLeft(end, " ");
    if (node.prefix && bundle.code.slice(node.start - 2, node.start) === "<!")
      out.appendLeft(node.start, " ");
    return null;
  }
  const isKey = node.type === "Identifier" && parent !== undefined && parent.key === node && !parent.computed;
  if (isKey && !parent.shorthand && (node.name === "import" || node.name === "eval")) {
    out.overwrite(node.start, node.end, `"${SPELLED[node.name]}"`);
  }
  return null;
}

function spell(bundle: Bundle, node: Tree, out: MagicString): null {
  for (const match of bundle.code.slice(node.start, node.end).matchAll(REJECTED)) {
    const from = node.start + match.index;
    out.overwrite(from, from + match[0].length, SPELLED[match[0]]);
  }
  return null;
}
