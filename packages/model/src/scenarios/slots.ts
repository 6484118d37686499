/** What a scenario's slots hold when nothing can go on. */
import { Slot, SlotBits, SlotState } from "@capos/abi";
import { headerOf, Notification, ObjectHeader } from "@capos/kernel/layout";
import type { Machine } from "../machine.js";

/** True if a slot of init holds a capability that can be used. */
export function isAlive(machine: Machine, slot: number): boolean {
  return (machine.i32[machine.slotAt(slot)] & SlotBits.STATE_MASK) === SlotState.LIVE;
}

/** True if nothing stands below a slot of init in the derivation tree. */
export function isChildless(machine: Machine, slot: number): boolean {
  return machine.i32[machine.slotAt(slot) + Slot.FIRST_CHILD] === 0;
}

/** How many capabilities the object that a slot of init holds thinks that there are to it. */
export function referencesOf(machine: Machine, slot: number): number {
  const type = (machine.i32[machine.slotAt(slot)] & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT;
  return machine.i32[headerOf(type, machine.objectAt(slot)) + ObjectHeader.REFERENCES];
}

/** Bits of a notification that nobody took. */
export function bitsOf(machine: Machine, slot: number): number {
  return machine.i32[machine.objectAt(slot) + Notification.BITS];
}
