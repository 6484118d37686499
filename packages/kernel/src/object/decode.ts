/**
 * What every method checks before it is done: the right it needs, then its arguments in their order, which go to
 * `k.operands`. Nothing is changed. True if all is well, else the status is in `context.result`, and words 0 and 1
 * are the range that was left.
 *
 * Straight lines, made from a declaration instead of reading it: an invocation takes some hundred nanoseconds.
 *
 * made by scripts/methods.mjs from packages/abi/src/methods.ts
 */
// biome-ignore-all lint/correctness/noUnusedFunctionParameters: all of them have one signature
import { Err, ObjectType, Reg, Right, Slot, wordsForBytes } from "@capos/abi";
import type { Context } from "@capos/engine";
import { findSlot, hasRight, lookupArgument, refusal } from "../capability/lookup.js";
import { slotsOf, typeOf } from "../capability/slot.js";
import type { Core } from "../state/core.js";
import { Process, Thread } from "../state/layout.js";
import { wordCount } from "../state/message.js";
import type { SlotRef, ThreadRef } from "../state/references.js";
import { handle, integer } from "./arguments.js";

/** An argument is outside its range: says which that is. */
function outside(context: Context, low: number, high: number): false {
  context.regs[Reg.WORDS] = low;
  context.regs[Reg.WORDS + 1] = high;
  return refused(context, Err.RANGE);
}

function refused(context: Context, status: number): false {
  context.result = status;
  return false;
}

/** untyped.retype: type, sizeBits, count, into, first. */
export function decodeUntypedRetype(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const type = integer(context, 1);
  operands.type = type;
  const sizeBits = integer(context, 2);
  operands.sizeBits = sizeBits;
  const count = integer(context, 3);
  if (!(count >= 1 && count <= 1024)) return outside(context, 1, 1024);
  operands.count = count;
  const into = lookupArgument(k, thread, context, handle(context, 4), ObjectType.CNODE, Right.WRITE);
  if (into === 0) return false;
  operands.into = into;
  const first = integer(context, 5);
  const lastSlotOfInto = slotsOf(k.i32[into]) - 1;
  if (!(first >= 1 && first <= lastSlotOfInto)) return outside(context, 1, lastSlotOfInto);
  operands.first = first;
  return true;
}

/** cnode.copy: slot, source, rights. */
export function decodeCNodeCopy(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const slot = integer(context, 1);
  const lastSlot = slotsOf(k.i32[self]) - 1;
  if (!(slot >= 1 && slot <= lastSlot)) return outside(context, 1, lastSlot);
  operands.slot = slot;
  operands.source = handle(context, 2);
  const rights = integer(context, 3);
  if (!(rights >= 0 && rights <= Right.ALL)) return outside(context, 0, Right.ALL);
  operands.rights = rights;
  return true;
}

/** cnode.mint: slot, source, rights, badge. */
export function decodeCNodeMint(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const slot = integer(context, 1);
  const lastSlot = slotsOf(k.i32[self]) - 1;
  if (!(slot >= 1 && slot <= lastSlot)) return outside(context, 1, lastSlot);
  operands.slot = slot;
  operands.source = handle(context, 2);
  const rights = integer(context, 3);
  if (!(rights >= 0 && rights <= Right.ALL)) return outside(context, 0, Right.ALL);
  operands.rights = rights;
  const badge = context.regs[Reg.WORDS + 4];
  if (!(badge >= 1 && badge <= 4294967295 && Math.floor(badge) === badge))
    return outside(context, 1, 4294967295);
  operands.badge = badge;
  return true;
}

/** cnode.delete: slot. */
export function decodeCNodeDelete(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const slot = integer(context, 1);
  const lastSlot = slotsOf(k.i32[self]) - 1;
  if (!(slot >= 1 && slot <= lastSlot)) return outside(context, 1, lastSlot);
  operands.slot = slot;
  return true;
}

