/** What the names of a module stand for. */
import { analyze, type Reference, type ScopeManager, type Variable } from "eslint-scope";
import { isFunction, type Tree } from "./syntax-tree.js";

type EstreeProgram = Parameters<typeof analyze>[0];
type EstreeNode = Parameters<ScopeManager["getDeclaredVariables"]>[0];

export class Scopes {
  private readonly manager: ScopeManager;
  private readonly references = new Map<Tree, Reference>();

  constructor(root: Tree) {
    this.manager = analyze(root as unknown as EstreeProgram, { ecmaVersion: 2022, sourceType: "module" });
    for (const scope of this.manager.scopes)
      for (const reference of scope.references)
        this.references.set(reference.identifier as unknown as Tree, reference);
  }

  isGlobal(identifier: Tree): boolean {
    return this.references.get(identifier)?.resolved === null;
  }

  /** Names that the module uses and does not declare. */
  get globals(): ReadonlySet<string> {
    return new Set(this.manager.globalScope!.through.map(({ identifier }) => identifier.name as string));
  }

  /** True for a name that has the same value each time it is read while its scope lives. */
  isConstant(identifier: Tree): boolean {
    const variable = this.references.get(identifier)?.resolved ?? null;
    return variable !== null && isNeverChanged(variable);
  }

  /** Of a function's or a variable's declaration: its name is never given another value. */
  isConstantDeclaration(node: Tree): boolean {
    const [variable] = this.manager.getDeclaredVariables(node as unknown as EstreeNode);
    return variable !== undefined && isNeverChanged(variable);
  }

  /** What a name was declared with, if it has that value for ever: an expression, or the function's declaration. */
  valueOf(identifier: Tree): Tree | null {
    if (!this.isConstant(identifier)) return null;
    const definition = this.references.get(identifier)!.resolved!.defs[0];
    const node = definition.node as unknown as Tree;
    // A parameter's definition is the function that it belongs to.
    if (definition.type === "FunctionName") return node.type === "FunctionDeclaration" ? node : null;
    return definition.type === "Variable" && node.id.type === "Identifier" ? node.init : null;
  }

  /** The function that a name stands for, if it stands for that one for ever. */
  functionOf(identifier: Tree): Tree | null {
    const value = this.valueOf(identifier);
    return value !== null && isFunction(value) ? value : null;
  }
}

function isNeverChanged(variable: Variable): boolean {
  return (
    variable.defs.length === 1 &&
    variable.references.every((reference) => !reference.isWrite() || reference.init === true)
  );
}
