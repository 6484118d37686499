/**
 * Invocations of kernel objects: `call` on a capability that is no endpoint. Word 0 is the method.
 */
import { Err, ObjectType, SlotBits } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import type { Core } from "../core.js";
import { wordCount } from "../ipc/message.js";
import type { Context } from "../thread/context.js";
import { integer } from "./arguments.js";
import { invokeCNode } from "./cnode-methods.js";
import { invokeDebug } from "./debug-methods.js";
import { invokeIrqHandler, invokePort } from "./device-methods.js";
import { invokeMonitor } from "./monitor-methods.js";
import { invokeProcess } from "./process-methods.js";
import { invokeThread } from "./thread-methods.js";
import { invokeUntyped } from "./untyped-methods.js";

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