/** cnode.inspect: slot. */
export function decodeCNodeInspect(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.READ)) return refused(context, Err.DENIED);
  const slot = integer(context, 1);
  const lastSlot = slotsOf(k.i32[self]) - 1;
  if (!(slot >= 1 && slot <= lastSlot)) return outside(context, 1, lastSlot);
  operands.slot = slot;
  return true;
}

/** cnode.move: slot, source. */
export function decodeCNodeMove(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const slot = integer(context, 1);
  const lastSlot = slotsOf(k.i32[self]) - 1;
  if (!(slot >= 1 && slot <= lastSlot)) return outside(context, 1, lastSlot);
  operands.slot = slot;
  operands.source = handle(context, 2);
  return true;
}

/** cnode.revoke: root. */
export function decodeCNodeRevoke(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  operands.root = handle(context, 1);
  return true;
}

/** cnode.seal: slot, source, sealer. */
export function decodeCNodeSeal(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const slot = integer(context, 1);
  const lastSlot = slotsOf(k.i32[self]) - 1;
  if (!(slot >= 1 && slot <= lastSlot)) return outside(context, 1, lastSlot);
  operands.slot = slot;
  operands.source = handle(context, 2);
  const sealer = lookupArgument(k, thread, context, handle(context, 3), ObjectType.SEALER, Right.WRITE);
  if (sealer === 0) return false;
  operands.sealer = sealer;
  return true;
}

/** cnode.unseal: slot, source, sealer. */
export function decodeCNodeUnseal(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const slot = integer(context, 1);
  const lastSlot = slotsOf(k.i32[self]) - 1;
  if (!(slot >= 1 && slot <= lastSlot)) return outside(context, 1, lastSlot);
  operands.slot = slot;
  operands.source = handle(context, 2);
  const sealer = lookupArgument(k, thread, context, handle(context, 3), ObjectType.SEALER, Right.READ);
  if (sealer === 0) return false;
  operands.sealer = sealer;
  return true;
}

/** cnode.expire: slot, source, rights, forNs. */
export function decodeCNodeExpire(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const slot = integer(context, 1);
  const lastSlot = slotsOf(k.i32[self]) - 1;
  if (!(slot >= 1 && slot <= lastSlot)) return outside(context, 1, lastSlot);
  operands.slot = slot;
  operands.source = handle(context, 2);
  const rights = integer(context, 3);
  if (!(rights >= 0 && rights <= Right.ALL)) return outside(context, 0, Right.ALL);
  operands.rights = rights;
  const forNs = context.regs[Reg.WORDS + 4];
  if (!(forNs >= 1 && forNs <= 9007199254740991 && Math.floor(forNs) === forNs))
    return outside(context, 1, 9007199254740991);
  operands.forNs = forNs;
  return true;
}

/** process.configure: space, image, threads, name. */
export function decodeProcessConfigure(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const space = lookupArgument(k, thread, context, handle(context, 1), ObjectType.CNODE, Right.WRITE);
  if (space === 0) return false;
  operands.space = space;
  const image = lookupArgument(k, thread, context, handle(context, 2), ObjectType.IMAGE, Right.EXECUTE);
  if (image === 0) return false;
  operands.image = image;
  const threads = integer(context, 3);
  if (!(threads >= 0))
    return outside(context, 0, k.i32[k.i32[thread + Thread.PROCESS] + Process.THREADS_LEFT]);
  operands.threads = threads;
  const byteCount = integer(context, 4);
  if (!(byteCount >= 0 && byteCount <= 32 && 5 + wordsForBytes(byteCount) <= wordCount(context.trap)))
    return outside(context, 0, 32);
  operands.byteCount = byteCount;
  operands.payload = Reg.WORDS + 5;
  return true;
}

/** process.verify: held, rights. */
export function decodeProcessVerify(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.READ)) return refused(context, Err.DENIED);
  const held = findSlot(k, thread, handle(context, 1));
  if (held === 0) return refused(context, refusal(k, thread, handle(context, 1)));
  operands.held = held;
  const rights = integer(context, 2);
  if (!(rights >= 0 && rights <= Right.ALL)) return outside(context, 0, Right.ALL);
  operands.rights = rights;
  return true;
}

