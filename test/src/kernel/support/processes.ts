/**
 * Processes and threads as guests make them, by invocations of a thread that the test lends to their maker.
 */
import { Method, makeHandle, Slot, TrapShift } from "@capos/abi";
import { makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import {
  type Core,
  invokeMonitor,
  invokeProcess,
  type ProcessRef,
  type SlotRef,
} from "@capos/kernel/internal";
import { Process, Thread } from "@capos/kernel/layout";
import type { Bench } from "./slots.js";

/** A handle to a slot of a CNode. */
export function handleIn(bench: Bench, cnode: number, slot: number): number {
  return makeHandle((slot - cnode) / Slot.WORDS, bench.i32[slot + Slot.GENERATION]);
}

/** A context whose message is these words. */
export function messageOf(words: readonly number[]): GeneratorContext {
  const context = new GeneratorContext(makeRegisters());
  words.forEach((word, i) => {
    context.regs[i] = word;
  });
  context.trap = 9 << TrapShift.WORDS;
  return context;
}

/** Makes a process, in a slot of init, of the bench's image; answers the result. The slots are init's, whoever its maker is. */
export function configureProcess(
  bench: Bench,
  k: Core,
  process: SlotRef,
  cnode: SlotRef,
  threads: number,
  maker: ProcessRef = bench.resources.process,
): number {
  const { i32, thread, cspace } = bench;
  const image = handleIn(bench, cspace, bench.image);
  const context = messageOf([Method.PROCESS_CONFIGURE, handleIn(bench, cspace, cnode), image, threads, 0]);
  const found = [i32[maker + Process.CSPACE], i32[maker + Process.CSPACE_SLOTS]] as const;
  i32[maker + Process.CSPACE] = cspace;
  i32[maker + Process.CSPACE_SLOTS] = 4096;
  i32[thread + Thread.PROCESS] = maker;
  invokeProcess(k, thread, context, process, Method.PROCESS_CONFIGURE);
  i32[thread + Thread.PROCESS] = bench.resources.process;
  [i32[maker + Process.CSPACE], i32[maker + Process.CSPACE_SLOTS]] = found;
  return context.result;
}

/** Has a monitor watch what a slot of init holds; answers the result. */
export function watch(
  bench: Bench,
  k: Core,
  monitor: SlotRef,
  target: SlotRef,
  notification: SlotRef,
): number {
  const context = messageOf([
    Method.MONITOR_WATCH,
    handleIn(bench, bench.cspace, target),
    handleIn(bench, bench.cspace, notification),
  ]);
  invokeMonitor(k, bench.thread, context, monitor, Method.MONITOR_WATCH);
  return context.result;
}
