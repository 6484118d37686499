/** Methods of processes. */
import { Err, LifeState, packBytes, Reg, Slot, SlotBits, SlotFlag, unpackBytes } from "@capos/abi";
import type { Context } from "@capos/engine";
import { isLive, isOpenCNode, isOver } from "../capability/lookup.js";
import { bindSlot, reclaimSlot, slotsOf } from "../capability/slot.js";
import { progressOf } from "../sched/progress.js";
import { requestGrace, waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { Cleaning, CNode, Process, Thread } from "../state/layout.js";
import { Binding } from "../state/objects.js";
import type {
  CNodeRef,
  ImageRef,
  PhysicalAddress,
  ProcessRef,
  SlotRef,
  ThreadRef,
} from "../state/references.js";
import { traceProcess } from "../state/trace.js";
import { answer, finish, refuse } from "./arguments.js";
import { bindImage, imageNumber } from "./image.js";
import { endProcess, linkChild } from "./process-end.js";
import { openSpace, settle, settledAs } from "./settled.js";

/** A line and a column, each a word of memory. */
const BYTES_PER_PLACE = 8;

/** Once, while the process is new. */
export function processConfigure(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32, operands } = k;
  const process = i32[self + Slot.OBJECT] as ProcessRef;
  const parent = i32[thread + Thread.PROCESS] as ProcessRef;
  const result = begin(k, process, parent, operands.space, operands.image, operands.threads);
  if (result === Err.OK) {
    setName(k, process, context.regs, operands.payload, operands.byteCount);
    if (TRACED) traceProcess(k, process, parent, imageNumber(k, i32[process + Process.IMAGE] as ImageRef));
  }
  if (result === Err.NO_RESOURCE) return refuse(context, result, i32[parent + Process.THREADS_LEFT]);
  return finish(context, result);
}

/**
 * Gives a new process its CSpace, by a binding derived from the CNode's capability, its image and its share of the
 * parent's threads.
 */
function begin(
  k: Core,
  process: ProcessRef,
  parent: ProcessRef,
  cnode: SlotRef,
  image: SlotRef,
  threads: number,
): Err {
  const { i32 } = k;
  const held = lockTree(k);
  let status: Err = Err.OK;
  // Looked up without the lock.
  if (!isOpenCNode(held, cnode) || !isLive(k, image)) status = Err.BAD_CAP;
  else if (i32[process + Process.LIFE] !== LifeState.NEW) status = Err.BUSY;
  else if (threads > i32[parent + Process.THREADS_LEFT]) status = Err.NO_RESOURCE;
  else {
    bindCSpace(held, process, cnode);
    bindImage(held, process, i32[image + Slot.OBJECT] as ImageRef);
    i32[process + Process.CEILING] = i32[parent + Process.CEILING];
    i32[parent + Process.THREADS_LEFT] -= threads;
    i32[process + Process.THREADS_LEFT] = threads;
    linkChild(held, parent, process);
    Atomics.store(i32, process + Process.LIFE, LifeState.RUNNING);
  }
  unlockTree(held);
  return status;
}

/** Makes the CNode in a live slot the CSpace of a process. */
export function bindCSpace(k: Locked, process: ProcessRef, cnodeSlot: SlotRef): void {
  const { i32 } = k;
  bindSlot(k, cnodeSlot, (process + Process.BINDING) as SlotRef, Binding.PROCESS_CSPACE);
  const cnode = i32[cnodeSlot + Slot.OBJECT] as CNodeRef;
  i32[cnode + CNode.HEADER + CNode.PROCESSES]++;
  i32[process + Process.CSPACE] = cnode;
  i32[process + Process.CSPACE_SLOTS] = slotsOf(i32[cnodeSlot]);
}

/** Keeps a process's name, for dumps and messages. */
export function setName(
  k: Core,
  process: ProcessRef,
  words: { [index: number]: number },
  at: number,
  bytes: number,
): void {
  unpackBytes(words, at, bytes, k.memory.u8, ((process + Process.NAME) * 4) as PhysicalAddress);
  k.i32[process + Process.NAME_BYTES] = bytes;
}

/** The address space in the argument becomes the process's, by a binding derived from its capability. */
export function processUse(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const process = i32[self + Slot.OBJECT] as ProcessRef;
  const { memory } = k.operands;
  const binding = (process + Process.SPACE_BINDING) as SlotRef;
  const held = lockTree(k);
  if (openSpace(held, memory) !== 0) {
    if (hasEnded(k, process) || !reclaimSlot(held, binding)) settledAs(k, Err.BUSY);
    else {
      bindSlot(held, memory, binding, Binding.PROCESS_SPACE);
      settledAs(k, Err.OK);
      // This core may run a thread of it next, and have looked in vain.
      k.mmu.unload();
    }
  }
  unlockTree(held);
  return settle(k, thread, context);
}

