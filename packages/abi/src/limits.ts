/**
 * Every limit of the system on one screen.
 *
 * A limit is part of the interface: a guest may rely on it, a test names it, the kernel enforces it.
 */

/** Cores in one machine, 1 to this many. */
export const MAX_CORES = 64;

/** Physical memory in MiB: smallest, default, largest (4 GiB is the limit of 32-bit WebAssembly memory). */
export const MIN_MEMORY_MIB = 16;
export const DEFAULT_MEMORY_MIB = 256;
export const MAX_MEMORY_MIB = 4096;

/** Words in one message. A word is a double: any number, exact as an integer up to 2^53 - 1. */
export const MAX_MESSAGE_WORDS = 64;

/** Message words that fit in a ring line beside the header; longer messages go through the thread object. */
export const INLINE_MESSAGE_WORDS = 4;

/** Capabilities in one message. */
export const MAX_MESSAGE_CAPABILITIES = 4;

/** Thread priorities: 0 (lowest) to 255. */
export const PRIORITIES = 256;

/**
 * The highest that a process of the host's may give its threads: below every service, which it could shut out else.
 * A process with a higher ceiling is one of the system's.
 */
export const USER_CEILING = 149;

/** Bytes of untyped memory in one block, as a power of two. */
export const MIN_UNTYPED_BITS = 6;
export const MAX_UNTYPED_BITS = 31;

/** A page: 4 KiB, the smallest frame, as a power of two; and the largest frame, 1 GiB. */
export const PAGE_BITS = 12;
export const MAX_FRAME_BITS = 30;

/** The first address that no guest can name: the lower half of 48 bits is the guests'. */
export const USER_END = 2 ** 47;

/** Address spaces that can have mappings at one time: an x86_64 process-context identifier has 12 bits, and 0 is none. */
export const MAX_ADDRESS_SPACES = 4095;

/** Pages whose accessed and dirty bits are told at once. */
export const MAX_SAMPLED_PAGES = 64;

/** Slots in one CNode, as a power of two: 2 to 2^16. */
export const MIN_CNODE_BITS = 1;
export const MAX_CNODE_BITS = 16;

/**
 * Nanoseconds of the finest step in which a guest without the Debug capability can read time: when a capability
 * expires, and how long it has, are told in whole steps of the machine's clock.
 */
export const CLOCK_STEP_NS = 1_000_000;

/** Objects made by one retype. */
export const MAX_RETYPE_COUNT = 1024;

/** Bytes that fit in one message word without losing bits (48 of a double's 53). */
export const BYTES_PER_WORD = 6;

/** Bytes of a process's name and of a fault's text as the kernel keeps them. */
export const MAX_NAME_BYTES = 32;
export const MAX_FAULT_TEXT_BYTES = 192;

/** Callers of the code that faulted whose places the kernel keeps. */
export const MAX_FAULT_CALLERS = 15;
