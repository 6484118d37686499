/**
 * Traps: the numbers that a guest yields to the kernel, and its register file.
 *
 * A trap is one small integer: the operation in bits 0 to 7, the number of message words in bits 8 to
 * 15, the number of capabilities in bits 16 to 19. Everything else travels in the thread's register
 * file, a Float64Array over a small buffer of the thread's own: a guest can reach nothing else with it.
 */

export const enum Trap {
  /** Rendezvous: block until a receiver took the message. */
  SEND = 1,
  /** Block until a message comes. */
  RECV = 2,
  /** Send, then block for the answer. On a kernel object: an invocation (word 0 is the method). */
  CALL = 3,
  /** Answer the call received last. Never blocks. */
  REPLY = 4,
  /** `REPLY`, then `RECV`. */
  REPLY_RECV = 5,
  /** Send only if a receiver waits. */
  NB_SEND = 6,
  /** Receive only if a sender waits. */
  NB_RECV = 7,
  /** OR the capability's badge into a notification. */
  NOTIFY = 8,
  /** Block until a notification has bits; take them. */
  WAIT = 9,
  /** Take a notification's bits if it has any. */
  POLL = 10,
  /** Give the core to the next thread of the same priority. */
  YIELD = 11,
  /** Do nothing: the price of entering and leaving the kernel. */
  NULL = 12,
  /** End this thread; the answer register holds the exit status. */
  EXIT = 13,
  /** Move the reply to the call received last into an empty slot of one's own. */
  SAVE_REPLY = 14,
  /** What instrumented code yields when its core is wanted; not for guests to write, harmless if they do. */
  PREEMPTED = 15,
  /** A call to the process's fault handler, of what the kernel noted of the load or store that failed last. `CALL` and a bit. */
  FAULT = 0x13,
}

/** The words of a fault's message. */
export const enum FaultWord {
  /** A `Refusal`: 4 if nothing is mapped there, 5 if the mapping does not allow it. */
  REASON = 0,
  /** 1 for a store, 0 for a load. */
  IS_STORE = 1,
  ADDRESS = 2,
  /** Which thread of the process: 0 is its first. */
  THREAD_INDEX = 3,
  COUNT = 4,
}

/** Where the operands of a trap stand in a register file. */
export const enum Reg {
  /** 0 to 63: the message. */
  WORDS = 0,
  /** The invoked capability (a handle). */
  HANDLE = 64,
  /** Out: the badge of the capability that a received message came through, or the bits of a notification. */
  BADGE = 65,
  /** 66 to 69. In: handles to send along. Out: handles of the capabilities that arrived. */
  CAPABILITIES = 66,
  /** In: the first of the consecutive empty slots (an index) into which capabilities may be received; 0 is deaf. */
  RECEIVE_WINDOW = 70,
  /** In: how many slots the window has, 0 to 4. */
  RECEIVE_COUNT = 71,
  /** Out: how many capabilities arrived. */
  ARRIVED = 72,
  /** In: a second handle, for traps that name two capabilities (`REPLY` through a saved reply). */
  SECOND = 73,
  /** In: rights that the capabilities sent along lose on the way, 8 bits each, the first lowest. */
  DROPPED_RIGHTS = 74,
  /** In: which of them are moved instead of copied, a bit each, the first lowest. */
  MOVED = 75,
  /** Out: which of those that arrived are badges of the receiver's own endpoint instead of handles, a bit each. */
  UNWRAPPED = 76,
  /** Registers in a file; a multiple of a cache line. */
  COUNT = 80,
}

/** `BADGE` after a receive that a bound notification ended rather than a message. */
export const BADGE_IS_NOTIFICATION = 0x1_0000_0000;

/** Added to `BADGE` after a receive that brought no message: the slot minted with that badge has no descendants left. */
export const BADGE_HAS_NO_SENDERS = 0x2_0000_0000;

export const enum TrapShift {
  WORDS = 8,
  CAPABILITIES = 16,
}

/** True if a trap is a call, a guest's or its fault's: the thread waits for a reply. */
export function isCall(trap: number): boolean {
  return (trap & 0xff & ~(Trap.FAULT ^ Trap.CALL)) === Trap.CALL;
}

const TRAP_NAMES: readonly string[] = Object.freeze([
  "none",
  "send",
  "recv",
  "call",
  "reply",
  "replyRecv",
  "nbSend",
  "nbRecv",
  "notify",
  "wait",
  "poll",
  "yield",
  "null",
  "exit",
  "saveReply",
  "preempted",
  ...["trap 16", "trap 17", "trap 18"],
  "fault",
]);

/** The name of a trap by its operation bits, for dumps and traces. */
export function trapName(trap: number): string {
  return TRAP_NAMES[trap & 0xff] ?? `trap ${trap & 0xff}`;
}
