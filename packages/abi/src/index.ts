export * from "./capability.js";
export * from "./errors.js";
export * from "./guest.js";
export * from "./init.js";
export * from "./limits.js";
export * from "./methods.js";
export * from "./pack.js";
export * from "./traps.js";
