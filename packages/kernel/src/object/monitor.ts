/** Methods of monitors. */
import { Err, LifeState, ObjectType, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import { isLive } from "../capability/lookup.js";
import { attachMonitor } from "../capability/monitor-list.js";
import { assignReap } from "../capability/reap-list.js";
import { bindSlot, loseBindings, reaperOf, reclaimSlot, typeOf } from "../capability/slot.js";
import { waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { Monitor, Reap } from "../state/layout.js";
import { Binding, headerOf, kernelFacts } from "../state/objects.js";
import type { HeaderRef, MonitorRef, ObjectRef, SlotRef, ThreadRef } from "../state/references.js";
import { answer } from "./arguments.js";

export function monitorStatus(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const monitor = i32[self + Slot.OBJECT] as MonitorRef;
  return answer(
    context,
    i32[monitor + Monitor.ENDED],
    i32[monitor + Monitor.LIFE],
    i32[monitor + Monitor.STATUS],
    i32[monitor + Monitor.LINE],
    i32[monitor + Monitor.COLUMN],
  );
}

/** Both bindings are derived from the capabilities they were made with, and end with them. */
export function monitorWatch(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const { target, notification } = k.operands;
  const monitor = i32[self + Slot.OBJECT] as MonitorRef;
  let dying = 0;
  const held = lockTree(k);
  context.result = Err.OK;
  // Looked up without the lock.
  if (!isLive(k, self) || !isLive(k, target) || !isLive(k, notification)) context.result = Err.BAD_CAP;
  else if (isLive(k, (monitor + Monitor.TARGET) as SlotRef)) context.result = Err.BUSY;
  else {
    // What is left of a watch whose target's capability was taken back.
    loseBindings(held, ObjectType.MONITOR, monitor);
    for (const binding of [monitor + Monitor.TARGET, monitor + Monitor.NOTIFICATION] as SlotRef[])
      if (!reclaimSlot(held, binding)) dying = i32[binding + Slot.STAMP];
    if (dying === 0) arm(held, monitor, target, notification);
  }
  unlockTree(held);
  return dying === 0 ? Answer.DONE : waitForGrace(k, thread, dying);
}

function arm(k: Locked, monitor: MonitorRef, target: SlotRef, notification: SlotRef): void {
  const { i32 } = k;
  bindSlot(k, target, (monitor + Monitor.TARGET) as SlotRef, Binding.MONITOR_TARGET);
  bindSlot(k, notification, (monitor + Monitor.NOTIFICATION) as SlotRef, Binding.MONITOR_NOTIFICATION);
  i32[monitor + Monitor.ENDED] = 0;
  attachMonitor(k, monitor);
  tellIfEnded(k, typeOf(i32[target]), i32[target + Slot.OBJECT] as ObjectRef);
}

/** Its end may have been told before the monitor was in its list. By its home, if it is a thread: what else is to be done of it comes there. */
function tellIfEnded(k: Locked, type: ObjectType, target: ObjectRef): void {
  if (Atomics.load(k.i32, target + kernelFacts(type).watched!.life) > LifeState.RUNNING)
    assignReap(k, headerOf(type, target) as HeaderRef, Reap.TELL, reaperOf(k, type, target));
}
