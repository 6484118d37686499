/**
 * The functions of a module: what each accesses and calls, which of them can reach an access, and which may
 * run where nothing can yield.
 *
 * A function that can reach an access gets a twin, a generator, which code that can yield calls in its place.
 * Constructors, accessors, generators and functions that stand in no variable of their own get none.
 */
import { atomicOf, isAtomics, isBulk, isElement, isOfAtomics } from "./access.js";
import { Refusal } from "./refusal.js";
import type { Scopes } from "./scopes.js";
import { children, isClass, isFunction, type Tree } from "./syntax-tree.js";

/** What a name stands for: one function (its node), or any method of that name. */
export type Callee = { readonly node: Tree } | { readonly method: string };

/** A function, or something else with code of its own: the module, a field's initial value. */
export interface Code {
  /** For people: `choose`, `RingPort.reserve`. */
  readonly name: string;
  /** False if it can have no twin. */
  readonly canYield: boolean;
  readonly accesses: Tree[];
  /** Accesses that are made inside a built-in. */
  readonly hidden: Tree[];
  readonly calls: Callee[];
  /** It can yield, and it or what it calls has an access. */
  hasTwin: boolean;
  /** It may run where nothing can yield. */
  runsPlain: boolean;
}

export class Functions {
  /** By function node. */
  readonly codes = new Map<Tree, Code>();
  /** Every piece of code, the module's own first. */
  readonly all: Code[] = [];
  /** Functions by the name of the method, over all classes. */
  private readonly methods = new Map<string, Tree[]>();
  /** What is used as a value: whoever gets it calls the function itself, not its twin. */
  private readonly values: Callee[] = [];
  /** What private names stand for where they are called, by the name's node; null for one that is no method. */
  private readonly privateMethods = new Map<Tree, Tree | null>();
  /** Private names of the classes around the place of the walk, the innermost last. */
  private readonly privates: ReadonlyMap<string, Tree | null>[] = [];

  /** Throws Refusal. */
  constructor(
    root: Tree,
    readonly scopes: Scopes,
  ) {
    const module = this.add("(module)", false);
    this.walkChildren(root, module);
    this.findTwins();
    this.findPlain();
  }

  /** True if what is called has a twin, or some method of the name has. */
  reaches(callee: Callee): boolean {
    return this.codesOf(callee).some(({ hasTwin }) => hasTwin);
  }

  hasTwin(node: Tree): boolean {
    return this.codes.get(node)?.hasTwin ?? false;
  }

  /** What a call of an expression calls, as far as its form shows. */
  calleeOf(node: Tree): Callee | null {
    if (node.type === "MemberExpression" && !node.computed && node.property.type === "Identifier")
      return { method: node.property.name };
    const isName = node.type === "Identifier";
    const called = isName ? this.scopes.functionOf(node) : this.privateMethods.get(node.property);
    return called == null ? null : { node: called };
  }

  private codesOf(callee: Callee): readonly Code[] {
    const nodes = "node" in callee ? [callee.node] : (this.methods.get(callee.method) ?? []);
    return nodes.map((node) => this.codes.get(node)!);
  }

  private findTwins(): void {
    for (let isNew = true; isNew; ) {
      isNew = false;
      for (const code of this.all) {
        if (code.hasTwin || !code.canYield) continue;
        code.hasTwin = code.accesses.length > 0 || code.calls.some((callee) => this.reaches(callee));
        isNew ||= code.hasTwin;
      }
      // All of a name, so that a method that overrides another has its twin override the other's.
      for (const name of this.methods.keys())
        if (this.reaches({ method: name }))
          for (const code of this.codesOf({ method: name })) code.hasTwin = code.canYield;
    }
  }

  private findPlain(): void {
    const found: Code[] = [];
    const add = (code: Code) => {
      if (code.runsPlain) return;
      code.runsPlain = true;
      found.push(code);
    };
    for (const code of this.all) if (!code.canYield) add(code);
    for (const value of this.values) for (const code of this.codesOf(value)) add(code);
    for (let code = found.pop(); code !== undefined; code = found.pop())
      for (const callee of code.calls) for (const called of this.codesOf(callee)) add(called);
  }

  private add(name: string, canYield: boolean): Code {
    const lists = { accesses: [], hidden: [], calls: [] };
    const code = { name, canYield, ...lists, hasTwin: false, runsPlain: false };
    this.all.push(code);
    return code;
  }

  private addFunction(node: Tree, name: string, mayYield: boolean): void {
    const code = this.add(name, mayYield && !node.generator && !node.async);
    this.codes.set(node, code);
    for (const child of children(node)) if (child !== node.id) this.walk(child, code);
  }

  private walk(node: Tree, code: Code): void {
    if (node.type === "FunctionDeclaration")
      this.addFunction(node, node.id.name, this.scopes.isConstantDeclaration(node));
    else if (isFunction(node)) this.addFunction(node, node.id?.name ?? `(in ${code.name})`, false);
    else if (isClass(node)) this.walkClass(node, node.id?.name ?? `(in ${code.name})`, code);
    else if (node.type === "VariableDeclarator") this.walkDeclarator(node, code);
    else if (node.type === "Property") this.walkProperty(node, code);
    else if (node.type === "CallExpression") this.walkCall(node, code);
    else if (node.type === "MemberExpression") this.walkMember(node, code);
    else if (node.type === "Identifier") this.walkIdentifier(node);
    else if (node.type === "ExportNamedDeclaration" && node.declaration === null) return;
    else {
      refuseModuleSyntax(node, code);
      this.walkChildren(node, code);
    }
  }