/** process.status. */
export function decodeProcessStatus(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.READ)) return refused(context, Err.DENIED);
  return true;
}

/** process.kill. */
export function decodeProcessKill(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  return true;
}

/** process.ceiling: priority. */
export function decodeProcessCeiling(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const priority = integer(context, 1);
  const lastPriority = k.i32[k.i32[self + Slot.OBJECT] + Process.CEILING];
  if (!(priority >= 0 && priority <= lastPriority)) return outside(context, 0, lastPriority);
  operands.priority = priority;
  return true;
}

/** process.callers. */
export function decodeProcessCallers(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.READ)) return refused(context, Err.DENIED);
  return true;
}

/** process.number. */
export function decodeProcessNumber(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.READ)) return refused(context, Err.DENIED);
  return true;
}

/** process.use: memory. */
export function decodeProcessUse(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const memory = lookupArgument(k, thread, context, handle(context, 1), ObjectType.ADDRESS_SPACE, Right.MAP);
  if (memory === 0) return false;
  operands.memory = memory;
  return true;
}

/** process.faults: handler. */
export function decodeProcessFaults(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const handler = lookupArgument(k, thread, context, handle(context, 1), ObjectType.ENDPOINT, Right.SEND);
  if (handler === 0) return false;
  operands.handler = handler;
  return true;
}

/** frame.map: memory, address, rights. */
export function decodeFrameMap(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.MAP)) return refused(context, Err.DENIED);
  const memory = lookupArgument(k, thread, context, handle(context, 1), ObjectType.ADDRESS_SPACE, Right.MAP);
  if (memory === 0) return false;
  operands.memory = memory;
  const address = context.regs[Reg.WORDS + 2];
  if (!(address >= 0 && address <= 140737488355327 && Math.floor(address) === address))
    return outside(context, 0, 140737488355327);
  operands.address = address;
  const rights = integer(context, 3);
  if (!(rights >= 0 && rights <= Right.ALL)) return outside(context, 0, Right.ALL);
  operands.rights = rights;
  return true;
}

/** frame.unmap. */
export function decodeFrameUnmap(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.MAP)) return refused(context, Err.DENIED);
  return true;
}

/** frame.protect: rights. */
export function decodeFrameProtect(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.MAP)) return refused(context, Err.DENIED);
  const rights = integer(context, 1);
  if (!(rights >= 0 && rights <= Right.ALL)) return outside(context, 0, Right.ALL);
  operands.rights = rights;
  return true;
}

/** frame.part: into, slot, sizeBits, offset. */
export function decodeFramePart(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.GRANT)) return refused(context, Err.DENIED);
  const into = lookupArgument(k, thread, context, handle(context, 1), ObjectType.CNODE, Right.WRITE);
  if (into === 0) return false;
  operands.into = into;
  const slot = integer(context, 2);
  const lastSlotOfInto = slotsOf(k.i32[into]) - 1;
  if (!(slot >= 1 && slot <= lastSlotOfInto)) return outside(context, 1, lastSlotOfInto);
  operands.slot = slot;
  const sizeBits = integer(context, 3);
  if (!(sizeBits >= 12 && sizeBits <= 30)) return outside(context, 12, 30);
  operands.sizeBits = sizeBits;
  const offset = context.regs[Reg.WORDS + 4];
  if (!(offset >= 0 && offset <= 1073741823 && Math.floor(offset) === offset))
    return outside(context, 0, 1073741823);
  operands.offset = offset;
  return true;
}

/** frame.zero. */
export function decodeFrameZero(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  return true;
}

/** frame.copy: from. */
export function decodeFrameCopy(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const from = lookupArgument(k, thread, context, handle(context, 1), ObjectType.FRAME, Right.READ);
  if (from === 0) return false;
  operands.from = from;
  return true;
}

