/**
 * What an expression of a bundle gives, as far as that can be read off it: a generator, a function, an object literal,
 * an instance of a class. For names that are declared once and never assigned; all else is not known.
 */
import type { Binding, Bindings } from "./scope.js";
import { type Bundle, isFunction, type Tree } from "./syntax-tree.js";

/** Null is anything at all. */
export type Value =
  | { readonly kind: "generator" }
  | { readonly kind: "function" | "object" | "class" | "instance"; readonly node: Tree }
  /** A number, a text, an array, nothing: known not to be any of the others. */
  | { readonly kind: "other"; readonly node: Tree }
  | null;

const GENERATOR: Value = Object.freeze({ kind: "generator" });
/** Expressions that lead to one another. */
const MAX_STEPS = 16;

export class Values {
  readonly #returns = new Map<Tree, Tree[]>();
  readonly #superclasses = new Set<Tree>();
  /** Names of properties that something is assigned to, of whatever object. */
  readonly #assigned = new Set<string>();

  constructor(
    private readonly bundle: Bundle,
    private readonly bindings: Bindings,
  ) {
    for (const node of bundle.nodes) {
      if (node.type === "ReturnStatement") this.#addReturn(node);
      if (node.type === "MemberExpression" && !node.computed && isWritten(bundle, node))
        this.#assigned.add(node.property.name);
      if ((node.type === "ClassDeclaration" || node.type === "ClassExpression") && node.superClass) {
        const value = this.of(node.superClass);
        if (value?.kind === "class") this.#superclasses.add(value.node);
      }
    }
  }

