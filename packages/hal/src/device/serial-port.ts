/**
 * Serial devices: a byte ring each way between cores and the host, in physical memory.
 *
 * Port 0 is the kernel's own UART, which any core may write at any moment; the others belong to the
 * driver that holds their capability. Positions count bytes and only grow (modulo 2^32). Outgoing: the
 * core that holds LOCK writes, the host reads. Incoming: the host writes, the holder of LOCK reads. A
 * write is published by storing its position last, so the host sees whole writes in order, also
 * those of a core that died right after.
 */

import { requestInterrupt } from "../cpu/lapic.js";
import {
  BootInfo,
  CoreArea,
  CoreState,
  coreArea,
  HostEvent,
  PORT_RING_BYTES,
  PORT_WORDS,
} from "../memory/machine-map.js";
import type { PhysicalMemory, WordIndex } from "../memory/physical-memory.js";

/** Words of a port's header. */
export const enum Port {
  /** The writer: core number plus one, and its worker's incarnation. Compare-and-swap by cores. */
  LOCK = 0,
  OUT_WRITTEN = 16,
  OUT_READ = 32,
  IN_WRITTEN = 48,
  IN_READ = 49,
  /** Where the host's interrupt goes; vector 0 is nowhere. Written by the kernel. */
  IRQ_CORE = 50,
  IRQ_VECTOR = 51,
  /** 1 when the input has ended. Written by the host. */
  IN_CLOSED = 52,
  /** 1 since a driver found no input; 0 again when the host has seen that, or has sent some. */
  IN_WANTED = 53,
  OUT_BYTES = 64,
}

/** The devices of a machine by number. */
export const enum PortNumber {
  UART = 0,
  CONSOLE = 1,
  LOG = 2,
  CONTROL = 3,
  /** Between the host and the guest that speaks for it. */
  BRIDGE = 4,
}

const POSITION_MASK = PORT_RING_BYTES - 1;
const IN_OFFSET_BYTES = PORT_RING_BYTES;

/** First word of a port. */
export function portOf(memory: PhysicalMemory, number: number): WordIndex {
  return memory.i32[BootInfo.PORTS] + number * PORT_WORDS;
}

/** Rings the host's doorbell. */
export function ringHost(memory: PhysicalMemory, events: number): void {
  const { i32 } = memory;
  Atomics.or(i32, BootInfo.HOST_EVENTS, events);
  Atomics.add(i32, BootInfo.HOST_DOORBELL, 1);
  Atomics.notify(i32, BootInfo.HOST_DOORBELL);
}

/** A core and its worker, as one word: a core's next worker is another holder. */
function holderWord(memory: PhysicalMemory, core: number): number {
  const incarnation = Atomics.load(memory.i32, coreArea(memory, core) + CoreArea.INCARNATION);
  return (incarnation << HOLDER_SHIFT) | (core + 1);
}

const HOLDER_SHIFT = 8;
const HOLDER_CORE = 0xff;

/** True if the worker that took a lock has ended. */
function isGone(memory: PhysicalMemory, holder: number): boolean {
  const core = (holder & HOLDER_CORE) - 1;
  const state = Atomics.load(memory.i32, coreArea(memory, core) + CoreArea.STATE);
  const running = state === CoreState.ONLINE || state === CoreState.DYING || state === CoreState.LEAVING;
  return !running || holderWord(memory, core) !== holder;
}

/** Takes a port for the length of one write or read. A holder whose worker has ended loses it. */
function lock(memory: PhysicalMemory, port: WordIndex, core: number): void {
  const { i32 } = memory;
  const mine = holderWord(memory, core);
  for (;;) {
    const holder = Atomics.compareExchange(i32, port + Port.LOCK, 0, mine);
    if (holder === 0) return;
    if (isGone(memory, holder) && Atomics.compareExchange(i32, port + Port.LOCK, holder, mine) === holder)
      return;
    Atomics.wait(i32, port + Port.LOCK, holder, LOCK_LOOK_MS);
  }
}

/** A waiter looks again this often, in milliseconds: nobody tells it that the holder died. */
const LOCK_LOOK_MS = 0.05;

function unlock(memory: PhysicalMemory, port: WordIndex): void {
  Atomics.store(memory.i32, port + Port.LOCK, 0);
  Atomics.notify(memory.i32, port + Port.LOCK);
}

/**
 * Writes bytes from a core; answers how many the device took (fewer than given when its ring is
 * full). Rings the host's doorbell.
 */
