/** How a change of mappings ends under the tree lock, told outside it. */
import { Err, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import { isLive } from "../capability/lookup.js";
import { NO_IDENTIFIER, takeIdentifier } from "../capability/mapping.js";
import { waitForGrace } from "../smp/grace-period.js";
import type { Locked } from "../smp/tree-lock.js";
import type { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import type { SlotRef, SpaceRef, ThreadRef } from "../state/references.js";
import { finish, refuse } from "./arguments.js";

export type Settled = Core["settled"];

/**
 * Notes how it ended, in one scratch of the core's, so that a change allocates nothing.
 *
 * @param level with NO_TABLE: of the one that is missing
 * @param awaits a grace period to wait for before it starts again, 0 for none
 */
export function settledAs({ settled }: Core, status: Err, level = 0, awaits = 0): Settled {
  settled.status = status;
  settled.level = level;
  settled.awaits = awaits;
  return settled;
}

/** Answers how it ended, or waits. */
export function settle(k: Core, thread: ThreadRef, context: Context): Answer {
  const { status, level, awaits } = k.settled;
  if (awaits !== 0) return waitForGrace(k, thread, awaits);
  return level !== 0 ? refuse(context, status, level, level) : finish(context, status);
}

/** The address space in a slot that was looked up without the lock, with an identifier; 0, and how that ended is noted. */
export function openSpace(k: Locked, slot: SlotRef): SpaceRef | 0 {
  settledAs(k, Err.BAD_CAP);
  if (!isLive(k, slot)) return 0;
  const space = k.i32[slot + Slot.OBJECT] as SpaceRef;
  const taken = takeIdentifier(k, space);
  if (taken === 0) return space;
  if (taken === NO_IDENTIFIER) settledAs(k, Err.NO_RESOURCE);
  else settledAs(k, Err.OK, 0, taken);
  return 0;
}
