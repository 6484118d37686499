/**
 * Plain functions that may run for long, made to yield.
 *
 * A plain function cannot yield, whoever calls it. So one that has a loop, or calls itself, and is called in code that
 * may yield, gets a twin: a generator with the same body, which that code calls instead, under `yield*`. Whoever else
 * calls the function, or passes it on, has the function itself. What it calls in turn is called by its twin in the same way.
 *
 * Twins are made of functions that lie outside of all others, and of methods of such classes, whose every way is known:
 * see `Values`. A method's twin is taken only if the object still has the method it was made from. A generator that others may iterate
 * (a method, and what such a one calls) has a twin too, which is taken where it is called under `yield*`.
 *
 * A call of a twin costs 40 ns more than one of the function, and three times its stack. So a recursion goes on in the functions
 * themselves below `MAX_DEPTH`; and one that does nothing but compute is first tried with the function, on a budget: most
 * calls of a recursion are small. What did not end within it is done again by the twin, and nobody can tell.
 */
import MagicString, { Bundle as MagicBundle } from "magic-string";
import { isPure } from "./purity.js";
import type { Bindings } from "./scope.js";
import { type Bundle, enclosingFunction, isFunction, LOOPS, type Tree, within } from "./syntax-tree.js";
import { isFixed, type Values } from "./values.js";

/** How deep a recursion of twins goes: each level is another one to go through when the guest is resumed. */
const MAX_DEPTH = 128;
/** A try that fails costs its budget; so it is made on every eighth level only. */
const LEVELS_PER_TRY = 8;

/** What a bundle became. */
export interface Twinned {
  readonly code: string;
  /** From this code to the bundle's. */
  readonly map: string;
  /** Names of twins that are the values of variables. */
  readonly methods: ReadonlySet<string>;
  /** What the code calls to try a pure function on a budget: answers its result, or what the second name names. */
  readonly attempt: string;
  readonly spent: string;
  /** What it calls with the method that an object has, one and its twin: answers the twin, or a generator that calls the method. */
  readonly pick: string;
  /** The same for methods that are generators: answers the twin, or the method. */
  readonly choose: string;
}

/** A function that may have a twin. */
interface Unit {
  readonly node: Tree;
  /** Of a method its class's body, else null. */
  readonly classBody: Tree | null;
  /** An expression that gives the function where its twin is. */
  readonly plain: string;
  readonly twin: string;
  readonly calls: Call[];
  /** Whether it is a generator itself: a recursion of it is as deep as one of its twin. */
  readonly isGenerator: boolean;
  /** Of a plain function: whether it calls itself, be it by way of others. */
  isRecursive: boolean;
}

/** A call of a unit, where `yield*` can stand. */
interface Call {
  readonly node: Tree;
  readonly target: Unit;
}

/**
 * Gives a bundle twins; null if it needs none.
 *
 * @param yielding the generators that may yield
 * @param isOwn whether a node is of the guest's own code
 */
export function withTwins(
  bundle: Bundle,
  bindings: Bindings,
  values: Values,
  yielding: ReadonlySet<Tree>,
  isOwn: (node: Tree) => boolean,
): Twinned | null {
  const fresh = freshNames(bundle);
  const units = findUnits(bundle, bindings, (node) => isOwn(node) && !yielding.has(node), fresh);
  if (units.size === 0) return null;
  const roots: Call[] = [];
  for (const node of bundle.nodes) {
    const target = node.type === "CallExpression" ? targetOf(bundle, values, units, node) : undefined;
    const owner = target === undefined ? undefined : enclosingFunction(bundle, node);
    if (target === undefined || owner === undefined || !canYieldAt(bundle, node, owner)) continue;
    if (target.isGenerator && !isDelegatedTo(bundle, node)) continue;
    const call = { node, target };
    if (yielding.has(owner)) roots.push(call);
    else units.get(owner)?.calls.push(call);
  }
  const needed = neededUnits(bundle, units);
  const twins = reachable(roots, needed);
  if (twins.size === 0) return null;
  const writer = new TwinWriter(bundle, needed, fresh);
  return writer.write(roots, twins, (unit) => isPure(bundle, bindings, unit.node, values));
}

const TWIN = "$yielding";

/** What a function is called that a name may be the twin's of. */
export function withoutTwin(name: string): string {
  const at = name.lastIndexOf(TWIN);
  return at > 0 ? name.slice(0, at) : name;
}

