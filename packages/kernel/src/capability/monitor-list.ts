/**
 * Who watches whom: the monitors of a process or thread form a list that begins in it.
 */
import { type ObjectType, Slot, SlotBits } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import type { Locked } from "../smp/tree-lock.js";
import { Monitor } from "../state/layout.js";
import { kernelFacts } from "../state/objects.js";
import type { MonitorRef, ObjectRef } from "../state/references.js";

/** Where the list of an object's monitors begins. */
export function monitorsOf(type: ObjectType, object: ObjectRef): WordIndex {
  return object + kernelFacts(type).watched!.monitors;
}

/** Where the list begins that an armed monitor is in. */
function listOf(k: Locked, monitor: MonitorRef): WordIndex {
  const target = monitor + Monitor.TARGET;
  return monitorsOf(k.i32[monitor + Monitor.TYPE], k.i32[target + Slot.OBJECT] as ObjectRef);
}

/** Enters a monitor whose target is filled in. */
export function attachMonitor(k: Locked, monitor: MonitorRef): void {
  const { i32 } = k;
  const word = i32[monitor + Monitor.TARGET];
  i32[monitor + Monitor.TYPE] = (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT;
  const list = listOf(k, monitor);
  const first = i32[list];
  i32[monitor + Monitor.PREVIOUS] = 0;
  i32[monitor + Monitor.NEXT] = first;
  if (first !== 0) i32[first + Monitor.PREVIOUS] = monitor;
  // Not plainly: the target's core looks at the list without the lock, after it has stored how it ended.
  Atomics.store(i32, list, monitor);
}

/** Takes a monitor out of its target's list: its binding ends. */
export function detachMonitor(k: Locked, monitor: MonitorRef): void {
  const { i32 } = k;
  const next = i32[monitor + Monitor.NEXT];
  const previous = i32[monitor + Monitor.PREVIOUS];
  if (next !== 0) i32[next + Monitor.PREVIOUS] = previous;
  if (previous !== 0) i32[previous + Monitor.NEXT] = next;
  else i32[listOf(k, monitor)] = next;
}
