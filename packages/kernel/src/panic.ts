/**
 * Panic: a state that must not be. The dump goes to the UART, the machine stops.
 */
import {
  Attention,
  attentionOf,
  BootInfo,
  HostEvent,
  type PhysicalMemory,
  Power,
  raise,
  ringHost,
} from "@capos/hal";
import { dump } from "./inspect/text.js";

/** Thrown by kernel code that finds an impossible state; the trap loop turns it, like any other error there, into a panic. */
export class KernelPanic extends Error {
  override readonly name = "KernelPanic";
}

/** Stops the machine. The first core to panic prints; the others just stop. Answers the dump, or null if another was first. */
export function panic(memory: PhysicalMemory, core: number, reason: string): string[] | null {
  const { i32 } = memory;
  const first = Atomics.compareExchange(i32, BootInfo.PANIC_CORE, 0, core + 1) === 0;
  const lines = first ? [`PANIC on core ${core}: ${reason}`, ...dump(memory)] : null;
  Atomics.store(i32, BootInfo.EXIT_STATUS, 70);
  Atomics.store(i32, BootInfo.POWER, Power.PANIC);
  for (let other = 0; other < i32[BootInfo.CORES]!; other++)
    raise(memory, attentionOf(memory, other), Attention.POWER | Attention.NON_MASKABLE);
  ringHost(memory, HostEvent.POWER);
  return lines;
}