/** Gives names that occur nowhere in a bundle. */
function freshNames(bundle: Bundle): (base: string) => string {
  const taken = new Set<string>();
  return (base) => {
    let name = base;
    for (let i = 2; bundle.names.has(name) || taken.has(name); i++) name = `${base}${i}`;
    taken.add(name);
    return name;
  };
}

function findUnits(
  bundle: Bundle,
  bindings: Bindings,
  isCandidate: (node: Tree) => boolean,
  fresh: (base: string) => string,
): Map<Tree, Unit> {
  const units = new Map<Tree, Unit>();
  for (const node of bundle.nodes) {
    if (!isFunction(node) || !isMadeOnce(bundle, node)) continue;
    const found = placeOfUnit(bundle, bindings, node);
    if (found === null || usesCaller(bundle, node) || !isCandidate(node)) continue;
    const twin = fresh(`${found.name}${TWIN}`);
    const plain = found.plain ?? fresh(`${found.name}$plain`);
    const isGenerator = node.generator === true;
    units.set(node, {
      ...{ node, classBody: found.classBody, plain, twin, calls: [], isGenerator, isRecursive: false },
    });
  }
  return units;
}

/** True for a function, or a method of a class, that is declared at the top level of the bundle, in no block. */
function isMadeOnce(bundle: Bundle, node: Tree): boolean {
  let outer = bundle.parents.get(node)!;
  if (outer.type === "MethodDefinition") {
    outer = bundle.parents.get(bundle.parents.get(outer)!)!;
    if (outer.type === "ClassExpression") outer = bundle.parents.get(outer)!;
  }
  const isDeclared = /^(VariableDeclarator|ClassDeclaration)$/.test(outer.type);
  const statement = outer.type === "VariableDeclarator" ? bundle.parents.get(outer)! : outer;
  return node.type === "FunctionDeclaration"
    ? outer === bundle.root
    : isDeclared && bundle.parents.get(statement) === bundle.root;
}

/** What a function is called, if it can be a unit. `plain` is null for a method that is to be found in its prototype. */
function placeOfUnit(
  bundle: Bundle,
  bindings: Bindings,
  node: Tree,
): { name: string; plain: string | null; classBody: Tree | null } | null {
  const parent = bundle.parents.get(node)!;
  const named: Tree | null =
    node.type === "FunctionDeclaration" ? node.id : parent.type === "VariableDeclarator" ? parent.id : null;
  if (named?.type === "Identifier") {
    if (node.type === "FunctionExpression" && node.id) return null;
    const binding = bindings.get(named);
    if (binding === undefined || !isFixed(bundle, binding)) return null;
    return { name: named.name, plain: named.name, classBody: null };
  }
  if (parent.type !== "MethodDefinition" || parent.kind !== "method" || parent.static || parent.computed)
    return null;
  const { key } = parent;
  if (key.type === "PrivateIdentifier")
    return { name: key.name, plain: `this.#${key.name}`, classBody: bundle.parents.get(parent)! };
  return key.type === "Identifier"
    ? { name: key.name, plain: null, classBody: bundle.parents.get(parent)! }
    : null;
}

/** True if a function has to do with how it was called: its twin is called in another way. */
function usesCaller(bundle: Bundle, node: Tree): boolean {
  for (const inner of within(bundle, node)) {
    if (inner.type === "Super" || inner.type === "MetaProperty") return true;
    if (inner.type === "Identifier" && inner.name === "arguments") return true;
    // Of an arrow outside of all functions; inside of another class it is that class's.
    if (inner.type === "ThisExpression" && node.type === "ArrowFunctionExpression") return true;
  }
  return false;
}

function targetOf(bundle: Bundle, values: Values, units: Map<Tree, Unit>, call: Tree): Unit | undefined {
  const { callee } = call;
  if (call.optional) return undefined;
  // Where the arguments begin has to be seen.
  const open = bundle.code.indexOf("(", callee.end);
  if (bundle.code.slice(callee.end, open).trim() !== "") return undefined;
  const isMethod = callee.type === "MemberExpression";
  if (
    isMethod &&
    (callee.computed || callee.optional || !/^(Identifier|ThisExpression)$/.test(callee.object.type))
  )
    return undefined;
  if (!isMethod && callee.type !== "Identifier") return undefined;
  const value = values.of(callee);
  const unit = value?.kind === "function" ? units.get(value.node) : undefined;
  return unit !== undefined && (unit.classBody !== null) === isMethod ? unit : undefined;
}

