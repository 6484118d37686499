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
  unpackBytes,
  wordsForBytes,
} from "@capos/abi";
import { moduleCount, type WordIndex } from "@capos/hal";
import { hasRight, lookupArgument } from "../capability/lookup.js";
import type { Core } from "../core.js";
import { requestGrace, waitForGrace } from "../grace-period.js";
import { wordCount } from "../ipc/message.js";
import { Process, Restart, Tables, Thread } from "../layout.js";
import type { Context } from "../thread/context.js";
import { endProcess, tellWatcher } from "../thread/lifecycle.js";
import { answer, handle, integer, refuse } from "./arguments.js";
import { destroy, isDying } from "./thread-methods.js";

export function invokeProcess(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): void {
  const process = k.i32[slot + Slot.OBJECT]!;
  if (method === Method.PROCESS_STATUS) {
    if (hasRight(k, slot, Right.READ)) status(k, context, process);
    else context.result = Err.DENIED;
  } else if (!hasRight(k, slot, Right.WRITE)) context.result = Err.DENIED;
  else if (method === Method.PROCESS_CONFIGURE) configure(k, thread, context, process);
  else if (method === Method.PROCESS_WATCH) watch(k, thread, context, process);
  else if (method === Method.PROCESS_KILL) kill(k, thread, context, process);
  else if (method === Method.PROCESS_CEILING) lowerCeiling(k, context, process);
}

/** CNode, image, name. Once, while the process is new. */
function configure(k: Core, thread: WordIndex, context: Context, process: WordIndex): void {
  const { i32 } = k;
  const cnode = lookupArgument(k, thread, handle(context, 1), ObjectType.CNODE, Right.WRITE);
  const image = integer(context, 2);
  const nameBytes = integer(context, 3);
  if (cnode < 0) context.result = cnode;
  else if (!(image >= 0 && image < moduleCount(k.memory))) context.result = Err.NOT_FOUND;
  else if (
    !(
      nameBytes >= 0 &&
      nameBytes <= MAX_NAME_BYTES &&
      4 + wordsForBytes(nameBytes) <= wordCount(context.trap)
    )
  ) {
    refuse(context, Err.RANGE, 0, MAX_NAME_BYTES);
  } else if (
    Atomics.compareExchange(i32, process + Process.LIFE, LifeState.NEW, LifeState.RUNNING) !== LifeState.NEW
  ) {
    context.result = Err.BUSY;
  } else {
    i32[process + Process.CSPACE] = i32[cnode + Slot.OBJECT]!;
    i32[process + Process.CSPACE_SLOTS] = 2 ** ((i32[cnode]! >>> SlotBits.SIZE_SHIFT) & 63);
    i32[process + Process.IMAGE] = image;
    i32[process + Process.CEILING] = i32[i32[thread + Thread.PROCESS]! + Process.CEILING]!;
    setName(k, process, context.regs, Reg.WORDS + 4, nameBytes);
    context.result = Err.OK;
  }
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

/** WATCH_NOTIFICATION while its bits are being written: no object's reference. */
const WATCH_TAKEN = -1;

/** The badge of the notification's capability is signalled when the process ends; at once if it has. */
function watch(k: Core, thread: WordIndex, context: Context, process: WordIndex): void {
  const { i32 } = k;
  const slot = lookupArgument(k, thread, handle(context, 1), ObjectType.NOTIFICATION, Right.SEND);
  if (slot < 0) {
    context.result = slot;
    return;
  }
  // One watcher, for good: else a process, which holds itself, could hide its end from whoever started it.
  if (Atomics.compareExchange(i32, process + Process.WATCH_NOTIFICATION, 0, WATCH_TAKEN) !== 0) {
    context.result = Err.BUSY;
    return;
  }
  i32[process + Process.WATCH_BITS] = i32[slot + Slot.BADGE]! || 1;
  Atomics.store(i32, process + Process.WATCH_NOTIFICATION, i32[slot + Slot.OBJECT]!);
  context.result = Err.OK;
  if (Atomics.load(i32, process + Process.LIFE) > LifeState.RUNNING) tellWatcher(k, process);
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
 * Ends every thread of the process: those of this core at once, the others one at a time by asking
 * their cores, the trap starting again after each answer. No thread can be added meanwhile.
 */
function kill(k: Core, thread: WordIndex, context: Context, process: WordIndex): void {
  const { i32 } = k;
  const life = process + Process.LIFE;
  const wasNew = Atomics.compareExchange(i32, life, LifeState.NEW, LifeState.KILLED) === LifeState.NEW;
  const first = endProcess(k, process, LifeState.KILLED, 0) || wasNew;
  let own = false;
  let dying = false;
  for (let number = 1; number < i32[k.tables + Tables.THREAD_LIMIT]!; number++) {
    const victim = Atomics.load(i32, k.threadTable + number);
    if (victim === 0 || i32[victim + Thread.PROCESS] !== process) continue;
    if (victim === thread) own = true;
    else if (destroy(k, thread, victim, true)) return;
    else if (k.current !== thread) {
      // Somebody more urgent was told of the end and has the core now: this thread is ready and in the run
      // queue, so it must not ask another core for the next victim. It goes on when it is its turn.
      i32[thread + Thread.RESTART] = Restart.TRAP;
      return;
    } else if (isDying(k, victim)) dying = true;
  }
  if (dying) {
    // As for one thread that is destroyed: see awaitDeath.
    waitForGrace(k, thread, requestGrace(k));
    return;
  }
  context.result = Err.OK;
  if (own) destroy(k, thread, thread, true);
  // Otherwise its last thread tells.
  else if (first && Atomics.load(i32, process + Process.THREADS) === 0) tellWatcher(k, process);
}
