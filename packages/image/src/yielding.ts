/**
 * Which generators may yield to the kernel when their core is wanted.
 *
 * A value that a generator yields goes to whoever resumes it: the kernel only if every generator in
 * between hands it on with `yield*`. So a generator may yield if it is `main`, or if each reference to it
 * is the callee of a call under `yield*` in a generator that may yield itself (the greatest such set,
 * found by removing until nothing changes). Generators that are methods or values in an object may be
 * iterated by anybody and never yield; they run to the hard limit like any function, but for the twins of some (twins.ts).
 */
import type { Binding, Bindings } from "./scope.js";
import { type Bundle, enclosingFunction, type Tree } from "./syntax-tree.js";

/** @param assigned names of variables whose generator functions are called by such generators alone: see twins.ts */
export function yieldingGenerators(
  bundle: Bundle,
  bindings: Bindings,
  assigned: ReadonlySet<string>,
): ReadonlySet<Tree> {
  const uses = candidates(bundle, bindings, assigned);
  const yielding = new Set<Tree>(uses.keys());
  for (let changed = true; changed; ) {
    changed = false;
    for (const generator of yielding) {
      const callers = uses.get(generator)!;
      if (callers.every((caller) => yielding.has(caller))) continue;
      yielding.delete(generator);
      changed = true;
    }
  }
  return yielding;
}

/** The generators whose every reference is under `yield*`, each with the functions that do so. */
function candidates(bundle: Bundle, bindings: Bindings, assigned: ReadonlySet<string>): Map<Tree, Tree[]> {
  const found = new Map<Tree, Tree[]>();
  for (const node of bundle.nodes) {
    if (node.generator !== true) continue;
    const parent = bundle.parents.get(node)!;
    if (parent.type === "AssignmentExpression" && assigned.has(parent.left.name)) {
      found.set(node, []);
      continue;
    }
    const names = bindingsOf(bundle, bindings, node);
    if (names === null) continue;
    const callers: Tree[] = [];
    const references = names.flatMap((binding) => binding.references);
    if (references.every((reference) => isHarmless(bundle, bindings, reference, callers)))
      found.set(node, callers);
  }
  return found;
}

/** The bindings that name a generator for good, or null if it is a value that anybody may get hold of. */
function bindingsOf(bundle: Bundle, bindings: Bindings, generator: Tree): Binding[] | null {
  const parent = bundle.parents.get(generator)!;
  const names: Binding[] = [];
  if (generator.type === "FunctionDeclaration") {
    if (generator.id === null) return null;
    names.push(bindings.get(generator.id)!);
  } else {
    if (parent.type !== "VariableDeclarator" || parent.id.type !== "Identifier") return null;
    names.push(bindings.get(parent.id)!);
    // A function expression's own name is a second way to it.
    if (generator.id) names.push(bindings.get(generator.id)!);
  }
  return names.every((binding) => binding.declarations.length === 1) ? names : null;
}

/** True if a reference hands the generator to nobody but `yield*`; adds the function in which it does so. */
function isHarmless(bundle: Bundle, bindings: Bindings, reference: Tree, callers: Tree[]): boolean {
  const parent = bundle.parents.get(reference)!;
  // Exports of a bundle are dropped, but for the default one, which the kernel resumes.
  if (parent.type === "ExportSpecifier") return true;
  if (parent.type === "VariableDeclarator" && parent.init === reference) {
    return isExportAlias(bundle, bindings, parent);
  }
  if (parent.type !== "CallExpression" || parent.callee !== reference || parent.optional) return false;
  const outer = bundle.parents.get(parent)!;
  if (outer.type !== "YieldExpression" || outer.delegate !== true) return false;
  callers.push(enclosingFunction(bundle, outer)!);
  return true;
}

/** `var guest_default = main;` with no other use than the export: what a bundler makes of `export default main`. */
function isExportAlias(bundle: Bundle, bindings: Bindings, declarator: Tree): boolean {
  if (declarator.id.type !== "Identifier") return false;
  const alias = bindings.get(declarator.id)!;
  return (
    alias.declarations.length === 1 &&
    alias.references.every((reference) => bundle.parents.get(reference)!.type === "ExportSpecifier")
  );
}
