/**
 * Operations on shared memory as the explorer sees them, and which of them commute.
 */

/** What a core is about to do, or did, to a word of shared memory. */
export const enum Op {
  LOAD = 0,
  STORE = 1,
  ADD = 2,
  SUB = 3,
  AND = 4,
  OR = 5,
  XOR = 6,
  EXCHANGE = 7,
  COMPARE_EXCHANGE = 8,
  WAIT = 9,
  NOTIFY = 10,
  /** Plain accesses. */
  READ = 11,
  WRITE = 12,
  /** A core goes on after `Atomics.wait`: woken, or its time is over. */
  WAKE = 13,
  /** A core's program begins, up to its first access. */
  START = 14,
}

/** Beside an operation: its result is not used, so two of the same kind that only add to a word commute. */
export const UNUSED = 0x100;

export const OP_NAMES = [
  "load",
  "store",
  "add",
  "sub",
  "and",
  "or",
  "xor",
  "exchange",
  "compareExchange",
  "wait",
  "notify",
  "read",
  "write",
  "wake",
  "start",
] as const;
