/** Methods of the Debug capability: the clock, counters, and the machine's switch. Its holder is trusted. */
import { Err, HistoryWord, MAX_CORES, Method, Reg, unpackBytes, utf8Decode, wordsForBytes } from "@capos/abi";
import type { Context } from "@capos/engine";
import { BootInfo, CoreArea, coreArea, historyOf, nowNs, type WordIndex } from "@capos/hal";
import { nextEvent, publishEvent, takeEvent } from "@capos/trace";
import { progressOf } from "../sched/progress.js";
import { powerOff, printLine, printLines } from "../smp/console.js";
import { graceIsOver, requestGrace, waitForGrace } from "../smp/grace-period.js";
import type { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { KernelPanic } from "../state/kernel-panic.js";
import { KernelCore, Thread } from "../state/layout.js";
import { wordCount } from "../state/message.js";
import { answer, finish, integer, refuse, unsupported } from "./arguments.js";

export function invokeDebug(k: Core, thread: WordIndex, context: Context, method: number): Answer {
  const { i32 } = k;
  switch (method) {
    case Method.DEBUG_CLOCK:
      context.regs[Reg.WORDS] = nowNs();
      return finish(context, 1);
    case Method.DEBUG_HEAP:
      return answer(context, k.engine!.heapBytes());
    case Method.DEBUG_PRINT:
      printLine(k, text(k, context));
      return finish(context, Err.OK);
    case Method.DEBUG_HALT: {
      const status = integer(context, 1);
      if (!(status >= 0 && status <= 255)) return refuse(context, Err.RANGE, 0, 255);
      powerOff(k, status);
      return finish(context, Err.OK);
    }
    case Method.DEBUG_MACHINE:
      return answer(
        context,
        k.coreCount,
        i32[BootInfo.HARDWARE_THREADS]!,
        i32[BootInfo.MEMORY_PAGES]! / 256,
        k.id,
        i32[BootInfo.SEED]!,
      );
    case Method.DEBUG_GRACE_PERIOD:
      return gracePeriod(k, thread, context);
    case Method.DEBUG_PANIC:
      throw new KernelPanic(text(k, context));
    case Method.DEBUG_CORE:
      return core(k, context);
    case Method.DEBUG_RECORD:
      return record(k, thread, context);
    case Method.DEBUG_HISTORY:
      return history(k, context);
    case Method.DEBUG_DUMP:
      printDump(k);
      return finish(context, Err.OK);
    default:
      return unsupported(context);
  }
}

/** The machine as it stands, on the kernel's own line. */
function printDump(k: Core): void {
  const { current } = k;
  // The dump's work is not the guest's: its budget must not stop it. See EngineCore.current.
  k.current = 0;
  printLines(k, k.parts.describe(k.memory, { lock: true, core: k.id }));
  k.current = current;
}

function text(k: Core, context: Context): string {
  const count = integer(context, 1, 0);
  const room = wordCount(context.trap) - 2;
  if (!(count > 0 && wordsForBytes(count) <= room)) return "";
  unpackBytes(context.regs, Reg.WORDS + 2, count, k.bytes, 0);
  return utf8Decode(k.bytes, 0, count);
}

/** The trap starts again after the wait, so the number it waits for is kept in the thread. */
function gracePeriod(k: Core, thread: WordIndex, context: Context): Answer {
  const { i32 } = k;
  const number = progressOf(k, thread) || requestGrace(k);
  i32[thread + Thread.PROGRESS] = number;
  return graceIsOver(k, number) ? answer(context, number) : waitForGrace(k, thread, number);
}

/** Appends an event: START_NS and what the guest says, END_NS and THREAD by the kernel. */
function record(k: Core, thread: WordIndex, context: Context): Answer {
  const { f64 } = k;
  const { regs } = context;
  const event = nextEvent(k.memory, historyOf(k.memory, k.id), k.i32[BootInfo.HISTORY_EVENTS]!);
  if (event === 0) return finish(context, Err.WOULD_BLOCK);
  f64[event + HistoryWord.START_NS] = regs[Reg.WORDS + 1]!;
  f64[event + HistoryWord.THREAD] = k.i32[thread + Thread.NUMBER]! * MAX_CORES + k.id;
  f64[event + HistoryWord.KIND] = regs[Reg.WORDS + 2]!;
  f64[event + HistoryWord.OBJECT] = regs[Reg.WORDS + 3]!;
  f64[event + HistoryWord.A] = regs[Reg.WORDS + 4]!;
  f64[event + HistoryWord.B] = regs[Reg.WORDS + 5]!;
  f64[event + HistoryWord.C] = regs[Reg.WORDS + 6]!;
  f64[event + HistoryWord.END_NS] = nowNs();
  publishEvent(k.memory, historyOf(k.memory, k.id));
  return finish(context, Err.OK);
}

function history(k: Core, context: Context): Answer {
  const number = integer(context, 1);
  if (!(number >= 0 && number < k.coreCount)) return refuse(context, Err.RANGE, 0, k.coreCount - 1);
  const isTaken = takeEvent(
    k.memory,
    historyOf(k.memory, number),
    k.i32[BootInfo.HISTORY_EVENTS]!,
    context.regs,
    Reg.WORDS,
  );
  return finish(context, isTaken ? HistoryWord.COUNT : Err.WOULD_BLOCK);
}

function core(k: Core, context: Context): Answer {
  const number = integer(context, 1);
  if (!(number >= 0 && number < k.coreCount)) return refuse(context, Err.RANGE, 0, k.coreCount - 1);
  const area = coreArea(k.memory, number);
  const { i32 } = k;
  return answer(
    context,
    i32[area + CoreArea.HEARTBEAT]! >>> 0,
    i32[area + KernelCore.SWITCHES]! >>> 0,
    Atomics.load(i32, area + KernelCore.GRACE_PASSED) >>> 0,
    i32[area + KernelCore.HALTS]! >>> 0,
    i32[area + KernelCore.MESSAGES_IN]! >>> 0,
    i32[area + KernelCore.MESSAGES_OUT]! >>> 0,
    i32[area + KernelCore.BOUNCES]! >>> 0,
    Atomics.load(i32, area + CoreArea.INCARNATION),
  );
}
