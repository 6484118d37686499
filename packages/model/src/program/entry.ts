/** The part of hal and kernel that virtual cores run: the entry of the bundle that is transformed. */
export { halt, RingPort, raise } from "@capos/hal";
export { Core, run, startHere, watchRing } from "@capos/kernel/internal";
export { PARTS } from "./engine.js";
