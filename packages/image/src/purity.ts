/**
 * Whether a function does nothing but compute: given numbers, texts and the like, it can be broken off anywhere and
 * begun anew, and nobody can tell. So it reads and writes variables of its own, and calls such functions and Math.
 */
import type { Bindings } from "./scope.js";
import { type Bundle, enclosingFunction, isFunction, type Tree, within } from "./syntax-tree.js";
import { isFixed, type Values } from "./values.js";

/** What a function may be made of, besides names, calls and members, which are looked at. */
const PURE: ReadonlySet<string> = Object.freeze(
  new Set([
    ...["BlockStatement", "ReturnStatement", "IfStatement", "ForStatement", "WhileStatement"],
    ...["DoWhileStatement", "BreakStatement", "ContinueStatement", "EmptyStatement", "LabeledStatement"],
    ...["SwitchStatement", "SwitchCase", "ExpressionStatement", "VariableDeclaration", "VariableDeclarator"],
    ...[
      "BinaryExpression",
      "LogicalExpression",
      "UnaryExpression",
      "UpdateExpression",
      "AssignmentExpression",
    ],
    ...["ConditionalExpression", "SequenceExpression", "TemplateLiteral", "TemplateElement", "Literal"],
  ]),
);

/** Operators that look into objects. */
const OF_OBJECTS: ReadonlySet<string> = Object.freeze(new Set(["in", "instanceof", "delete"]));

/** True for a function that does nothing but compute, as far as can be seen. */
export function isPure(bundle: Bundle, bindings: Bindings, root: Tree, values: Values): boolean {
  const seen = new Set<Tree>();
  const rest = [root];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (!(node.params as Tree[]).every(({ type }) => type === "Identifier")) return false;
    for (const part of within(bundle, node.body)) {
      if (part.type === "CallExpression") {
        if (part.optional || (part.arguments as Tree[]).some(({ type }) => type === "SpreadElement"))
          return false;
        if (isOfMath(bindings, part.callee)) continue;
        const callee = part.callee.type === "Identifier" ? values.of(part.callee) : null;
        if (callee?.kind !== "function" || callee.node.generator === true) return false;
        // Its variables have to be its own: one that lies in another function has those of that.
        if (enclosingFunction(bundle, callee.node) !== undefined) return false;
        rest.push(callee.node);
      } else if (part.type === "MemberExpression") {
        if (!isOfMath(bindings, part)) return false;
      } else if (part.type === "Identifier") {
        if (!isPureName(bundle, bindings, part, node)) return false;
      } else if (!PURE.has(part.type) || OF_OBJECTS.has(part.operator) || part.regex !== undefined)
        return false;
    }
  }
  return true;
}

function isOfMath(bindings: Bindings, node: Tree): boolean {
  return (
    node.type === "MemberExpression" &&
    !node.computed &&
    node.object.type === "Identifier" &&
    node.object.name === "Math" &&
    !bindings.has(node.object)
  );
}

/** A variable of the function's own, a constant, or the name of something that was looked at as what it is part of. */
function isPureName(bundle: Bundle, bindings: Bindings, node: Tree, owner: Tree): boolean {
  const parent = bundle.parents.get(node)!;
  if (parent.type === "CallExpression" && parent.callee === node) return true;
  if (parent.type === "MemberExpression") return isOfMath(bindings, parent);
  if (/^(Break|Continue|Labeled)Statement$/.test(parent.type)) return true;
  const binding = bindings.get(node);
  if (binding === undefined) return /^(undefined|NaN|Infinity)$/.test(node.name);
  const [declaration] = binding.declarations;
  if (enclosingFunctionOrSelf(bundle, declaration!) === owner) return true;
  const declarator = bundle.parents.get(declaration!)!;
  return (
    isFixed(bundle, binding) &&
    declarator.type === "VariableDeclarator" &&
    declarator.init?.type === "Literal" &&
    declarator.init.regex === undefined
  );
}

/** The function that a name is declared in: a parameter's own. */
function enclosingFunctionOrSelf(bundle: Bundle, declaration: Tree): Tree | undefined {
  const owner = enclosingFunction(bundle, declaration);
  return owner !== undefined && isFunction(owner) ? owner : undefined;
}
