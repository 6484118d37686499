/**
 * The machine: its memory and where what stands in it, a core's side of its parts, devices. A core's code and the
 * host's read the same words, so the host's side, in `host`, is an entry of its own: only it makes threads.
 *
 * May touch the machine's memory and the clock. Knows no kernel: what its tenant keeps in the machine's pages is
 * the tenant's to say.
 */
export * from "./cpu/attention.js";
export * from "./cpu/clock.js";
export * from "./cpu/host-check.js";
export * from "./cpu/host-thread.js";
export * from "./cpu/lapic.js";
export * from "./cpu/mmu.js";
export * from "./cpu/patience.js";
export * from "./cpu/progress.js";
export * from "./cpu/ring.js";
export * from "./device/chipset-events.js";
export * from "./device/serial-port.js";
export * from "./memory/machine-map.js";
export * from "./memory/modules.js";
export * from "./memory/page-entry.js";
export * from "./memory/physical-memory.js";
export * from "./memory/recordings.js";
