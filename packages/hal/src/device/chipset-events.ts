/** What the chipset tells in a machine's traces: see TRACE_EVENTS of whoever runs on the machine. */
import { event } from "@capos/trace";

/** Events of the group of interrupts, whose other events are not the chipset's. */
export const enum ChipsetEvent {
  INTERRUPT_RAISE = 56,
}

export const CHIPSET_EVENTS = Object.freeze({
  [ChipsetEvent.INTERRUPT_RAISE]: event(
    "interrupt.raise",
    "the chipset, or the core itself when it leaves halt, requests an interrupt at a core; those of serial devices come from outside and are seen when they are delivered",
    { to: "core" },
    { vector: "vector" },
  ),
});
