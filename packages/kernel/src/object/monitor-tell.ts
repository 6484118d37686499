/**
 * Telling monitors: a process or thread has ended, and each of them learns how, once.
 */
import { LifeState, type ObjectType, Slot } from "@capos/abi";
import { isLive } from "../capability/lookup.js";
import { monitorsOf } from "../capability/monitor-list.js";
import { killSlot } from "../capability/slot.js";
import { signal } from "../ipc/notification.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { Monitor, ObjectHeader, Reap } from "../state/layout.js";
import { headerOf, kernelFacts } from "../state/objects.js";
import type { HeaderRef, MonitorRef, NotificationRef, ObjectRef, SlotRef } from "../state/references.js";

/** Tells one monitor of an ended target; false if there is none. */
export function tellMonitor(k: Core, type: ObjectType, target: ObjectRef): boolean {
  const { i32 } = k;
  const held = lockTree(k);
  const monitor = i32[monitorsOf(type, target)] as MonitorRef | 0;
  let notification: NotificationRef | 0 = 0;
  let bits = 0;
  if (monitor !== 0) {
    noteEnd(held, monitor, type, target);
    const binding = (monitor + Monitor.NOTIFICATION) as SlotRef;
    if (isLive(k, binding)) {
      notification = i32[binding + Slot.OBJECT] as NotificationRef;
      bits = i32[binding + Slot.BADGE] || 1;
      killSlot(held, binding);
    }
    // Takes it out of the list.
    killSlot(held, (monitor + Monitor.TARGET) as SlotRef);
  } else toldAll(held, headerOf(type, target) as HeaderRef);
  unlockTree(held);
  if (notification !== 0) signal(k, 0, notification, bits);
  return monitor !== 0;
}

/** Nobody is left to tell. Under the lock under which that was seen: a monitor that comes after it asks anew. */
function toldAll(k: Locked, header: HeaderRef): void {
  Atomics.and(k.i32, header + ObjectHeader.REAP_WORK, ~Reap.TELL);
}

/** Signals that a monitor's watch has ended before its target: the capability that it was made with is gone. */
export function tellLoss(k: Core, monitor: MonitorRef): void {
  const { i32 } = k;
  const binding = (monitor + Monitor.NOTIFICATION) as SlotRef;
  const held = lockTree(k);
  toldAll(held, (monitor + Monitor.HEADER) as HeaderRef);
  // Unless it watches another by now.
  const lost = isLive(k, binding) && !isLive(k, (monitor + Monitor.TARGET) as SlotRef);
  const notification = i32[binding + Slot.OBJECT] as NotificationRef;
  const bits = i32[binding + Slot.BADGE] || 1;
  if (lost) {
    i32[monitor + Monitor.LIFE] = LifeState.RUNNING;
    i32[monitor + Monitor.ENDED] = 1;
    killSlot(held, binding);
  }
  unlockTree(held);
  if (lost) signal(k, 0, notification, bits);
}

/** Writes into a monitor how its target ended. */
function noteEnd(k: Locked, monitor: MonitorRef, type: ObjectType, target: ObjectRef): void {
  const { i32 } = k;
  const at = kernelFacts(type).watched!;
  // An object that goes before it ever ran was destroyed.
  const life = i32[target + at.life];
  i32[monitor + Monitor.LIFE] = life > LifeState.RUNNING ? life : LifeState.KILLED;
  i32[monitor + Monitor.STATUS] = i32[target + at.status];
  i32[monitor + Monitor.LINE] = i32[target + at.line];
  i32[monitor + Monitor.COLUMN] = i32[target + at.column];
  i32[monitor + Monitor.ENDED] = 1;
}
