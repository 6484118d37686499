/**
 * The realm that guests live in, one a worker: intrinsics that cannot be changed and whose work is
 * limited, and for each image a global object on which nothing is dangerous.
 *
 * The invariant: all code that a guest can ever run went through the image builder (nothing it can reach
 * compiles source), stays in its turn (no promises), and meets no memory but its own (no buffers or
 * views of one, no weak references, no clock, no randomness).
 *
 * Options of `lockdown()`, and why:
 * - errorTaming "safe": guests see an empty `stack`, so not the kernel's frames; the kernel reads those
 *   that fault.ts keeps.
 * - overrideTaming "min": "moderate" and "severe" turn `Array.prototype[Symbol.iterator]` into an
 *   accessor, and a spread of 8 elements then costs 200 ns instead of 11. What they are for, overrides.ts does.
 * - evalTaming "no-eval" would also forbid it to Compartments; "safe-eval" is what they need.
 * - consoleTaming, domainTaming "unsafe", no trapping: the worker's Node keeps working as it did.
 */
import "ses";
import { IMAGE_URL, keepFrames } from "../fault.js";
import { allowOverrides } from "./overrides.js";
import { restoreProto } from "./proto.js";
import type { Program } from "./realm-type.js";
import { installShim } from "./shim.js";
import { explainRandom } from "./shim-numbers.js";
import { type GuestSymbols, separateSymbols } from "./symbols.js";

export { type Fault, faultOf } from "../fault.js";

/** All that a guest's global object has. What a later version of the language adds is not among it. */
const GLOBALS: readonly string[] = Object.freeze([
  ...["Infinity", "NaN", "undefined", "globalThis"],
  ...[
    "Array",
    "BigInt",
    "Boolean",
    "Iterator",
    "JSON",
    "Map",
    "Math",
    "Number",
    "Object",
    "Proxy",
    "Reflect",
  ],
  ...["RegExp", "Set", "String", "Symbol", "WeakMap", "WeakSet"],
  ...[
    "AggregateError",
    "Error",
    "EvalError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "TypeError",
    "URIError",
  ],
  ...["decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent"],
  ...["isFinite", "isNaN", "parseFloat", "parseInt"],
]);

/**
 * Hardens this worker's realm: limits its built-ins, then freezes them. Once a worker, before any guest
 * and after everything that the kernel imports; costs about 15 ms.
 *
 * @param onWork called on the guest's stack before built-ins work through another 2^20 elements: what a
 *   check is to code that loops by itself. May throw; does nothing while no guest runs.
 * @param symbolsOf the registry of symbols of the guest that runs, see symbols.ts
 */
export function hardenRealm(
  onWork: () => void = () => {},
  symbolsOf: () => GuestSymbols | null = () => null,
): void {
  restoreProto();
  const finishShim = installShim(onWork, GLOBALS);
  repairIntrinsics({
    errorTaming: "safe",
    errorTrapping: "none",
    unhandledRejectionTrapping: "none",
    reporting: "none",
    consoleTaming: "unsafe",
    domainTaming: "unsafe",
    evalTaming: "safe-eval",
    localeTaming: "safe",
    overrideTaming: "min",
    regExpTaming: "safe",
    stackFiltering: "verbose",
    legacyRegeneratorRuntimeTaming: "safe",
    __hardenTaming__: "safe",
  });
  keepFrames();
  finishShim();
  explainRandom(new Compartment({ __options__: true }).globalThis.Math);
  separateSymbols(symbolsOf);
  allowOverrides(GLOBALS.map((name) => (globalThis as Record<string, unknown>)[name]));
  // `harden` walks as many objects as it finds, and nothing counts them.
  Reflect.deleteProperty(Object, Symbol.for("harden"));
  hardenIntrinsics();
}

/**
 * Compiles an image's code in a Compartment of its own. Runs nothing of the guest's: the code is one
 * function expression. The global object is frozen before, so that the names in it become constants of
 * the code, not lookups (measured: 30 times faster).
 *
 * Throws a SyntaxError if the code is none, or a TypeError if it is no function expression.
 *
 * @param name what stack traces call the image
 */
export function compileProgram(code: string, name: string): Program {
  const compartment = new Compartment({ __options__: true });
  const global = compartment.globalThis;
  for (const key of Object.getOwnPropertyNames(global)) {
    if (!GLOBALS.includes(key)) Reflect.deleteProperty(global, key);
  }
  // The Compartment took its own from before the shim was finished.
  global.RegExp = RegExp.prototype.constructor;
  global.AggregateError = AggregateError.prototype.constructor;
  Object.freeze(global);
  const url = IMAGE_URL + name.replace(/[^\w.\-/]/g, "_");
  const program: unknown = compartment.evaluate(`${code}\n//# sourceURL=${url}`);
  if (typeof program !== "function") throw new TypeError(`the code of ${name} is not a function expression`);
  return program as Program;
}
