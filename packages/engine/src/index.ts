/**
 * What runs guests, as the kernel sees it: contexts, their kinds, and what a fault is. May touch nothing but the
 * machine's memory; knows nothing of threads or capabilities. Kinds live in folders of their own.
 */
export { type Context, makeRegisters, Outcome } from "./context.js";
export { type ContextKind, type Engine, type EngineCore, heapUsedUp, ImageError } from "./engine.js";
export { type Fault, faultOf, faultWithoutPlace, type ImagePlace, stackOf, whyNoStatus } from "./fault.js";
