/**
 * Loads a core's program: one script, and beside it the code that V8 made of it when it was built. Without that each
 * core compiles for itself what all of them run, and that is a good part of a boot.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import vm from "node:vm";
import type { CoreReport, CoreTask } from "@capos/kernel";

/** What a core's program exports: see core-program.ts. */
export interface CoreProgram {
  readonly main: (task: CoreTask) => Promise<CoreReport>;
  readonly rehearse: () => void;
}

/** A core's program, as a bundle defines it: see build-core.ts. */
type Definition = (
  exports: unknown,
  require: NodeJS.Require,
  module: { exports: unknown },
  url: string,
) => void;

/**
 * Where the code of a script lies that this V8 made. V8 itself looks at the first numbers of its version alone, and the
 * process ends where a Node runs the code of another whose V8 is patched otherwise.
 */
export function codeOf(script: URL): URL {
  return new URL(`${script.href}.${process.versions.v8}-${process.arch}.code`);
}

/**
 * Compiles a program's script.
 * @param code what V8 made of it before. It is not taken, and all compiled anew, where V8 is another version or has other
 *   flags than where it was made
 */
export function compileCore(script: URL, code?: Buffer): vm.Script {
  const source = readFileSync(script, "utf8");
  return new vm.Script(source, { filename: script.href, ...(code !== undefined && { cachedData: code }) });
}

/** Runs a program's script in this realm; gives what it exports. */
export function runCoreScript(compiled: vm.Script, script: URL): CoreProgram {
  const module = { exports: {} };
  const define = compiled.runInThisContext() as Definition;
  define(module.exports, createRequire(script), module, script.href);
  return module.exports as CoreProgram;
}

/** Loads a program from its script and its code. */
export function loadCore(script: URL): CoreProgram {
  const code = codeOf(script);
  return runCoreScript(compileCore(script, existsSync(code) ? readFileSync(code) : undefined), script);
}
