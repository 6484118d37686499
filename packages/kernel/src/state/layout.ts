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
  /** The unanswered call this thread received last: the caller's number (0 is none) and its call number. */
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
  /** The priority that it stands there with: the order of a queue must not change under it. See `requeue`. */
  QUEUE_PRIORITY = 24,
  /** Words and capabilities of the message it offers. */
  MESSAGE = 25,
  /** The home's grace epoch in which WAIT_SLOT was last known to be live. */
  WAIT_EPOCH = 28,
  /** In traces: the id of the message that it sent last. Written by its home core before the message is offered. */
  MESSAGE_ID = 29,
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
  /** Image to run: its process's. */
  IMAGE = 37,
  START_WORDS = 38,
  /** A `Restart`: what to do instead of resuming the guest. */
  RESTART = 39,
  /** The request that a cancellation in the outbox is about: its SEQUENCE. */
  CANCEL_SEQUENCE = 40,
  /** How far a trap of several phases has come, for its restart; 0 at its begin. With what it needs there. */
  PROGRESS = 41,
  PROGRESS_DETAIL = 42,
  /** Where it stood in its image when it faulted. */
  FAULT_LINE = 43,
  FAULT_COLUMN = 44,
  /** Nanoseconds of its quantum that it has not been charged for; 0 or less once it is over. See run-queue.ts. */
  QUANTUM_LEFT = 45,

  // line 3: whoever owes this thread an answer and found the ring full
  ANSWER_NEXT = 48,
  ANSWER_KIND = 49,
  ANSWER_STATUS = 50,
  ANSWER_NUMBER = 51,
  ANSWER_COUNT = 52,
  ANSWER_BADGE = 53,
  ANSWER_ARRIVED = 54,

  // line 5: constant once configured, read by any core: a line that hardly ever changes stays in all caches
  /** Dense number, the index of its context; 0 is none. */
  NUMBER = 80,
  HOME = 81,
  PROCESS = 84,
  /** Index within its process; 0 is the one whose end ends the process. */
  INDEX = 85,
  PRIORITY = 86,
  BOUND_NOTIFICATION = 87,
  /** A `LifeState`; read by others with Atomics. */
  LIFE = 88,
  EXIT_STATUS = 89,
  /** First of the monitors that watch it, and its neighbours in its process's list. Under the tree lock. */
  MONITORS = 90,
  PROCESS_NEXT = 91,
  PROCESS_PREVIOUS = 92,

  // line 4: capabilities of a message, four doubles: handles out, then handles in; how they travel
  CAPABILITIES = 64,
  DROPPED_RIGHTS = 72,
  MOVED = 73,

  // lines 6 and 7: slots, under the tree lock
  /** The bound notification's: see objects.ts. */
  BINDING = 96,
  HEADER = 112,

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

/** An endpoint: 128 bytes. Its first line is written by its home core alone, but for what the tree lock guards. */
export const enum Endpoint {
  /** Must be the first word of any object with a wait queue. */
  QUEUE_HEAD = 0,
  KIND = 1,
  /** Changed only by the home itself, to the core of a receiver that found the queue empty. */
  HOME = 2,
  /** Next in its home's list of queues to sweep (LAST_IN_LIST at the end, 0 is in none). Under the tree lock. */
  SWEEP_NEXT = 8,
  /** The queued thread that the sweep looks at next, 0 at its begin. */
  SWEEP_CURSOR = 9,
  /** First of the minted slots that have no descendants left. Changed under the tree lock. */
  NO_SENDERS = 10,
  HEADER = 16,
  SIZE = 32,
}

/** A notification: 128 bytes. */
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
  /** As an endpoint's. */
  SWEEP_NEXT = 8,
  SWEEP_CURSOR = 9,
  HEADER = 16,
  SIZE = 32,
}

/**
 * The slot in every object that can be finalised: where its capabilities are counted and, once the last
 * of them is gone, what stands in the derivation tree in its place until nothing of the object is left.
 * A word means what it means in `Slot`, or what is said here. All of it under the tree lock.
 */
export const enum ObjectHeader {
  /** EMPTY with type and size while the object lives, then DEAD. */
  STATE = 0,
  OBJECT = 2,
  /** Capabilities to the object. */
  REFERENCES = 3,
  /** The list of its reaper: next (LAST_IN_LIST at the end), and the core whose list it is in, plus one. */
  REAP_NEXT = 4,
  REAP_CORE = 5,
  /** `Reap` bits: what is to be done. */
  REAP_WORK = 6,
  /** How far it is. */
  CURSOR = 7,
  /** The FINALISING slot that held the last capability, 0 once it is gone itself. */
  LAST_SLOT = 8,
  /** Of a sealer: the number that it seals with. */
  BRAND = 13,
}