/** True if `yield*` may stand at a node of a function: in its body, and in no class there. */
function canYieldAt(bundle: Bundle, node: Tree, owner: Tree): boolean {
  let child = node;
  for (let outer = bundle.parents.get(child)!; outer !== owner; outer = bundle.parents.get(child)!) {
    if (outer.type === "ClassBody" || outer.type === "PropertyDefinition") return false;
    child = outer;
  }
  return child === owner.body && owner.type !== "StaticBlock";
}

/** Whether a call is what `yield*` has behind it. */
function isDelegatedTo(bundle: Bundle, call: Tree): boolean {
  const parent = bundle.parents.get(call)!;
  return parent.type === "YieldExpression" && parent.delegate === true;
}

/** The units that may run for long. */
function neededUnits(bundle: Bundle, units: Map<Tree, Unit>): Set<Unit> {
  const needed = new Set<Unit>();
  for (const node of bundle.nodes) {
    const owner = LOOPS.has(node.type) ? enclosingFunction(bundle, node) : undefined;
    const unit = owner === undefined ? undefined : units.get(owner);
    if (unit !== undefined) needed.add(unit);
  }
  for (const unit of units.values()) {
    if (!reaches(unit, unit)) continue;
    needed.add(unit);
    unit.isRecursive = !unit.isGenerator;
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const unit of units.values()) {
      if (needed.has(unit) || !unit.calls.some(({ target }) => needed.has(target))) continue;
      needed.add(unit);
      changed = true;
    }
  }
  // One that cannot hand on its arguments has no way back to the function.
  for (const unit of needed) if (unit.isRecursive && argumentsOf(unit.node) === null) needed.delete(unit);
  return needed;
}

function reaches(from: Unit, to: Unit): boolean {
  const seen = new Set<Unit>();
  const rest = [from];
  for (let unit = rest.pop(); unit !== undefined; unit = rest.pop()) {
    for (const { target } of unit.calls) {
      if (target === to) return true;
      if (seen.has(target)) continue;
      seen.add(target);
      rest.push(target);
    }
  }
  return false;
}

function reachable(roots: readonly Call[], needed: ReadonlySet<Unit>): Set<Unit> {
  const found = new Set<Unit>();
  const rest = roots.map(({ target }) => target);
  for (let unit = rest.pop(); unit !== undefined; unit = rest.pop()) {
    if (!needed.has(unit) || found.has(unit)) continue;
    found.add(unit);
    rest.push(...unit.calls.map(({ target }) => target));
  }
  return found;
}

/** A function's parameters as the arguments of a call with the same; null if they are patterns. */
function argumentsOf(node: Tree): string[] | null {
  const given: string[] = [];
  for (const parameter of node.params as Tree[]) {
    if (parameter.type === "RestElement" && parameter.argument.type === "Identifier")
      given.push(`...${parameter.argument.name}`);
    else if (parameter.type === "AssignmentPattern" && parameter.left.type === "Identifier")
      given.push(parameter.left.name);
    else if (parameter.type === "Identifier") given.push(parameter.name);
    else return null;
  }
  return given;
}

class TwinWriter {
  readonly #pick: string;
  readonly #choose: string;
  readonly #depth: string;
  readonly #attempt: string;
  readonly #spent: string;
  readonly #tried: string;

  constructor(
    private readonly bundle: Bundle,
    private readonly needed: ReadonlySet<Unit>,
    fresh: (base: string) => string,
  ) {
    this.#pick = fresh("$pick");
    this.#choose = fresh("$choose");
    this.#depth = fresh("$depth");
    this.#attempt = fresh("$attempt");
    this.#spent = fresh("$spent");
    this.#tried = fresh("$tried");
  }

