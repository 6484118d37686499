/** Methods of monitors. */
import { Err, LifeState, Method, ObjectType, Right, Slot, SlotFlag } from "@capos/abi";
import type { Context } from "@capos/engine";
import type { WordIndex } from "@capos/hal";
import { findSlot, hasRight, isLive, lookupArgument, refusal } from "../capability/lookup.js";
import { attachMonitor } from "../capability/monitor-list.js";
import { assignReap } from "../capability/reap-list.js";
import { anchorOf, deriveSlot, killSlot, reaperOf, reclaimSlot, typeOf } from "../capability/slot.js";
import { waitForGrace } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { Monitor, Process, Reap, Thread } from "../state/layout.js";
import { answer, handle } from "./arguments.js";

export function invokeMonitor(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): void {
  const { i32 } = k;
  const monitor = i32[slot + Slot.OBJECT]!;
  if (method === Method.MONITOR_WATCH) {
    if (hasRight(k, slot, Right.WRITE)) watch(k, thread, context, slot, monitor);
    else context.result = Err.DENIED;
  } else if (method === Method.MONITOR_STATUS) {
    if (!hasRight(k, slot, Right.READ)) context.result = Err.DENIED;
    else {
      answer(
        context,
        i32[monitor + Monitor.ENDED]!,
        i32[monitor + Monitor.LIFE]!,
        i32[monitor + Monitor.STATUS]!,
        i32[monitor + Monitor.LINE]!,
        i32[monitor + Monitor.COLUMN]!,
      );
    }
  }
}

/** target, notification: both bindings are derived from the capabilities they were made with, and end with them. */
function watch(k: Core, thread: WordIndex, context: Context, slot: WordIndex, monitor: WordIndex): void {
  const { i32 } = k;
  const target = findSlot(k, thread, handle(context, 1));
  const notification = lookupArgument(k, thread, handle(context, 2), ObjectType.NOTIFICATION, Right.SEND);
  const type = target === 0 ? ObjectType.NONE : typeOf(i32[target]!);
  if (target === 0) context.result = refusal(k, thread, handle(context, 1));
  else if (type !== ObjectType.PROCESS && type !== ObjectType.THREAD) context.result = Err.BAD_TYPE;
  else if (!hasRight(k, target, Right.READ)) context.result = Err.DENIED;
  else if (notification < 0) context.result = notification;
  else arm(k, thread, context, slot, monitor, target, notification);
}

function arm(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  monitor: WordIndex,
  target: WordIndex,
  notification: WordIndex,
): void {
  const { i32 } = k;
  const bindings = [monitor + Monitor.TARGET, monitor + Monitor.NOTIFICATION];
  let dying = 0;
  lockTree(k);
  context.result = Err.OK;
  // Looked up without the lock.
  if (!isLive(k, slot) || !isLive(k, target) || !isLive(k, notification)) context.result = Err.BAD_CAP;
  else if (isLive(k, bindings[0]!)) context.result = Err.BUSY;
  else {
    // What is left of a watch whose target's capability was taken back.
    if (isLive(k, bindings[1]!)) killSlot(k, bindings[1]!);
    for (const binding of bindings) if (!reclaimSlot(k, binding)) dying = i32[binding + Slot.STAMP]!;
    if (dying === 0) {
      deriveSlot(k, target, bindings[0]!, Right.ALL, 0, SlotFlag.BINDING);
      deriveSlot(k, notification, bindings[1]!, Right.ALL, 0, SlotFlag.BINDING);
      i32[monitor + Monitor.ENDED] = 0;
      attachMonitor(k, monitor);
      tellIfEnded(k, typeOf(i32[target]!), i32[target + Slot.OBJECT]!);
    }
  }
  unlockTree(k);
  if (dying !== 0) waitForGrace(k, thread, dying);
}

/** Its end may have been told before the monitor was in its list. By its home, if it is a thread: what else is to be done of it comes there. */
function tellIfEnded(k: Core, type: ObjectType, target: WordIndex): void {
  const life = target + (type === ObjectType.PROCESS ? Process.LIFE : Thread.LIFE);
  if (Atomics.load(k.i32, life) > LifeState.RUNNING)
    assignReap(k, anchorOf(type, target), Reap.TELL, reaperOf(k, type, target));
}
