/** Makes a transformed program run. */
import { Script } from "node:vm";
import type { Coroutine, Runtime } from "../explore/runtime.js";
import type { Host, Instantiate, Program } from "./program.js";

/** A program ready to be run, as often as wanted: runs its module-level code and answers its exports. */
export function compile(program: Program): (runtime: Runtime, host: Host) => Record<string, unknown> {
  const script = new Script(program.code, { filename: `program-${program.fingerprint}.js` });
  return script.runInThisContext();
}

/** Runs the program's module-level code; answers its exports. Throws what that code throws. */
export const instantiate: Instantiate = (program, runtime, host) => compile(program)(runtime, host);

/** Runs a coroutine to its end, whatever its runtime says about scheduling points; answers its result. */
export function runToEnd<Result>(coroutine: Coroutine<Result>): Result {
  for (;;) {
    const step = coroutine.next();
    if (step.done === true) return step.value;
  }
}
