/**
 * What kernel objects answer: `call` on a capability to one, with the method's number in word 0.
 *
 * Arguments follow from word 1; the answer's words start at word 0. Slot arguments are indices into
 * the CNode that the method names; a window is that many consecutive empty slots.
 */

export const enum Method {
  // Untyped
  /** type, sizeBits, count, CNode handle, first slot. Needs WRITE. Answers 0. */
  UNTYPED_RETYPE = 0x10,
  /** Answers size and bytes left, all of them if no object made from it is left. */
  UNTYPED_INFO = 0x11,

  // CNode
  /** destination slot, source handle in the caller's CSpace, rights. Needs WRITE on the CNode. Answers the new handle. */
  CNODE_COPY = 0x20,
  /** destination slot, source handle, rights, badge (1 to 2^32 - 1). Answers the new handle. */
  CNODE_MINT = 0x21,
  /** slot. Answers 0. */
  CNODE_DELETE = 0x22,
  /** slot. Answers type, rights, badge, state, size in bits, handle, flags, nanoseconds until it expires (-1 is never). */
  CNODE_INSPECT = 0x23,
  /** destination slot, source handle in the caller's CSpace. The source is empty afterwards. Answers the new handle. */
  CNODE_MOVE = 0x24,
  /** handle of a capability in this CNode, which needs REVOKE. Answers 0 when nothing derived from it is left. */
  CNODE_REVOKE = 0x25,
  /** destination slot, source handle, handle of a Sealer with WRITE. Answers the handle of the sealed copy. */
  CNODE_SEAL = 0x26,
  /** destination slot, handle of a sealed capability, handle of its Sealer with READ. Answers the handle of the open copy. */
  CNODE_UNSEAL = 0x27,
  /** destination slot, source handle, rights, nanoseconds from now (1 to 2^53 - 1). Answers the handle of a copy that is dead by then. */
  CNODE_EXPIRE = 0x28,

  // Process
  /** CNode handle, image number, how many of the caller's thread numbers it gets, name (length in bytes, then packed words). */
  PROCESS_CONFIGURE = 0x30,
  /** capability handle in the caller's CSpace, rights. Answers 1 if the process holds that authority, else 0. Needs READ. */
  PROCESS_VERIFY = 0x31,
  /** Answers state, status, line, column, length of the fault text, then the text packed. */
  PROCESS_STATUS = 0x32,
  /** Ends the process: its threads, what it made from its own memory, what it held. Answers when all of it is gone. */
  PROCESS_KILL = 0x33,
  /** priority: from now on its threads give none above. A ceiling only comes down; a process starts with its maker's. */
  PROCESS_CEILING = 0x34,

  // Thread
  /** process handle, core, priority. */
  THREAD_CONFIGURE = 0x40,
  /** words for the thread's register file from word 1 on. */
  THREAD_START = 0x41,
  /** Ends the thread, whatever it does, on whatever core. Answers when it has stopped. */
  THREAD_DESTROY = 0x42,
  /** notification handle. */
  THREAD_BIND = 0x43,
  /** priority. */
  THREAD_PRIORITY = 0x44,
  /** Answers state, IPC state, core, priority, exit reason. */
  THREAD_STATUS = 0x45,

  // Monitor
  /** process or thread handle (READ), notification handle (SEND): its badge is signalled when the target has ended, once. */
  MONITOR_WATCH = 0x48,
  /** Answers 1 if the target has ended, then its `LifeState`, status, line and column. Needs READ. */
  MONITOR_STATUS = 0x49,

  // IrqHandler
  /** notification handle. */
  IRQ_BIND = 0x50,

  // IoPort: bytes to and from a serial device of the host
  /** byte count, then the bytes packed. Answers how many were taken. */
  PORT_WRITE = 0x60,
  /** Answers how many bytes (-1 at the end of the input), then the bytes packed. */
  PORT_READ = 0x61,

  // Debug
  /** Answers the machine's clock in nanoseconds. */
  DEBUG_CLOCK = 0x70,
  /** Answers bytes in use on this core's JavaScript heap. */
  DEBUG_HEAP = 0x71,
  /** byte count, then that much text packed, for the kernel's own log. */
  DEBUG_PRINT = 0x72,
  /** exit status: stops the machine. */
  DEBUG_HALT = 0x73,
  /** Answers cores, hardware threads, memory in MiB, the caller's core, the machine's seed. */
  DEBUG_MACHINE = 0x74,
  /** Blocks until one grace period has passed. Answers its number. */
  DEBUG_GRACE_PERIOD = 0x75,
  /** byte count, then text packed: stops the machine with a dump. */
  DEBUG_PANIC = 0x76,
  /** core. Answers its counters: safe points, context switches, grace periods passed, halts, messages in, messages out, bounces, incarnation. */
  DEBUG_CORE = 0x77,
  /** start time, kind, object, a, b, c: appends an event to this core's history. Answers 0, or `WOULD_BLOCK` while it is full. */
  DEBUG_RECORD = 0x78,
  /** core. Takes the oldest event of its history: answers 8 words (see `HistoryWord`), or `WOULD_BLOCK` if there is none. */
  DEBUG_HISTORY = 0x79,
  /** Prints the dump of the whole machine on the kernel's own line. */
  DEBUG_DUMP = 0x7a,
}

