/**
 * Puts the checks into a bundle and makes it one function expression.
 *
 * The invariant: between two checks a guest runs no code of its own more than once, so a check that
 * throws ends it wherever it is. Checks stand at the entry of every function, field initialiser and
 * static block and at the start of every loop body; every `catch` passes the kernel's sentinel on first.
 *
 * A check is a decrement of a counter that lives in the image's own scope, under names that occur
 * nowhere else in the bundle: no guest can name them.
 */
import { Trap } from "@capos/abi";
import MagicString from "magic-string";
import { respell } from "./rejected-text.js";
import type { Offence } from "./restrictions.js";
import { type Binding, type Bindings, resolve } from "./scope.js";
import { type Bundle, childrenOf, enclosingFunction, isFunction, LOOPS, type Tree } from "./syntax-tree.js";
import type { Twinned } from "./twins.js";
import { Values } from "./values.js";
import { yieldingGenerators } from "./yielding.js";

/** Checks that pass before the kernel is asked. */
const FUEL = 1023;
/** Checks that a function may pass that is only tried: about 50 us. */
const TRY_BUDGET = 8192;
/** A text has a property per character; V8 lists them without a stop (see engine/src/generator/shim-guard.ts). */
const MAX_PROPERTIES_OF_TEXT = 2 ** 17;
const MAX_PROPERTIES_OF_ARRAY = 2 ** 20;

/** A bundle with its checks, or what stands in the way. */
export type Instrumented =
  | { readonly out: MagicString; readonly offence: null }
  | { readonly offence: Offence };

interface Names {
  readonly tick: string;
  readonly tickMain: string;
  readonly caught: string;
  readonly fuel: string;
  readonly turn: string;
  readonly spread: string;
  readonly listed: string;
  readonly assigned: string;
  readonly thrown: string;
  readonly trap: string;
  readonly notATrap: string;
  readonly used: string;
  readonly dropped: string;
  readonly trying: string;
}

/**
 * @param defaultExport the local name of the default export
 * @param isOwn whether a node is of the guest's own code: the system's needs no help against slips
 * @param twinned what the bundle was given of twins, if it was
 */
