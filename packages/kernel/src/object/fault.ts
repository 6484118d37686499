/**
 * What is kept of a fault, and who is told: its process keeps text and places for whoever asks, and the host logs it.
 *
 * Init tells the host itself how a process ended that it made, so only faults of the others are written here. A console
 * that is full drops them: a fault waits for nobody.
 */
import {
  FAULT_MARK,
  type FaultRecord,
  MAX_FAULT_CALLERS,
  MAX_FAULT_TEXT_BYTES,
  utf8Decode,
  utf8Encode,
} from "@capos/abi";
import type { Fault } from "@capos/engine";
import { printLine } from "../smp/console.js";
import type { Core } from "../state/core.js";
import { Process, Tables } from "../state/layout.js";
import type { ImageRef, PhysicalAddress, ProcessRef } from "../state/references.js";
import { imageNumber } from "./image.js";

/** Writes a fault's text and places into its process, which runs. */
export function recordFault(k: Core, process: ProcessRef, fault: Fault): void {
  const { i32, memory } = k;
  const { text, line, column } = fault;
  const callers = fault.callers.slice(0, MAX_FAULT_CALLERS);
  const bytes = utf8Encode(text).slice(0, MAX_FAULT_TEXT_BYTES);
  const base = ((process + Process.FAULT_TEXT) * 4) as PhysicalAddress;
  for (let i = 0; i < bytes.length; i++) memory.u8[base + i] = bytes[i];
  i32[process + Process.FAULT_BYTES] = bytes.length;
  i32[process + Process.FAULT_LINE] = line;
  i32[process + Process.FAULT_COLUMN] = column;
  for (const [i, caller] of callers.entries()) {
    i32[process + Process.FAULT_CALLER_PLACES + 2 * i] = caller.line;
    i32[process + Process.FAULT_CALLER_PLACES + 2 * i + 1] = caller.column;
  }
  i32[process + Process.FAULT_CALLERS] = callers.length;
  const init = i32[k.tables + Tables.INIT_PROCESS];
  if (process === init || i32[process + Process.PARENT] === init) return;
  const record: FaultRecord = {
    process: nameOf(k, process),
    image: imageNumber(k, i32[process + Process.IMAGE] as ImageRef),
    fault: text,
    places: [{ line, column }, ...callers].flatMap((place) => [place.line, place.column]),
  };
  printLine(k, FAULT_MARK + JSON.stringify(record));
}

function nameOf({ i32, memory }: Core, process: ProcessRef): string {
  const base = (process + Process.NAME) * 4;
  return utf8Decode(memory.u8, base, base + i32[process + Process.NAME_BYTES]);
}