export function portWrite(
  memory: PhysicalMemory,
  number: number,
  core: number,
  bytes: ArrayLike<number>,
  count: number,
): number {
  const { i32, u8 } = memory;
  const port = portOf(memory, number);
  lock(memory, port, core);
  const written = i32[port + Port.OUT_WRITTEN];
  const room = PORT_RING_BYTES - ((written - Atomics.load(i32, port + Port.OUT_READ)) | 0);
  const taken = Math.min(count, room);
  const base = (port + Port.OUT_BYTES) * 4;
  for (let i = 0; i < taken; i++) u8[base + ((written + i) & POSITION_MASK)] = bytes[i];
  Atomics.store(i32, port + Port.OUT_WRITTEN, (written + taken) | 0);
  unlock(memory, port);
  if (taken > 0) ringHost(memory, HostEvent.PORT_OUTPUT);
  return taken;
}

/** Reads up to `count` bytes that the host sent; answers how many, -1 at the end of input. */
export function portRead(
  memory: PhysicalMemory,
  number: number,
  core: number,
  bytes: { [index: number]: number },
  count: number,
): number {
  const { i32, u8 } = memory;
  const port = portOf(memory, number);
  lock(memory, port, core);
  const closed = Atomics.load(i32, port + Port.IN_CLOSED) === 1;
  const read = i32[port + Port.IN_READ];
  const available = (Atomics.load(i32, port + Port.IN_WRITTEN) - read) | 0;
  const taken = Math.min(count, available);
  const base = (port + Port.OUT_BYTES) * 4 + IN_OFFSET_BYTES;
  for (let i = 0; i < taken; i++) bytes[i] = u8[base + ((read + i) & POSITION_MASK)];
  Atomics.store(i32, port + Port.IN_READ, (read + taken) | 0);
  unlock(memory, port);
  if (available === 0 && closed) return -1;
  // The host may hold back what did not fit, and asks for nothing before somebody wants it.
  if (taken === 0) Atomics.store(i32, port + Port.IN_WANTED, 1);
  ringHost(memory, HostEvent.PORT_INPUT);
  return taken;
}

/** Host: takes all bytes a port's cores have written. */
export function drainPort(memory: PhysicalMemory, number: number): Uint8Array {
  const { i32, u8 } = memory;
  const port = portOf(memory, number);
  const read = i32[port + Port.OUT_READ];
  const count = (Atomics.load(i32, port + Port.OUT_WRITTEN) - read) | 0;
  const out = new Uint8Array(count);
  const base = (port + Port.OUT_BYTES) * 4;
  for (let i = 0; i < count; i++) out[i] = u8[base + ((read + i) & POSITION_MASK)];
  Atomics.store(i32, port + Port.OUT_READ, (read + count) | 0);
  // A driver that found the ring full waits for this.
  if (count > 0) interrupt(memory, port);
  return out;
}

/** Host: sends bytes into a port; answers how many fitted. */
export function feedPort(memory: PhysicalMemory, number: number, bytes: Uint8Array): number {
  const { i32, u8 } = memory;
  const port = portOf(memory, number);
  const written = i32[port + Port.IN_WRITTEN];
  const room = PORT_RING_BYTES - ((written - Atomics.load(i32, port + Port.IN_READ)) | 0);
  const taken = Math.min(bytes.length, room);
  const base = (port + Port.OUT_BYTES) * 4 + IN_OFFSET_BYTES;
  for (let i = 0; i < taken; i++) u8[base + ((written + i) & POSITION_MASK)] = bytes[i];
  // Before the bytes are there: a driver that has read them all may want more at once.
  Atomics.store(i32, port + Port.IN_WANTED, 0);
  Atomics.store(i32, port + Port.IN_WRITTEN, (written + taken) | 0);
  interrupt(memory, port);
  return taken;
}

/** Host: whether a driver has found no input since the host last looked, or sent some. */
export function takeWanted(memory: PhysicalMemory, number: number): boolean {
  return Atomics.exchange(memory.i32, portOf(memory, number) + Port.IN_WANTED, 0) === 1;
}

/** Host: says that no more input will come. */
export function closePort(memory: PhysicalMemory, number: number): void {
  const port = portOf(memory, number);
  Atomics.store(memory.i32, port + Port.IN_CLOSED, 1);
  interrupt(memory, port);
}

function interrupt(memory: PhysicalMemory, port: WordIndex): void {
  const vector = Atomics.load(memory.i32, port + Port.IRQ_VECTOR);
  if (vector !== 0) requestInterrupt(memory, memory.i32[port + Port.IRQ_CORE], vector);
}
