/**
 * Panic: a state that must not be. The dump goes to the UART, the machine stops.
 */
import { Attention, attentionOf, BootInfo, HostEvent, Power, raise, ringHost } from "@capos/hal";
import type { Core } from "../state/core.js";

/** Stops the machine. The first core to panic prints; the others just stop. Answers the dump, or null if another was first. */
export function panic(k: Core, reason: string): string[] | null {
  const { i32, memory } = k;
  const first = Atomics.compareExchange(i32, BootInfo.PANIC_CORE, 0, k.id + 1) === 0;
  const lines = first ? [`PANIC on core ${k.id}: ${reason}`, ...k.parts.describe(memory)] : null;
  Atomics.store(i32, BootInfo.EXIT_STATUS, 70);
  Atomics.store(i32, BootInfo.POWER, Power.PANIC);
  for (let other = 0; other < i32[BootInfo.CORES]; other++)
    raise(memory, attentionOf(memory, other), Attention.POWER | Attention.NON_MASKABLE);
  ringHost(memory, HostEvent.POWER);
  return lines;
}
