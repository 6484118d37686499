/**
 * Expiry: at its time a capability dies, and everything derived from it. A lookup compares the clock, so
 * use ends at once; the slots are killed, and those who wait through them woken, by the boot core when
 * the chipset's alarm rings: within some 20 ms.
 */
import { nowNs } from "@capos/hal";
import { nextExpired } from "../capability/expiry-wheel.js";
import { killSlot } from "../capability/slot.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { traceSlot } from "../state/trace.js";
import { TraceEvent } from "../state/trace-events.js";
import { killDescendants, Left } from "./revoke.js";

/** Ends some of what has expired; true if there may be more. */
export function expireSome(k: Core): boolean {
  const held = lockTree(k);
  const slot = nextExpired(held, nowNs());
  if (slot !== 0 && slot !== -1 && killDescendants(held, slot) !== Left.MORE) {
    if (TRACED) traceSlot(k, TraceEvent.CAPABILITY_DELETE, 0, slot);
    killSlot(held, slot);
  }
  unlockTree(held);
  return slot !== 0;
}