export function instrument(
  bundle: Bundle,
  defaultExport: Tree,
  isOwn: (node: Tree) => boolean,
  twinned: Twinned | null,
): Instrumented {
  const names = freshNames(bundle);
  const bindings = resolve(bundle);
  const values = new Values(bundle, bindings);
  const yielding = yieldingGenerators(bundle, bindings, twinned?.methods ?? new Set());
  const out = new MagicString(bundle.code);

  const main = values.of(defaultExport);
  const offence = respell(bundle, out);
  if (offence !== null) return { offence };
  const sysName = main?.kind === "function" ? firstParameter(main.node) : null;
  const sys = sysName === null ? undefined : bindings.get(sysName);

  // The fuel comes after the kernel's consent: once it throws, every later check asks again and throws,
  // and so no `finally { continue }` around a loop that uses up the fuel can go on.
  // Code that may yield has a counter of its own, emptied whenever a check that cannot yield has asked: else
  // the fuel of `for (;;) f();` in main would always run out inside f, and main never get to yield.
  const overBudget = twinned === null ? "" : `if(${names.trying})throw ${twinned.spent};`;
  const spent = `${overBudget}${names.tick}();${names.fuel}=${FUEL};${names.turn}=0;`;
  const plain = `if(--${names.fuel}<0){${spent}}`;
  const preempting = `if(--${names.turn}<0){if(${names.tickMain}())yield ${Trap.PREEMPTED};${names.turn}=${FUEL};}`;
  const checkIn = (owner: Tree | undefined) =>
    owner !== undefined && yielding.has(owner) ? preempting : plain;
  /** The check as the beginning of an expression. */
  const spend = `(--${names.fuel}<0&&(${names.tick}(),${names.fuel}=${FUEL},${names.turn}=0),`;
  let listsProperties = false;

  // Children first: where two of them end at one place, the inner one's closing comes first.
  for (const node of bundle.nodes) {
    if (isFunction(node)) {
      enterFunction(bundle, node, checkIn(node), out);
      if (node.generator === true) checkParameters(bundle, node.params, spend, out);
    }
    if (LOOPS.has(node.type)) enterLoop(node.body, checkIn(enclosingFunction(bundle, node)), out);
    else if (node.type === "StaticBlock") out.appendLeft(bundle.code.indexOf("{", node.start) + 1, plain);
    else if (node.type === "PropertyDefinition" && doesWork(node.value)) {
      wrap(node.value, spend, ")", out);
    } else if (node.type === "CatchClause") enterCatch(node, names, out);

    const listed = listedBy(node, bundle);
    if (listed !== null) {
      wrap(listed, `${names.listed}(`, ")", out);
      listsProperties = true;
    }
    const spread = spreadBy(node, bundle);
    if (spread !== null) wrap(spread, `${names.spread}(`, ")", out);
    if (node.type === "AssignmentExpression") enterAssignment(node, bundle, names, out);
    if (node.type === "YieldExpression" && !node.delegate && yielding.has(enclosingFunction(bundle, node)!)) {
      const isTrap = node.argument !== null && isTrapOf(node.argument, sys, bindings);
      if (!isTrap && isOwn(node)) checkTrap(node, names, out);
    } else if (node.type === "ExpressionStatement" && mayDrop(node.expression, bindings) && isOwn(node))
      wrap(node.expression, `${names.used}(`, ")", out);
    if (node.type === "ExportNamedDeclaration") out.remove(node.start, node.end);
  }
  if (listsProperties) {
    const hiding = hidingGuard(bundle, bindings);
    if (hiding !== null) {
      const reason = `a guest's file cannot declare ${hiding.name} at its top level: choose another name`;
      return { offence: { node: hiding, reason } };
    }
  }

  const parameters = `${names.tick},${names.tickMain},${names.caught},${names.spread},${names.assigned},${names.notATrap},${names.dropped}`;
  // What most values are is seen here, where V8 makes it part of the code around it: measured 1 ns.
  const trap = `const ${names.trap}=(v)=>typeof v==="number"&&(v|0)===v&&v>=0?v:${names.notATrap}(v);`;
  const used = `const ${names.used}=(v)=>{if(typeof v==="object"&&v!==null)${names.dropped}(v);};`;
  out.prepend(
    `(function(${parameters}){"use strict";let ${names.fuel}=${FUEL},${names.turn}=${FUEL};${trap}${used}${twinned === null ? "" : twinHelpers(names, twinned)}${listsProperties ? guardOf(names) : ""}`,
  );
  out.append(`\nreturn ${defaultExport.name};})`);
  return { out, offence: null };
}

function freshNames(bundle: Bundle): Names {
  const fresh = (base: string): string => {
    let name = base;
    for (let i = 2; bundle.names.has(name); i++) name = `${base}${i}`;
    return name;
  };
  return {
    tick: fresh("$tick"),
    tickMain: fresh("$tickMain"),
    caught: fresh("$caught"),
    fuel: fresh("$fuel"),
    turn: fresh("$turn"),
    spread: fresh("$spread"),
    listed: fresh("$listed"),
    assigned: fresh("$assigned"),
    thrown: fresh("$thrown"),
    trap: fresh("$trap"),
    notATrap: fresh("$notATrap"),
    used: fresh("$used"),
    dropped: fresh("$dropped"),
    trying: fresh("$trying"),
  };
}

function firstParameter(main: Tree): Tree | null {
  const [first] = main.params as Tree[];
  return first?.type === "Identifier" ? first : null;
}

/** True for `sys.call(...)` and the like, where `sys` is what main was given: what that gives is a trap. */
function isTrapOf(node: Tree, sys: Binding | undefined, bindings: Bindings): boolean {
  return (
    sys !== undefined &&
    node.type === "CallExpression" &&
    node.callee.type === "MemberExpression" &&
    !node.callee.computed &&
    node.callee.object.type === "Identifier" &&
    bindings.get(node.callee.object) === sys &&
    sys.declarations.length === 1
  );
}

/** What is yielded to the kernel has to be a trap. */
function checkTrap(node: Tree, names: Names, out: MagicString): void {
  if (node.argument === null) out.appendLeft(node.end, ` ${names.trap}()`);
  else wrap(node.argument, ` ${names.trap}(`, ")", out);
}

