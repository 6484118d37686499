/**
 * Capabilities as everybody sees them: rights, handles, and the 64-byte slot that holds one.
 */

/** What may be done with a capability. A derived one has a subset of its source's. */
export const enum Right {
  READ = 1,
  WRITE = 2,
  EXECUTE = 4,
  MAP = 8,
  SEND = 16,
  RECEIVE = 32,
  /** Delegation: the capability may be given away in a message. */
  GRANT = 64,
  REVOKE = 128,
  ALL = 255,
}

/** Life of a slot: EMPTY to RESERVED to LIVE to DEAD and, one grace period later, EMPTY again. */
export const enum SlotState {
  EMPTY = 0,
  RESERVED = 1,
  LIVE = 2,
  DEAD = 3,
}

/**
 * A capability slot: 16 words of 32 bits, one cache line, in a CNode. Offsets in words.
 *
 * Word 0 is stored last when a slot is published and is killed by one compare-and-swap; the others
 * change only under the tree lock, while nobody can see the slot LIVE. Readers load word 0
 * atomically, then the others plainly.
 */
export const enum Slot {
  /** State, type, rights, flags and size: see `SlotBits`. */
  STATE = 0,
  /** Raised each time the slot is emptied; the low half of every handle to it. */
  GENERATION = 1,
  /** The object, as the index of its first 32-bit word in physical memory (address / 4). */
  OBJECT = 2,
  /** 32 bits the minter chose; a receiver learns them from every message. For a reply: the call number. */
  BADGE = 3,
  /** Nanoseconds (a double in words 4 and 5) after which the capability is dead; 0 is never. */
  EXPIRY = 4,
  /** The sealer that closed it, or 0. */
  SEALER = 6,
  /** A frame's mapping: address space and page number. Of a FINALISING slot: the object's header. Of a BINDING: its kind in the second word. */
  MAPPED_SPACE = 7,
  MAPPED_PAGE = 8,
  /**
   * The derivation tree: slots as word indices, 0 is none. The children of a slot form a circle; PARENT is
   * kept in the first of them alone, so that a slot with any number of children moves or goes in one step.
   */
  PARENT = 9,
  FIRST_CHILD = 10,
  NEXT_SIBLING = 11,
  PREVIOUS_SIBLING = 12,
  /** Untyped: units of 64 bytes handed out so far. Others: the previous slot in the list that LINK is for. */
  WATERMARK = 13,
  /** Of a DEAD slot: the grace period after which it may be emptied. Untyped: that of its last child's death. */
  STAMP = 14,
  /**
   * Next slot in a list: minted badges whose descendants are gone (in their endpoint), capabilities that
   * expire (in the kernel's wheel). Untyped: how far its memory is on its way to be used again.
   */
  LINK = 15,
  /** Words in a slot. */
  WORDS = 16,
}

/** The fields of a slot's word 0: shifts and widths. */
export const enum SlotBits {
  STATE_MASK = 0x3,
  TYPE_SHIFT = 2,
  TYPE_MASK = 0xfc,
  RIGHTS_SHIFT = 8,
  RIGHTS_MASK = 0xff00,
  FLAGS_SHIFT = 16,
  FLAGS_MASK = 0xff0000,
  /** log2 of the object's size in bytes (untyped, CNode: of its slots). */
  SIZE_SHIFT = 24,
}

/** Flags in word 0. */
export const enum SlotFlag {
  SEALED = 0x10000,
  BADGED = 0x20000,
  EXPIRES = 0x40000,
  /** Made by a mint: its holder is told when its descendants are gone. */
  MINTED = 0x80000,
  /** Not in a CNode: lives in an object that lastingly uses the capability it was derived from. */
  BINDING = 0x100000,
  /** Of a DEAD slot: it held the last capability to a thread or process, which is being finalised. */
  FINALISING = 0x200000,
  /** A minted badge in its endpoint's list of those without descendants. */
  NO_SENDERS = 0x400000,
  /** Its expiry is earlier than its parent's: in the kernel's wheel. */
  TIMED = 0x800000,
}

const HANDLE_HIGH = 0x1_0000_0000;

/**
 * The number by which a guest names a slot: index times 2^32 plus the slot's generation, below 2^53.
 * A handle goes stale when its slot is emptied, so it can never name the slot's next tenant.
 */
export function makeHandle(index: number, generation: number): number {
  return index * HANDLE_HIGH + (generation >>> 0);
}

/** The slot index in a handle. */
export function handleIndex(handle: number): number {
  return Math.floor(handle / HANDLE_HIGH);
}

/** The generation in a handle, 0 to 2^32 - 1. */
export function handleGeneration(handle: number): number {
  return handle % HANDLE_HIGH;
}