  write(roots: readonly Call[], twins: ReadonlySet<Unit>, isPureUnit: (unit: Unit) => boolean): Twinned {
    const { code } = this.bundle;
    const main = this.#original();
    for (const call of roots) this.#redirect(main, call, "0");
    const out = new MagicBundle({ separator: "" });
    const methods = [...twins].filter(({ classBody }) => classBody !== null);
    let at = 0;
    const bodies = [...new Set(methods.map(({ classBody }) => classBody!))].sort((a, b) => a.end - b.end);
    for (const body of bodies) {
      const end = body.end - 1;
      out.addSource({ filename: SOURCE, content: main.snip(at, end) });
      at = end;
      for (const unit of methods) {
        if (unit.classBody !== body) continue;
        const { key } = this.bundle.parents.get(unit.node)!;
        if (key.type === "Identifier")
          out.addSource({ content: text(`static{${unit.plain}=this.prototype.${key.name};}`) });
        out.addSource({ content: text(`static{${unit.twin}=`) });
        this.#addTwin(out, unit, isPureUnit(unit), "");
        out.addSource({ content: text(";}") });
      }
    }
    out.addSource({ filename: SOURCE, content: main.snip(at, code.length) });
    for (const unit of twins) {
      if (unit.classBody !== null) continue;
      out.addSource({ content: text("\n") });
      this.#addTwin(out, unit, isPureUnit(unit), unit.twin);
    }
    if (methods.length > 0) out.addSource({ content: text(this.#declarations(methods)) });
    return {
      code: out.toString(),
      map: out.generateMap({ hires: "boundary" }).toString(),
      methods: new Set(methods.map(({ twin }) => twin)),
      attempt: this.#attempt,
      spent: this.#spent,
      pick: this.#pick,
      choose: this.#choose,
    };
  }

  #original(): MagicString {
    return new MagicString(this.bundle.code, { filename: SOURCE });
  }

  #declarations(methods: readonly Unit[]): string {
    const names = methods.flatMap(({ plain, twin }) => (plain.startsWith("this.") ? [twin] : [twin, plain]));
    return `\nvar ${names.join()};`;
  }

  /** Makes a call of a function one of its twin. */
  #redirect(out: MagicString, { node, target }: Call, depth: string): void {
    if (!this.needed.has(target)) return;
    const { code } = this.bundle;
    const { callee } = node;
    const first = target.isRecursive ? [depth] : [];
    const rest = node.arguments.length > 0 ? [""] : [];
    if (!target.isGenerator) {
      out.prependRight(node.start, "(yield* ");
      out.appendLeft(node.end, ")");
    }
    const open = code.indexOf("(", callee.end) + 1;
    if (callee.type === "Identifier") {
      out.update(callee.start, callee.end, target.twin);
      out.appendLeft(open, [...first, ...rest].join());
      return;
    }
    const object = code.slice(callee.object.start, callee.object.end);
    const member = code.slice(callee.start, callee.end);
    const plain = callee.property.type === "PrivateIdentifier" ? member : target.plain;
    out.appendRight(callee.start, `${target.isGenerator ? this.#choose : this.#pick}(`);
    out.update(callee.end, open, `,${plain},${target.twin}).call(${[object, ...first, ...rest].join()}`);
  }

  /** Adds a function's twin: its parameters and its body, with its calls redirected. */
  #addTwin(out: MagicBundle, unit: Unit, isPureUnit: boolean, name: string): void {
    const { node } = unit;
    const copy = this.#original();
    for (const call of unit.calls) this.#redirect(copy, call, unit.isRecursive ? `${this.#depth}+1` : "0");
    const parameters = node.params as Tree[];
    const depth = unit.isRecursive ? [this.#depth] : [];
    out.addSource({
      content: text(
        `function*${name === "" ? "" : ` ${name}`}(${[...depth, ...(parameters.length > 0 ? [""] : [])].join()}`,
      ),
    });
    if (parameters.length > 0)
      out.addSource({ filename: SOURCE, content: copy.snip(parameters[0]!.start, parameters.at(-1)!.end) });
    const start = unit.isRecursive ? this.#handOver(unit, isPureUnit) : "";
    if (node.body.type === "BlockStatement") {
      out.addSource({ content: text(`){${start}`) });
      out.addSource({ filename: SOURCE, content: copy.snip(node.body.start + 1, node.body.end) });
    } else {
      out.addSource({ content: text(`){${start}return(`) });
      out.addSource({ filename: SOURCE, content: copy.snip(node.body.start, node.body.end) });
      out.addSource({ content: text(");}") });
    }
  }

  /** Where a twin leaves it to its function. */
  #handOver(unit: Unit, isPureUnit: boolean): string {
    const given = argumentsOf(unit.node)!.join();
    const own = unit.classBody === null ? unit.plain : `${unit.plain}.call`;
    const self = unit.classBody === null ? [] : ["this"];
    const deep = `if(${this.#depth}>${MAX_DEPTH})return ${own}(${[...self, ...(given === "" ? [] : [given])].join()});`;
    if (!isPureUnit || unit.classBody !== null) return deep;
    return `${deep}if(${this.#depth}%${LEVELS_PER_TRY}===0){const ${this.#tried}=${this.#attempt}(${unit.plain},[${given}]);if(${this.#tried}!==${this.#spent})return ${this.#tried};}`;
  }
}

/** What the map calls the bundle. */
const SOURCE = "bundle.js";

/** Text that comes from nowhere. */
function text(content: string): MagicString {
  return new MagicString(content);
}