/** What a reaper is to do with an object. */
export const enum Reap {
  /** Nothing of it may be left. */
  FINALISE = 1,
  /** A thread: to be ended, whatever it does. A process: to be ended with its threads and emptied. */
  END = 2,
  /** Its monitors are to be told how it ended. */
  TELL = 4,
}

/** End of a list whose members are told by a link other than 0. */
export const LAST_IN_LIST = -1;

/** A process: 1024 bytes. */
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
  /** First of its threads that are not dead yet, and of the monitors that watch it. Under the tree lock. */
  FIRST_THREAD = 7,
  MONITORS = 8,
  NUMBER = 9,
  FAULT_LINE = 10,
  FAULT_COLUMN = 11,
  FAULT_BYTES = 12,
  NAME_BYTES = 13,
  /** The highest priority that its threads may give to any thread. */
  CEILING = 14,
  /** Thread numbers that it may still take or give to processes it makes. Under the tree lock. */
  THREADS_LEFT = 15,
  NAME = 16,
  /** The process that made it, which has its thread numbers back, and the tree of these. Under the tree lock. */
  PARENT = 24,
  FIRST_CHILD = 25,
  NEXT_SIBLING = 26,
  PREVIOUS_SIBLING = 27,
  /** A `Cleaning`: what is left of it after its end. Stored by its reaper. */
  CLEANING = 28,
  CLEANING_CURSOR = 29,
  FAULT_TEXT = 32,
  /** Slots: its image's, its CSpace's, and the header. */
  IMAGE_BINDING = 80,
  BINDING = 96,
  HEADER = 112,
  /** How many callers of what faulted are known, and of each its line and its column. */
  FAULT_CALLERS = 128,
  FAULT_CALLER_PLACES = 129,
  /** Slot: its address space's. */
  SPACE_BINDING = 160,
  /** Slot: the endpoint that its page faults go to. */
  FAULT_BINDING = 176,
  SIZE = 256,
}

/** What is left to do of a process that has ended. */
export const enum Cleaning {
  NONE = 0,
  /** Its threads are being ended. */
  THREADS = 1,
  /** What its CSpace holds is being deleted, if no other process has the same CSpace. */
  SLOTS = 2,
  DONE = 3,
}

/** A monitor: 256 bytes. Under the tree lock. */
export const enum Monitor {
  /** 1 once the target has ended; how it did follows. */
  ENDED = 0,
  LIFE = 1,
  STATUS = 2,
  LINE = 3,
  COLUMN = 4,
  /** Its neighbours in the target's list. */
  NEXT = 5,
  PREVIOUS = 6,
  /** The target's `ObjectType`. */
  TYPE = 7,
  /** Slots: the target's, the notification's, the header. */
  TARGET = 16,
  NOTIFICATION = 32,
  HEADER = 48,
  SIZE = 64,
}

/** An interrupt handler: 128 bytes, in the kernel's tables. */
export const enum IrqHandler {
  VECTOR = 0,
  PORT = 3,
  /** The slot of the notification it signals. */
  BINDING = 16,
  SIZE = 32,
}

/** An image: 128 bytes, in the kernel's tables, one for each place in the store of boot modules. See image.ts. */
export const enum Image {
  /** The place. Constant. */
  MODULE = 0,
  HEADER = 16,
  SIZE = 32,
}

/** An address space: 8 KiB, its page table of level 4 first. */
export const enum AddressSpace {
  /** 512 entries. The lower 256 are the guests', the others the kernel's, the same in all. */
  TABLE = 0,
  /** By which the buffers of the cores know it, 0 while it has none: see mapping.ts. Under the tree lock. */
  IDENTIFIER = 1024,
  /** Cores that have used it since it has the identifier, a bit each. Atomics, by each core for itself. */
  CORES_LOW = 1025,
  CORES_HIGH = 1026,
  /** The grace period that is to be over before no core uses what was taken away in it last, 0 for none. Under the tree lock. */
  STAMP = 1027,
  HEADER = 1040,
  SIZE = 2048,
}

/** What is known of an identifier of address spaces. Under the tree lock. */
export const enum Identifier {
  /** The address space that has it, 0 is none. */
  SPACE = 0,
  /** Raised each time that one loses it: a mapping that names an older one is of none. */
  GENERATION = 1,
  /** The grace period that is to be over before another has it. */
  STAMP = 2,
  SIZE = 4,
}

