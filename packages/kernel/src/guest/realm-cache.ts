/**
 * The images a core has compiled. One hardened realm a worker, one Compartment an image, compiled at
 * its first use; a thread gets its own closures, so module state is private to it.
 */
import type { Main, Sys } from "@capos/abi";
import { readModule } from "@capos/hal";
import type { Core } from "../core.js";
import { makeChecks } from "./clock.js";
import { compileProgram, hardenRealm } from "./realm.js";
import type { Realm } from "./realm-type.js";
import { makeSys } from "./sys.js";

/** Hardens the worker's realm. Once a worker, before any guest. */
export function makeRealm(k: Core): Realm {
  const checks = makeChecks(k);
  hardenRealm(() => {
    // The kernel uses the same built-ins; only a guest's work is counted.
    if (k.current !== 0) checks.work();
  });
  return { checks, programs: new Map() };
}

/** An image that does not exist, or does not export what it must. */
class ImageError extends Error {
  override readonly name = "ImageError";
}

/**
 * Makes a guest: runs the image's module top level (in guest mode: with checks and limit) and calls
 * `main`. Answers the generator. Throws what the guest throws.
 */
export function startGuest(k: Core, image: number, regs: Float64Array, startWords: number): unknown {
  const realm = k.realm!;
  let program = realm.programs.get(image);
  if (program === undefined) {
    const module = readModule(k.memory, image);
    if (module === null) throw new ImageError(`there is no image ${image}`);
    program = compileProgram(module.code, module.name);
    realm.programs.set(image, program);
  }
  const { tick, tickMain, caught } = realm.checks;
  const main = program(tick, tickMain, caught);
  if (typeof main !== "function")
    throw new ImageError("the default export of a guest must be a generator function");
  const sys: Sys = makeSys(regs, startWords);
  return (main as Main)(sys);
}
