/** Methods of processes. */
import {
  Err,
  LifeState,
  MAX_NAME_BYTES,
  Method,
  ObjectType,
  packBytes,
  Reg,
  Right,
  Slot,
  SlotBits,
  SlotFlag,
  unpackBytes,
  wordsForBytes,
} from "@capos/abi";
import type { Context } from "@capos/engine";
import { moduleCount, type WordIndex } from "@capos/hal";
import { findSlot, hasRight, isOpenCNode, isOver, lookupArgument, refusal } from "../capability/lookup.js";
import { deriveSlot, slotsOf } from "../capability/slot.js";
import { progressOf, startAgain } from "../sched/progress.js";
import { requestGrace, waitForGrace } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { Cleaning, CNode, Process, Thread } from "../state/layout.js";
import { wordCount } from "../state/message.js";
import { traceProcess } from "../state/trace.js";
import { TRACED } from "../state/traced.js";
import { answer, handle, integer, refuse } from "./arguments.js";
import { endProcess, linkMade } from "./process-end.js";

export function invokeProcess(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): void {
  const process = k.i32[slot + Slot.OBJECT]!;
  if (method === Method.PROCESS_STATUS || method === Method.PROCESS_VERIFY) {
    if (!hasRight(k, slot, Right.READ)) context.result = Err.DENIED;
    else if (method === Method.PROCESS_STATUS) status(k, context, process);
    else verify(k, thread, context, process);
  } else if (!hasRight(k, slot, Right.WRITE)) context.result = Err.DENIED;
  else if (method === Method.PROCESS_CONFIGURE) configure(k, thread, context, process);
  else if (method === Method.PROCESS_KILL) kill(k, thread, context, process);
  else if (method === Method.PROCESS_CEILING) lowerCeiling(k, context, process);
}

/** CNode, image, thread numbers, name. Once, while the process is new. */
function configure(k: Core, thread: WordIndex, context: Context, process: WordIndex): void {
  const { i32 } = k;
  const cnode = lookupArgument(k, thread, handle(context, 1), ObjectType.CNODE, Right.WRITE);
  const image = integer(context, 2);
  const threads = integer(context, 3);
  const nameBytes = integer(context, 4);
  const maker = i32[thread + Thread.PROCESS]!;
  if (cnode < 0) context.result = cnode;
  else if (!(image >= 0 && image < moduleCount(k.memory))) context.result = Err.NOT_FOUND;
  else if (!(threads >= 0)) refuse(context, Err.RANGE, 0, i32[maker + Process.THREADS_LEFT]!);
  else if (
    !(
      nameBytes >= 0 &&
      nameBytes <= MAX_NAME_BYTES &&
      5 + wordsForBytes(nameBytes) <= wordCount(context.trap)
    )
  ) {
    refuse(context, Err.RANGE, 0, MAX_NAME_BYTES);
  } else {
    const status = begin(k, process, maker, cnode, image, threads);
    if (status === Err.OK) {
      setName(k, process, context.regs, Reg.WORDS + 5, nameBytes);
      if (TRACED) traceProcess(k, process, maker, image);
    }
    if (status === Err.NO_RESOURCE) refuse(context, status, i32[maker + Process.THREADS_LEFT]!);
    else context.result = status;
  }
}

/** Gives a new process its CSpace, by a binding derived from the CNode's capability, and its share of the maker's threads. */
function begin(
  k: Core,
  process: WordIndex,
  maker: WordIndex,
  cnode: WordIndex,
  image: number,
  threads: number,
): Err {
  const { i32 } = k;
  lockTree(k);
  let status: Err = Err.OK;
  // Looked up without the lock.
  if (!isOpenCNode(k, cnode)) status = Err.BAD_CAP;
  else if (i32[process + Process.LIFE] !== LifeState.NEW) status = Err.BUSY;
  else if (threads > i32[maker + Process.THREADS_LEFT]!) status = Err.NO_RESOURCE;
  else {
    bindCSpace(k, process, cnode);
    i32[process + Process.IMAGE] = image;
    i32[process + Process.CEILING] = i32[maker + Process.CEILING]!;
    i32[maker + Process.THREADS_LEFT]! -= threads;
    i32[process + Process.THREADS_LEFT] = threads;
    linkMade(i32, maker, process);
    Atomics.store(i32, process + Process.LIFE, LifeState.RUNNING);
  }
  unlockTree(k);
  return status;
}

