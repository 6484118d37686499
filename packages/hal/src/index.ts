export * from "./attention.js";
export * from "./clock.js";
export * from "./lapic.js";
export * from "./machine-map.js";
export * from "./modules.js";
export * from "./physical-memory.js";
export * from "./ring.js";
export * from "./serial-port.js";