/** A CNode is an array of slots; slot 0 is its header and never holds a capability. */
export const enum CNode {
  HEADER = 0,
  /** In the header: processes whose CSpace it is. */
  PROCESSES = 13,
}

/** The kernel's words of frame 0, in the lines that hal leaves there for them: `BootInfo.TENANT`. */
export const enum KernelInfo {
  /** The number of the latest grace period asked for (Atomics.add by any core). */
  GRACE_REQUESTED = 80,
  /** Mappings that were taken away while other cores could have them (Atomics.add by any core). */
  UNMAPPINGS = 81,
  /** Line of its own: the lock that orders changes of capability slots and the derivation tree. */
  TREE_LOCK = 96,
  TREE_LOCK_TICKET = 97,
  /** Line of its own: where the kernel's tables stand. Written by the boot core before it starts others. */
  TABLES = 112,
  /** Line of its own: how many cores are not halted. Atomics.add by each core for itself. */
  AWAKE = 128,
}

/** The kernel's words of a core's area, in the lines that hal leaves there for them: `CoreArea.TENANT`. */
export const enum KernelCore {
  // beside the heartbeat, which counts safe points: written by this core alone
  SWITCHES = 50,
  HALTS = 51,
  MESSAGES_IN = 52,
  MESSAGES_OUT = 53,
  /** 1 between a commit's point of no return and its end: dying here is a panic, not a machine check. */
  COMMIT = 54,
  CURRENT_THREAD = 55,
  LAST_TRAP = 56,
  BOUNCES = 57,
  INTERRUPTS = 58,
  /** Times that the core took part in a grace period. */
  GRACE_EPOCH = 59,
  /** 1 while the core holds the tree lock: as COMMIT. */
  TREE_LOCKED = 60,
  /**
   * What the heartbeat was when the core turned to the kernel's work: while the two are equal it is not in a guest.
   * Nobody acts on it: it is for those who watch. One store a trap.
   */
  IN_KERNEL = 61,
  /**
   * Line of its own: grace periods. PASSED by the core, or on its behalf by a requester that saw it halted
   * (compare-and-swap, upward only).
   */
  GRACE_PASSED = 64,
  /** The lowest grace period that a thread of this core waits for, 0 is none. Written by the core. */
  GRACE_AWAITED = 65,
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
  /** Line of its own, under the tree lock: queues that this core is to sweep, objects that it is to reap. */
  SWEEP_HEAD = 272,
  REAP_HEAD = 273,
  REAP_TAIL = 274,
  /** The core alone: the queues it sweeps now, and the one it is in the middle of. */
  SWEEP_BATCH = 275,
  SWEEP_CURRENT = 276,
  /** The core alone: the object it reaps just now, which is in no list. */
  REAP_CURRENT = 277,
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
  /** Table: an image for each place in the store of boot modules. */
  IMAGES = 9,
  BOOT_STARTED_NS = 10,
  INIT_STARTED_NS = 12,
  NEXT_BRAND = 14,
  /** Table: where the call numbers of a thread number's next thread begin. */
  CALL_NUMBERS = 15,
  /** Table: an `Identifier` for each number from 0 on; the one that was given last; the kernel's table of level 4. */
  IDENTIFIERS = 37,
  LAST_IDENTIFIER = 38,
  KERNEL_SPACE = 39,
  /** The root of the derivation tree: a slot that nobody holds, parent of what the kernel gave to init. */
  ROOT = 16,
  /** Capabilities that expire: how many, and the time of the alarm (a double). Under the tree lock. */
  EXPIRING = 32,
  ALARM_NS = 34,
  /** How far its wheel has turned (a double). */
  WHEEL_TICK = 36,
  /** Lists of them by the time of their expiry: see expiry-wheel.ts. */
  EXPIRY_WHEEL = 256,
  SIZE = 1024,
}

/** Kinds of ring lines. What each says has a layout beside its handlers; all begin with a thread (a nudge with 0). */
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
  /** Look at a thread that may wait in a queue: its priority has changed. Carries no authority. */
  REQUEUE = 10,
}

/** Flags beside a line's kind. */
export const enum MessageFlag {
  KIND_MASK = 0xff,
  /** The words are in the thread object, not in the line. */
  IN_THREAD = 0x200,
  NON_BLOCKING = 0x400,
  /** The receiver or waiter was sent elsewhere before: it is queued where it comes to, and the home stays. */
  STAY = 0x800,
}

/** Statuses between cores that no guest sees. */
export const enum Internal {
  /** Start the trap again from its decode: the object moved, or there is room now. */
  RETRY = -1000,
  CANCELLED = -1001,
}
