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
import type { Context } from "@capos/engine";
import { progressOf } from "../sched/progress.js";
import { graceIsOver, waitForGrace } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { Process, Thread } from "../state/layout.js";
import { threadCapabilities } from "../state/message.js";
import { isMapped, isUnique } from "../state/objects.js";
import type { EndpointRef, ProcessRef, SlotRef, ThreadRef } from "../state/references.js";
import { traceSlot } from "../state/trace.js";
import { TraceEvent } from "../state/trace-events.js";
import { findCarried } from "./lookup.js";
import { clearMapping } from "./mapping.js";
import { deriveSlot, isDying, killSlot, moveSlot, reclaimSlot, typeOf } from "./slot.js";

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
 * Passes on up to `count` capabilities of a message. The sender's handles lie beside its `words`: in its registers on
 * its own core, else in its thread object. The receiver's handles are written into its registers, if it is on this
 * core (`to` is its context), else into its thread object.
 *
 * They go to consecutive empty slots of the receiver's window; one that names the very `endpoint` that the
 * message goes through (0 for a reply) needs no slot, its badge arrives in its place. The message arrives
 * whatever happens here: a capability that is not live, lacks GRANT, cannot be copied, or meets an occupied
 * slot or the window's end stops the rest.
 */
export function transferCapabilities(
  k: Core,
  endpoint: EndpointRef | 0,
  sender: ThreadRef,
  words: Float64Array,
  count: number,
  receiver: ThreadRef,
  to: Context | null,
): number {
  const { i32 } = k;
  // A sender on another core has left all of it in its thread object.
  const inThread = words === k.f64;
  const handlesAt = inThread ? threadCapabilities(sender) : Reg.CAPABILITIES;
  const dropped = inThread ? i32[sender + Thread.DROPPED_RIGHTS] : words[Reg.DROPPED_RIGHTS] | 0;
  const moved = inThread ? i32[sender + Thread.MOVED] : words[Reg.MOVED];
  const out = to === null ? k.f64 : to.regs;
  const outAt = to === null ? threadCapabilities(receiver) : Reg.CAPABILITIES;
  const window = to === null ? i32[receiver + Thread.RECEIVE_WINDOW] : to.regs[Reg.RECEIVE_WINDOW];
  const windowCount = to === null ? i32[receiver + Thread.RECEIVE_COUNT] : to.regs[Reg.RECEIVE_COUNT];
  const space = i32[receiver + Thread.PROCESS] as ProcessRef;
  const first = window | 0;
  const most = Math.min(count, MAX_MESSAGE_CAPABILITIES);
  let arrived = 0;
  let taken = 0;
  let unwrapped = 0;
  const held = lockTree(k);
  const wanted = Math.min(windowCount | 0, MAX_MESSAGE_CAPABILITIES);
  const room = first <= 0 || first + wanted > i32[space + Process.CSPACE_SLOTS] ? 0 : wanted;
  for (; arrived < most; arrived++) {
    const source = findCarried(k, sender, words[handlesAt + arrived]);
    if (source === 0) break;
    const word = i32[source];
    if (((word >> SlotBits.RIGHTS_SHIFT) & Right.GRANT) === 0) break;
    const type = typeOf(word);
    const isMoved = ((moved >> arrived) & 1) === 1;
    if (
      type === ObjectType.ENDPOINT &&
      endpoint !== 0 &&
      i32[source + Slot.OBJECT] === endpoint &&
      (word & SlotFlag.SEALED) === 0
    ) {
      out[outAt + arrived] = i32[source + Slot.BADGE] >>> 0;
      unwrapped |= 1 << arrived;
      if (isMoved) killSlot(held, source);
      continue;
    }
    // Two watermarks would be two owners of the same memory, two replies two answers to one call.
    if (!isMoved && isUnique(type)) break;
    if (taken >= room) break;
    const destination = (i32[space + Process.CSPACE] + (first + taken) * Slot.WORDS) as SlotRef;
    if (!reclaimSlot(held, destination)) break;
    const rights = ~(dropped >> (arrived * RIGHTS_BITS)) & Right.ALL;
    if (isMoved) {
      // What the sender has mapped of it ends in this hold of the lock. Nobody waits here: whoever maps it next does.
      if (isMapped(type)) clearMapping(held, source, word);
      moveSlot(held, source, destination, rights);
    } else deriveSlot(held, source, destination, rights, 0);
    if (TRACED) traceSlot(k, TraceEvent.CAPABILITY_ARRIVE, receiver, destination);
    out[outAt + arrived] = makeHandle(first + taken, i32[destination + Slot.GENERATION]);
    taken++;
  }
  unlockTree(held);
  return arrived | (unwrapped << UNWRAPPED_SHIFT);
}

/**
 * A receive slot that was deleted a moment ago is empty only after its grace period. Who needs it next
 * waits: false, and the trap starts again then.
 */
export function windowIsReady(k: Core, thread: ThreadRef, context: Context): boolean {
  const { i32 } = k;
  const first = context.regs[Reg.RECEIVE_WINDOW] | 0;
  const count = Math.min(context.regs[Reg.RECEIVE_COUNT] | 0, MAX_MESSAGE_CAPABILITIES);
  const process = i32[thread + Thread.PROCESS] as ProcessRef;
  if (first <= 0 || first + count > i32[process + Process.CSPACE_SLOTS]) return true;
  for (let index = first; index < first + count; index++) {
    const slot = (i32[process + Process.CSPACE] + index * Slot.WORDS) as SlotRef;
    if (!isDying(k, slot)) continue;
    // Under the lock: whoever killed it stores DEAD before the stamp.
    const held = lockTree(k);
    const stamp = i32[slot + Slot.STAMP];
    unlockTree(held);
    if (graceIsOver(k, stamp)) continue;
    // The trap's first dispatch may end here: what it finds in its next is not to be another trap's progress.
    progressOf(k, thread);
    waitForGrace(k, thread, stamp);
    return false;
  }
  return true;
}
