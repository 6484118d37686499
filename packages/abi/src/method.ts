/**
 * The numbers of kernel objects' methods.
 *
 * made by scripts/methods.mjs from packages/abi/src/methods.ts
 */

export const enum Method {
  // Memory: what all objects are made from.

  /** type, sizeBits, count, into, first. Needs WRITE. Answers 0. */
  UNTYPED_RETYPE = 0x10,
  /** Answers sizeBytes, leftBytes. */
  UNTYPED_INFO = 0x11,

  // Tables of capability slots.

  /** slot, source, rights. Needs WRITE. Answers handle. */
  CNODE_COPY = 0x20,
  /** slot, source, rights, badge. Needs WRITE. Answers handle. */
  CNODE_MINT = 0x21,
  /** slot. Needs WRITE. Answers 0. */
  CNODE_DELETE = 0x22,
  /** slot. Needs READ. Answers type, rights, badge, state, sizeBits, handle, flags, expiresInNs. */
  CNODE_INSPECT = 0x23,
  /** slot, source. Needs WRITE. Answers handle. */
  CNODE_MOVE = 0x24,
  /** root. Needs WRITE. Answers 0. */
  CNODE_REVOKE = 0x25,
  /** slot, source, sealer. Needs WRITE. Answers handle. */
  CNODE_SEAL = 0x26,
  /** slot, source, sealer. Needs WRITE. Answers handle. */
  CNODE_UNSEAL = 0x27,
  /** slot, source, rights, forNs. Needs WRITE. Answers handle. */
  CNODE_EXPIRE = 0x28,

  // A CSpace, an image and threads.

  /** space, image, threads, name (its length, then packed). Needs WRITE. Answers 0. */
  PROCESS_CONFIGURE = 0x30,
  /** held, rights. Needs READ. Answers held. */
  PROCESS_VERIFY = 0x31,
  /** Needs READ. Answers state, status, line, column, fault. */
  PROCESS_STATUS = 0x32,
  /** Needs WRITE. Answers 0. */
  PROCESS_KILL = 0x33,
  /** priority. Needs WRITE. Answers 0. */
  PROCESS_CEILING = 0x34,
  /** Needs READ. Answers places. */
  PROCESS_CALLERS = 0x35,
  /** Needs READ. Answers number. */
  PROCESS_NUMBER = 0x36,
  /** memory. Needs WRITE. Answers 0. */
  PROCESS_USE = 0x37,
  /** handler. Needs WRITE. Answers 0. */
  PROCESS_FAULTS = 0x38,

  // Memory that can be mapped: 4 KiB to 1 GiB, aligned to its size.

  /** memory, address, rights. Needs MAP. Answers 0. */
  FRAME_MAP = 0x90,
  /** Needs MAP. Answers 0. */
  FRAME_UNMAP = 0x91,
  /** rights. Needs MAP. Answers 0. */
  FRAME_PROTECT = 0x92,
  /** Answers sizeBits, rights, address. */
  FRAME_INFO = 0x93,
  /** into, slot, sizeBits, offset. Needs GRANT. Answers handle. */
  FRAME_PART = 0x94,
  /** Needs WRITE. Answers 0. */
  FRAME_ZERO = 0x95,
  /** from. Needs WRITE. Answers 0. */
  FRAME_COPY = 0x96,

  // 512 entries of an address space, of one of its levels.

  /** memory, address. Needs MAP. Answers level. */
  PAGE_TABLE_MAP = 0x98,
  /** Needs MAP. Answers 0. */
  PAGE_TABLE_UNMAP = 0x99,

  // What addresses mean: a page table of level 4.

  /** address. Needs READ. Answers rights, pageBits, accessed, dirty. */
  ADDRESS_SPACE_QUERY = 0xa0,
  /** address, count, clear. Needs WRITE. Answers accessedLow, accessedHigh, dirtyLow, dirtyHigh. */
  ADDRESS_SPACE_SAMPLE = 0xa1,

  // What runs: a guest's `main`, on one core.

  /** process, core, priority. Needs WRITE. Answers 0. */
  THREAD_CONFIGURE = 0x40,
  /** startWords. Needs WRITE. Answers 0. */
  THREAD_START = 0x41,
  /** Needs WRITE. Answers 0. */
  THREAD_DESTROY = 0x42,
  /** notification. Needs WRITE. Answers 0. */
  THREAD_BIND = 0x43,
  /** priority. Needs WRITE. Answers 0. */
  THREAD_PRIORITY = 0x44,
  /** Needs READ. Answers state, ipcState, core, priority, exitReason. */
  THREAD_STATUS = 0x45,

  // Who wants to know of the end of a process or thread.

  /** target, notification. Needs WRITE. Answers 0. */
  MONITOR_WATCH = 0x48,
  /** Needs READ. Answers ended, state, status, line, column. */
  MONITOR_STATUS = 0x49,

  // What an interrupt signals.

  /** notification. Needs WRITE. Answers 0. */
  IRQ_BIND = 0x50,

  // Bytes to and from a serial device of the host.

  /** bytes (its length, then packed). Needs WRITE. Answers taken. */
  PORT_WRITE = 0x60,
  /** Needs READ. Answers bytes. */
  PORT_READ = 0x61,

  // The machine itself, for whoever holds the Debug capability.

  /** Answers nowNs. */
  DEBUG_CLOCK = 0x70,
  /** Answers usedBytes. */
  DEBUG_HEAP = 0x71,
  /** text (its length, then packed). Answers 0. */
  DEBUG_PRINT = 0x72,
  /** status. Answers 0. */
  DEBUG_HALT = 0x73,
  /** Answers cores, hardwareThreads, memoryMiB, core, seed. */
  DEBUG_MACHINE = 0x74,
  /** Answers number. */
  DEBUG_GRACE_PERIOD = 0x75,
  /** text (its length, then packed). Answers 0. */
  DEBUG_PANIC = 0x76,
  /**
   * core. Answers traps, contextSwitches, gracePeriods, halts, messagesIn, messagesOut, bounces,
   * incarnation.
   */
  DEBUG_CORE = 0x77,
  /** startNs, kind, object, a, b, c. Answers 0. */
  DEBUG_RECORD = 0x78,
  /** core. Answers startNs, endNs, thread, kind, object, a, b, c. */
  DEBUG_HISTORY = 0x79,
  /** Answers 0. */
  DEBUG_DUMP = 0x7a,

  // The store of boot modules, where the host loads images.

  /** number, into, slot. Needs WRITE. Answers handle. */
  IMAGE_CONTROL_TAKE = 0x80,
}
