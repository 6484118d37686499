/** Methods of interrupts. */
import { Err, Method, ObjectType, Right, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import type { WordIndex } from "@capos/hal";
import { hasRight, isLive, lookupArgument } from "../capability/lookup.js";
import { bindSlot, killSlot, reclaimSlot } from "../capability/slot.js";
import { waitForGrace } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { IrqHandler } from "../state/layout.js";
import { Binding } from "../state/objects.js";
import { finish, handle, unsupported } from "./arguments.js";

export function invokeIrqHandler(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): Answer {
  const { i32 } = k;
  if (method !== Method.IRQ_BIND) return unsupported(context);
  if (!hasRight(k, slot, Right.WRITE)) return finish(context, Err.DENIED);
  const target = lookupArgument(k, thread, context, handle(context, 1), ObjectType.NOTIFICATION, Right.SEND);
  if (target === 0) return Answer.DONE;
  const binding = i32[slot + Slot.OBJECT]! + IrqHandler.BINDING;
  let dying = 0;
  context.result = Err.OK;
  lockTree(k);
  // Looked up without the lock.
  if (!isLive(k, slot) || !isLive(k, target)) context.result = Err.BAD_CAP;
  else {
    if (isLive(k, binding)) killSlot(k, binding);
    if (reclaimSlot(k, binding)) bindSlot(k, target, binding, Binding.INTERRUPT_NOTIFICATION);
    else dying = i32[binding + Slot.STAMP]!;
  }
  unlockTree(k);
  return dying === 0 ? Answer.DONE : waitForGrace(k, thread, dying);
}
