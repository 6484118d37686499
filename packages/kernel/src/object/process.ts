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
import { bindSlot, slotsOf } from "../capability/slot.js";
import { progressOf } from "../sched/progress.js";
import { requestGrace, waitForGrace } from "../smp/grace-period.js";
import { lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { Cleaning, CNode, Process, Thread } from "../state/layout.js";
import { wordCount } from "../state/message.js";
import { Binding } from "../state/objects.js";
import { traceProcess } from "../state/trace.js";
import { answer, finish, handle, integer, refuse, unsupported } from "./arguments.js";
import { endProcess, linkMade } from "./process-end.js";

export function invokeProcess(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): Answer {
  const process = k.i32[slot + Slot.OBJECT]!;
  const reads = method === Method.PROCESS_STATUS || method === Method.PROCESS_VERIFY;
  if (method < Method.PROCESS_CONFIGURE || method > Method.PROCESS_CEILING) return unsupported(context);
  if (!hasRight(k, slot, reads ? Right.READ : Right.WRITE)) return finish(context, Err.DENIED);
  switch (method) {
    case Method.PROCESS_STATUS:
      return status(k, context, process);
    case Method.PROCESS_VERIFY:
      return verify(k, thread, context, process);
    case Method.PROCESS_CONFIGURE:
      return configure(k, thread, context, process);
    case Method.PROCESS_KILL:
      return kill(k, thread, context, process);
    default:
      return lowerCeiling(k, context, process);
  }
}

/** CNode, image, thread numbers, name. Once, while the process is new. */
function configure(k: Core, thread: WordIndex, context: Context, process: WordIndex): Answer {
  const { i32 } = k;
  const cnode = lookupArgument(k, thread, context, handle(context, 1), ObjectType.CNODE, Right.WRITE);
  const image = integer(context, 2);
  const threads = integer(context, 3);
  const nameBytes = integer(context, 4);
  const maker = i32[thread + Thread.PROCESS]!;
  if (cnode === 0) return Answer.DONE;
  if (!(image >= 0 && image < moduleCount(k.memory))) return finish(context, Err.NOT_FOUND);
  if (!(threads >= 0)) return refuse(context, Err.RANGE, 0, i32[maker + Process.THREADS_LEFT]!);
  if (
    !(
      nameBytes >= 0 &&
      nameBytes <= MAX_NAME_BYTES &&
      5 + wordsForBytes(nameBytes) <= wordCount(context.trap)
    )
  )
    return refuse(context, Err.RANGE, 0, MAX_NAME_BYTES);
  const result = begin(k, process, maker, cnode, image, threads);
  if (result === Err.OK) {
    setName(k, process, context.regs, Reg.WORDS + 5, nameBytes);
    if (TRACED) traceProcess(k, process, maker, image);
  }
  if (result === Err.NO_RESOURCE) return refuse(context, result, i32[maker + Process.THREADS_LEFT]!);
  return finish(context, result);
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
  bindSlot(k, cnodeSlot, process + Process.BINDING, Binding.PROCESS_CSPACE);
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
function verify(k: Core, thread: WordIndex, context: Context, process: WordIndex): Answer {
  const { i32 } = k;
  const wanted = findSlot(k, thread, handle(context, 1));
  const rights = integer(context, 2);
  if (wanted === 0) return finish(context, refusal(k, thread, handle(context, 1)));
  if (!(rights >= 0 && rights <= Right.ALL)) return refuse(context, Err.RANGE, 0, Right.ALL);
  const slots = i32[process + Process.CSPACE_SLOTS]!;
  const from = Math.max(1, progressOf(k, thread));
  const to = Math.min(slots, from + VERIFIED_AT_ONCE);
  for (let index = from; index < to; index++) {
    const slot = i32[process + Process.CSPACE]! + index * Slot.WORDS;
    if (isSameAuthority(k, slot, wanted, rights)) return answer(context, 1);
  }
  if (to >= slots) return answer(context, 0);
  i32[thread + Thread.PROGRESS] = to;
  return Answer.AGAIN;
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

function status(k: Core, context: Context, process: WordIndex): Answer {
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
  const words = packBytes(context.regs, Reg.WORDS + 5, memory.u8, base, base + bytes);
  return finish(context, context.result + words);
}

/** A ceiling only comes down, so it does not matter who else lowers it at the same time. */
function lowerCeiling(k: Core, context: Context, process: WordIndex): Answer {
  const ceiling = k.i32[process + Process.CEILING]!;
  const wanted = integer(context, 1);
  if (!(wanted >= 0 && wanted <= ceiling)) return refuse(context, Err.RANGE, 0, ceiling);
  k.i32[process + Process.CEILING] = wanted;
  return finish(context, Err.OK);
}

/**
 * Ends the process and answers when nothing is left of it. Its reaper does the work: if this thread ends
 * meanwhile, and it may be one of the process's own, that goes on.
 */
function kill(k: Core, thread: WordIndex, context: Context, process: WordIndex): Answer {
  endProcess(k, process, LifeState.KILLED, 0);
  if (Atomics.load(k.i32, process + Process.CLEANING) === Cleaning.DONE) return finish(context, Err.OK);
  return waitForGrace(k, thread, requestGrace(k));
}
