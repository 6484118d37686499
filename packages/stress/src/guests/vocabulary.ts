/**
 * What the guests of the stress suite write into histories, and how they are told what to do.
 *
 * An event's OBJECT is the round times `IDS_PER_ROUND` plus the number of what it is about: capabilities
 * are numbered within their round, each time one is made, and never again. So a round is a history of its
 * own, and so is each capability in it.
 */

/** Scenarios, by the names that people call them, and what races in each. */
export const SCENARIOS = Object.freeze({
  "revoke-vs-call": "calls through copies of copies, and a revoke of the root",
  "revoke-vs-transfer":
    "capabilities that travel in messages and replies, and a revoke of where they come from",
  "revoke-vs-copy": "copies of copies made, used and deleted at random, and a revoke",
  "revoke-vs-retype": "objects made from memory that is revoked",
  "revoke-vs-revoke": "revokes of a root, its child and its grandchild, while others copy below",
  "revoke-vs-kill": "a process that is killed while what it holds is revoked",
  "revoke-vs-map": "a page that is mapped and written to on all cores, and a revoke of the frame",
  "revoke-in-flight": "three cores: one revokes while another sends copies to a third",
  "delete-last-two": "the last two capabilities of an object, or of a badge, deleted at once",
  "slot-reuse": "slots that change tenants while others use older handles to them",
  "queue-cancel": "senders that wait in one queue under badges that are revoked",
  "queue-order": "threads that wait in a queue while their priorities change",
  "core-storm": "threads that trap as fast as they can, and are destroyed",
} as const);

export type ScenarioName = keyof typeof SCENARIOS;

/** What was done. In each case B is the answer: zero or more, or an `Err`. */
export const enum Kind {
  /** Everything of the round has been recorded. OBJECT is the round's number 0, C how many operations it had. */
  ROUND_END = 1,
  /** OBJECT, a capability or a mapping, was made from capability number A; C is the badge it was minted with, or 0. */
  MAKE = 2,
  /** OBJECT was used; a mapping: to store. For a message A is its serial number, else 0; C is the badge that a call brought back. */
  USE = 3,
  /** Everything derived from OBJECT was revoked. */
  REVOKE = 4,
  /** OBJECT was deleted. */
  DELETE = 5,
  /** Message A was sent, and OBJECT with it, to arrive as number C: as a copy, or (MOVE) in its place. */
  SEND_COPY = 6,
  SEND_MOVE = 7,
  /** Message A came in, sent to make OBJECT: C is 0 if no capability came with it, else 1 plus the number of its source if the receiver was told. */
  ARRIVE = 8,
  /** A server got message A through OBJECT, as the message says; C is the badge as the kernel says. */
  DELIVER = 9,
  /** Process OBJECT was killed, or thread OBJECT destroyed. */
  KILL = 10,
  /** A receive said that nothing derived from OBJECT is left. */
  NO_SENDERS = 11,
  /** After the race: A is what should be, C what was found. */
  AUDIT = 12,
  /** Thread OBJECT did A things. */
  ACT = 13,
}

/** Numbers of things in one round. */
export const IDS_PER_ROUND = 0x1_0000;
/** Rounds of one guest: more than it can make. */
export const ROUNDS_PER_GUEST = 0x100_0000;

/** In every round: what the group holds and nobody revokes, and the capability that is revoked first. */
export const enum Id {
  ROUND = 0,
  ROOT = 1,
  /** From here on rounds number what they make. */
  FREE = 2,
}

/** Words of an order to a worker; the rest is its role's. */
export const enum Order {
  ROLE = 0,
  /** OBJECT of the round's number 0. */
  BASE = 1,
  SEED = 2,
  /** The first number that is its own to give, and behind it as many as it wants. */
  IDS = 3,
  /** What to signal after so many entries, or at the end if that comes first; 0 for nothing. */
  PACE = 4,
  PACE_ENTRIES = 5,
  REST = 6,
}

/** The role that ends a worker. */
export const ROLE_LEAVE = 0;
/** What a leader prints when all is as the race left it, and waits for a line. */
export const SETTLED = "settled";
