/**
 * Rewrites expressions of code that can yield: an access becomes its announcement, a yield if the runtime
 * asks for one, and its performance; a call of what has a twin becomes a call of the twin.
 *
 * Operands are evaluated once and in the order of the source, into temporaries where an access needs
 * them twice: nothing is allocated for an access.
 */
import { UNUSED } from "../explore/operation.js";
import { atomicOf, isElement } from "./access.js";
import { takeApart } from "./chains.js";
import type { Functions } from "./functions.js";
import { Refusal } from "./refusal.js";
import type { Sites } from "./sites.js";
import type { Tree } from "./syntax-tree.js";
import * as make from "./syntax-tree.js";

/** What the twin of a function is called. */
export function twinName(name: string): string {
  return `${name}$`;
}

export class Expressions {
  /** The function in which the expressions stand, and its temporaries; null outside code that can yield. */
  private place: { readonly name: string; readonly temporaries: Tree[] } | null = null;

  constructor(
    private readonly functions: Functions,
    private readonly sites: Sites,
    private readonly rewriteClass: (node: Tree) => Tree,
  ) {}

  get canYield(): boolean {
    return this.place !== null;
  }

  /** Answers what `rewriteBody` answers, and the temporaries that its expressions need. */
  inFunction<Body>(name: string, rewriteBody: () => Body): { body: Body; temporaries: readonly Tree[] } {
    const outer = this.place;
    const place = { name, temporaries: [] };
    this.place = place;
    const body = rewriteBody();
    this.place = outer;
    return { body, temporaries: place.temporaries };
  }

  /** True if there is an access below, or a call that may lead to one: not in functions below. */
  touches(node: Tree): boolean {
    if (make.isFunction(node)) return false;
    if (isElement(node, this.functions.scopes)) return true;
    if (node.type === "CallExpression") {
      if (atomicOf(node, this.functions.scopes) !== null) return true;
      const callee = this.functions.calleeOf(node.callee);
      if (callee !== null && this.functions.reaches(callee)) return true;
    }
    for (const child of make.children(node)) if (this.touches(child)) return true;
    return false;
  }

  /** `isUnused`: nothing depends on the expression's value. Throws Refusal. */
  rewrite(node: Tree, isUnused = false): Tree {
    if (make.isFunction(node) || node.type === "Identifier") return node;
    if (make.isClass(node)) return this.rewriteClass(node);
    if (this.place === null) return make.mapChildren(node, (child) => this.rewrite(child));
    switch (node.type) {
      case "CallExpression":
        return this.call(node, isUnused);
      case "MemberExpression":
        return isElement(node, this.functions.scopes) ? this.read(node) : this.inside(node);
      case "AssignmentExpression":
        return this.assignment(node);
      case "UpdateExpression":
        return this.isElement(node.argument) ? this.update(node, isUnused) : this.inside(node);
      case "ChainExpression":
        return this.touches(node) ? this.rewrite(this.takenApart(node), isUnused) : this.inside(node);
      case "UnaryExpression":
        return this.unary(node);
      case "TaggedTemplateExpression":
        if (this.isElement(node.tag)) throw new Refusal(node, "call this function in the ordinary way");
        return this.inside(node);
      case "SequenceExpression": {
        const last = node.expressions.at(-1);
        return make.mapChildren(node, (child) => this.rewrite(child, isUnused || child !== last));
      }
      case "LogicalExpression":
        return make.mapChildren(node, (child) => this.rewrite(child, isUnused && child === node.right));
      case "ConditionalExpression":
        return make.mapChildren(node, (child) => this.rewrite(child, isUnused && child !== node.test));
      default:
        return this.inside(node);
    }
  }

  /** Refuses a pattern that assigns to elements. Other expressions pass. */
  checkTargets(pattern: Tree): void {
    if (this.place === null) return;
    if (this.isElement(pattern))
      throw new Refusal(
        pattern,
        "assign to this element in a statement of its own, not by destructuring or for",
      );
    if (pattern.type === "ArrayPattern")
      for (const element of pattern.elements) if (element !== null) this.checkTargets(element);
    if (pattern.type === "ObjectPattern")
      for (const { value, argument } of pattern.properties) this.checkTargets(value ?? argument);
    if (pattern.type === "AssignmentPattern") this.checkTargets(pattern.left);
    if (pattern.type === "RestElement") this.checkTargets(pattern.argument);
  }

  private inside(node: Tree): Tree {
    return make.mapChildren(node, (child) => this.rewrite(child));
  }

  private isElement(node: Tree): boolean {
    return isElement(node, this.functions.scopes);
  }

  private temporary(): Tree {
    const { temporaries } = this.place!;
    const name = make.identifier(`t${temporaries.length + 1}$$`);
    temporaries.push(name);
    return name;
  }

  /** A rewritten operand that is needed twice: what to write first, and what afterwards. */
  private twice(operand: Tree): readonly [Tree, Tree] {
    if (this.isStable(operand)) return [operand, operand];
    const name = this.temporary();
    return [make.assignment(name, operand), name];
  }

  private isStable(node: Tree): boolean {
    if (node.type === "Identifier")
      return this.functions.scopes.isConstant(node) || this.place!.temporaries.includes(node);
    return node.type === "Literal" || node.type === "ThisExpression" || node.type === "Super";
  }

  private takenApart(node: Tree): Tree {
    return takeApart(node, () => this.temporary());
  }

