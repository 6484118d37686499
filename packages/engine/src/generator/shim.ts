/**
 * The vetted shim: what is done to a realm's built-ins before `lockdown()` freezes them.
 *
 * Every built-in whose time depends on a length that the guest chooses gets a limit; functions that
 * nobody vetted are deleted. What the limits are and what they are for stands in shim-guard.ts.
 */
import { shimArrays } from "./shim-arrays.js";
import { makeGuard } from "./shim-guard.js";
import { shimObjects } from "./shim-objects.js";
import { limitRegExp, shimStrings } from "./shim-strings.js";

/**
 * Installs the shim. Once a realm, before `repairIntrinsics()`; the kernel's own code in that realm
 * lives with the limits too.
 *
 * @param onWork called before built-ins work through another 2^20 elements; may throw
 */
export function installShim(onWork: () => void): void {
  const guard = makeGuard(onWork);
  shimArrays(guard);
  shimStrings(guard);
  shimObjects(guard);
}

/** The part that has to come after `repairIntrinsics()`, which makes what it changes. */
export function finishShim(): void {
  limitRegExp();
  // Ways to move or resize a buffer under a view's feet. No guest should get hold of one.
  for (const name of [
    "transfer",
    "transferToFixedLength",
    "resize",
    "transferToImmutable",
    "sliceToImmutable",
  ]) {
    Reflect.deleteProperty(ArrayBuffer.prototype, name);
  }
}