/** Makes the CNode in a live slot the CSpace of a process. Under the tree lock. */
export function bindCSpace(k: Core, process: WordIndex, cnodeSlot: WordIndex): void {
  const { i32 } = k;
  deriveSlot(k, cnodeSlot, process + Process.BINDING, Right.ALL, 0, SlotFlag.BINDING);
  const cnode = i32[cnodeSlot + Slot.OBJECT]!;
  i32[cnode + CNode.ANCHOR + CNode.PROCESSES]!++;
  i32[process + Process.CSPACE] = cnode;
  i32[process + Process.CSPACE_SLOTS] = slotsOf(i32[cnodeSlot]!);
}

/** Keeps a process's name, for dumps and messages. */
export function setName(
  k: Core,
  process: WordIndex,
  words: { [index: number]: number },
  at: number,
  bytes: number,
): void {
  unpackBytes(words, at, bytes, k.memory.u8, (process + Process.NAME) * 4);
  k.i32[process + Process.NAME_BYTES] = bytes;
}

/** Slots looked at before others get a turn. */
const VERIFIED_AT_ONCE = 1024;

/** capability, rights: whether a slot of the process has that authority, or more of it. */
function verify(k: Core, thread: WordIndex, context: Context, process: WordIndex): void {
  const { i32 } = k;
  const wanted = findSlot(k, thread, handle(context, 1));
  const rights = integer(context, 2);
  if (wanted === 0) context.result = refusal(k, thread, handle(context, 1));
  else if (!(rights >= 0 && rights <= Right.ALL)) refuse(context, Err.RANGE, 0, Right.ALL);
  else {
    const slots = i32[process + Process.CSPACE_SLOTS]!;
    const from = Math.max(1, progressOf(k, thread));
    const to = Math.min(slots, from + VERIFIED_AT_ONCE);
    for (let index = from; index < to; index++) {
      if (!isSameAuthority(k, i32[process + Process.CSPACE]! + index * Slot.WORDS, wanted, rights)) continue;
      answer(context, 1);
      return;
    }
    if (to >= slots) {
      answer(context, 0);
      return;
    }
    i32[thread + Thread.PROGRESS] = to;
    startAgain(k, thread);
  }
}

function isSameAuthority(k: Core, slot: WordIndex, wanted: WordIndex, rights: number): boolean {
  const { i32 } = k;
  const kind = SlotBits.STATE_MASK | SlotBits.TYPE_MASK | SlotFlag.SEALED;
  const word = Atomics.load(i32, slot);
  return (
    (word & kind) === (i32[wanted]! & kind) &&
    i32[slot + Slot.OBJECT] === i32[wanted + Slot.OBJECT] &&
    i32[slot + Slot.BADGE] === i32[wanted + Slot.BADGE] &&
    ((word >> SlotBits.RIGHTS_SHIFT) & rights) === rights &&
    !((word & SlotFlag.EXPIRES) !== 0 && isOver(k, slot))
  );
}

function status(k: Core, context: Context, process: WordIndex): void {
  const { i32, memory } = k;
  const bytes = i32[process + Process.FAULT_BYTES]!;
  answer(
    context,
    Atomics.load(i32, process + Process.LIFE),
    i32[process + Process.STATUS]!,
    i32[process + Process.FAULT_LINE]!,
    i32[process + Process.FAULT_COLUMN]!,
    bytes,
  );
  const base = (process + Process.FAULT_TEXT) * 4;
  context.result += packBytes(context.regs, Reg.WORDS + 5, memory.u8, base, base + bytes);
}

/** A ceiling only comes down, so it does not matter who else lowers it at the same time. */
function lowerCeiling(k: Core, context: Context, process: WordIndex): void {
  const ceiling = k.i32[process + Process.CEILING]!;
  const wanted = integer(context, 1);
  if (!(wanted >= 0 && wanted <= ceiling)) refuse(context, Err.RANGE, 0, ceiling);
  else {
    k.i32[process + Process.CEILING] = wanted;
    context.result = Err.OK;
  }
}

/**
 * Ends the process and answers when nothing is left of it. Its reaper does the work: if this thread ends
 * meanwhile, and it may be one of the process's own, that goes on.
 */
function kill(k: Core, thread: WordIndex, context: Context, process: WordIndex): void {
  endProcess(k, process, LifeState.KILLED, 0);
  if (Atomics.load(k.i32, process + Process.CLEANING) === Cleaning.DONE) context.result = Err.OK;
  else waitForGrace(k, thread, requestGrace(k));
}