  #addReturn(node: Tree): void {
    let owner = this.bundle.parents.get(node);
    while (owner !== undefined && !isFunction(owner)) owner = this.bundle.parents.get(owner);
    if (owner === undefined) return;
    const known = this.#returns.get(owner);
    if (known === undefined) this.#returns.set(owner, [node]);
    else known.push(node);
  }

  /** What an expression gives. */
  of(node: Tree, steps = MAX_STEPS): Value {
    if (steps === 0) return null;
    switch (node.type) {
      case "Identifier":
        return this.#ofName(node, steps - 1);
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        return { kind: "function", node };
      case "ClassDeclaration":
      case "ClassExpression":
        return { kind: "class", node };
      case "ObjectExpression":
        return { kind: "object", node };
      case "Literal":
      case "TemplateLiteral":
      case "ArrayExpression":
        return { kind: "other", node };
      case "ChainExpression":
        return this.of(node.expression, steps - 1);
      case "ThisExpression":
        return this.#ofThis(node);
      case "MemberExpression":
        return node.computed ? null : this.#ofMember(this.of(node.object, steps - 1), node.property, steps);
      case "NewExpression": {
        const made = this.of(node.callee, steps - 1);
        return made?.kind === "class" ? { kind: "instance", node: made.node } : null;
      }
      case "CallExpression": {
        const callee = this.of(node.callee, steps - 1);
        return callee?.kind === "function" ? this.ofCall(callee.node, steps - 1) : null;
      }
      default:
        return null;
    }
  }

  /** What a call of a function gives. */
  ofCall(node: Tree, steps = MAX_STEPS): Value {
    if (node.generator === true) return GENERATOR;
    if (node.body.type !== "BlockStatement") return this.of(node.body, steps - 1);
    const returns = this.#returns.get(node) ?? [];
    if (returns.length === 0) return { kind: "other", node };
    // One that may come to its end gives nothing there.
    if (node.body.body.at(-1)!.type !== "ReturnStatement") return null;
    const values = returns.map(
      (it): Value => (it.argument === null ? { kind: "other", node: it } : this.of(it.argument, steps - 1)),
    );
    const [first] = values;
    if (values.length === 1) return first!;
    return first !== null && values.every((value) => value?.kind === first!.kind) && isSimple(first!)
      ? first!
      : null;
  }

  #ofName(identifier: Tree, steps: number): Value {
    const binding = this.bindings.get(identifier);
    if (binding === undefined || !isFixed(this.bundle, binding)) return null;
    const declaration = binding.declarations[0]!;
    const parent = this.bundle.parents.get(declaration)!;
    if (parent.type === "VariableDeclarator" && parent.id === declaration)
      return parent.init === null ? null : this.of(parent.init, steps);
    if (isFunction(parent) || parent.type === "ClassDeclaration" || parent.type === "ClassExpression")
      return parent.id === declaration ? this.of(parent, steps) : null;
    // `const { print } = start(sys);`
    if (parent.type !== "Property" || parent.computed || parent.value !== declaration) return null;
    const pattern = this.bundle.parents.get(parent)!;
    const declarator = this.bundle.parents.get(pattern)!;
    if (declarator.type !== "VariableDeclarator" || declarator.init === null) return null;
    return this.#ofMember(this.of(declarator.init, steps), parent.key, steps);
  }

  /** An instance of the class whose method this is in, if no class of the bundle inherits from that. */
  #ofThis(node: Tree): Value {
    const { parents } = this.bundle;
    let owner = parents.get(node);
    while (owner !== undefined && !(isFunction(owner) && owner.type !== "ArrowFunctionExpression")) {
      // `this` in them is not that of what is around them.
      if (owner.type === "StaticBlock" || owner.type === "PropertyDefinition") return null;
      owner = parents.get(owner);
    }
    const member = owner === undefined ? undefined : parents.get(owner);
    if (member?.type !== "MethodDefinition" || member.static) return null;
    const owning = parents.get(parents.get(member)!)!;
    return this.#superclasses.has(owning) ? null : { kind: "instance", node: owning };
  }

  #ofMember(holder: Value, named: Tree, steps: number): Value {
    const { type, name } = named;
    if (typeof name !== "string" || holder === null || steps <= 0 || this.#assigned.has(name)) return null;
    if (holder.kind === "object")
      return type !== "Identifier" ? null : this.#ofProperty(holder.node, name, steps);
    if (holder.kind !== "instance") return null;
    for (const member of holder.node.body.body as Tree[]) {
      const isNamed = !member.computed && !member.static && member.key?.name === name;
      if (isNamed && member.key.type === type)
        return member.type === "MethodDefinition" && member.kind === "method"
          ? this.of(member.value, steps - 1)
          : null;
    }
    return type === "Identifier" ? this.#ofInherited(holder.node, named, steps - 1) : null;
  }

  /** What an instance has from the class above, if nothing in its own may be of that name. */
  #ofInherited({ body, superClass }: Tree, named: Tree, steps: number): Value {
    if (!superClass) return null;
    for (const { static: isStatic, computed, key } of body.body as Tree[])
      if (key && !isStatic && (computed || key.value === named.name)) return null;
    const above = this.of(superClass, steps);
    if (above?.kind !== "class") return null;
    return this.#ofMember({ kind: "instance", node: above.node }, named, steps);
  }

  #ofProperty(object: Tree, name: string, steps: number): Value {
    for (const property of (object.properties as Tree[]).toReversed()) {
      if (property.type !== "Property" || property.computed) return null;
      if ((property.key.name ?? property.key.value) !== name) continue;
      return property.kind === "init" ? this.of(property.value, steps - 1) : null;
    }
    return null;
  }
}

function isSimple(value: NonNullable<Value>): boolean {
  return value.kind === "generator" || value.kind === "other";
}

/** True if a name is declared once and nothing is ever assigned to it. */
export function isFixed(bundle: Bundle, binding: Binding): boolean {
  return binding.declarations.length === 1 && !binding.references.some((node) => isWritten(bundle, node));
}

function isWritten(bundle: Bundle, reference: Tree): boolean {
  let node = reference;
  for (;;) {
    const parent = bundle.parents.get(node)!;
    switch (parent.type) {
      case "AssignmentExpression":
      case "ForInStatement":
      case "ForOfStatement":
        return parent.left === node;
      case "UpdateExpression":
        return true;
      case "AssignmentPattern":
        if (parent.left !== node) return false;
        break;
      case "Property":
        if (bundle.parents.get(parent)!.type !== "ObjectPattern" || parent.value !== node) return false;
        break;
      case "ArrayPattern":
      case "ObjectPattern":
      case "RestElement":
        break;
      default:
        return false;
    }
    node = parent;
  }
}
