/** Methods of serial devices and of their interrupts. */
import {
  BYTES_PER_WORD,
  Err,
  MAX_MESSAGE_WORDS,
  Method,
  ObjectType,
  packBytes,
  Reg,
  Right,
  Slot,
  SlotFlag,
  unpackBytes,
  wordsForBytes,
} from "@capos/abi";
import type { Context } from "@capos/engine";
import { portRead, portWrite, type WordIndex } from "@capos/hal";
import { hasRight, isLive, lookupArgument } from "../capability/lookup.js";
import { deriveSlot, killSlot, reclaimSlot } from "../capability/slot.js";
import { waitForGrace } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { IrqHandler } from "../state/layout.js";
import { wordCount } from "../state/message.js";
import { traceLog } from "../state/trace.js";
import { TRACED } from "../state/traced.js";
import { handle, integer, refuse } from "./arguments.js";

/** Bytes that fit behind the method and the count. */
const MAX_WRITE = (MAX_MESSAGE_WORDS - 2) * BYTES_PER_WORD;
const MAX_READ = (MAX_MESSAGE_WORDS - 1) * BYTES_PER_WORD;

export function invokePort(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): void {
  const port = k.i32[slot + Slot.OBJECT]!;
  const { regs } = context;
  if (method === Method.PORT_WRITE) {
    const count = integer(context, 1);
    if (!hasRight(k, slot, Right.WRITE)) context.result = Err.DENIED;
    else if (!(count >= 0 && count <= MAX_WRITE && 2 + wordsForBytes(count) <= wordCount(context.trap)))
      refuse(context, Err.RANGE, 0, MAX_WRITE);
    else {
      unpackBytes(regs, Reg.WORDS + 2, count, k.bytes, 0);
      const taken = portWrite(k.memory, port, k.id, k.bytes, count);
      if (TRACED) traceLog(k, thread, port, k.bytes, taken);
      regs[Reg.WORDS] = taken;
      context.result = 1;
    }
  } else if (method === Method.PORT_READ) {
    if (!hasRight(k, slot, Right.READ)) {
      context.result = Err.DENIED;
      return;
    }
    const count = portRead(k.memory, port, k.id, k.bytes, MAX_READ);
    regs[Reg.WORDS] = count;
    context.result = count <= 0 ? 1 : 1 + packBytes(regs, Reg.WORDS + 1, k.bytes, 0, count);
  }
}

export function invokeIrqHandler(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): void {
  const { i32 } = k;
  if (method !== Method.IRQ_BIND) return;
  if (!hasRight(k, slot, Right.WRITE)) {
    context.result = Err.DENIED;
    return;
  }
  const target = lookupArgument(k, thread, handle(context, 1), ObjectType.NOTIFICATION, Right.SEND);
  if (target < 0) {
    context.result = target;
    return;
  }
  const binding = i32[slot + Slot.OBJECT]! + IrqHandler.BINDING;
  let dying = 0;
  context.result = Err.OK;
  lockTree(k);
  // Looked up without the lock.
  if (!isLive(k, slot) || !isLive(k, target)) context.result = Err.BAD_CAP;
  else {
    if (isLive(k, binding)) killSlot(k, binding);
    if (reclaimSlot(k, binding)) deriveSlot(k, target, binding, Right.ALL, 0, SlotFlag.BINDING);
    else dying = i32[binding + Slot.STAMP]!;
  }
  unlockTree(k);
  if (dying !== 0) waitForGrace(k, thread, dying);
}