/** pageTable.map: memory, address. */
export function decodePageTableMap(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.MAP)) return refused(context, Err.DENIED);
  const memory = lookupArgument(k, thread, context, handle(context, 1), ObjectType.ADDRESS_SPACE, Right.MAP);
  if (memory === 0) return false;
  operands.memory = memory;
  const address = context.regs[Reg.WORDS + 2];
  if (!(address >= 0 && address <= 140737488355327 && Math.floor(address) === address))
    return outside(context, 0, 140737488355327);
  operands.address = address;
  return true;
}

/** pageTable.unmap. */
export function decodePageTableUnmap(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.MAP)) return refused(context, Err.DENIED);
  return true;
}

/** addressSpace.query: address. */
export function decodeAddressSpaceQuery(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.READ)) return refused(context, Err.DENIED);
  const address = context.regs[Reg.WORDS + 1];
  if (!(address >= 0 && address <= 140737488355327 && Math.floor(address) === address))
    return outside(context, 0, 140737488355327);
  operands.address = address;
  return true;
}

/** addressSpace.sample: address, count, clear. */
export function decodeAddressSpaceSample(
  k: Core,
  thread: ThreadRef,
  context: Context,
  self: SlotRef,
): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const address = context.regs[Reg.WORDS + 1];
  if (!(address >= 0 && address <= 140737488355327 && Math.floor(address) === address))
    return outside(context, 0, 140737488355327);
  operands.address = address;
  const count = integer(context, 2);
  if (!(count >= 1 && count <= 64)) return outside(context, 1, 64);
  operands.count = count;
  const clear = integer(context, 3);
  if (!(clear >= 0 && clear <= 1)) return outside(context, 0, 1);
  operands.clear = clear;
  return true;
}

/** thread.configure: process, core, priority. */
export function decodeThreadConfigure(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const process = lookupArgument(k, thread, context, handle(context, 1), ObjectType.PROCESS, Right.WRITE);
  if (process === 0) return false;
  operands.process = process;
  const core = integer(context, 2);
  const lastCore = k.coreCount - 1;
  if (!(core >= 0 && core <= lastCore)) return outside(context, 0, lastCore);
  operands.core = core;
  const priority = integer(context, 3);
  const lastPriority = k.i32[k.i32[thread + Thread.PROCESS] + Process.CEILING];
  if (!(priority >= 0 && priority <= lastPriority)) return outside(context, 0, lastPriority);
  operands.priority = priority;
  return true;
}

/** thread.start: startWords. */
export function decodeThreadStart(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  operands.wordCount = wordCount(context.trap) - 1;
  operands.payload = Reg.WORDS + 1;
  return true;
}

/** thread.destroy. */
export function decodeThreadDestroy(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  return true;
}

/** thread.bind: notification. */
export function decodeThreadBind(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const notification = lookupArgument(
    k,
    thread,
    context,
    handle(context, 1),
    ObjectType.NOTIFICATION,
    Right.RECEIVE,
  );
  if (notification === 0) return false;
  operands.notification = notification;
  return true;
}

/** thread.priority: priority. */
export function decodeThreadPriority(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const priority = integer(context, 1);
  const lastPriority = k.i32[k.i32[thread + Thread.PROCESS] + Process.CEILING];
  if (!(priority >= 0 && priority <= lastPriority)) return outside(context, 0, lastPriority);
  operands.priority = priority;
  return true;
}

/** thread.status. */
export function decodeThreadStatus(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.READ)) return refused(context, Err.DENIED);
  return true;
}

/** monitor.watch: target, notification. */
export function decodeMonitorWatch(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const target = findSlot(k, thread, handle(context, 1));
  if (target === 0) return refused(context, refusal(k, thread, handle(context, 1)));
  const targetType = typeOf(k.i32[target]);
  if (targetType !== ObjectType.PROCESS && targetType !== ObjectType.THREAD)
    return refused(context, Err.BAD_TYPE);
  if (!hasRight(k, target, Right.READ)) return refused(context, Err.DENIED);
  operands.target = target;
  const notification = lookupArgument(
    k,
    thread,
    context,
    handle(context, 2),
    ObjectType.NOTIFICATION,
    Right.SEND,
  );
  if (notification === 0) return false;
  operands.notification = notification;
  return true;
}

