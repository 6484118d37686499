/**
 * Which declaration each identifier of a bundle refers to.
 *
 * For strict code without `eval` and `with`, as a module is. Parameters and body of a function are two
 * scopes: a closure in a default value does not see the body's variables. A `var` that repeats a
 * parameter is taken for a variable of its own.
 */
import { type Bundle, childrenOf, isFunction, type Tree } from "./syntax-tree.js";

/** A declared name: where, and every identifier that refers to it (readers and writers alike). */
export interface Binding {
  readonly name: string;
  readonly declarations: Tree[];
  readonly references: Tree[];
}

/** The bindings by identifier node, declarations and references alike; globals are not among them. */
export type Bindings = ReadonlyMap<Tree, Binding>;

class Scope {
  private readonly bindings = new Map<string, Binding>();

  constructor(private readonly outer: Scope | null) {}

  declare(identifier: Tree, all: Map<Tree, Binding>): void {
    const name: string = identifier.name;
    let binding = this.bindings.get(name);
    if (binding === undefined) {
      binding = { name, declarations: [], references: [] };
      this.bindings.set(name, binding);
    }
    binding.declarations.push(identifier);
    all.set(identifier, binding);
  }

  find(name: string): Binding | undefined {
    for (let scope: Scope | null = this; scope !== null; scope = scope.outer) {
      const binding = scope.bindings.get(name);
      if (binding !== undefined) return binding;
    }
    return undefined;
  }
}

export function resolve(bundle: Bundle): Bindings {
  const all = new Map<Tree, Binding>();
  const top = new Scope(null);
  declareVariables(bundle, bundle.root, top, all);
  declareStatements(bundle.root.body, top, all);
  const rest: Visit[] = [];
  see(bundle.root.body, top, rest);
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) visit(bundle, next, all, rest);
  return all;
}

/** A node that is still to be looked at, and the scope it stands in, in which all is declared. */
interface Visit {
  readonly node: Tree;
  readonly scope: Scope;
}

/** Has nodes looked at next, in their order. */
function see(nodes: readonly Tree[], scope: Scope, rest: Visit[]): void {
  for (const node of nodes.toReversed()) rest.push({ node, scope });
}

/** Declares what `let`, `const`, `class` and `function` in a list of statements declare. */
function declareStatements(statements: readonly Tree[], scope: Scope, all: Map<Tree, Binding>): void {
  for (const statement of statements) {
    if (statement.type === "VariableDeclaration" && statement.kind !== "var") {
      for (const { id } of statement.declarations) declarePattern(id, scope, all);
    } else if (statement.type === "FunctionDeclaration" || statement.type === "ClassDeclaration") {
      if (statement.id !== null) scope.declare(statement.id, all);
    } else if (statement.type === "LabeledStatement") {
      declareStatements([statement.body], scope, all);
    } else if (statement.type.startsWith("Export") && statement.declaration) {
      declareStatements([statement.declaration], scope, all);
    }
  }
}

/** Declares every `var` below a node that belongs to the same function. */
function declareVariables(bundle: Bundle, root: Tree, scope: Scope, all: Map<Tree, Binding>): void {
  const rest: Tree[] = [root];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (node.type === "VariableDeclaration" && node.kind === "var") {
      for (const { id } of node.declarations) declarePattern(id, scope, all);
    }
    for (const child of childrenOf(bundle, node)) {
      if (!isFunction(child) && child.type !== "StaticBlock" && child.type !== "PropertyDefinition")
        rest.push(child);
    }
  }
}

/** Declares the names in a pattern; the expressions in it are left to `visit`. */
function declarePattern(pattern: Tree | null, scope: Scope, all: Map<Tree, Binding>): void {
  if (pattern === null) return;
  switch (pattern.type) {
    case "Identifier":
      scope.declare(pattern, all);
      break;
    case "ObjectPattern":
      for (const property of pattern.properties)
        declarePattern(property.value ?? property.argument, scope, all);
      break;
    case "ArrayPattern":
      for (const element of pattern.elements) declarePattern(element, scope, all);
      break;
    case "AssignmentPattern":
      declarePattern(pattern.left, scope, all);
      break;
    case "RestElement":
      declarePattern(pattern.argument, scope, all);
      break;
  }
}

function visit(bundle: Bundle, { node, scope }: Visit, all: Map<Tree, Binding>, rest: Visit[]): void {
  if (node.type === "Identifier") {
    if (all.has(node)) return; // A declaration.
    const binding = scope.find(node.name);
    if (binding === undefined) return;
    binding.references.push(node);
    all.set(node, binding);
    return;
  }
  if (isFunction(node)) {
    visitFunction(bundle, node, scope, all, rest);
    return;
  }
  const inner = innerScope(bundle, node, scope, all);
  see(
    childrenOf(bundle, node).filter((child) => !isMereName(node, child)),
    inner,
    rest,
  );
}

function visitFunction(
  bundle: Bundle,
  node: Tree,
  scope: Scope,
  all: Map<Tree, Binding>,
  rest: Visit[],
): void {
  let outer = scope;
  if (node.type === "FunctionExpression" && node.id) {
    outer = new Scope(scope);
    outer.declare(node.id, all);
  }
  const parameters = new Scope(outer);
  for (const parameter of node.params) declarePattern(parameter, parameters, all);

  const body = new Scope(parameters);
  if (node.body.type === "BlockStatement") {
    declareVariables(bundle, node.body, body, all);
    declareStatements(node.body.body, body, all);
    see(node.body.body, body, rest);
  } else see([node.body], body, rest);
  see(node.params, parameters, rest);
}

/** The scope in which a node's children stand. */
function innerScope(bundle: Bundle, node: Tree, scope: Scope, all: Map<Tree, Binding>): Scope {
  const inner = new Scope(scope);
  switch (node.type) {
    case "StaticBlock":
      declareVariables(bundle, node, inner, all);
      declareStatements(node.body, inner, all);
      return inner;
    case "BlockStatement":
      declareStatements(node.body, inner, all);
      return inner;
    case "SwitchStatement":
      for (const { consequent } of node.cases) declareStatements(consequent, inner, all);
      return inner;
    case "ForStatement":
      if (node.init !== null) declareStatements([node.init], inner, all);
      return inner;
    case "ForInStatement":
    case "ForOfStatement":
      declareStatements([node.left], inner, all);
      return inner;
    case "CatchClause":
      declarePattern(node.param, inner, all);
      return inner;
    case "ClassDeclaration":
    case "ClassExpression":
      // Inside a class its name is another binding than outside; here the inner one has no references
      // of interest, so a reference inside counts for the outer one.
      if (node.type === "ClassExpression" && node.id) inner.declare(node.id, all);
      return inner;
    default:
      return scope;
  }
}

/** True for identifiers that name a property or a label. */
function isMereName(parent: Tree, child: Tree): boolean {
  switch (parent.type) {
    case "MemberExpression":
      return child === parent.property && !parent.computed;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return child === parent.key && !parent.computed;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return child === parent.label;
    case "ExportSpecifier":
      return child === parent.exported && child !== parent.local;
    case "MetaProperty":
      return true;
    default:
      return false;
  }
}
