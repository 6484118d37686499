/**
 * Capabilities in messages: copied from the sender's slots into the receiver's window at the instant
 * of transfer, under the tree lock.
 */
import { MAX_MESSAGE_CAPABILITIES, makeHandle, ObjectType, Right, Slot, SlotBits } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import type { Core } from "../core.js";
import { Thread } from "../layout.js";
import { findSlot } from "./lookup.js";
import { deriveSlot, reclaimSlot } from "./slot.js";
import { lockTree, unlockTree } from "./tree-lock.js";

/**
 * Copies up to `count` capabilities that the sender's handles name into consecutive empty slots of the
 * receiver, from `window` on; writes their handles into `out`. The message arrives whatever happens
 * here: one that is not live, lacks GRANT or meets an occupied slot or the window's end stops the
 * rest. Answers how many came.
 */
export function transferCapabilities(
  k: Core,
  sender: WordIndex,
  handles: Float64Array,
  handlesAt: number,
  count: number,
  receiver: WordIndex,
  window: number,
  windowCount: number,
  out: Float64Array,
  outAt: number,
): number {
  const { i32 } = k;
  const slots = i32[receiver + Thread.CSPACE_SLOTS]!;
  const first = window | 0;
  const room = Math.min(count, windowCount | 0, MAX_MESSAGE_CAPABILITIES);
  if (first <= 0 || first + room > slots) return 0;
  let arrived = 0;
  lockTree(k);
  while (arrived < room) {
    const source = findSlot(k, sender, handles[handlesAt + arrived]!);
    if (source === 0) break;
    const word = i32[source]!;
    if (((word >> SlotBits.RIGHTS_SHIFT) & Right.GRANT) === 0) break;
    // Two watermarks would be two owners of the same memory.
    if ((word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT === ObjectType.UNTYPED) break;
    const destination = i32[receiver + Thread.CSPACE]! + (first + arrived) * Slot.WORDS;
    if (!reclaimSlot(k, destination)) break;
    deriveSlot(k, source, destination, Right.ALL, 0);
    out[outAt + arrived] = makeHandle(first + arrived, i32[destination + Slot.GENERATION]!);
    arrived++;
  }
  unlockTree(k);
  return arrived;
}