/** True for an expression whose value may be a generator that was meant to be run. */
function mayDrop(node: Tree, bindings: Bindings): boolean {
  switch (node.type) {
    case "CallExpression":
      return node.callee.type !== "Super" && !isOfBuiltIn(node.callee, bindings);
    case "ChainExpression":
      return mayDrop(node.expression, bindings);
    case "LogicalExpression":
      return mayDrop(node.right, bindings);
    case "ConditionalExpression":
      return mayDrop(node.consequent, bindings) || mayDrop(node.alternate, bindings);
    case "SequenceExpression":
      return mayDrop(node.expressions.at(-1), bindings);
    default:
      return false;
  }
}

/** True for `Object.freeze` and the like: they give what they were given. */
function isOfBuiltIn(callee: Tree, bindings: Bindings): boolean {
  return (
    callee.type === "MemberExpression" && callee.object.type === "Identifier" && !bindings.has(callee.object)
  );
}

/** A function body begins with the check; an expression becomes a body. */
function enterFunction(bundle: Bundle, node: Tree, check: string, out: MagicString): void {
  const body: Tree = node.body;
  if (body.type === "BlockStatement") {
    out.appendLeft(body.start + 1, check);
    return;
  }
  // The body may stand in parentheses that are no node, so the arrow is what can be relied on.
  const arrow = bundle.arrows.findLast((end) => end <= body.start && end > node.start)!;
  out.appendLeft(arrow, `{${check}return(`);
  out.appendLeft(node.end, ");}");
}

/**
 * Calling a generator evaluates its parameters and nothing of its body: `function* g(a = g(), b = g())`
 * would make calls without end and pass no check.
 */
function checkParameters(bundle: Bundle, parameters: readonly Tree[], spend: string, out: MagicString): void {
  const rest: Tree[] = parameters.toReversed();
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (isFunction(node)) continue;
    if (node.type === "AssignmentPattern" && doesWork(node.right)) wrap(node.right, spend, ")", out);
    if (node.type === "Property" && node.computed) wrap(node.key, spend, ")", out);
    rest.push(...childrenOf(bundle, node).toReversed());
  }
}

function enterLoop(body: Tree, check: string, out: MagicString): void {
  if (body.type === "BlockStatement") out.appendLeft(body.start + 1, check);
  else wrap(body, `{${check}`, "}", out);
}

/** `catch` hands what it caught to the kernel first, before a pattern could run a getter on it. */
function enterCatch(node: Tree, names: Names, out: MagicString): void {
  const parameter: Tree | null = node.param;
  const bodyStart: number = node.body.start;
  if (parameter === null) {
    out.appendLeft(bodyStart, `(${names.thrown})`);
    out.appendLeft(bodyStart + 1, `${names.caught}(${names.thrown});`);
  } else if (parameter.type === "Identifier") {
    out.appendLeft(bodyStart + 1, `${names.caught}(${parameter.name});`);
  } else {
    out.appendRight(parameter.start, `${names.thrown}){${names.caught}(${names.thrown});let `);
    out.overwrite(parameter.end, bodyStart + 1, `=${names.thrown};`);
  }
}

/**
 * Some names cannot be assigned to what inherits them from a frozen built-in, by the language, and for V8's sake no accessor can
 * help (engine/src/generator/overrides.ts). So `a.next = b` goes to the kernel when it is refused. In a function of its own each
 * time, because that has a memory of the objects it saw, and optimised code has it inline.
 */
function enterAssignment(node: Tree, bundle: Bundle, names: Names, out: MagicString): void {
  const left: Tree = node.left;
  if (node.operator !== "=" || left.type !== "MemberExpression" || left.object.type === "Super") return;
  const key = keptKey(left);
  if (key === null) return;
  const dot = nextIn(bundle, left.object.end, left.computed ? "[" : ".");
  const equals = nextIn(bundle, left.property.end, "=");
  // Of parentheses around all that is assigned to, which nobody writes, one would be left.
  if (bundle.code.slice(left.property.end, equals).includes(")")) return;
  const refused = `catch(e){return ${names.assigned}(o,${key},v,e)}`;
  out.prependRight(node.start, `((o,v)=>{try{return o[${key}]=v}${refused}})(`);
  out.overwrite(dot, equals + 1, ",");
  out.appendLeft(node.end, ")");
}

