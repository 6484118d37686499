/**
 * All that a guest imports, as one module: what libos gives it, and the numbers and names that it shares with the kernel.
 * Users write `capos/guest`, wherever their files lie; the image builder reads this.
 */
export * from "@capos/abi";
export * from "./index.js";
// Both have one: a guest's is the kernel object.
export { Image } from "./kernel-objects.js";