  private walkChildren(node: Tree, code: Code): void {
    for (const child of children(node)) this.walk(child, code);
  }

  private walkDeclarator(node: Tree, code: Code): void {
    const { id, init } = node as Tree & { id: Tree; init: Tree | null };
    if (id.type !== "Identifier") this.walk(id, code);
    if (init === null) return;
    const isNamed = id.type === "Identifier" && this.scopes.isConstantDeclaration(node);
    if (isNamed && isFunction(init)) this.addFunction(init, id.name, init.id == null && !needsItsPlace(init));
    else if (isNamed && isClass(init)) this.walkClass(init, id.name, code);
    else this.walk(init, code);
  }

  /** Of an object or a pattern. */
  private walkProperty(node: Tree, code: Code): void {
    if (node.computed) this.walk(node.key, code);
    if (isFunction(node.value) && !node.computed)
      this.addFunction(node.value, String(node.key.name ?? node.key.value), false);
    else this.walk(node.value, code);
  }

  private walkClass(node: Tree, name: string, code: Code): void {
    if (node.superClass !== null) this.walk(node.superClass, code);
    const elements: readonly Tree[] = node.body.body;
    const privates = elements.filter(({ key }) => key?.type === "PrivateIdentifier");
    this.privates.push(
      new Map(privates.map(({ key, kind, value }) => [key.name, kind === "method" ? value : null])),
    );
    for (const element of elements) {
      if (element.computed) this.walk(element.key, code);
      const full = element.type === "StaticBlock" ? `${name} (static)` : `${name}.${nameOfKey(element)}`;
      if (element.type === "MethodDefinition") this.walkMethod(element, full);
      else if (element.type === "StaticBlock") this.walkChildren(element, this.add(full, false));
      else if (element.value !== null) this.walk(element.value, this.add(full, false));
    }
    this.privates.pop();
  }

  private walkMethod(node: Tree, name: string): void {
    const isPublic = node.key.type === "Identifier" && !node.computed;
    const isPrivate = node.key.type === "PrivateIdentifier";
    if (isPublic && node.kind === "method") {
      const known = this.methods.get(node.key.name);
      if (known === undefined) this.methods.set(node.key.name, [node.value]);
      else known.push(node.value);
    }
    this.addFunction(node.value, name, node.kind === "method" && (isPublic || isPrivate));
  }

  private walkCall(node: Tree, code: Code): void {
    for (const argument of node.arguments) this.walk(argument, code);
    if (isBulk(node, this.scopes)) code.hidden.push(node);
    if (isOfAtomics(node.callee, this.scopes)) {
      if (atomicOf(node, this.scopes) !== null) code.accesses.push(node);
      return;
    }
    this.notePrivate(node.callee);
    const callee = node.optional ? null : this.calleeOf(node.callee);
    if (callee === null) {
      this.walk(node.callee, code);
      return;
    }
    code.calls.push(callee);
    if (node.callee.type === "MemberExpression") this.walk(node.callee.object, code);
  }

  private notePrivate({ property }: Tree): void {
    if (property?.type !== "PrivateIdentifier") return;
    const names = this.privates.findLast((candidates) => candidates.has(property.name));
    this.privateMethods.set(property, names?.get(property.name) ?? null);
  }

  private walkMember(node: Tree, code: Code): void {
    this.notePrivate(node);
    if (isOfAtomics(node, this.scopes))
      throw new Refusal(
        node,
        `call Atomics.${node.property.name} where it is needed instead of passing it on`,
      );
    if (isElement(node, this.scopes)) code.accesses.push(node);
    else if (!node.computed) {
      const value = this.calleeOf(node);
      if (value !== null) this.values.push(value);
    }
    this.walk(node.object, code);
    if (node.computed) this.walk(node.property, code);
  }

  private walkIdentifier(node: Tree): void {
    if (isAtomics(node, this.scopes))
      throw new Refusal(node, "use Atomics only as in Atomics.load(view, index)");
    const value = this.scopes.functionOf(node);
    if (value !== null) this.values.push({ node: value });
  }
}

function nameOfKey({ key, computed }: Tree): string {
  if (computed) return "(computed)";
  return key.type === "PrivateIdentifier" ? `#${key.name}` : String(key.name ?? key.value);
}

/** An arrow function whose `this`, `super` or `arguments` are those of its place. */
function needsItsPlace(node: Tree): boolean {
  return node.type === "ArrowFunctionExpression" && [...children(node)].some(isOfPlace);
}

function isOfPlace(node: Tree): boolean {
  if (node.type === "ThisExpression" || node.type === "Super") return true;
  if (node.type === "MetaProperty") return true;
  if (node.type === "Identifier" && node.name === "arguments") return true;
  if (isFunction(node) && node.type !== "ArrowFunctionExpression") return false;
  return [...children(node)].some(isOfPlace);
}

/** A script has no such thing. */
function refuseModuleSyntax(node: Tree, code: Code): void {
  if (node.type === "MetaProperty" && node.meta.name === "import")
    throw new Refusal(node, "replace this module: a program under test has no import.meta");
  if (code.name === "(module)" && (node.type === "AwaitExpression" || node.await === true))
    throw new Refusal(node, "replace this module: a program under test cannot await while it is loaded");
}
