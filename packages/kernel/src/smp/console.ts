/** What the kernel asks of the machine beyond memory and interrupts: its console and its switch. */
import { utf8Encode } from "@capos/abi";
import {
  Attention,
  BootInfo,
  HostEvent,
  Port,
  PortNumber,
  Power,
  portOf,
  portWrite,
  ringHost,
  type WordIndex,
} from "@capos/hal";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import type { CoreId } from "../state/references.js";
import { traceLog } from "../state/trace.js";
import { ringDoorbell } from "./doorbell.js";

/** Writes one line to the UART. Text that the device has no room for is dropped: it is a console, not a log. */
export function printLine(k: Core, text: string): void {
  const bytes = utf8Encode(`${text}\n`);
  if (TRACED) traceLog(k, 0, PortNumber.UART, bytes, bytes.length);
  for (let sent = 0, tries = 0; sent < bytes.length && tries < 1000; tries++) {
    sent += portWrite(
      k.memory,
      PortNumber.UART,
      k.id,
      sent === 0 ? bytes : bytes.slice(sent),
      bytes.length - sent,
    );
  }
}

/**
 * How long to wait for the host to take what the UART holds, in milliseconds, before the rest is dropped: a busy host
 * takes its time, and one that is gone has taken the machine with it.
 */
const UART_PATIENCE_MS = 10_000;

/** Writes more than the UART holds at once, a line at a time. Keeps the core from its safe point: for dumps only. */
export function printLines(k: Core, lines: readonly string[]): void {
  const taken = portOf(k.memory, PortNumber.UART) + Port.OUT_READ;
  for (const line of lines) {
    const bytes = utf8Encode(`${line}\n`);
    for (let sent = 0; sent < bytes.length; ) {
      const before = Atomics.load(k.i32, taken);
      const rest = sent === 0 ? bytes : bytes.slice(sent);
      sent += portWrite(k.memory, PortNumber.UART, k.id, rest, rest.length);
      if (sent < bytes.length && !hostTakes(k, taken, before)) return;
    }
  }
}

/** Waits until the host has taken something; false if it does not. Nobody notifies, so the core looks every millisecond. */
function hostTakes(k: Core, taken: WordIndex, before: number): boolean {
  for (let ms = 0; ms < UART_PATIENCE_MS && Atomics.load(k.i32, taken) === before; ms++)
    Atomics.wait(k.i32, taken, before, 1);
  return Atomics.load(k.i32, taken) !== before;
}

/** Tells every core and the host that the machine halts with a status. */
export function powerOff(k: Core, status: number): void {
  const { i32 } = k;
  if (Atomics.compareExchange(i32, BootInfo.POWER, Power.ON, Power.HALTING) !== Power.ON) return;
  Atomics.store(i32, BootInfo.EXIT_STATUS, status);
  for (let core = 0 as CoreId; core < k.coreCount; core++) ringDoorbell(k, core, Attention.POWER);
  ringHost(k.memory, HostEvent.POWER);
}
