/**
 * What the kernel gives to init, the first process: all authority there is.
 */

/** Slots of init's CSpace at its start. */
export const enum InitSlot {
  CNODE = 1,
  PROCESS = 2,
  THREAD = 3,
  DEBUG = 4,
  /** The store of boot modules, where the host loads images. */
  IMAGE_CONTROL = 5,
  /** Serial devices 0 to 4: UART, console, log, control, bridge. */
  IO_PORT = 6,
  /** Their interrupts. */
  IRQ_HANDLER = 11,
  /** All free memory, largest first. */
  UNTYPED = 16,
  /** The first slot after the untyped memory is at UNTYPED + the start message's count. */
  MAX_UNTYPED = 48,
  FIRST_FREE = 64,
}

/** log2 of the slots in init's CSpace. */
export const INIT_CNODE_BITS = 12;

/** Words of init's start message. */
export const enum InitWord {
  /** The generation of all of init's slots, for makeHandle. */
  GENERATION = 0,
  UNTYPED_COUNT = 1,
  CORES = 2,
  COUNT = 3,
}
