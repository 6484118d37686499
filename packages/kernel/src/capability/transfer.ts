/**
 * Capabilities in messages: copied or moved from the sender's slots into the receiver's window at the
 * instant of transfer, under the tree lock. Nothing of them travels before: what was revoked while its
 * message was under way is found dead here.
 */
import {
  MAX_MESSAGE_CAPABILITIES,
  makeHandle,
  ObjectType,
  Reg,
  Right,
  Slot,
  SlotBits,
  SlotFlag,
} from "@capos/abi";
import { TraceEvent, type WordIndex } from "@capos/hal";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { Process, Thread } from "../state/layout.js";
import { traceSlot } from "../state/trace.js";
import { TRACED } from "../state/traced.js";
import { findCarried } from "./lookup.js";
import { deriveSlot, killSlot, moveSlot, reclaimSlot, typeOf } from "./slot.js";

const RIGHTS_BITS = 8;
const UNWRAPPED_SHIFT = 8;

/** How many capabilities arrived, in what `transferCapabilities` answered. */
export function arrivedOf(answer: number): number {
  return answer & ((1 << UNWRAPPED_SHIFT) - 1);
}

/** Which of them are badges, a bit each. */
export function unwrappedOf(answer: number): number {
  return answer >> UNWRAPPED_SHIFT;
}

/**
 * Passes on up to `count` capabilities that the sender's handles name; writes the receiver's handles into
 * `out`. They go to consecutive empty slots from `window` on; one that names the very `endpoint` that the
 * message goes through (0 for a reply) needs no slot, its badge arrives in its place. The message arrives
 * whatever happens here: a capability that is not live, lacks GRANT, cannot be copied, or meets an occupied
 * slot or the window's end stops the rest.
 */
export function transferCapabilities(
  k: Core,
  endpoint: WordIndex,
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
  // A sender on another core has left all of it in its thread object.
  const inThread = handles === k.f64;
  const dropped = inThread ? i32[sender + Thread.DROPPED_RIGHTS]! : handles[Reg.DROPPED_RIGHTS]! | 0;
  const moved = inThread ? i32[sender + Thread.MOVED]! : handles[Reg.MOVED]!;
  const space = i32[receiver + Thread.PROCESS]!;
  const first = window | 0;
  const most = Math.min(count, MAX_MESSAGE_CAPABILITIES);
  let arrived = 0;
  let taken = 0;
  let unwrapped = 0;
  lockTree(k);
  const wanted = Math.min(windowCount | 0, MAX_MESSAGE_CAPABILITIES);
  const room = first <= 0 || first + wanted > i32[space + Process.CSPACE_SLOTS]! ? 0 : wanted;
  for (; arrived < most; arrived++) {
    const source = findCarried(k, sender, handles[handlesAt + arrived]!);
    if (source === 0) break;
    const word = i32[source]!;
    if (((word >> SlotBits.RIGHTS_SHIFT) & Right.GRANT) === 0) break;
    const type = typeOf(word);
    const isMoved = ((moved >> arrived) & 1) === 1;
    if (
      type === ObjectType.ENDPOINT &&
      endpoint !== 0 &&
      i32[source + Slot.OBJECT] === endpoint &&
      (word & SlotFlag.SEALED) === 0
    ) {
      out[outAt + arrived] = i32[source + Slot.BADGE]! >>> 0;
      unwrapped |= 1 << arrived;
      if (isMoved) killSlot(k, source);
      continue;
    }
    // Two watermarks would be two owners of the same memory, two replies two answers to one call.
    if (!isMoved && (type === ObjectType.UNTYPED || type === ObjectType.REPLY)) break;
    if (taken >= room) break;
    const destination = i32[space + Process.CSPACE]! + (first + taken) * Slot.WORDS;
    if (!reclaimSlot(k, destination)) break;
    const rights = ~(dropped >> (arrived * RIGHTS_BITS)) & Right.ALL;
    if (isMoved) moveSlot(k, source, destination, rights);
    else deriveSlot(k, source, destination, rights, 0);
    if (TRACED) traceSlot(k, TraceEvent.CAPABILITY_ARRIVE, receiver, destination);
    out[outAt + arrived] = makeHandle(first + taken, i32[destination + Slot.GENERATION]!);
    taken++;
  }
  unlockTree(k);
  return arrived | (unwrapped << UNWRAPPED_SHIFT);
}
