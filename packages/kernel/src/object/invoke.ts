/**
 * Invocations of kernel objects: `call` on a capability that is no endpoint. Word 0 is the method.
 */
import { Err, ObjectType, SlotBits } from "@capos/abi";
import type { Context } from "@capos/engine";
import type { WordIndex } from "@capos/hal";
import type { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { wordCount } from "../state/message.js";
import { finish, integer } from "./arguments.js";
import { invokeCNode } from "./cnode.js";
import { invokeDebug } from "./debug.js";
import { invokeIrqHandler } from "./interrupt.js";
import { invokeMonitor } from "./monitor.js";
import { invokePort } from "./port.js";
import { invokeProcess } from "./process.js";
import { invokeThread } from "./thread.js";
import { invokeUntyped } from "./untyped.js";

/** Invokes the object in `slot`, which was looked up in this trap. */
export function invoke(k: Core, thread: WordIndex, context: Context, slot: WordIndex): Answer {
  const method = wordCount(context.trap) > 0 ? integer(context, 0) : -1;
  switch ((k.i32[slot]! & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT) {
    case ObjectType.UNTYPED:
      return invokeUntyped(k, thread, context, slot, method);
    case ObjectType.CNODE:
      return invokeCNode(k, thread, context, slot, method);
    case ObjectType.PROCESS:
      return invokeProcess(k, thread, context, slot, method);
    case ObjectType.THREAD:
      return invokeThread(k, thread, context, slot, method);
    case ObjectType.MONITOR:
      return invokeMonitor(k, thread, context, slot, method);
    case ObjectType.IRQ_HANDLER:
      return invokeIrqHandler(k, thread, context, slot, method);
    case ObjectType.IO_PORT:
      return invokePort(k, thread, context, slot, method);
    case ObjectType.DEBUG:
      return invokeDebug(k, thread, context, method);
    default:
      return finish(context, Err.BAD_TYPE);
  }
}
