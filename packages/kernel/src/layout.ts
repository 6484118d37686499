/**
 * Kernel objects in physical memory: every field, its offset in 32-bit words, and who may write it.
 *
 * "Home" is the core named in the object's HOME word. References are word indices; 0 is none. These
 * enums are the only description: code, dump and documentation read them.
 */

/** Run state of a thread. Written by its home core. */
export const enum ThreadState {
  /** Made or configured, not started. */
  INACTIVE = 0,
  READY = 1,
  RUNNING = 2,
  /** In the queue of an endpoint or notification that is at home on this core too. */
  QUEUED = 3,
  /** Its call was taken; it waits for the reply. */
  AWAITING_REPLY = 4,
  /** It asked another core, which owes exactly one answer. */
  REMOTE = 5,
  /** The ring to another core was full; the trap starts again when there is room. */
  RING_WAIT = 6,
  /** Waits for a grace period. */
  GRACE_WAIT = 7,
  /** Destroyed while REMOTE: its memory stays lent until the answer came. */
  DYING = 8,
  DEAD = 9,
}

/** What a chosen thread does before its guest goes on. */
export const enum Restart {
  NONE = 0,
  /** Dispatch the trap in its context again. */
  TRAP = 1,
  /** Make its guest from the image. */
  START = 2,
}

/** What a thread is queued as. Written by the home of the queue. */
export const enum Role {
  NONE = 0,
  SENDER = 1,
  CALLER = 2,
  RECEIVER = 3,
  WAITER = 4,
  /** Not queued: its call was delivered and a server elsewhere owes the reply. */
  REPLY_OWED = 5,
  /** The reply is being given: a server elsewhere writes into the thread until its line has come. */
  REPLYING = 6,
}

/** A thread: 1 KiB. */
export const enum Thread {
  // line 0: the home core; changes with every message
  STATE = 0,
  /** Raised at the end of each call: a reply that names an older call is stale. */
  CALL_NUMBER = 1,
  /** The unanswered call this thread received last: caller and its call number. */
  REPLY_TO = 2,
  REPLY_CALL = 3,
  /** While REMOTE: the core asked, and a number that tells its answer from older ones; raised by question and answer. */
  ASKED_CORE = 4,
  SEQUENCE = 5,

  // line 1: the home of the queue that the thread is in or was handed to
  QUEUE = 16,
  ROLE = 17,
  /** The slot it waits through, checked again at the instant of transfer. */
  WAIT_SLOT = 18,
  WAIT_GENERATION = 19,
  /** The wait queue's links: see wait-queue.ts. */
  SAME_NEXT = 20,
  SAME_PREVIOUS = 21,
  LEADER_NEXT = 22,
  LEADER_PREVIOUS = 23,
  /** The priority it was queued with: the order of a queue must not change under it. */
  QUEUE_PRIORITY = 24,
  /** Words and capabilities of the message it offers. */
  MESSAGE = 25,
  /** The home's grace epoch in which WAIT_SLOT was last known to be live. */
  WAIT_EPOCH = 28,
  /** Its receive window, for a receiver. */
  RECEIVE_WINDOW = 26,
  RECEIVE_COUNT = 27,

  // line 2: the home core
  RUN_NEXT = 32,
  RUN_PREVIOUS = 33,
  /** Next in the list of threads that wait for ring space or a grace period. */
  WAIT_NEXT = 34,
  GRACE_TARGET = 35,
  /** Next in the outbox of cancellations. */
  CANCEL_NEXT = 36,
  /** Image to run. */
  IMAGE = 37,
  START_WORDS = 38,
  /** A `Restart`: what to do instead of resuming the guest. */
  RESTART = 39,
  /** The request that a cancellation in the outbox is about: its SEQUENCE. */
  CANCEL_SEQUENCE = 40,
  /** The grace period that the thread asked for itself (DEBUG_GRACE_PERIOD), 0 is none. */
  GRACE_ASKED = 41,

  // line 3: whoever owes this thread an answer and found the ring full
  ANSWER_NEXT = 48,
  ANSWER_KIND = 49,
  ANSWER_STATUS = 50,
  ANSWER_EXTRA = 51,
  ANSWER_COUNT = 52,
  ANSWER_BADGE = 53,
  ANSWER_ARRIVED = 54,

  // line 5: constant once configured, read by any core: a line that hardly ever changes stays in all caches
  /** Dense number, the index of its context; 0 is none. */
  NUMBER = 80,
  HOME = 81,
  CSPACE = 82,
  CSPACE_SLOTS = 83,
  PROCESS = 84,
  /** Index within its process; 0 is the one whose end ends the process. */
  INDEX = 85,
  PRIORITY = 86,
  BOUND_NOTIFICATION = 87,
  /** A `LifeState`; read by others with Atomics. */
  LIFE = 88,
  EXIT_STATUS = 89,

  // line 4: capabilities of a message, four doubles: handles out, then handles in
  CAPABILITIES = 64,

  /** 64 doubles: a message longer than a ring line holds, or one that waits. */
  WORDS = 128,
  SIZE = 256,
}

