export type { CoreSnapshot, Management } from "./management.js";
export { Machine, type MachineEnd, type MachineHooks } from "./machine.js";
