/**
 * The errors of the system: what a trap answers when it did not do what was asked.
 *
 * A trap answers one number: zero or more on success (often a count of words), one of these when it
 * failed. A failed operation changed nothing. The groups say whose fault it was.
 */
export const enum Err {
  /** No error. */
  OK = 0,

  // the invoker's fault: the call itself is wrong
  /** The handle names no live capability: empty slot, stale generation, not a handle at all. */
  BAD_CAP = -1,
  /** The capability is of a type that does not know this operation. */
  BAD_TYPE = -2,
  /** The capability lacks a right that the operation needs. */
  DENIED = -3,
  /** An argument is outside its permitted range; word 0 and 1 of the answer are the range where one exists. */
  RANGE = -4,
  /** No such trap or method. */
  UNSUPPORTED = -5,
  /** The destination slot is not empty. */
  SLOT_OCCUPIED = -6,
  /** Reply without a call to answer. */
  NO_REPLY = -7,
  /** The capability is sealed: it can be carried, not used. */
  SEALED = -8,
  /** Something is mapped at the address. */
  MAPPED = -9,

  // the state of things, nobody's fault
  /** The object is in a state that does not allow it now (starting a thread twice). */
  BUSY = -16,
  /** A non-blocking operation would have had to block. */
  WOULD_BLOCK = -17,
  /** Not enough untyped memory; word 0 of the answer is what is left, in bytes. */
  NO_MEMORY = -18,
  /** A machine-wide table is full (thread numbers). */
  NO_RESOURCE = -19,
  /** A time limit passed first. */
  TIMEOUT = -20,
  /** No page table covers the address; word 0 of the answer is the level of the one that is missing, 3 to 1. */
  NO_TABLE = -21,

  // the other side's doing
  /** The capability, or the one it was derived from, was taken back. */
  REVOKED = -32,
  /** The thread on the other side ended before it answered. */
  PEER_DIED = -33,
  /** A name that is not registered, an image that does not exist. */
  NOT_FOUND = -34,
  /** The capability's time is over. */
  EXPIRED = -35,
}

const NAMES: Readonly<Record<number, string>> = Object.freeze({
  [Err.OK]: "OK",
  [Err.BAD_CAP]: "ERR_BAD_CAP",
  [Err.BAD_TYPE]: "ERR_BAD_TYPE",
  [Err.DENIED]: "ERR_DENIED",
  [Err.RANGE]: "ERR_RANGE",
  [Err.UNSUPPORTED]: "ERR_UNSUPPORTED",
  [Err.SLOT_OCCUPIED]: "ERR_SLOT_OCCUPIED",
  [Err.NO_REPLY]: "ERR_NO_REPLY",
  [Err.SEALED]: "ERR_SEALED",
  [Err.MAPPED]: "ERR_MAPPED",
  [Err.BUSY]: "ERR_BUSY",
  [Err.WOULD_BLOCK]: "ERR_WOULD_BLOCK",
  [Err.NO_MEMORY]: "ERR_NO_MEMORY",
  [Err.NO_RESOURCE]: "ERR_NO_RESOURCE",
  [Err.TIMEOUT]: "ERR_TIMEOUT",
  [Err.NO_TABLE]: "ERR_NO_TABLE",
  [Err.REVOKED]: "ERR_REVOKED",
  [Err.PEER_DIED]: "ERR_PEER_DIED",
  [Err.NOT_FOUND]: "ERR_NOT_FOUND",
  [Err.EXPIRED]: "ERR_EXPIRED",
});

/** Whose fault an error is. */
export type Blame = "none" | "invoker" | "state" | "peer";

/** The name of a trap's answer: `OK` for zero or more, `ERR_...` for an error, `ERR(-99)` for a number that is none. */
export function errorName(answer: number): string {
  if (answer >= 0) return "OK";
  return NAMES[answer] ?? `ERR(${answer})`;
}

/** Whose fault a trap's answer says it was. */
export function blameOf(answer: number): Blame {
  if (answer >= 0) return "none";
  if (answer > -16) return "invoker";
  return answer > -32 ? "state" : "peer";
}
