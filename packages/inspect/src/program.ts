/** What the host's management worker runs to read a machine: see MachineHooks.inspectProgram. */
import type { PhysicalMemory } from "@capos/hal";
import { inspect } from "./inspect.js";
import type { MachineState } from "./state.js";

/** Reads a running machine's state, its derivation tree at one instant. */
export default function inspectMachine(memory: PhysicalMemory): MachineState {
  return inspect(memory, { lock: true });
}
