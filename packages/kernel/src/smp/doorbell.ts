/** Doorbells: bits in another core's attention word, which wake it if it halts. */
import { attentionOf, raise } from "@capos/hal";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import type { CoreId } from "../state/references.js";
import { TraceEvent } from "../state/trace-events.js";

/** Sets attention bits of a core, this one or another. */
export function ringDoorbell(k: Core, to: CoreId, bits: number): void {
  const woke = raise(k.memory, attentionOf(k.memory, to), bits);
  if (TRACED && to !== k.id) k.tracer.put3(TraceEvent.DOORBELL, to, bits, woke ? 1 : 0);
}
