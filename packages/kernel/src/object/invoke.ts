/**
 * Invocations of kernel objects: `call` on a capability that is no endpoint. Word 0 is the method, which is decoded
 * (see decode.ts) and then done by its object's module. All deeds have one signature: they find their arguments in
 * `k.operands`, and the object in the slot that was invoked.
 *
 * made by scripts/methods.mjs from packages/abi/src/methods.ts
 */
import { Err, Method, ObjectType } from "@capos/abi";
import type { Context } from "@capos/engine";
import { typeOf } from "../capability/slot.js";
import { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { wordCount } from "../state/message.js";
import type { SlotRef, ThreadRef } from "../state/references.js";
import { addressSpaceQuery, addressSpaceSample } from "./address-space.js";
import { finish, integer } from "./arguments.js";
import {
  cnodeCopy,
  cnodeDelete,
  cnodeExpire,
  cnodeInspect,
  cnodeMint,
  cnodeMove,
  cnodeRevoke,
  cnodeSeal,
  cnodeUnseal,
} from "./cnode.js";
import {
  debugClock,
  debugCore,
  debugDump,
  debugGracePeriod,
  debugHalt,
  debugHeap,
  debugHistory,
  debugMachine,
  debugPanic,
  debugPrint,
  debugRecord,
} from "./debug.js";
import {
  decodeAddressSpaceQuery,
  decodeAddressSpaceSample,
  decodeCNodeCopy,
  decodeCNodeDelete,
  decodeCNodeExpire,
  decodeCNodeInspect,
  decodeCNodeMint,
  decodeCNodeMove,
  decodeCNodeRevoke,
  decodeCNodeSeal,
  decodeCNodeUnseal,
  decodeDebugCore,
  decodeDebugHalt,
  decodeDebugHistory,
  decodeDebugPanic,
  decodeDebugPrint,
  decodeDebugRecord,
  decodeFrameCopy,
  decodeFrameMap,
  decodeFramePart,
  decodeFrameProtect,
  decodeFrameUnmap,
  decodeFrameZero,
  decodeImageControlTake,
  decodeIoPortRead,
  decodeIoPortWrite,
  decodeIrqHandlerBind,
  decodeMonitorStatus,
  decodeMonitorWatch,
  decodePageTableMap,
  decodePageTableUnmap,
  decodeProcessCallers,
  decodeProcessCeiling,
  decodeProcessConfigure,
  decodeProcessFaults,
  decodeProcessKill,
  decodeProcessNumber,
  decodeProcessStatus,
  decodeProcessUse,
  decodeProcessVerify,
  decodeThreadBind,
  decodeThreadConfigure,
  decodeThreadDestroy,
  decodeThreadPriority,
  decodeThreadStart,
  decodeThreadStatus,
  decodeUntypedRetype,
} from "./decode.js";
import { frameCopy, frameInfo, frameMap, framePart, frameProtect, frameUnmap, frameZero } from "./frame.js";
import { imageControlTake } from "./image.js";
import { irqBind } from "./interrupt.js";
import { monitorStatus, monitorWatch } from "./monitor.js";
import { pageTableMap, pageTableUnmap } from "./page-table.js";
import { portRead, portWrite } from "./port.js";
import {
  processCallers,
  processCeiling,
  processConfigure,
  processFaults,
  processKill,
  processNumber,
  processStatus,
  processUse,
  processVerify,
} from "./process.js";
import {
  threadBind,
  threadConfigure,
  threadDestroy,
  threadPriority,
  threadStart,
  threadStatus,
} from "./thread.js";
import { untypedInfo, untypedRetype } from "./untyped.js";

/** Invokes the object in a slot, which was looked up in this trap. */
export function invoke(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const method = wordCount(context.trap) > 0 ? integer(context, 0) : -1;
  switch (typeOf(k.i32[self])) {
    case ObjectType.UNTYPED:
      return invokeUntyped(k, thread, context, self, method);
    case ObjectType.CNODE:
      return invokeCNode(k, thread, context, self, method);
    case ObjectType.PROCESS:
      return invokeProcess(k, thread, context, self, method);
    case ObjectType.FRAME:
      return invokeFrame(k, thread, context, self, method);
    case ObjectType.PAGE_TABLE:
      return invokePageTable(k, thread, context, self, method);
    case ObjectType.ADDRESS_SPACE:
      return invokeAddressSpace(k, thread, context, self, method);
    case ObjectType.THREAD:
      return invokeThread(k, thread, context, self, method);
    case ObjectType.MONITOR:
      return invokeMonitor(k, thread, context, self, method);
    case ObjectType.IRQ_HANDLER:
      return invokeIrqHandler(k, thread, context, self, method);
    case ObjectType.IO_PORT:
      return invokeIoPort(k, thread, context, self, method);
    case ObjectType.DEBUG:
      return invokeDebug(k, thread, context, self, method);
    case ObjectType.IMAGE_CONTROL:
      return invokeImageControl(k, thread, context, self, method);
    default:
      return finish(context, Err.BAD_TYPE);
  }
}

export function invokeUntyped(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.UNTYPED_RETYPE:
      return decodeUntypedRetype(k, thread, context, self)
        ? untypedRetype(k, thread, context, self)
        : Answer.DONE;
    case Method.UNTYPED_INFO:
      return untypedInfo(k, thread, context, self);
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeCNode(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.CNODE_COPY:
      return decodeCNodeCopy(k, thread, context, self) ? cnodeCopy(k, thread, context, self) : Answer.DONE;
    case Method.CNODE_MINT:
      return decodeCNodeMint(k, thread, context, self) ? cnodeMint(k, thread, context, self) : Answer.DONE;
    case Method.CNODE_DELETE:
      return decodeCNodeDelete(k, thread, context, self)
        ? cnodeDelete(k, thread, context, self)
        : Answer.DONE;
    case Method.CNODE_INSPECT:
      return decodeCNodeInspect(k, thread, context, self)
        ? cnodeInspect(k, thread, context, self)
        : Answer.DONE;
    case Method.CNODE_MOVE:
      return decodeCNodeMove(k, thread, context, self) ? cnodeMove(k, thread, context, self) : Answer.DONE;
    case Method.CNODE_REVOKE:
      return decodeCNodeRevoke(k, thread, context, self)
        ? cnodeRevoke(k, thread, context, self)
        : Answer.DONE;
    case Method.CNODE_SEAL:
      return decodeCNodeSeal(k, thread, context, self) ? cnodeSeal(k, thread, context, self) : Answer.DONE;
    case Method.CNODE_UNSEAL:
      return decodeCNodeUnseal(k, thread, context, self)
        ? cnodeUnseal(k, thread, context, self)
        : Answer.DONE;
    case Method.CNODE_EXPIRE:
      return decodeCNodeExpire(k, thread, context, self)
        ? cnodeExpire(k, thread, context, self)
        : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeProcess(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.PROCESS_CONFIGURE:
      return decodeProcessConfigure(k, thread, context, self)
        ? processConfigure(k, thread, context, self)
        : Answer.DONE;
    case Method.PROCESS_VERIFY:
      return decodeProcessVerify(k, thread, context, self)
        ? processVerify(k, thread, context, self)
        : Answer.DONE;
    case Method.PROCESS_STATUS:
      return decodeProcessStatus(k, thread, context, self)
        ? processStatus(k, thread, context, self)
        : Answer.DONE;
    case Method.PROCESS_KILL:
      return decodeProcessKill(k, thread, context, self)
        ? processKill(k, thread, context, self)
        : Answer.DONE;
    case Method.PROCESS_CEILING:
      return decodeProcessCeiling(k, thread, context, self)
        ? processCeiling(k, thread, context, self)
        : Answer.DONE;
    case Method.PROCESS_CALLERS:
      return decodeProcessCallers(k, thread, context, self)
        ? processCallers(k, thread, context, self)
        : Answer.DONE;
    case Method.PROCESS_NUMBER:
      return decodeProcessNumber(k, thread, context, self)
        ? processNumber(k, thread, context, self)
        : Answer.DONE;
    case Method.PROCESS_USE:
      return decodeProcessUse(k, thread, context, self) ? processUse(k, thread, context, self) : Answer.DONE;
    case Method.PROCESS_FAULTS:
      return decodeProcessFaults(k, thread, context, self)
        ? processFaults(k, thread, context, self)
        : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeFrame(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.FRAME_MAP:
      return decodeFrameMap(k, thread, context, self) ? frameMap(k, thread, context, self) : Answer.DONE;
    case Method.FRAME_UNMAP:
      return decodeFrameUnmap(k, thread, context, self) ? frameUnmap(k, thread, context, self) : Answer.DONE;
    case Method.FRAME_PROTECT:
      return decodeFrameProtect(k, thread, context, self)
        ? frameProtect(k, thread, context, self)
        : Answer.DONE;
    case Method.FRAME_INFO:
      return frameInfo(k, thread, context, self);
    case Method.FRAME_PART:
      return decodeFramePart(k, thread, context, self) ? framePart(k, thread, context, self) : Answer.DONE;
    case Method.FRAME_ZERO:
      return decodeFrameZero(k, thread, context, self) ? frameZero(k, thread, context, self) : Answer.DONE;
    case Method.FRAME_COPY:
      return decodeFrameCopy(k, thread, context, self) ? frameCopy(k, thread, context, self) : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokePageTable(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.PAGE_TABLE_MAP:
      return decodePageTableMap(k, thread, context, self)
        ? pageTableMap(k, thread, context, self)
        : Answer.DONE;
    case Method.PAGE_TABLE_UNMAP:
      return decodePageTableUnmap(k, thread, context, self)
        ? pageTableUnmap(k, thread, context, self)
        : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeAddressSpace(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.ADDRESS_SPACE_QUERY:
      return decodeAddressSpaceQuery(k, thread, context, self)
        ? addressSpaceQuery(k, thread, context, self)
        : Answer.DONE;
    case Method.ADDRESS_SPACE_SAMPLE:
      return decodeAddressSpaceSample(k, thread, context, self)
        ? addressSpaceSample(k, thread, context, self)
        : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeThread(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.THREAD_CONFIGURE:
      return decodeThreadConfigure(k, thread, context, self)
        ? threadConfigure(k, thread, context, self)
        : Answer.DONE;
    case Method.THREAD_START:
      return decodeThreadStart(k, thread, context, self)
        ? threadStart(k, thread, context, self)
        : Answer.DONE;
    case Method.THREAD_DESTROY:
      return decodeThreadDestroy(k, thread, context, self)
        ? threadDestroy(k, thread, context, self)
        : Answer.DONE;
    case Method.THREAD_BIND:
      return decodeThreadBind(k, thread, context, self) ? threadBind(k, thread, context, self) : Answer.DONE;
    case Method.THREAD_PRIORITY:
      return decodeThreadPriority(k, thread, context, self)
        ? threadPriority(k, thread, context, self)
        : Answer.DONE;
    case Method.THREAD_STATUS:
      return decodeThreadStatus(k, thread, context, self)
        ? threadStatus(k, thread, context, self)
        : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeMonitor(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.MONITOR_WATCH:
      return decodeMonitorWatch(k, thread, context, self)
        ? monitorWatch(k, thread, context, self)
        : Answer.DONE;
    case Method.MONITOR_STATUS:
      return decodeMonitorStatus(k, thread, context, self)
        ? monitorStatus(k, thread, context, self)
        : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeIrqHandler(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.IRQ_BIND:
      return decodeIrqHandlerBind(k, thread, context, self) ? irqBind(k, thread, context, self) : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeIoPort(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.PORT_WRITE:
      return decodeIoPortWrite(k, thread, context, self) ? portWrite(k, thread, context, self) : Answer.DONE;
    case Method.PORT_READ:
      return decodeIoPortRead(k, thread, context, self) ? portRead(k, thread, context, self) : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeDebug(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.DEBUG_CLOCK:
      return debugClock(k, thread, context, self);
    case Method.DEBUG_HEAP:
      return debugHeap(k, thread, context, self);
    case Method.DEBUG_PRINT:
      return decodeDebugPrint(k, thread, context, self) ? debugPrint(k, thread, context, self) : Answer.DONE;
    case Method.DEBUG_HALT:
      return decodeDebugHalt(k, thread, context, self) ? debugHalt(k, thread, context, self) : Answer.DONE;
    case Method.DEBUG_MACHINE:
      return debugMachine(k, thread, context, self);
    case Method.DEBUG_GRACE_PERIOD:
      return debugGracePeriod(k, thread, context, self);
    case Method.DEBUG_PANIC:
      return decodeDebugPanic(k, thread, context, self) ? debugPanic(k, thread, context, self) : Answer.DONE;
    case Method.DEBUG_CORE:
      return decodeDebugCore(k, thread, context, self) ? debugCore(k, thread, context, self) : Answer.DONE;
    case Method.DEBUG_RECORD:
      return decodeDebugRecord(k, thread, context, self)
        ? debugRecord(k, thread, context, self)
        : Answer.DONE;
    case Method.DEBUG_HISTORY:
      return decodeDebugHistory(k, thread, context, self)
        ? debugHistory(k, thread, context, self)
        : Answer.DONE;
    case Method.DEBUG_DUMP:
      return debugDump(k, thread, context, self);
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}

export function invokeImageControl(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
  method: number,
): Answer {
  switch (method) {
    case Method.IMAGE_CONTROL_TAKE:
      return decodeImageControlTake(k, thread, context, self)
        ? imageControlTake(k, thread, context, self)
        : Answer.DONE;
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}
