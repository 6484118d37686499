/**
 * The attention word: everything a core must look at, in one load.
 *
 * Writers (any core, the chipset, the host) OR bits in; the core alone takes them out, at its safe
 * point. HALTED is a bit of the same word: a core halts by compare-and-swap from 0, so a bit that
 * came before keeps it awake, and who sets a bit gets the old word back, so exactly the halted are
 * notified. There is no window in which a wake-up could be lost.
 */
import { CoreArea, coreArea } from "../memory/machine-map.js";
import type { PhysicalMemory, WordIndex } from "../memory/physical-memory.js";

export const enum Attention {
  /** A grace period was asked for. */
  GRACE = 1,
  /** A LAPIC has a deliverable interrupt. */
  INTERRUPT = 2,
  /** The watchdog wants a sign of life, or the host a turn. */
  POKE = 8,
  /** The TLB is to be flushed. */
  FLUSH = 16,
  /** Go offline, or leave: look at the power word. */
  POWER = 32,
  /** The watchdog is about to end this core: stop here until the bit is gone. Set and cleared by the chipset. */
  DOOMED = 64,
  NON_MASKABLE = 128,
  INIT = 256,
  STARTUP = 512,
  /**
   * The core's guest has run for long without a trap, so the kernel holds nothing there: as good as halted to who
   * asks for a grace period, but nobody has to wake it. Stored by the core itself, from 0 only; nobody else sets it.
   */
  QUIESCENT = 2048,
  /** Stored by the core itself, from 0 only; nobody else sets it. */
  HALTED = 1024,
  /**
   * The pending mask: sixteen bits for the rings to this core. A bit stands for one core, in a machine
   * of more than sixteen for a group of two to four neighbours.
   */
  RINGS = ~0xffff,
  /** What a safe point takes out and acts on. */
  TAKEN = GRACE | INTERRUPT | POKE | FLUSH | POWER | NON_MASKABLE | INIT | STARTUP | RINGS,
}

/** Where the pending mask begins in the word. */
export const RINGS_SHIFT = 16;

/** Cores that share a bit of the pending mask: 1, 2, 3 or 4. */
export function ringGroup(cores: number): number {
  return Math.ceil(cores / 16);
}

/** The word index of a core's attention word. */
export function attentionOf(memory: PhysicalMemory, core: number): WordIndex {
  return coreArea(memory, core) + CoreArea.ATTENTION;
}

/** Sets bits in a core's attention word and wakes it if it was halted; true if it was. */
export function raise(memory: PhysicalMemory, word: WordIndex, bits: number): boolean {
  // The old word decides: HALTED in it means that the core is in Atomics.wait or about to enter it,
  // where it will find the word changed.
  if ((Atomics.or(memory.i32, word, bits) & Attention.HALTED) === 0) return false;
  Atomics.notify(memory.i32, word);
  return true;
}

/**
 * Halts until a bit is set or `timeoutMs` (Infinity for none) is over. The core must hold no
 * reference and must treat its return as a request for every grace period: a requester that saw
 * the word equal to HALTED has already counted it as passed.
 */
export function halt(memory: PhysicalMemory, word: WordIndex, timeoutMs: number): void {
  const { i32 } = memory;
  if (!standAside(i32, word, Attention.HALTED)) return;
  Atomics.wait(i32, word, Attention.HALTED, timeoutMs);
  Atomics.and(i32, word, ~Attention.HALTED);
}

/**
 * Says that this core holds no reference for a while: it halts, or its guest is in a long run. False if the core is
 * wanted, and then it says nothing. From 0 only, so whatever came before is seen by the core and not skipped by
 * who asks for a grace period.
 */
export function standAside(
  i32: Int32Array,
  word: WordIndex,
  how: Attention.HALTED | Attention.QUIESCENT,
): boolean {
  return Atomics.compareExchange(i32, word, 0, how) === 0;
}