  private site(node: Tree): Tree {
    return make.literal(this.sites.add(node, this.place!.name));
  }

  // Accesses.

  private read(node: Tree): Tree {
    const [object, index] = this.operands(node);
    return reading(node, this.site(node), object, index);
  }

  private operands(element: Tree): readonly [Tree, Tree] {
    if (element.object.type === "Super") throw new Refusal(element, "do not index super");
    return [this.rewrite(element.object), this.rewrite(element.property)];
  }

  private assignment(node: Tree): Tree {
    const { left, right, operator } = node as Tree & { left: Tree; right: Tree };
    if (!this.isElement(left)) {
      this.checkTargets(left);
      return this.inside(node);
    }
    const [object, index] = this.operands(left);
    const site = this.site(left);
    if (operator === "=") return writing(left, site, object, index, this.rewrite(right));
    const [firstObject, againObject] = this.twice(object);
    const [firstIndex, againIndex] = this.twice(index);
    const value = this.rewrite(right);
    if (/^(&&|\|\||\?\?)=$/.test(operator)) {
      const old = reading(left, site, firstObject, firstIndex);
      return make.logical(old, operator.slice(0, -1), writing(left, site, againObject, againIndex, value));
    }
    // The operands are evaluated by the outer call, before the old value is read for its last argument.
    const old = reading(left, site, againObject, againIndex);
    const sum = make.binary(old, operator.slice(0, -1), value);
    return writing(left, site, firstObject, firstIndex, sum);
  }

  private update(node: Tree, isUnused: boolean): Tree {
    const element = node.argument as Tree;
    const [object, index] = this.operands(element);
    const site = this.site(element);
    const [firstObject, againObject] = this.twice(object);
    const [firstIndex, againIndex] = this.twice(index);
    const value = this.temporary();
    const old = make.assignment(value, reading(element, site, againObject, againIndex));
    if (node.prefix || isUnused) {
      const next = make.sequence(old, make.update(node.operator, true, value));
      return writing(element, site, firstObject, firstIndex, next);
    }
    // The operator makes a number of what was read; that is the expression's value.
    const number = this.temporary();
    const next = make.sequence(old, make.assignment(number, make.update(node.operator, false, value)), value);
    return make.sequence(writing(element, site, firstObject, firstIndex, next), number);
  }

  private unary(node: Tree): Tree {
    if (node.operator !== "delete")
      return { ...node, argument: this.rewrite(node.argument, node.operator === "void") };
    if (node.argument.type === "ChainExpression" && this.touches(node))
      throw new Refusal(node, "write delete without ?.");
    return { ...node, argument: this.inside(node.argument) };
  }

  // Calls.

  private call(node: Tree, isUnused: boolean): Tree {
    const op = atomicOf(node, this.functions.scopes);
    const args = (): readonly Tree[] => node.arguments.map((argument: Tree) => this.rewrite(argument));
    if (op !== null) {
      const code = make.literal(isUnused ? op | UNUSED : op);
      const operands = args();
      return point(node, "op", "run", [this.site(node), code, ...operands]);
    }
    if (this.isElement(node.callee)) {
      const [object, index] = this.operands(node.callee);
      const [first, again] = this.twice(object);
      const called = reading(node.callee, this.site(node.callee), first, index);
      return at(node, make.call(make.member(called, make.identifier("call")), [again, ...args()]));
    }
    const callee = this.functions.calleeOf(node.callee);
    if (callee === null || !this.functions.reaches(callee)) return this.inside(node);
    if ("method" in callee) return this.callMethod(node, args);
    if (node.callee.type === "Identifier")
      return make.yielding(at(node, make.call(make.identifier(twinName(node.callee.name)), args())));
    const object = this.rewrite(node.callee.object);
    const property = { type: "PrivateIdentifier", name: twinName(node.callee.property.name) };
    return make.yielding(at(node, make.call(make.member(object, property), args())));
  }

  /** The object may be one that has no twin of the method: a built-in's, say. */
  private callMethod(node: Tree, args: () => readonly Tree[]): Tree {
    const { object, property } = node.callee as Tree & { object: Tree; property: Tree };
    const [first, again] = this.twice(object.type === "Super" ? object : this.rewrite(object));
    const twin = make.identifier(twinName(property.name));
    const operands = args();
    return make.conditional(
      make.binary(make.member(first, twin), "===", make.undefinedValue),
      at(node, make.call(make.member(again, property), operands)),
      make.yielding(at(node, make.call(make.member(again, twin), operands))),
    );
  }
}

function at(node: Tree, made: Tree): Tree {
  return { ...made, loc: node.loc ?? null };
}

/** `($.announce(...) && (yield), $.perform())` */
function point(node: Tree, announce: string, perform: string, operands: readonly Tree[]): Tree {
  const method = (name: string) => make.member(make.identifier("$"), make.identifier(name));
  const announced = at(node, make.call(method(announce), operands));
  return make.sequence(
    make.logical(announced, "&&", make.yielding(null)),
    at(node, make.call(method(perform), [])),
  );
}

function reading(node: Tree, site: Tree, object: Tree, index: Tree): Tree {
  return point(node, "peek", "take", [site, object, index]);
}

function writing(node: Tree, site: Tree, object: Tree, index: Tree, value: Tree): Tree {
  return point(node, "poke", "put", [site, object, index, value]);
}