const METHOD_NAMES: Readonly<Record<number, string>> = Object.freeze({
  [Method.UNTYPED_RETYPE]: "untyped.retype",
  [Method.UNTYPED_INFO]: "untyped.info",
  [Method.CNODE_COPY]: "cnode.copy",
  [Method.CNODE_MINT]: "cnode.mint",
  [Method.CNODE_DELETE]: "cnode.delete",
  [Method.CNODE_INSPECT]: "cnode.inspect",
  [Method.CNODE_MOVE]: "cnode.move",
  [Method.CNODE_REVOKE]: "cnode.revoke",
  [Method.CNODE_SEAL]: "cnode.seal",
  [Method.CNODE_UNSEAL]: "cnode.unseal",
  [Method.CNODE_EXPIRE]: "cnode.expire",
  [Method.PROCESS_CONFIGURE]: "process.configure",
  [Method.PROCESS_VERIFY]: "process.verify",
  [Method.PROCESS_STATUS]: "process.status",
  [Method.PROCESS_KILL]: "process.kill",
  [Method.PROCESS_CEILING]: "process.ceiling",
  [Method.THREAD_CONFIGURE]: "thread.configure",
  [Method.THREAD_START]: "thread.start",
  [Method.THREAD_DESTROY]: "thread.destroy",
  [Method.THREAD_BIND]: "thread.bind",
  [Method.THREAD_PRIORITY]: "thread.priority",
  [Method.THREAD_STATUS]: "thread.status",
  [Method.MONITOR_WATCH]: "monitor.watch",
  [Method.MONITOR_STATUS]: "monitor.status",
  [Method.IRQ_BIND]: "irq.bind",
  [Method.PORT_WRITE]: "port.write",
  [Method.PORT_READ]: "port.read",
  [Method.DEBUG_CLOCK]: "debug.clock",
  [Method.DEBUG_HEAP]: "debug.heap",
  [Method.DEBUG_PRINT]: "debug.print",
  [Method.DEBUG_HALT]: "debug.halt",
  [Method.DEBUG_MACHINE]: "debug.machine",
  [Method.DEBUG_GRACE_PERIOD]: "debug.gracePeriod",
  [Method.DEBUG_PANIC]: "debug.panic",
  [Method.DEBUG_CORE]: "debug.core",
  [Method.DEBUG_RECORD]: "debug.record",
  [Method.DEBUG_HISTORY]: "debug.history",
  [Method.DEBUG_DUMP]: "debug.dump",
});

/** The name of a kernel object's method, for traces and messages. */
export function methodName(method: number): string {
  return METHOD_NAMES[method] ?? `method ${method}`;
}

/** One event of a history, as `DEBUG_RECORD` writes it and `DEBUG_HISTORY` answers it: words of a double each. */
export const enum HistoryWord {
  /** When the operation began, as its caller said, and when it was recorded: the machine's clock, in nanoseconds. */
  START_NS = 0,
  END_NS = 1,
  /** The thread's number times 64, plus its core. */
  THREAD = 2,
  KIND = 3,
  OBJECT = 4,
  A = 5,
  B = 6,
  C = 7,
  COUNT = 8,
}

/** How a process or thread stands, as `PROCESS_STATUS` and `THREAD_STATUS` answer it. */
export const enum LifeState {
  /** Made, not started. */
  NEW = 0,
  RUNNING = 1,
  /** Ended by itself; the status is its exit status. */
  EXITED = 2,
  /** Threw, broke a rule, or its core died. */
  FAULTED = 3,
  /** Destroyed by somebody. */
  KILLED = 4,
}

const LIFE_NAMES: readonly string[] = Object.freeze(["new", "running", "exited", "faulted", "killed"]);

/** The name of a life state. */
export function lifeName(state: number): string {
  return LIFE_NAMES[state] ?? `life ${state}`;
}
