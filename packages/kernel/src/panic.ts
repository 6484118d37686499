/**
 * Panic: a state that must not be. The dump goes to the UART, the machine stops.
 */
import { lifeName, MAX_NAME_BYTES, trapName, utf8Decode } from "@capos/abi";
import {
  Attention,
  attentionOf,
  BootInfo,
  CoreArea,
  coreArea,
  HostEvent,
  memoryMap,
  type PhysicalMemory,
  Power,
  raise,
  ringHost,
  type WordIndex,
} from "@capos/hal";
import { Process, Tables, Thread, ThreadState } from "./layout.js";

/** Thrown by kernel code that finds an impossible state; the trap loop turns it, like any other error there, into a panic. */
export class KernelPanic extends Error {
  override readonly name = "KernelPanic";
}

const STATES: readonly string[] = Object.freeze([
  "inactive",
  "ready",
  "running",
  "queued",
  "awaiting reply",
  "asked another core",
  "waits for ring space",
  "waits for grace period",
  "dying",
  "dead",
]);
const ROLES: readonly string[] = Object.freeze(["-", "sender", "caller", "receiver", "waiter", "reply owed"]);
const CORE_STATES: readonly string[] = Object.freeze([
  "offline",
  "waits for INIT",
  "waits for start-up",
  "online",
  "dying",
  "dead",
]);

/** A process's name as the kernel keeps it. */
export function processName(memory: PhysicalMemory, process: WordIndex): string {
  if (process === 0) return "?";
  const base = (process + Process.NAME) * 4;
  const bytes: number[] = [];
  const count = Math.min(memory.i32[process + Process.NAME_BYTES]!, MAX_NAME_BYTES);
  for (let i = 0; i < count; i++) bytes.push(memory.u8[base + i]!);
  return utf8Decode(bytes);
}

/** What a machine looks like, in lines for people: cores, threads that are not dead, memory map. Reads only. */
export function dump(memory: PhysicalMemory): string[] {
  const { i32 } = memory;
  const lines: string[] = [];
  const cores = i32[BootInfo.CORES]!;
  for (let core = 0; core < cores; core++) {
    const area = coreArea(memory, core);
    const current = i32[area + CoreArea.CURRENT_THREAD]!;
    lines.push(
      `  core ${core}: ${CORE_STATES[i32[area + CoreArea.STATE]!]}, attention ${i32[area]!.toString(16)}, safe points ${i32[area + CoreArea.SAFE_POINTS]! >>> 0}, ` +
        `grace period ${i32[area + CoreArea.GRACE_PASSED]}, messages in ${i32[area + CoreArea.MESSAGES_IN]} out ${i32[area + CoreArea.MESSAGES_OUT]}, ` +
        `last trap ${trapName(i32[area + CoreArea.LAST_TRAP]!)}, ${current === 0 ? "no thread" : `thread ${i32[current + Thread.NUMBER]} of ${processName(memory, i32[current + Thread.PROCESS]!)}`}` +
        `${i32[area + CoreArea.COMMIT] === 1 ? ", IN A COMMIT" : ""}`,
    );
  }
  const tables = i32[BootInfo.KERNEL_TABLES]!;
  if (tables !== 0) {
    const table = i32[tables + Tables.THREAD_TABLE]!;
    for (let number = 1; number < i32[tables + Tables.THREAD_LIMIT]!; number++) {
      const thread = i32[table + number]!;
      if (thread === 0) continue;
      const state = i32[thread + Thread.STATE]!;
      const replyTo = i32[thread + Thread.REPLY_TO]!;
      lines.push(
        `  thread ${number} of ${processName(memory, i32[thread + Thread.PROCESS]!)}: core ${i32[thread + Thread.HOME]}, priority ${i32[thread + Thread.PRIORITY]}, ` +
          `${lifeName(i32[thread + Thread.LIFE]!)}, ${STATES[state] ?? state}` +
          `${state === ThreadState.QUEUED || state === ThreadState.REMOTE ? ` as ${ROLES[i32[thread + Thread.ROLE]!]}` : ""}` +
          `${state === ThreadState.REMOTE ? ` (asked core ${i32[thread + Thread.ASKED_CORE]})` : ""}` +
          `${replyTo === 0 ? "" : `, owes thread ${replyTo} a reply`}`,
      );
    }
  }
  for (const region of memoryMap(memory)) {
    lines.push(
      `  memory ${region.address.toString(16).padStart(8, "0")} ${(region.bytes / 1024).toString().padStart(8)} KiB  ${region.name}`,
    );
  }
  return lines;
}

/** Stops the machine. The first core to panic prints; the others just stop. Answers the dump, or null if another was first. */
export function panic(memory: PhysicalMemory, core: number, reason: string): string[] | null {
  const { i32 } = memory;
  const first = Atomics.compareExchange(i32, BootInfo.PANIC_CORE, 0, core + 1) === 0;
  const lines = first ? [`PANIC on core ${core}: ${reason}`, ...dump(memory)] : null;
  Atomics.store(i32, BootInfo.EXIT_STATUS, 70);
  Atomics.store(i32, BootInfo.POWER, Power.PANIC);
  for (let other = 0; other < i32[BootInfo.CORES]!; other++)
    raise(memory, attentionOf(memory, other), Attention.POWER | Attention.NON_MASKABLE);
  ringHost(memory, HostEvent.POWER);
  return lines;
}
