/** Makes a transformed program run. */
import { Script } from "node:vm";
import type { Coroutine, Runtime } from "../explore/runtime.js";
import type { Host, Instantiate } from "./program.js";

/** Runs the program's module-level code; answers its exports. Throws what that code throws. */
export const instantiate: Instantiate = (program, runtime, host) => {
  const script = new Script(program.code, { filename: `program-${program.fingerprint}.js` });
  const start = script.runInThisContext() as (runtime: Runtime, host: Host) => Record<string, unknown>;
  return start(runtime, host);
};

/** Runs a coroutine to its end, whatever its runtime says about scheduling points; answers its result. */
export function runToEnd<Result>(coroutine: Coroutine<Result>): Result {
  for (;;) {
    const step = coroutine.next();
    if (step.done === true) return step.value;
  }
}
