/** Methods of interrupts. */
import { Err, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import { isLive } from "../capability/lookup.js";
import { bindSlot, killSlot, reclaimSlot } from "../capability/slot.js";
import { waitForGrace } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { IrqHandler } from "../state/layout.js";
import { Binding } from "../state/objects.js";
import type { SlotRef, ThreadRef } from "../state/references.js";

export function irqBind(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const { notification } = k.operands;
  const binding = (i32[self + Slot.OBJECT] + IrqHandler.BINDING) as SlotRef;
  let dying = 0;
  context.result = Err.OK;
  const held = lockTree(k);
  // Looked up without the lock.
  if (!isLive(k, self) || !isLive(k, notification)) context.result = Err.BAD_CAP;
  else {
    if (isLive(k, binding)) killSlot(held, binding);
    if (reclaimSlot(held, binding)) bindSlot(held, notification, binding, Binding.INTERRUPT_NOTIFICATION);
    else dying = i32[binding + Slot.STAMP];
  }
  unlockTree(held);
  return dying === 0 ? Answer.DONE : waitForGrace(k, thread, dying);
}