/** The key of what is assigned to, as an expression, if it is one of the names that frozen built-ins keep. */
function keptKey({ property, computed }: Tree): string | null {
  // `#next` is no property.
  if (property.type === "PrivateIdentifier") return null;
  const name: unknown = computed ? property.value : property.name;
  if (name === "next" || name === "constructor") return `"${name}"`;
  const isIterator =
    computed &&
    property.type === "MemberExpression" &&
    !property.computed &&
    property.object.name === "Symbol" &&
    property.property.name === "iterator";
  return isIterator ? "Symbol.iterator" : null;
}

/** Where a character comes next that is in no comment. */
function nextIn(bundle: Bundle, from: number, character: string): number {
  const comments = bundle.comments.filter((comment) => comment.start >= from);
  let at = bundle.code.indexOf(character, from);
  for (let i = 0; i < comments.length && comments[i]!.start < at; i++) {
    if (at < comments[i]!.end) at = bundle.code.indexOf(character, comments[i]!.end);
  }
  return at;
}

/** Initialisers that cannot loop need no check, and a function keeps the name it gets from its field. */
function doesWork(value: Tree | null): boolean {
  return value !== null && !isFunction(value) && value.type !== "Literal" && value.type !== "Identifier";
}

/** The expression whose properties a node lists, natively and without a stop, if it is one. */
function listedBy(node: Tree, bundle: Bundle): Tree | null {
  if (node.type === "ForInStatement") return node.right;
  if (node.type === "SpreadElement" && bundle.parents.get(node)!.type === "ObjectExpression")
    return node.argument;
  return null;
}

/** The iterable that a node takes all elements of at once, if it is one. The kernel bounds it, and counts it. */
function spreadBy(node: Tree, bundle: Bundle): Tree | null {
  if (node.type === "SpreadElement")
    return bundle.parents.get(node)!.type === "ObjectExpression" ? null : node.argument;
  if (node.type === "VariableDeclarator" && takesRest(node.id)) return node.init;
  if (node.type === "AssignmentExpression" && takesRest(node.left)) return node.right;
  return null;
}

function takesRest(pattern: Tree): boolean {
  return pattern.type === "ArrayPattern" && pattern.elements.at(-1)?.type === "RestElement";
}

function guardOf(names: Names): string {
  const tooMany = `typeof o==="string"&&o.length>${MAX_PROPERTIES_OF_TEXT}||Array.isArray(o)&&o.length>${MAX_PROPERTIES_OF_ARRAY}`;
  return `const ${names.listed}=(o)=>{if(${tooMany})throw new RangeError("too many properties to list: "+o.length);return o;};`;
}

/**
 * What twins call: what takes the twin of a method that an object still has; and what tries a function that does nothing but compute, with a fuel of its own in place of the kernel's: the turn that may
 * yield pays for it. With objects it would not be pure: these have conversions of the guest's.
 */
function twinHelpers(names: Names, { attempt, spent, pick, choose }: Twinned): string {
  const isObject = `typeof a==="object"&&a!==null||typeof a==="function"`;
  const settle = `${names.trying}=false;${names.turn}-=${TRY_BUDGET}-${names.fuel};${names.fuel}=left;`;
  const picking = `const ${pick}=(f,plain,twin)=>f===plain?twin:function*(...rest){return f.apply(this,rest);},${choose}=(f,plain,twin)=>f===plain?twin:f;`;
  return `${picking}const ${spent}={};let ${names.trying}=false;const ${attempt}=(f,given)=>{for(let i=0;i<given.length;i++){const a=given[i];if(${isObject})return ${spent};}const left=${names.fuel};${names.fuel}=${TRY_BUDGET};${names.trying}=true;try{return f(...given);}catch(error){if(error===${spent})return ${spent};throw error;}finally{${settle}}};`;
}

/** The first declaration outside of all functions that hides a name which `guardOf` uses. */
function hidingGuard(bundle: Bundle, bindings: Bindings): Tree | null {
  for (const [identifier, { name, declarations }] of bindings) {
    if (name !== "Array" && name !== "RangeError") continue;
    if (declarations.includes(identifier) && enclosingFunction(bundle, identifier) === undefined)
      return identifier;
  }
  return null;
}

/** What is put around what is already around it comes outside. */
function wrap(node: Tree, before: string, after: string, out: MagicString): void {
  out.prependRight(node.start, before);
  out.appendLeft(node.end, after);
}
