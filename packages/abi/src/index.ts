/**
 * Numbers and facts that all share: traps, methods' numbers, objects, rights, errors, limits. Constants and pure
 * functions; may touch nothing. The declaration of methods is an entry of its own (`@capos/abi/methods`): whoever only
 * needs their numbers does not load it.
 */
export * from "./capability.js";
export * from "./errors.js";
export * from "./fault-record.js";
export * from "./guest.js";
export * from "./history.js";
export * from "./init.js";
export * from "./life.js";
export * from "./limits.js";
export * from "./memory-fault.js";
export * from "./method.js";
export * from "./object-type.js";
export * from "./objects.js";
export * from "./pack.js";
export * from "./traps.js";
export * from "./visible.js";
