/**
 * Minted badges without descendants: a server's own objects that nobody holds any more.
 *
 * A slot made by a mint is the server's name for an object; what clients hold is derived from it. When
 * the last of that is gone, the slot enters its endpoint's list, and the next receive on the endpoint
 * answers its badge in place of a message. The endpoint's home takes from it (see no-senders.ts).
 */
import { ObjectType, Slot, SlotBits, SlotFlag } from "@capos/abi";
import type { Locked } from "../smp/tree-lock.js";
import { Endpoint } from "../state/layout.js";
import type { EndpointRef, SlotRef } from "../state/references.js";
import { flagSweep } from "./sweep-list.js";

/** PREVIOUS of the first: no slot. */
const HEAD = 0;

/** A minted slot has lost its last descendant. Notifications are minted too; theirs is nobody's business. */
export function enterNoSenders(k: Locked, slot: SlotRef): void {
  const { i32 } = k;
  if ((i32[slot] & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT !== ObjectType.ENDPOINT) return;
  const endpoint = i32[slot + Slot.OBJECT] as EndpointRef;
  const first = i32[endpoint + Endpoint.NO_SENDERS];
  i32[slot + Slot.WATERMARK] = HEAD;
  i32[slot + Slot.LINK] = first;
  if (first !== 0) i32[first + Slot.WATERMARK] = slot;
  Atomics.store(i32, slot, i32[slot] | SlotFlag.NO_SENDERS);
  Atomics.store(i32, endpoint + Endpoint.NO_SENDERS, slot);
  // A receiver that waits is told by the home's sweep.
  flagSweep(k, endpoint);
  k.killed = true;
}

/** Takes a slot out of the list. */
export function leaveNoSenders(k: Locked, slot: SlotRef): void {
  const { i32 } = k;
  const previous = i32[slot + Slot.WATERMARK];
  const next = i32[slot + Slot.LINK];
  if (next !== 0) i32[next + Slot.WATERMARK] = previous;
  if (previous === HEAD) Atomics.store(i32, i32[slot + Slot.OBJECT] + Endpoint.NO_SENDERS, next);
  else i32[previous + Slot.LINK] = next;
}

/** A slot in the list moves. Its list words have moved already. */
export function moveNoSenders(k: Locked, source: SlotRef, destination: SlotRef): void {
  const { i32 } = k;
  const previous = i32[source + Slot.WATERMARK];
  const next = i32[source + Slot.LINK];
  if (next !== 0) i32[next + Slot.WATERMARK] = destination;
  if (previous === HEAD) Atomics.store(i32, i32[source + Slot.OBJECT] + Endpoint.NO_SENDERS, destination);
  else i32[previous + Slot.LINK] = destination;
}
