/** Methods of the Debug capability: the clock, counters, and the machine's switch. Its holder is trusted. */
import { Err, HistoryWord, MAX_CORES, Reg, unpackBytes, utf8Decode } from "@capos/abi";
import type { Context } from "@capos/engine";
import { BootInfo, CoreArea, coreArea, historyOf, nowNs } from "@capos/hal";
import { nextEvent, publishEvent, takeEvent } from "@capos/trace";
import { progressOf } from "../sched/progress.js";
import { powerOff, printLine, printLines } from "../smp/console.js";
import { graceIsOver, requestGrace, waitForGrace } from "../smp/grace-period.js";
import type { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { KernelPanic } from "../state/kernel-panic.js";
import { KernelCore, Thread } from "../state/layout.js";
import type { SlotRef, ThreadRef } from "../state/references.js";
import { answer, finish } from "./arguments.js";

export function debugClock(_k: Core, _thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  context.regs[Reg.WORDS] = nowNs();
  return finish(context, 1);
}

export function debugHeap(k: Core, _thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  return answer(context, k.engine!.heapBytes());
}

export function debugPrint(k: Core, _thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  printLine(k, text(k, context));
  return finish(context, Err.OK);
}

export function debugPanic(k: Core, _thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  throw new KernelPanic(text(k, context));
}

function text(k: Core, context: Context): string {
  const { byteCount, payload } = k.operands;
  unpackBytes(context.regs, payload, byteCount, k.bytes, 0);
  return utf8Decode(k.bytes, 0, byteCount);
}

export function debugHalt(k: Core, _thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  powerOff(k, k.operands.status);
  return finish(context, Err.OK);
}

export function debugMachine(k: Core, _thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  const { i32 } = k;
  return answer(
    context,
    k.coreCount,
    i32[BootInfo.HARDWARE_THREADS],
    i32[BootInfo.MEMORY_PAGES] / 256,
    k.id,
    i32[BootInfo.SEED],
  );
}

/** The machine as it stands, on the kernel's own line. */
export function debugDump(k: Core, _thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  printLines(k, k.parts.describe(k.memory, { lock: true, core: k.id }));
  return finish(context, Err.OK);
}

/** The trap starts again after the wait, so the number it waits for is kept in the thread. */
export function debugGracePeriod(k: Core, thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  const { i32 } = k;
  const number = progressOf(k, thread) || requestGrace(k);
  i32[thread + Thread.PROGRESS] = number;
  return graceIsOver(k, number) ? answer(context, number) : waitForGrace(k, thread, number);
}

/** Appends an event: START_NS and what the guest says, END_NS and THREAD by the kernel. */
export function debugRecord(k: Core, thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  const { f64, operands } = k;
  const event = nextEvent(k.memory, historyOf(k.memory, k.id), k.i32[BootInfo.HISTORY_EVENTS]);
  if (event === 0) return finish(context, Err.WOULD_BLOCK);
  f64[event + HistoryWord.START_NS] = operands.startNs;
  f64[event + HistoryWord.THREAD] = k.i32[thread + Thread.NUMBER] * MAX_CORES + k.id;
  f64[event + HistoryWord.KIND] = operands.kind;
  f64[event + HistoryWord.OBJECT] = operands.object;
  f64[event + HistoryWord.A] = operands.a;
  f64[event + HistoryWord.B] = operands.b;
  f64[event + HistoryWord.C] = operands.c;
  f64[event + HistoryWord.END_NS] = nowNs();
  publishEvent(k.memory, historyOf(k.memory, k.id));
  return finish(context, Err.OK);
}

export function debugHistory(k: Core, _thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  const isTaken = takeEvent(
    k.memory,
    historyOf(k.memory, k.operands.core),
    k.i32[BootInfo.HISTORY_EVENTS],
    context.regs,
    Reg.WORDS,
  );
  return finish(context, isTaken ? HistoryWord.COUNT : Err.WOULD_BLOCK);
}

export function debugCore(k: Core, _thread: ThreadRef, context: Context, _self: SlotRef): Answer {
  const area = coreArea(k.memory, k.operands.core);
  const { i32 } = k;
  return answer(
    context,
    i32[area + CoreArea.HEARTBEAT] >>> 0,
    i32[area + KernelCore.SWITCHES] >>> 0,
    Atomics.load(i32, area + KernelCore.GRACE_PASSED) >>> 0,
    i32[area + KernelCore.HALTS] >>> 0,
    i32[area + KernelCore.MESSAGES_IN] >>> 0,
    i32[area + KernelCore.MESSAGES_OUT] >>> 0,
    i32[area + KernelCore.BOUNCES] >>> 0,
    Atomics.load(i32, area + CoreArea.INCARNATION),
  );
}