/** The endpoint in the argument is told of the process's page faults, by a binding derived from its capability. */
export function processFaults(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const process = i32[self + Slot.OBJECT] as ProcessRef;
  const { handler } = k.operands;
  const binding = (process + Process.FAULT_BINDING) as SlotRef;
  const held = lockTree(k);
  let status: Err = Err.OK;
  if (!isLive(k, handler)) status = Err.BAD_CAP;
  else if (hasEnded(k, process) || !reclaimSlot(held, binding)) status = Err.BUSY;
  else bindSlot(held, handler, binding, Binding.PROCESS_FAULTS);
  unlockTree(held);
  return finish(context, status);
}

function hasEnded(k: Core, process: ProcessRef): boolean {
  const life = k.i32[process + Process.LIFE];
  return life !== LifeState.NEW && life !== LifeState.RUNNING;
}

/** Slots looked at before others get a turn. */
const VERIFIED_AT_ONCE = 1024;

/** Whether a slot of the process has that authority, or more of it. */
export function processVerify(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const { held, rights } = k.operands;
  const process = i32[self + Slot.OBJECT] as ProcessRef;
  const slots = i32[process + Process.CSPACE_SLOTS];
  const from = Math.max(1, progressOf(k, thread));
  const to = Math.min(slots, from + VERIFIED_AT_ONCE);
  for (let index = from; index < to; index++) {
    const slot = (i32[process + Process.CSPACE] + index * Slot.WORDS) as SlotRef;
    if (isSameAuthority(k, slot, held, rights)) return answer(context, 1);
  }
  if (to >= slots) return answer(context, 0);
  i32[thread + Thread.PROGRESS] = to;
  return Answer.AGAIN;
}

function isSameAuthority(k: Core, slot: SlotRef, wanted: SlotRef, rights: number): boolean {
  const { i32 } = k;
  const kind = SlotBits.STATE_MASK | SlotBits.TYPE_MASK | SlotFlag.SEALED;
  const word = Atomics.load(i32, slot);
  return (
    (word & kind) === (i32[wanted] & kind) &&
    i32[slot + Slot.OBJECT] === i32[wanted + Slot.OBJECT] &&
    i32[slot + Slot.BADGE] === i32[wanted + Slot.BADGE] &&
    ((word >> SlotBits.RIGHTS_SHIFT) & rights) === rights &&
    !((word & SlotFlag.EXPIRES) !== 0 && isOver(k, slot))
  );
}

export function processStatus(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32, memory } = k;
  const process = i32[self + Slot.OBJECT] as ProcessRef;
  const bytes = i32[process + Process.FAULT_BYTES];
  answer(
    context,
    Atomics.load(i32, process + Process.LIFE),
    i32[process + Process.STATUS],
    i32[process + Process.FAULT_LINE],
    i32[process + Process.FAULT_COLUMN],
    bytes,
  );
  const base = ((process + Process.FAULT_TEXT) * 4) as PhysicalAddress;
  const words = packBytes(context.regs, Reg.WORDS + 5, memory.u8, base, base + bytes);
  return finish(context, context.result + words);
}

export function processCallers(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32, memory } = k;
  const process = i32[self + Slot.OBJECT] as ProcessRef;
  const bytes = i32[process + Process.FAULT_CALLERS] * BYTES_PER_PLACE;
  answer(context, bytes);
  const base = ((process + Process.FAULT_CALLER_PLACES) * 4) as PhysicalAddress;
  const words = packBytes(context.regs, Reg.WORDS + 1, memory.u8, base, base + bytes);
  return finish(context, context.result + words);
}

export function processNumber(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  return answer(context, k.i32[(k.i32[self + Slot.OBJECT] as ProcessRef) + Process.NUMBER]);
}

/** A ceiling only comes down, so it does not matter who else lowers it at the same time. */
export function processCeiling(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  k.i32[k.i32[self + Slot.OBJECT] + Process.CEILING] = k.operands.priority;
  return finish(context, Err.OK);
}

/**
 * Ends the process and answers when nothing is left of it. Its reaper does the work: if this thread ends
 * meanwhile, and it may be one of the process's own, that goes on.
 */
export function processKill(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const process = k.i32[self + Slot.OBJECT] as ProcessRef;
  endProcess(k, process, LifeState.KILLED, 0);
  if (Atomics.load(k.i32, process + Process.CLEANING) === Cleaning.DONE) return finish(context, Err.OK);
  return waitForGrace(k, thread, requestGrace(k));
}
