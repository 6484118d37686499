/** What events in a trace are about, as memory has it now. */
import type { PhysicalMemory } from "@capos/hal";
import { Message, Process, Tables, Thread } from "@capos/kernel/layout";
import { isLine, processName, tablesOf, wordAt } from "./words.js";

const LINE_KINDS: Readonly<Record<number, string>> = Object.freeze({
  [Message.SEND]: "send",
  [Message.RECEIVE]: "receive",
  [Message.WAIT]: "wait",
  [Message.REPLY]: "reply",
  [Message.ANSWER]: "answer",
  [Message.CANCEL]: "cancel",
  [Message.INVOKE]: "invoke",
  [Message.NUDGE]: "nudge",
  [Message.REHOME]: "rehome",
  [Message.REQUEUE]: "requeue",
});

/** The name of a kind of ring line. */
export function lineKindName(kind: number): string {
  return LINE_KINDS[kind] ?? `line ${kind}`;
}

/** Whose a thread is. */
export interface ThreadIdentity {
  readonly process: number;
  readonly processName: string;
  /** Within its process; 0 is its first. */
  readonly index: number;
}

/** Whose the thread is that has a number now; null if none has it. */
export function threadIdentity(memory: PhysicalMemory, number: number): ThreadIdentity | null {
  const tables = tablesOf(memory);
  if (tables === 0 || number < 1 || number >= wordAt(memory, tables + Tables.THREAD_LIMIT)) return null;
  const thread = wordAt(memory, wordAt(memory, tables + Tables.THREAD_TABLE) + number);
  if (!isLine(memory, thread)) return null;
  const process = wordAt(memory, thread + Thread.PROCESS);
  if (!isLine(memory, process)) return null;
  return {
    process: wordAt(memory, process + Process.NUMBER),
    processName: processName(memory, process),
    index: wordAt(memory, thread + Thread.INDEX),
  };
}
