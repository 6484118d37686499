/**
 * The local APIC of a core: registers in physical memory at the real part's offsets.
 *
 * Who writes: IRR bits are OR-ed by whoever sends the interrupt; ISR, TPR, SVR and the timer
 * registers by the owning core alone. The timer is watched from outside by the chipset while the core
 * runs and by the core itself while it is halted; who claims an expiry does so by one
 * compare-and-swap on TIMER_ARMED, so it fires once.
 *
 * Source of the behaviour: Intel SDM volume 3, chapter "Advanced Programmable Interrupt Controller".
 */

import { BootInfo, CoreArea, CoreState, coreArea } from "../memory/machine-map.js";
import type { PhysicalMemory, WordIndex } from "../memory/physical-memory.js";
import { Attention, raise } from "./attention.js";
import { nowNs } from "./clock.js";

/** Register offsets in words: the real byte offset / 4. */
export const enum Lapic {
  ID = 0x20 / 4,
  VERSION = 0x30 / 4,
  TPR = 0x80 / 4,
  PPR = 0xa0 / 4,
  EOI = 0xb0 / 4,
  SVR = 0xf0 / 4,
  /** Eight registers, 16 bytes apart. */
  ISR = 0x100 / 4,
  IRR = 0x200 / 4,
  ICR_LOW = 0x300 / 4,
  ICR_HIGH = 0x310 / 4,
  LVT_TIMER = 0x320 / 4,
  /** One-shot: nanoseconds to count down. */
  INITIAL_COUNT = 0x380 / 4,
  CURRENT_COUNT = 0x390 / 4,
  /** Ours, in reserved space. One-shot: raised at each arming, so that the chipset sees a new count. */
  TIMER_SEQUENCE = 0x3c0 / 4,
  /**
   * 0 while the timer rests, 1 while it counts down, below 0 while it waits for a deadline (each its own
   * number); an expiry is claimed by compare-and-swap from what was seen, so none but that one.
   */
  TIMER_ARMED = 0x3d0 / 4,
  /** Deadline mode: a double, nanoseconds of the machine's clock. */
  DEADLINE = 0x3f0 / 4,
}

export const LAPIC_VERSION = 0x50014;

export const enum Delivery {
  FIXED = 0x000,
  NON_MASKABLE = 0x400,
  INIT = 0x500,
  STARTUP = 0x600,
}

export const enum Shorthand {
  NONE = 0,
  SELF = 0x40000,
  ALL = 0x80000,
  ALL_BUT_SELF = 0xc0000,
}

export const enum LvtTimer {
  ONE_SHOT = 0,
  DEADLINE = 0x40000,
  MASKED = 0x10000,
}

const SVR_ENABLED = 0x100;
const DELIVERY_MASK = 0x700;
const SHORTHAND_MASK = 0xc0000;
const REGISTER_STRIDE = 4;

/** First word of a core's LAPIC page. */
export function lapicOf(memory: PhysicalMemory, core: number): WordIndex {
  return coreArea(memory, core) + CoreArea.LAPIC;
}

/** Puts a LAPIC into its state after reset or INIT: software-disabled, everything masked. */
export function resetLapic(memory: PhysicalMemory, core: number): void {
  const lapic = lapicOf(memory, core);
  for (let i = 0; i < 1024; i++) memory.i32[lapic + i] = 0;
  memory.i32[lapic + Lapic.ID] = core << 24;
  memory.i32[lapic + Lapic.VERSION] = LAPIC_VERSION;
  memory.i32[lapic + Lapic.SVR] = 0xff;
  memory.i32[lapic + Lapic.LVT_TIMER] = LvtTimer.MASKED;
}

/** Software-enables a LAPIC with a spurious vector (0x10 to 0xff). */
export function enableLapic(memory: PhysicalMemory, core: number, spuriousVector: number): void {
  memory.i32[lapicOf(memory, core) + Lapic.SVR] = SVR_ENABLED | spuriousVector;
}

/** Highest set vector of an 8-register bank, or -1. */
function highestVector(memory: PhysicalMemory, bank: WordIndex): number {
  for (let i = 7; i >= 0; i--) {
    const bits = Atomics.load(memory.i32, bank + i * REGISTER_STRIDE);
    if (bits !== 0) return i * 32 + 31 - Math.clz32(bits);
  }
  return -1;
}

/** The processor priority: the higher class of the task priority and of the interrupt in service. */
function processorPriority(memory: PhysicalMemory, lapic: WordIndex): number {
  const task = memory.i32[lapic + Lapic.TPR] & 0xff;
  const inService = highestVector(memory, lapic + Lapic.ISR);
  return inService >= 0 && inService >> 4 > task >> 4 ? inService & 0xf0 : task;
}

/** Sets the task priority: vectors whose class (bits 4 to 7) is not above it are held back. */
export function writeTaskPriority(memory: PhysicalMemory, core: number, priority: number): void {
  memory.i32[lapicOf(memory, core) + Lapic.TPR] = priority & 0xff;
  signalIfDeliverable(memory, core);
}