/** What an endpoint's queue holds. */
export const enum QueueKind {
  EMPTY = 0,
  SENDERS = 1,
  RECEIVERS = 2,
}

/** An endpoint: 64 bytes, written by its home core alone. */
export const enum Endpoint {
  /** Must be the first word of any object with a wait queue. */
  QUEUE_HEAD = 0,
  KIND = 1,
  /** Changed only by the home itself, to the core of a receiver that found the queue empty. */
  HOME = 2,
  QUEUED = 3,
}

/** A notification: 64 bytes. */
export const enum Notification {
  QUEUE_HEAD = 0,
  /** Any core ORs, the home takes: the one word of an object that is not single-writer (see notification.ts). */
  BITS = 1,
  HOME = 2,
  /** 1 while a thread waits or is bound and receiving; stored by the home before it looks at BITS. */
  WAITING = 3,
  BOUND_THREAD = 4,
  /** Core plus one that has it in its nudge list; 0 is none. Compare-and-swap. */
  NUDGE_HOLDER = 5,
  NUDGE_NEXT = 6,
}

/** A process: 512 bytes. */
export const enum Process {
  /** A `LifeState`. From RUNNING on under the tree lock, after STATUS: the first end counts. */
  LIFE = 0,
  STATUS = 1,
  CSPACE = 2,
  CSPACE_SLOTS = 3,
  IMAGE = 4,
  /** Live threads. Atomics. */
  THREADS = 5,
  /** Threads ever configured: the next one's index. Atomics. */
  NEXT_INDEX = 6,
  WATCH_NOTIFICATION = 7,
  WATCH_BITS = 8,
  NUMBER = 9,
  FAULT_LINE = 10,
  FAULT_COLUMN = 11,
  FAULT_BYTES = 12,
  NAME_BYTES = 13,
  /** The highest priority that its threads may give to any thread. */
  CEILING = 14,
  NAME = 16,
  FAULT_TEXT = 32,
  SIZE = 128,
}

/** An interrupt handler: 64 bytes, in the kernel's tables. */
export const enum IrqHandler {
  VECTOR = 0,
  NOTIFICATION = 1,
  BITS = 2,
  PORT = 3,
  SIZE = 16,
}

/** A CNode is an array of slots; slot 0 is its header and never holds a capability. */
export const enum CNodeHeader {
  /** Word 0 stays 0 (EMPTY), so that a handle with index 0 never names anything. */
  BITS = 2,
}

/** One core's kernel state: a page. */
export const enum KernelArea {
  // the core alone
  READY_BITMAP = 0,
  READY_COUNT = 8,
  RING_WAIT_HEAD = 9,
  GRACE_WAIT_HEAD = 10,
  NUDGE_HEAD = 11,
  /** Answers that wait for ring space, by target core. */
  OUTBOX_HEAD = 64,
  OUTBOX_TAIL = 128,
  CANCEL_HEAD = 192,
  /** Line of its own: producers whose ring to this core was full (OR by them, taken by the core). */
  SPACE_WANTED = 256,
  /** 256 pairs of head and tail. */
  RUN_QUEUES = 512,
  SIZE = 1024,
}

/** The kernel's tables, behind the pointer in the boot information: header words. */
export const enum Tables {
  KERNEL_AREAS = 0,
  THREAD_TABLE = 1,
  THREAD_LIMIT = 2,
  THREAD_HINT = 3,
  /** Machine-wide start of new CNodes' generations. Under the tree lock. */
  NEXT_GENERATION = 4,
  NEXT_PROCESS = 5,
  IRQ_HANDLERS = 6,
  INIT_PROCESS = 7,
  /** Slots of the first process's CNode. */
  INIT_CSPACE = 8,
  BOOT_STARTED_NS = 10,
  INIT_STARTED_NS = 12,
  SIZE = 1024,
}

/** Kinds of ring lines. */
export const enum Message {
  /** A thread sends or calls. */
  SEND = 1,
  RECEIVE = 2,
  WAIT = 3,
  /** The answer to a call. */
  REPLY = 4,
  /** The answer to anything else a thread asked. */
  ANSWER = 5,
  CANCEL = 6,
  /** Run a thread method at the thread's home. */
  INVOKE = 7,
  /** Look at a notification: it has bits. Carries no authority. */
  NUDGE = 8,
  /** Move a notification's home. */
  REHOME = 9,
}

/** Flags beside a line's kind. */
export const enum MessageFlag {
  KIND_MASK = 0xff,
  CALL = 0x100,
  /** The words are in the thread object, not in the line. */
  IN_THREAD = 0x200,
  NON_BLOCKING = 0x400,
}

/** Statuses between cores that no guest sees. */
export const enum Internal {
  /** Start the trap again from its decode: the object moved, or there is room now. */
  RETRY = -1000,
  CANCELLED = -1001,
}
