/**
 * The management worker: the host's window on a running machine, served by comlink.
 *
 * A running core never returns to its event loop, so no port of its own would ever be read; this
 * worker acts on cores by their attention words and reads their state from memory.
 */

import { parentPort, workerData } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { Attention, attentionOf, raise } from "../cpu/attention.js";
import { requestInterrupt } from "../cpu/lapic.js";
import { BootInfo, CoreArea, coreArea, HOTPLUG_VECTOR } from "../memory/machine-map.js";
import { attachMemory, type PhysicalMemory, type SharedMemory } from "../memory/physical-memory.js";

/** What the host hands to this worker. */
export interface ManagementTask {
  readonly memory: SharedMemory;
  /** Where the kernel's inspection is, null for a machine that cannot be asked for its kernel's state. */
  readonly inspectProgram: string | null;
}

const task = workerData as ManagementTask;
const memory = attachMemory(task.memory);

/** What the machine's kernel gives to be read by: see `MachineHooks.inspectProgram`. */
type InspectProgram = { default(memory: PhysicalMemory): unknown };

const management = Object.freeze({
  /** All of the kernel's state, as its own program reads it. Null if the machine was made without one. */
  async state(): Promise<unknown> {
    if (task.inspectProgram === null) return null;
    const program = (await import(task.inspectProgram)) as InspectProgram;
    return program.default(memory);
  },
  /** Makes a core pass a safe point soon. */
  poke(core: number): void {
    raise(memory, attentionOf(memory, core), Attention.POKE);
  },
  /** Tells the kernel that a core which was off has power now and waits for INIT. */
  announce(): void {
    requestInterrupt(memory, memory.i32[BootInfo.BOOT_CORE], HOTPLUG_VECTOR);
  },
  /** Asks a core to leave the machine. It does when no thread lives on it. */
  unplug(core: number): void {
    Atomics.store(memory.i32, coreArea(memory, core) + CoreArea.LEAVE, 1);
    raise(memory, attentionOf(memory, core), Attention.POWER);
  },
});

export type Management = typeof management;

Comlink.expose(management, nodeEndpoint(parentPort!));
