/**
 * Trace rings: what happened, in shared memory, so that it outlives whoever wrote it.
 *
 * Each ring has one owner, which alone writes, without locks and without
 * allocation. Records are of eight words and stand in batches of 64. The first record of a batch has the
 * time, how many events were written before, and how many were lost; the others have their event in the
 * low byte of word 0 and the batch's number above it, which tells a record of this lap from one of the
 * last. Reading the clock costs as much as writing five records, so what stands between two times has
 * a time by its place among them.
 *
 * WRITTEN says how many records are whole: stored, atomically, at the end of each batch and before the
 * owner rests. Of an owner that died those behind it are found by their number.
 */
import { Frame } from "./event.js";
import { BATCH_WORDS, type TraceMode, traceRingWords } from "./size.js";

/** The rings of a machine: where they stand, one behind the other, and what is written to them. */
export interface TraceRings {
  /** The first word of the first ring. */
  readonly base: number;
  readonly count: number;
  /** KiB of each; 0 where there are none. */
  readonly kib: number;
  /** Groups of events that are written, a bit each. */
  readonly groups: number;
  readonly mode: TraceMode;
}

/** A ring's head: two lines, one a writer. */
export const enum TraceRing {
  /** Records that are whole, modulo 2^32; those of batches that were cut short count as well. */
  WRITTEN = 0,
  /** Line of its own: records that the host has taken. Looked at where a full ring stops its writer. */
  TAKEN = 16,
  BATCHES = 32,
}

/** The first record of a batch. */
export const enum BatchHead {
  /** Frame.BATCH and the batch's number. */
  TAG = 0,
  /** Double. */
  TIME_NS = 2,
  /** Doubles: events written before this batch, and events lost before it for want of room. */
  EVENTS = 4,
  LOST = 6,
}

/** Where the batch's number begins in word 0. */
export const TAG_SHIFT = 8;
/** Bytes that a TEXT record holds: word 1 says how many. */
export const TEXT_BYTES = 24;
/** Most bytes of one text. */
export const MAX_TEXT_BYTES = 224;

/** Where a ring stands. */
export function traceRing({ base, kib }: TraceRings, ring: number): number {
  return base + ring * traceRingWords(kib);
}

/** The first batch of a ring. */
export function traceBatches(ring: number): number {
  // Aligned, so that the place in a batch can be read off an address.
  return (ring + TraceRing.BATCHES + BATCH_WORDS - 1) & -BATCH_WORDS;
}

/** Batches of each ring. */
export function batchCount({ kib }: TraceRings): number {
  return kib >> 1;
}

/** Batches are counted modulo this, which every ring's size divides. */
export const BATCH_NUMBERS = 2 ** 26;

/** The tag of a record that belongs to a batch. */
export function tagOf(batch: number): number {
  // One more: memory that was never written is in no batch.
  return ((batch + 1) << TAG_SHIFT) | Frame.BATCH;
}