/** monitor.status. */
export function decodeMonitorStatus(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.READ)) return refused(context, Err.DENIED);
  return true;
}

/** irq.bind: notification. */
export function decodeIrqHandlerBind(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const notification = lookupArgument(
    k,
    thread,
    context,
    handle(context, 1),
    ObjectType.NOTIFICATION,
    Right.SEND,
  );
  if (notification === 0) return false;
  operands.notification = notification;
  return true;
}

/** port.write: bytes. */
export function decodeIoPortWrite(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const byteCount = integer(context, 1);
  if (!(byteCount >= 0 && byteCount <= 372 && 2 + wordsForBytes(byteCount) <= wordCount(context.trap)))
    return outside(context, 0, 372);
  operands.byteCount = byteCount;
  operands.payload = Reg.WORDS + 2;
  return true;
}

/** port.read. */
export function decodeIoPortRead(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  if (!hasRight(k, self, Right.READ)) return refused(context, Err.DENIED);
  return true;
}

/** debug.print: text. */
export function decodeDebugPrint(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  const byteCount = integer(context, 1);
  operands.byteCount =
    byteCount >= 0 && byteCount <= 372 && 2 + wordsForBytes(byteCount) <= wordCount(context.trap)
      ? byteCount
      : 0;
  operands.payload = Reg.WORDS + 2;
  return true;
}

/** debug.halt: status. */
export function decodeDebugHalt(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  const status = integer(context, 1);
  if (!(status >= 0 && status <= 255)) return outside(context, 0, 255);
  operands.status = status;
  return true;
}

/** debug.panic: text. */
export function decodeDebugPanic(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  const byteCount = integer(context, 1);
  operands.byteCount =
    byteCount >= 0 && byteCount <= 372 && 2 + wordsForBytes(byteCount) <= wordCount(context.trap)
      ? byteCount
      : 0;
  operands.payload = Reg.WORDS + 2;
  return true;
}

/** debug.core: core. */
export function decodeDebugCore(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  const core = integer(context, 1);
  const lastCore = k.coreCount - 1;
  if (!(core >= 0 && core <= lastCore)) return outside(context, 0, lastCore);
  operands.core = core;
  return true;
}

/** debug.record: startNs, kind, object, a, b, c. */
export function decodeDebugRecord(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  operands.startNs = context.regs[Reg.WORDS + 1];
  operands.kind = context.regs[Reg.WORDS + 2];
  operands.object = context.regs[Reg.WORDS + 3];
  operands.a = context.regs[Reg.WORDS + 4];
  operands.b = context.regs[Reg.WORDS + 5];
  operands.c = context.regs[Reg.WORDS + 6];
  return true;
}

/** debug.history: core. */
export function decodeDebugHistory(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  const core = integer(context, 1);
  const lastCore = k.coreCount - 1;
  if (!(core >= 0 && core <= lastCore)) return outside(context, 0, lastCore);
  operands.core = core;
  return true;
}

/** imageControl.take: number, into, slot. */
export function decodeImageControlTake(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  const { operands } = k;
  if (!hasRight(k, self, Right.WRITE)) return refused(context, Err.DENIED);
  const number = integer(context, 1);
  if (!(number >= 0)) return refused(context, Err.NOT_FOUND);
  operands.number = number;
  const into = lookupArgument(k, thread, context, handle(context, 2), ObjectType.CNODE, Right.WRITE);
  if (into === 0) return false;
  operands.into = into;
  const slot = integer(context, 3);
  const lastSlotOfInto = slotsOf(k.i32[into]) - 1;
  if (!(slot >= 1 && slot <= lastSlotOfInto)) return outside(context, 1, lastSlotOfInto);
  operands.slot = slot;
  return true;
}
