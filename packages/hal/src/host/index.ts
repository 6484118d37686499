export { HostError } from "./host-error.js";
export { Machine, type MachineEnd, type MachineHooks } from "./machine.js";
export type { Management } from "./management.js";
export { SEALED, setFlags } from "./workers.js";
