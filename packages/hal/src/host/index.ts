export { Machine, type MachineEnd, type MachineHooks } from "./machine.js";
export type { CoreSnapshot, Management } from "./management.js";
