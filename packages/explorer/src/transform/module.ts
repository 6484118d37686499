/**
 * Rewrites a module into a script. A function that can reach an access keeps its name, and gets a twin beside
 * it that yields; of the two only the twin has places in the source map.
 */
import { Expressions, twinName } from "./expressions.js";
import type { Functions } from "./functions.js";
import { Refusal } from "./refusal.js";
import type { Sites } from "./sites.js";
import type { Tree } from "./syntax-tree.js";
import * as make from "./syntax-tree.js";

/** A script whose value is `($, $host) => exports`. Throws Refusal. */
export function rewriteModule(root: Tree, functions: Functions, sites: Sites): Tree {
  return new ModuleRewriter(functions, sites).script(root);
}

class ModuleRewriter {
  private readonly expressions: Expressions;
  /** Loops that were numbered. */
  private loops = 0;

  constructor(
    private readonly functions: Functions,
    sites: Sites,
  ) {
    this.expressions = new Expressions(functions, sites, (node) => this.classWithTwins(node));
  }

  script(root: Tree): Tree {
    checkNames(root);
    const imports: Tree[] = [];
    const exported: Tree[] = [];
    const body: Tree[] = [];
    for (const node of root.body as readonly Tree[]) {
      if (node.type === "ImportDeclaration") imports.push(importing(node));
      else if (node.type === "ExportNamedDeclaration" && node.declaration === null && node.source === null)
        exported.push(...node.specifiers.map((specifier: Tree) => this.exporting(specifier)));
      else if (/^Export/.test(node.type)) throw new Refusal(node, "export by one clause of names");
      else body.push(...this.statement(node));
    }
    const strict = make.statement({ type: "Literal", value: "use strict", raw: '"use strict"' });
    const result = make.returning({ type: "ObjectExpression", properties: exported });
    const program = {
      type: "ArrowFunctionExpression",
      params: [make.identifier("$"), make.identifier("$host")],
      body: make.block([strict, ...imports, ...body, result]),
    };
    return { type: "Program", body: [make.statement(program)] };
  }

  private exporting(specifier: Tree): Tree {
    const called = this.functions.scopes.functionOf(specifier.local);
    const hasTwin = called !== null && this.functions.hasTwin(called);
    const value = hasTwin ? make.identifier(twinName(specifier.local.name)) : specifier.local;
    return { type: "Property", kind: "init", key: specifier.exported, value };
  }

  // Statements.

  private statements(nodes: readonly Tree[]): Tree[] {
    return nodes.flatMap((node) => this.statement(node));
  }

  private statement(node: Tree): readonly Tree[] {
    if (make.isLoop(node)) return this.loop(node);
    switch (node.type) {
      case "FunctionDeclaration":
        return this.functions.hasTwin(node) ? [make.withoutPlaces(node), this.twin(node, node.id)] : [node];
      case "ClassDeclaration":
        return [this.classWithTwins(node)];
      case "VariableDeclaration":
        return [{ ...node, declarations: node.declarations.flatMap((it: Tree) => this.declarator(it)) }];
      case "ExpressionStatement":
        return [{ ...node, expression: this.expressions.rewrite(node.expression, true) }];
      case "LabeledStatement": {
        const body = this.statement(node.body);
        return [...body.slice(0, -1), { ...node, body: body.at(-1) }];
      }
      default:
        return [make.mapChildren(node, (child) => this.part(child))];
    }
  }

  /** What stands right below a statement. */
  private part(node: Tree): Tree | readonly Tree[] {
    const isStatement = /(Statement|Declaration|^SwitchCase|^CatchClause)$/.test(node.type);
    return isStatement ? this.statement(node) : this.expressions.rewrite(node);
  }

  private declarator(node: Tree): readonly Tree[] {
    const { id, init } = node as Tree & { id: Tree; init: Tree | null };
    if (init === null || !make.isFunction(init) || !this.functions.hasTwin(init))
      return [make.mapChildren(node, (child) => this.expressions.rewrite(child))];
    const twin = {
      type: "VariableDeclarator",
      id: make.identifier(twinName(id.name)),
      init: this.twin(init, null),
    };
    return [make.withoutPlaces(node), twin];
  }

  private loop(node: Tree): readonly Tree[] {
    if (node.left !== undefined && node.left.type !== "VariableDeclaration")
      this.expressions.checkTargets(node.left);
    const rewritten = make.mapChildren(node, (child) =>
      child === node.update || (child === node.init && child.type !== "VariableDeclaration")
        ? this.expressions.rewrite(child, true)
        : this.part(child),
    );
    const repeated = [node.test, node.update, node.body].filter(make.isNode);
    if (!this.expressions.canYield || !repeated.some((part) => this.expressions.touches(part)))
      return [rewritten];
    this.loops++;
    const { body } = rewritten as Tree & { body: Tree };
    const turn = runtimeCall("turn", [make.literal(this.loops)]);
    const inside = body.type === "BlockStatement" ? (body.body as readonly Tree[]) : [body];
    return [runtimeCall("enter", []), { ...rewritten, body: make.block([turn, ...inside]) }];
  }