function signalIfDeliverable(memory: PhysicalMemory, core: number): void {
  const lapic = lapicOf(memory, core);
  const requested = highestVector(memory, lapic + Lapic.IRR);
  if (requested >= 0 && requested >> 4 > processorPriority(memory, lapic) >> 4) {
    raise(memory, coreArea(memory, core) + CoreArea.ATTENTION, Attention.INTERRUPT);
  }
}

/**
 * Takes the highest deliverable interrupt into service and answers its vector; -1 if there is none,
 * the spurious vector if the core is to be told that what it was called for is gone.
 */
export function acknowledgeInterrupt(memory: PhysicalMemory, core: number): number {
  const { i32 } = memory;
  const lapic = lapicOf(memory, core);
  if ((i32[lapic + Lapic.SVR] & SVR_ENABLED) === 0) return -1;
  const priority = processorPriority(memory, lapic);
  i32[lapic + Lapic.PPR] = priority;
  const vector = highestVector(memory, lapic + Lapic.IRR);
  if (vector < 0) return -1;
  if (vector >> 4 <= priority >> 4) return i32[lapic + Lapic.SVR] & 0xff;
  const register = (vector >> 5) * REGISTER_STRIDE;
  const bit = 1 << (vector & 31);
  Atomics.and(i32, lapic + Lapic.IRR + register, ~bit);
  i32[lapic + Lapic.ISR + register] |= bit;
  return vector;
}

/** End of interrupt: clears the highest vector in service. Another may now be deliverable. */
export function endOfInterrupt(memory: PhysicalMemory, core: number): void {
  const { i32 } = memory;
  const lapic = lapicOf(memory, core);
  const vector = highestVector(memory, lapic + Lapic.ISR);
  if (vector < 0) return;
  i32[lapic + Lapic.ISR + (vector >> 5) * REGISTER_STRIDE] &= ~(1 << (vector & 31));
  signalIfDeliverable(memory, core);
}

/**
 * Requests a fixed interrupt at a core, from any thread of the process (a core, the chipset, a
 * device of the host). Vectors 0 to 15 are reserved and ignored, as is a disabled LAPIC.
 */
export function requestInterrupt(memory: PhysicalMemory, core: number, vector: number): void {
  const lapic = lapicOf(memory, core);
  if (vector < 16 || vector > 255 || (memory.i32[lapic + Lapic.SVR] & SVR_ENABLED) === 0) return;
  Atomics.or(memory.i32, lapic + Lapic.IRR + (vector >> 5) * REGISTER_STRIDE, 1 << (vector & 31));
  // The target alone knows what is in service; it sorts out what is deliverable.
  raise(memory, coreArea(memory, core) + CoreArea.ATTENTION, Attention.INTERRUPT);
}

function deliver(memory: PhysicalMemory, core: number, low: number): void {
  const { i32 } = memory;
  const area = coreArea(memory, core);
  switch (low & DELIVERY_MASK) {
    case Delivery.FIXED:
      requestInterrupt(memory, core, low & 0xff);
      break;
    case Delivery.NON_MASKABLE:
      raise(memory, area + CoreArea.ATTENTION, Attention.NON_MASKABLE);
      break;
    case Delivery.INIT:
      // Only a core that waits for it: INIT to a running core would lose what it runs.
      if (
        Atomics.compareExchange(
          i32,
          area + CoreArea.STATE,
          CoreState.WAIT_FOR_INIT,
          CoreState.WAIT_FOR_STARTUP,
        ) === CoreState.WAIT_FOR_INIT
      ) {
        raise(memory, area + CoreArea.ATTENTION, Attention.INIT);
      }
      break;
    case Delivery.STARTUP:
      // As on the real part, a start-up interrupt to a core that does not wait for one is ignored.
      if (Atomics.load(i32, area + CoreArea.STATE) === CoreState.WAIT_FOR_STARTUP) {
        raise(memory, area + CoreArea.ATTENTION, Attention.STARTUP);
      }
      break;
    default:
      break;
  }
}

/** Writes the interrupt command register of `core`: `low` is vector, delivery mode and shorthand, `destination` a core. */
export function writeCommand(memory: PhysicalMemory, core: number, low: number, destination: number): void {
  const { i32 } = memory;
  const lapic = lapicOf(memory, core);
  const cores = i32[BootInfo.CORES];
  i32[lapic + Lapic.ICR_HIGH] = destination << 24;
  i32[lapic + Lapic.ICR_LOW] = low;
  const shorthand = low & SHORTHAND_MASK;
  if (shorthand === Shorthand.SELF) deliver(memory, core, low);
  else if (shorthand === Shorthand.NONE) {
    if (destination >= 0 && destination < cores) deliver(memory, destination, low);
  } else {
    for (let target = 0; target < cores; target++) {
      if (target !== core || shorthand === Shorthand.ALL) deliver(memory, target, low);
    }
  }
}

