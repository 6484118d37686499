/** Processes as they stand. */
import { lifeName, MAX_FAULT_TEXT_BYTES } from "@capos/abi";
import type { PhysicalMemory, WordIndex } from "@capos/hal";
import { Monitor, ObjectHeader, Process } from "@capos/kernel/layout";
import type { ProcessInfo } from "./state.js";
import type { Survey } from "./survey.js";
import { isLine, nameOf, processName, textAt, wordAt } from "./words.js";

const CLEANINGS: readonly string[] = Object.freeze(["none", "threads", "slots", "done"]);
/** Monitors of one target that are counted. */
const MAX_MONITORS = 10_000;

/** All processes that were found, by number. */
export function inspectProcesses(survey: Survey): ProcessInfo[] {
  const { memory, processes } = survey;
  const madeBy = new Map<WordIndex, number[]>();
  for (const process of processes) {
    const maker = wordAt(memory, process + Process.PARENT);
    if (processes.has(maker))
      madeBy.set(maker, [...(madeBy.get(maker) ?? []), wordAt(memory, process + Process.NUMBER)]);
  }
  return [...processes]
    .map((process) => inspectProcess(survey, process, madeBy.get(process) ?? []))
    .sort((a, b) => a.number - b.number || a.address - b.address);
}

function inspectProcess({ memory, processes }: Survey, process: WordIndex, made: number[]): ProcessInfo {
  const word = (offset: Process): number => wordAt(memory, process + offset);
  const maker = word(Process.PARENT);
  const cspace = word(Process.CSPACE);
  return {
    number: word(Process.NUMBER),
    name: processName(memory, process),
    address: process * 4,
    life: lifeName(word(Process.LIFE)),
    status: word(Process.STATUS),
    cspace: isLine(memory, cspace) ? cspace * 4 : null,
    cspaceSlots: word(Process.CSPACE_SLOTS),
    threads: word(Process.THREADS),
    threadsLeft: word(Process.THREADS_LEFT),
    ceiling: word(Process.CEILING),
    cleaning: nameOf(CLEANINGS, word(Process.CLEANING)),
    maker: processes.has(maker) ? wordAt(memory, maker + Process.NUMBER) : null,
    made: made.sort((a, b) => a - b),
    references: wordAt(memory, process + Process.HEADER + ObjectHeader.REFERENCES),
    fault: faultOf(memory, process),
    monitors: countMonitors(memory, process + Process.MONITORS),
  };
}

function faultOf(memory: PhysicalMemory, process: WordIndex): string {
  const bytes = wordAt(memory, process + Process.FAULT_BYTES);
  const text = textAt(memory, process + Process.FAULT_TEXT, bytes, MAX_FAULT_TEXT_BYTES);
  const line = wordAt(memory, process + Process.FAULT_LINE);
  return line > 0 ? `${text} (line ${line}, column ${wordAt(memory, process + Process.FAULT_COLUMN)})` : text;
}

/** Members of a target's list of monitors. */
export function countMonitors(memory: PhysicalMemory, head: WordIndex): number {
  let count = 0;
  for (
    let monitor = wordAt(memory, head);
    isLine(memory, monitor) && count < MAX_MONITORS;
    monitor = wordAt(memory, monitor + Monitor.NEXT)
  )
    count++;
  return count;
}
