/** The trace of a machine's last moments, written when something has gone wrong. */
import { randomBytes } from "node:crypto";
import { BootInfo, type PhysicalMemory, traceRings } from "@capos/hal";
import { TRACE_EVENTS } from "@capos/kernel/trace-events";
import { TraceMerger } from "@capos/trace";
import { VERSION } from "../version.js";
import { MachineTrace } from "./machine-trace.js";
import { Protocols } from "./protocols.js";
import { selectEvents } from "./selection.js";
import { TraceFile } from "./trace-file.js";

/** How much of it, before the last event. The rings may hold less. */
const LAST_NS = 250e6;
const LIMIT_MIB = 512;

/**
 * Writes what the trace rings hold into a new file of the current folder; answers a line that says where, or why not.
 * @param ended whether the machine's cores have ended
 */
export default function writeLastMoments(memory: PhysicalMemory, ended: boolean): string {
  if (memory.i32[BootInfo.TRACE_KIB] === 0)
    return "no trace of the last moments: the trace rings were off (--trace-ring 256 turns them on)";
  let file: TraceFile | undefined;
  try {
    const path = `capos-trace-${randomBytes(4).toString("hex")}.json`;
    file = new TraceFile(path, LIMIT_MIB, false);
    const trace = new MachineTrace(file, {
      memory,
      cores: memory.i32[BootInfo.CORES],
      machine: 1,
      events: selectEvents().events,
      protocols: new Protocols(),
    });
    const merger = new TraceMerger(memory, traceRings(memory), TRACE_EVENTS, trace);
    merger.read(ended);
    merger.end();
    trace.drawSince(merger.latestNs - LAST_NS);
    merger.give(Number.POSITIVE_INFINITY);
    const machines = [trace.end()];
    file.close({ capos: VERSION, machines });
    return `trace of the last moments: ${path} (open it in https://ui.perfetto.dev)`;
  } catch (error) {
    file?.discard();
    return `no trace of the last moments: ${error instanceof Error ? error.message : error}`;
  }
}
