/**
 * What a receive answers when a minted badge has no descendants left: see no-senders-list.ts.
 */
import { BADGE_HAS_NO_SENDERS, Reg, Slot, SlotFlag } from "@capos/abi";
import type { Context } from "@capos/engine";
import { leaveNoSenders } from "../capability/no-senders-list.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { Endpoint } from "../state/layout.js";
import type { EndpointRef, SlotRef } from "../state/references.js";

/** Home: takes a badge whose descendants are gone, or answers -1. One that has descendants again is passed over. */
export function takeNoSenders(k: Core, endpoint: EndpointRef): number {
  const { i32 } = k;
  let badge = -1;
  const held = lockTree(k);
  while (badge < 0) {
    const slot = i32[endpoint + Endpoint.NO_SENDERS] as SlotRef | 0;
    if (slot === 0) break;
    leaveNoSenders(held, slot);
    Atomics.store(i32, slot, i32[slot] & ~SlotFlag.NO_SENDERS);
    if (i32[slot + Slot.FIRST_CHILD] === 0) badge = i32[slot + Slot.BADGE] >>> 0;
  }
  unlockTree(held);
  return badge;
}

/** Gives a receiver on this core such a badge, if there is one. */
export function receiveNoSenders(k: Core, endpoint: EndpointRef, context: Context): boolean {
  const badge = takeNoSenders(k, endpoint);
  if (badge < 0) return false;
  tellNoSenders(context, badge);
  return true;
}

/** What a receive answers then. */
export function tellNoSenders(context: Context, badge: number): void {
  context.regs[Reg.BADGE] = BADGE_HAS_NO_SENDERS + badge;
  context.regs[Reg.ARRIVED] = 0;
  context.result = 0;
}
