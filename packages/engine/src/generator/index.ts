/** Guests that are generators, in a realm hardened by SES and a shim of its own. */
export { makeClock } from "./clock.js";
export { GeneratorContext } from "./context.js";
export { GuestHeap } from "./heap.js";
export { type MemoryAccess, makeMemoryAccess } from "./memory-access.js";
export { makeGeneratorEngine } from "./programs.js";
export { compileProgram, hardenRealm } from "./realm.js";
export { makeSys } from "./sys.js";
