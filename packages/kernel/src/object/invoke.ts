/**
 * Invocations of kernel objects: `call` on a capability that is no endpoint. Word 0 is the method.
 */
import { Err, ObjectType, SlotBits } from "@capos/abi";
import type { Context } from "@capos/engine";
import type { WordIndex } from "@capos/hal";
import type { Core } from "../state/core.js";
import { wordCount } from "../state/message.js";
import { integer } from "./arguments.js";
import { invokeCNode } from "./cnode.js";
import { invokeDebug } from "./debug.js";
import { invokeIrqHandler, invokePort } from "./interrupt.js";
import { invokeMonitor } from "./monitor.js";
import { invokeProcess } from "./process.js";
import { invokeThread } from "./thread.js";
import { invokeUntyped } from "./untyped.js";

/** Invokes the object in `slot`, which was looked up in this trap. */
export function invoke(k: Core, thread: WordIndex, context: Context, slot: WordIndex): void {
  const method = wordCount(context.trap) > 0 ? integer(context, 0) : -1;
  context.result = Err.UNSUPPORTED;
  switch ((k.i32[slot]! & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT) {
    case ObjectType.UNTYPED:
      invokeUntyped(k, thread, context, slot, method);
      break;
    case ObjectType.CNODE:
      invokeCNode(k, thread, context, slot, method);
      break;
    case ObjectType.PROCESS:
      invokeProcess(k, thread, context, slot, method);
      break;
    case ObjectType.THREAD:
      invokeThread(k, thread, context, slot, method);
      break;
    case ObjectType.MONITOR:
      invokeMonitor(k, thread, context, slot, method);
      break;
    case ObjectType.IRQ_HANDLER:
      invokeIrqHandler(k, thread, context, slot, method);
      break;
    case ObjectType.IO_PORT:
      invokePort(k, thread, context, slot, method);
      break;
    case ObjectType.DEBUG:
      invokeDebug(k, thread, context, method);
      break;
    default:
      context.result = Err.BAD_TYPE;
  }
}