  // Functions.

  private twin(node: Tree, id: Tree | null): Tree {
    const { name } = this.functions.codes.get(node)!;
    const { body, temporaries } = this.expressions.inFunction(name, () => {
      const { params, defaults } = this.parameters(node.params);
      const inside =
        node.body.type === "BlockStatement"
          ? this.statements(node.body.body)
          : [make.returning(this.expressions.rewrite(node.body))];
      return { params, statements: [...defaults, ...inside] };
    });
    const declared =
      temporaries.length === 0
        ? []
        : [
            make.declaration(
              "let",
              temporaries.map((it) => [it, null]),
            ),
          ];
    return {
      type: node.type === "FunctionDeclaration" ? "FunctionDeclaration" : "FunctionExpression",
      id: id === null ? null : make.identifier(twinName(id.name)),
      params: body.params,
      body: make.block([...declared, ...body.statements]),
      generator: true,
      async: false,
      loc: node.loc ?? null,
    };
  }

  /** A generator's parameters cannot yield: default values that do, and those behind them, move into the body. */
  private parameters(params: readonly Tree[]): { params: readonly Tree[]; defaults: readonly Tree[] } {
    const first = params.findIndex((param) => this.expressions.touches(param));
    if (first < 0) return { params, defaults: [] };
    const defaults: Tree[] = [];
    const names = params.map((param, index) => {
      if (index < first || param.type === "Identifier") return param;
      if (param.type !== "AssignmentPattern" || param.left.type !== "Identifier")
        throw new Refusal(param, "take this parameter apart in the function's body");
      const isMissing = make.binary(param.left, "===", make.undefinedValue);
      const value = make.assignment(param.left, this.expressions.rewrite(param.right));
      defaults.push({
        type: "IfStatement",
        test: isMissing,
        consequent: make.statement(value),
        alternate: null,
      });
      return param.left;
    });
    return { params: names, defaults };
  }

  private classWithTwins(node: Tree): Tree {
    const elements = (node.body.body as readonly Tree[]).flatMap((element) => {
      const outside = element.computed ? { ...element, key: this.expressions.rewrite(element.key) } : element;
      if (element.type !== "MethodDefinition" || !this.functions.hasTwin(element.value)) {
        if (node.superClass !== null) this.checkOverride(element);
        return [outside];
      }
      const key = { ...element.key, name: twinName(element.key.name) };
      return [make.withoutPlaces(element), { ...element, key, value: this.twin(element.value, null) }];
    });
    const superClass = node.superClass === null ? null : this.expressions.rewrite(node.superClass);
    return { ...node, superClass, body: { ...node.body, body: elements } };
  }

  /** Who calls the method would find the twin of the one that is overridden. */
  private checkOverride({ key, computed, static: isStatic }: Tree): void {
    if (key?.type !== "Identifier" || computed || isStatic) return;
    if (this.functions.reaches({ method: key.name }))
      throw new Refusal(
        key,
        `make ${key.name} an ordinary method: another class has one that reaches an access`,
      );
  }
}

function runtimeCall(method: string, args: readonly Tree[]): Tree {
  return make.statement(make.call(make.member(make.identifier("$"), make.identifier(method)), args));
}

/** Of a module of Node's own. */
function importing(node: Tree): Tree {
  const load = ["globalThis", "process", "getBuiltinModule"].map(make.identifier).reduce(make.member);
  const module = make.call(load, [node.source]);
  const specifiers = node.specifiers as readonly Tree[];
  if (specifiers.length === 0) return make.statement(module);
  const whole = specifiers.filter(({ type }) => type !== "ImportSpecifier");
  const named = specifiers.filter(({ type }) => type === "ImportSpecifier");
  const properties = named.map(({ imported, local }) => ({
    type: "Property",
    kind: "init",
    key: imported,
    value: local,
  }));
  const targets = whole.map(({ local }) => local as Tree);
  if (named.length > 0) targets.push({ type: "ObjectPattern", properties });
  return make.declaration(
    "const",
    targets.map((target) => [target, module]),
  );
}

/** The names that the transformation gives must be free. */
function checkNames(node: Tree): void {
  if (/Identifier$/.test(node.type) && /\$$/.test(node.name))
    throw new Refusal(node, `rename ${node.name}: names that end in $ are the checker's own`);
  for (const child of make.children(node)) checkNames(child);
}
