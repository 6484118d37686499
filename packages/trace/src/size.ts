/** How large trace rings are, and what one that is full does: what a machine's plan needs to know of them. */

export const RECORD_WORDS = 8;
export const BATCH_RECORDS = 64;
/** A batch is two KiB. */
export const BATCH_WORDS = BATCH_RECORDS * RECORD_WORDS;
const HEAD_WORDS = 128;

/** What a full ring does. */
export const enum TraceMode {
  /** The newest is kept. */
  OVERWRITE = 0,
  /** The oldest is kept, until the host has taken it. */
  STOP = 1,
}

/** Fewest and most KiB of one ring that is there. */
export const MIN_TRACE_KIB = 4;
export const MAX_TRACE_KIB = 65_536;

/** True for a size that a ring can have: none, or a power of two of KiB. */
export function isTraceSize(kib: number): boolean {
  if (kib === 0) return true;
  return Number.isInteger(kib) && kib >= MIN_TRACE_KIB && kib <= MAX_TRACE_KIB && (kib & (kib - 1)) === 0;
}

/** Words of one ring: its head, room to align the batches, and a batch more for what finds no room. */
export function traceRingWords(kib: number): number {
  return kib === 0 ? 0 : HEAD_WORDS + ((kib >> 1) + 2) * BATCH_WORDS;
}