/**
 * Arms the one-shot timer to fire `vector` in `countNs` nanoseconds (up to 2^31 - 1). Costs no clock
 * read: the chipset stamps the start when it first sees the sequence number, within its tick.
 */
export function armOneShot(memory: PhysicalMemory, core: number, vector: number, countNs: number): void {
  const { i32 } = memory;
  const lapic = lapicOf(memory, core);
  // Nobody may claim the deadline by what is being written here. (A count that is replaced while it
  // expires may fire a tick early, in place of the new one, never not at all.)
  if (i32[lapic + Lapic.TIMER_ARMED] < 0) Atomics.store(i32, lapic + Lapic.TIMER_ARMED, 0);
  i32[lapic + Lapic.LVT_TIMER] = LvtTimer.ONE_SHOT | vector;
  i32[lapic + Lapic.INITIAL_COUNT] = countNs;
  i32[lapic + Lapic.TIMER_SEQUENCE]++;
  if (i32[lapic + Lapic.TIMER_ARMED] === 0) {
    Atomics.store(i32, lapic + Lapic.TIMER_ARMED, 1);
    wakeChipset(memory);
  }
}

/** Arms the timer to fire `vector` when the machine's clock reaches `deadlineNs`. */
export function armDeadline(memory: PhysicalMemory, core: number, vector: number, deadlineNs: number): void {
  const { i32, f64 } = memory;
  const lapic = lapicOf(memory, core);
  Atomics.store(i32, lapic + Lapic.TIMER_ARMED, 0);
  i32[lapic + Lapic.LVT_TIMER] = LvtTimer.DEADLINE | vector;
  f64[(lapic + Lapic.DEADLINE) >> 1] = deadlineNs;
  // A number of its own: who read the deadline before this one cannot claim this one.
  const number = i32[lapic + Lapic.TIMER_SEQUENCE] + 1;
  i32[lapic + Lapic.TIMER_SEQUENCE] = number;
  Atomics.store(i32, lapic + Lapic.TIMER_ARMED, number | -0x8000_0000);
  wakeChipset(memory);
}

/** Stops the timer. One that fired already stays requested. */
export function disarmTimer(memory: PhysicalMemory, core: number): void {
  Atomics.store(memory.i32, lapicOf(memory, core) + Lapic.TIMER_ARMED, 0);
}

/** Milliseconds until the core's deadline is due, for a halt; Infinity if none is armed. */
export function timeoutMs(memory: PhysicalMemory, core: number): number {
  const lapic = lapicOf(memory, core);
  if (Atomics.load(memory.i32, lapic + Lapic.TIMER_ARMED) === 0) return Number.POSITIVE_INFINITY;
  if ((memory.i32[lapic + Lapic.LVT_TIMER] & LvtTimer.DEADLINE) === 0) {
    return memory.i32[lapic + Lapic.INITIAL_COUNT] / 1e6;
  }
  return Math.max(0, (memory.f64[(lapic + Lapic.DEADLINE) >> 1] - nowNs()) / 1e6);
}

/** Fires the timer if its deadline is due; whoever calls first wins. True if this call fired it. */
export function fireIfDue(memory: PhysicalMemory, core: number, startedNs: number, now: number): boolean {
  const { i32, f64 } = memory;
  const lapic = lapicOf(memory, core);
  const armed = Atomics.load(i32, lapic + Lapic.TIMER_ARMED);
  if (armed === 0) return false;
  const lvt = i32[lapic + Lapic.LVT_TIMER];
  const due =
    (lvt & LvtTimer.DEADLINE) !== 0
      ? f64[(lapic + Lapic.DEADLINE) >> 1]
      : startedNs + i32[lapic + Lapic.INITIAL_COUNT];
  if (now < due) return false;
  if (Atomics.compareExchange(i32, lapic + Lapic.TIMER_ARMED, armed, 0) !== armed) return false;
  if ((lvt & LvtTimer.MASKED) === 0) requestInterrupt(memory, core, lvt & 0xff);
  return true;
}

/**
 * Has the chipset request the alarm's interrupt at the boot core when the machine's clock reaches `timeNs`
 * (within its tick); Infinity is never. One comparator, as of a high precision event timer: callers take turns.
 */
export function armAlarm(memory: PhysicalMemory, timeNs: number): void {
  memory.f64[BootInfo.ALARM_NS >> 1] = timeNs;
  wakeChipset(memory);
}

/** Wakes the chipset if it sleeps: a timer was armed or a core left its halt with work to watch. */
export function wakeChipset(memory: PhysicalMemory): void {
  const { i32 } = memory;
  if (Atomics.load(i32, BootInfo.CHIPSET_ASLEEP) === 0) return;
  Atomics.store(i32, BootInfo.CHIPSET_ASLEEP, 0);
  Atomics.notify(i32, BootInfo.CHIPSET_ASLEEP);
}
