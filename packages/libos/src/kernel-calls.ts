/**
 * Kernel objects as functions: one generator for each method that an object answers.
 *
 * Each is one call on a capability, with the arguments named and the answer unpacked. It throws `IpcError` with the
 * kernel's code and what the kernel said besides; a failed invocation changed nothing. The receive window is closed:
 * kernel objects send no capabilities, and what pretends to be one gets no chance to.
 *
 * made by scripts/methods.mjs from packages/abi/src/methods.ts
 */
import {
  BYTES_PER_WORD,
  type LifeState,
  MAX_MESSAGE_WORDS,
  Method,
  type ObjectType,
  packBytes,
  type Sys,
  unpackBytes,
} from "@capos/abi";
import { argumentText, invoke } from "./invocation.js";
import type { Steps } from "./steps.js";
import { splitText, unpackText } from "./text.js";

/** Size and what is left of it, in bytes: all, if nothing made from it is left. */
export interface UntypedInfo {
  readonly sizeBytes: number;
  readonly leftBytes: number;
}

/** Memory: what all objects are made from. */
export const untyped = {
  /**
   * Makes `count` objects in consecutive empty slots of a CNode, from slot `first` on. Their handles are
   * not said: see CNode INSPECT. Needs WRITE.
   *
   * @param sizeBits log2 of the bytes (untyped) or slots (CNode), 0 for objects of one size
   */
  *retype(
    sys: Sys,
    handle: number,
    type: ObjectType,
    sizeBits: number,
    count: number,
    into: number,
    first: number,
  ): Steps<void> {
    const { words } = sys;
    words[1] = type;
    words[2] = sizeBits;
    words[3] = count;
    words[4] = into;
    words[5] = first;
    yield* invoke(sys, "retype", handle, Method.UNTYPED_RETYPE, 6);
  },

  /** Size and what is left of it, in bytes: all, if nothing made from it is left. */
  *info(sys: Sys, handle: number): Steps<UntypedInfo> {
    const { words } = sys;
    yield* invoke(sys, "untyped info", handle, Method.UNTYPED_INFO, 1);
    return {
      sizeBytes: words[0],
      leftBytes: words[1],
    };
  },
};

/** What a slot holds. Of one that is not live: its state and handle. */
export interface SlotInfo {
  readonly type: ObjectType;
  /** A set of `Right`. */
  readonly rights: number;
  readonly badge: number;
  /** One of `SlotState`. */
  readonly state: number;
  readonly sizeBits: number;
  readonly handle: number;
  /** A set of `SlotFlag`. */
  readonly flags: number;
  /** Until it is dead, in whole milliseconds. */
  readonly expiresInNs: number | null;
}

/** Tables of capability slots. */
export const cnode = {
  /**
   * Copies a capability of the invoker's into a slot of the CNode, with at most these rights. Needs WRITE.
   *
   * @returns of the new capability in that CNode
   */
  *copy(sys: Sys, handle: number, slot: number, source: number, rights: number): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    words[3] = rights;
    yield* invoke(sys, "copy", handle, Method.CNODE_COPY, 4);
    return words[0];
  },

  /**
   * Copies with a badge, which receivers learn from each message. Needs WRITE.
   *
   * @returns of the new capability in that CNode
   */
  *mint(
    sys: Sys,
    handle: number,
    slot: number,
    source: number,
    rights: number,
    badge: number,
  ): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    words[3] = rights;
    words[4] = badge;
    yield* invoke(sys, "mint", handle, Method.CNODE_MINT, 5);
    return words[0];
  },

  /**
   * Empties a slot, if it is not empty already. What was derived from its capability stays. The last
   * capability of a thread or process takes it along, and the answer comes when that has stopped. Needs
   * WRITE.
   */
  *delete(sys: Sys, handle: number, slot: number): Steps<void> {
    const { words } = sys;
    words[1] = slot;
    yield* invoke(sys, "delete", handle, Method.CNODE_DELETE, 2);
  },

  /** What a slot holds. Of one that is not live: its state and handle. Needs READ. */
  *inspect(sys: Sys, handle: number, slot: number): Steps<SlotInfo> {
    const { words } = sys;
    words[1] = slot;
    yield* invoke(sys, "inspect", handle, Method.CNODE_INSPECT, 2);
    return {
      type: words[0],
      rights: words[1],
      badge: words[2],
      state: words[3],
      sizeBits: words[4],
      handle: words[5],
      flags: words[6],
      expiresInNs: words[7] < 0 ? null : words[7],
    };
  },

  /**
   * Moves a capability of the invoker's into a slot of the CNode. What was derived from it stays derived
   * from it. Needs WRITE.
   *
   * @returns of the new capability in that CNode
   */
  *move(sys: Sys, handle: number, slot: number, source: number): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    yield* invoke(sys, "move", handle, Method.CNODE_MOVE, 3);
    return words[0];
  },

  /**
   * Ends everything that was derived from a capability in the CNode, on every core, and answers when
   * nothing can be done through any of it any more. The capability itself stays. Needs WRITE.
   *
   * @param root of a capability in this CNode, with REVOKE
   */
  *revoke(sys: Sys, handle: number, root: number): Steps<void> {
    const { words } = sys;
    words[1] = root;
    yield* invoke(sys, "revoke", handle, Method.CNODE_REVOKE, 2);
  },

  /**
   * A sealed copy: it can be carried, not used, until the holder of the same sealer opens it. Needs WRITE.
   *
   * @returns of the new capability in that CNode
   */
  *seal(sys: Sys, handle: number, slot: number, source: number, sealer: number): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    words[3] = sealer;
    yield* invoke(sys, "seal", handle, Method.CNODE_SEAL, 4);
    return words[0];
  },

  /**
   * An open copy of a sealed capability. Needs WRITE.
   *
   * @returns of the new capability in that CNode
   */
  *unseal(sys: Sys, handle: number, slot: number, source: number, sealer: number): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    words[3] = sealer;
    yield* invoke(sys, "unseal", handle, Method.CNODE_UNSEAL, 4);
    return words[0];
  },

  /**
   * A copy with at most these rights that is dead by then, and all its copies with it. Time goes in steps
   * of a millisecond here: one that is given less is dead at once. Needs WRITE.
   *
   * @param forNs nanoseconds from now
   * @returns of the new capability in that CNode
   */
  *expire(
    sys: Sys,
    handle: number,
    slot: number,
    source: number,
    rights: number,
    forNs: number,
  ): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    words[3] = rights;
    words[4] = forNs;
    yield* invoke(sys, "expire", handle, Method.CNODE_EXPIRE, 5);
    return words[0];
  },
};

/** How a process stands, or how it ended. */
export interface ProcessStatus {
  readonly state: LifeState;
  /** Its exit status. */
  readonly status: number;
  /** Where in its source a faulted process stood. */
  readonly line: number;
  readonly column: number;
  /** What the fault said. */
  readonly fault: string;
}

/** A CSpace, an image and threads. */
export const process = {
  /**
   * Gives the process its CSpace, its image, a name, and some of the invoker's thread numbers, which the
   * invoker has back when the process is gone. Needs WRITE.
   *
   * @param name at most 32 bytes
   * @param threads of the invoker's thread numbers
   */
  *configure(
    sys: Sys,
    handle: number,
    space: number,
    image: number,
    name: string,
    threads: number,
  ): Steps<void> {
    const { words } = sys;
    const count = argumentText(sys, 4, "process name", name, 32);
    words[1] = space;
    words[2] = image;
    words[3] = threads;
    yield* invoke(sys, "configure process", handle, Method.PROCESS_CONFIGURE, count);
  },

  /**
   * Whether the process holds a capability to the object that one of the invoker's names, with these rights
   * and the same badge. Needs READ.
   */
  *verify(sys: Sys, handle: number, held: number, rights: number): Steps<boolean> {
    const { words } = sys;
    words[1] = held;
    words[2] = rights;
    yield* invoke(sys, "verify", handle, Method.PROCESS_VERIFY, 3);
    return words[0] === 1;
  },

  /** How a process stands, or how it ended. Needs READ. */
  *status(sys: Sys, handle: number): Steps<ProcessStatus> {
    const { words } = sys;
    yield* invoke(sys, "process status", handle, Method.PROCESS_STATUS, 1);
    return {
      state: words[0],
      status: words[1],
      line: words[2],
      column: words[3],
      fault: unpackText(words, 5, Math.min(words[4], (MAX_MESSAGE_WORDS - 5) * BYTES_PER_WORD)),
    };
  },

  /**
   * Ends the process and answers when it is gone: its threads, all that was made from its own untyped
   * memory, wherever it is, and what it held. What it passed on stays. Needs WRITE.
   */
  *kill(sys: Sys, handle: number): Steps<void> {
    yield* invoke(sys, "kill process", handle, Method.PROCESS_KILL, 1);
  },

  /**
   * From now on its threads give no priority above this one. It only comes down; a process starts with its
   * maker's. Needs WRITE.
   */
  *ceiling(sys: Sys, handle: number, priority: number): Steps<void> {
    const { words } = sys;
    words[1] = priority;
    yield* invoke(sys, "ceiling", handle, Method.PROCESS_CEILING, 2);
  },

  /**
   * Where in its source the callers stood of what faulted in the process, the innermost first, up to 15.
   * Needs READ.
   *
   * @returns line and column of each, as integers of 32 bits, the least byte first
   */
  *callers(sys: Sys, handle: number): Steps<number[] | null> {
    const { words } = sys;
    yield* invoke(sys, "process callers", handle, Method.PROCESS_CALLERS, 1);
    if (words[0] < 0) return null;
    const bytes: number[] = [];
    unpackBytes(words, 1, Math.min(words[0], (MAX_MESSAGE_WORDS - 1) * BYTES_PER_WORD), bytes, 0);
    return bytes;
  },

  /** By which number people know the process; no other process of the machine ever has it. Needs READ. */
  *number(sys: Sys, handle: number): Steps<number> {
    const { words } = sys;
    yield* invoke(sys, "process number", handle, Method.PROCESS_NUMBER, 1);
    return words[0];
  },

  /**
   * Gives the process its address space, for as long as the capability lasts: what its threads' loads and
   * stores name. Needs WRITE.
   */
  *use(sys: Sys, handle: number, memory: number): Steps<void> {
    const { words } = sys;
    words[1] = memory;
    yield* invoke(sys, "use address space", handle, Method.PROCESS_USE, 2);
  },

  /**
   * Has the process's page faults go to an endpoint, for as long as the capability lasts: see `FaultWord`
   * for the message. An answer whose first word is 0 has the guest try again. Needs WRITE.
   */
  *faults(sys: Sys, handle: number, handler: number): Steps<void> {
    const { words } = sys;
    words[1] = handler;
    yield* invoke(sys, "fault handler", handle, Method.PROCESS_FAULTS, 2);
  },
};

/** The frame's size, and where it is mapped. */
export interface FrameInfo {
  readonly sizeBits: number;
  /** Of the mapping, a set of `Right`; 0 if it is not mapped. */
  readonly rights: number;
  readonly address: number | null;
}

/** Memory that can be mapped: 4 KiB to 1 GiB, aligned to its size. */
export const frame = {
  /**
   * Maps the frame in an address space, with the largest pages that fit. The mapping is the capability's:
   * it goes where that goes, and ends with it. A copy can be mapped elsewhere. Needs MAP.
   */
  *map(sys: Sys, handle: number, memory: number, address: number, rights: number): Steps<void> {
    const { words } = sys;
    words[1] = memory;
    words[2] = address;
    words[3] = rights;
    yield* invoke(sys, "map frame", handle, Method.FRAME_MAP, 4);
  },

  /** Ends the mapping, if there is one, and answers when no core uses it any more. Needs MAP. */
  *unmap(sys: Sys, handle: number): Steps<void> {
    yield* invoke(sys, "unmap frame", handle, Method.FRAME_UNMAP, 1);
  },

  /** Changes what the mapping allows. If that is less, answers when no core has more. Needs MAP. */
  *protect(sys: Sys, handle: number, rights: number): Steps<void> {
    const { words } = sys;
    words[1] = rights;
    yield* invoke(sys, "protect frame", handle, Method.FRAME_PROTECT, 2);
  },

  /** The frame's size, and where it is mapped. */
  *info(sys: Sys, handle: number): Steps<FrameInfo> {
    const { words } = sys;
    yield* invoke(sys, "frame info", handle, Method.FRAME_INFO, 1);
    return {
      sizeBits: words[0],
      rights: words[1],
      address: words[2] < 0 ? null : words[2],
    };
  },

  /**
   * Derives a capability to a part of the frame. Needs GRANT.
   *
   * @returns of the new capability in that CNode
   */
  *part(
    sys: Sys,
    handle: number,
    into: number,
    slot: number,
    sizeBits: number,
    offset: number,
  ): Steps<number> {
    const { words } = sys;
    words[1] = into;
    words[2] = slot;
    words[3] = sizeBits;
    words[4] = offset;
    yield* invoke(sys, "part of frame", handle, Method.FRAME_PART, 5);
    return words[0];
  },

  /** Fills the frame with zeros. Needs WRITE. */
  *zero(sys: Sys, handle: number): Steps<void> {
    yield* invoke(sys, "zero frame", handle, Method.FRAME_ZERO, 1);
  },

  /** Copies the contents of another frame of the same size into this one. Needs WRITE. */
  *copy(sys: Sys, handle: number, from: number): Steps<void> {
    const { words } = sys;
    words[1] = from;
    yield* invoke(sys, "copy frame", handle, Method.FRAME_COPY, 2);
  },
};

/** 512 entries of an address space, of one of its levels. */
export const pageTable = {
  /**
   * Puts the table where one is missing for an address, the highest level first. Needs MAP.
   *
   * @returns 3, 2 or 1: of 512 GiB, 1 GiB or 2 MiB
   */
  *map(sys: Sys, handle: number, memory: number, address: number): Steps<number> {
    const { words } = sys;
    words[1] = memory;
    words[2] = address;
    yield* invoke(sys, "map page table", handle, Method.PAGE_TABLE_MAP, 3);
    return words[0];
  },

  /**
   * Takes the table from its place, and all that is mapped through it; answers when no core uses any of
   * that. It can be put somewhere again when it is empty: the mappings that are gone have to be unmapped.
   * Needs MAP.
   */
  *unmap(sys: Sys, handle: number): Steps<void> {
    yield* invoke(sys, "unmap page table", handle, Method.PAGE_TABLE_UNMAP, 1);
  },
};

/** What is mapped at an address. */
export interface PageInfo {
  /** A set of `Right`; 0 if nothing is mapped. */
  readonly rights: number;
  /** Log2 of the page's bytes; of the region without a table, if nothing is mapped. */
  readonly pageBits: number;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

/**
 * Which of up to 64 pages were read and written since these bits were cleared last, and clears them, if
 * told, before it answers: what is written after that is marked anew.
 */
export interface PageSample {
  /** A bit for each of the first 32 pages, from the address on. */
  readonly accessedLow: number;
  readonly accessedHigh: number;
  readonly dirtyLow: number;
  readonly dirtyHigh: number;
}

/** What addresses mean: a page table of level 4. */
export const addressSpace = {
  /** What is mapped at an address. Needs READ. */
  *query(sys: Sys, handle: number, address: number): Steps<PageInfo> {
    const { words } = sys;
    words[1] = address;
    yield* invoke(sys, "query page", handle, Method.ADDRESS_SPACE_QUERY, 2);
    return {
      rights: words[0],
      pageBits: words[1],
      accessed: words[2] === 1,
      dirty: words[3] === 1,
    };
  },

  /**
   * Which of up to 64 pages were read and written since these bits were cleared last, and clears them, if
   * told, before it answers: what is written after that is marked anew. Needs WRITE.
   */
  *sample(sys: Sys, handle: number, address: number, count: number, clear: number): Steps<PageSample> {
    const { words } = sys;
    words[1] = address;
    words[2] = count;
    words[3] = clear;
    yield* invoke(sys, "sample pages", handle, Method.ADDRESS_SPACE_SAMPLE, 4);
    return {
      accessedLow: words[0],
      accessedHigh: words[1],
      dirtyLow: words[2],
      dirtyHigh: words[3],
    };
  },
};

/** How a thread stands. */
export interface ThreadStatus {
  readonly state: LifeState;
  /** What it waits for, as the kernel numbers it. */
  readonly ipcState: number;
  readonly core: number;
  readonly priority: number;
  /** Its exit status. */
  readonly exitReason: number;
}

/** Words that startWords has at most: the message's first is the method. */
export const MAX_START_WORDS = 63;

/** What runs: a guest's `main`, on one core. */
export const thread = {
  /** Puts a thread into a process, on a core, with a priority from 0 to 255. Needs WRITE. */
  *configure(sys: Sys, handle: number, process: number, core: number, priority: number): Steps<void> {
    const { words } = sys;
    words[1] = process;
    words[2] = core;
    words[3] = priority;
    yield* invoke(sys, "configure thread", handle, Method.THREAD_CONFIGURE, 4);
  },

  /**
   * Starts the thread; its `main` finds the words in its register file. Needs WRITE.
   *
   * @param startWords for its register file
   */
  *start(sys: Sys, handle: number, startWords: readonly number[]): Steps<void> {
    const { words } = sys;
    const { length } = startWords;
    if (length > MAX_START_WORDS)
      throw new RangeError(`start: ${length} words, the limit is ${MAX_START_WORDS}`);
    for (let i = 0; i < length; i++) words[1 + i] = startWords[i];
    yield* invoke(sys, "start", handle, Method.THREAD_START, 1 + length);
  },

  /** Ends the thread, whatever it does, on whatever core, and answers when it has stopped. Needs WRITE. */
  *destroy(sys: Sys, handle: number): Steps<void> {
    yield* invoke(sys, "destroy thread", handle, Method.THREAD_DESTROY, 1);
  },

  /** Binds a notification: it ends the thread's waits for messages too. Needs WRITE. */
  *bind(sys: Sys, handle: number, notification: number): Steps<void> {
    const { words } = sys;
    words[1] = notification;
    yield* invoke(sys, "bind notification", handle, Method.THREAD_BIND, 2);
  },

  /**
   * Sets the priority. One who waits in a queue, or for the core, goes to the end of that priority, and the
   * answer comes when it stands there. Needs WRITE.
   */
  *priority(sys: Sys, handle: number, priority: number): Steps<void> {
    const { words } = sys;
    words[1] = priority;
    yield* invoke(sys, "set priority", handle, Method.THREAD_PRIORITY, 2);
  },

  /** How a thread stands. Needs READ. */
  *status(sys: Sys, handle: number): Steps<ThreadStatus> {
    const { words } = sys;
    yield* invoke(sys, "thread status", handle, Method.THREAD_STATUS, 1);
    return {
      state: words[0],
      ipcState: words[1],
      core: words[2],
      priority: words[3],
      exitReason: words[4],
    };
  },
};

/** How the target ended; as running, if the capability it was watched by was taken back. */
export interface MonitorStatus {
  /** The watch is over. */
  readonly ended: boolean;
  readonly state: LifeState;
  readonly status: number;
  readonly line: number;
  readonly column: number;
}

/** Who wants to know of the end of a process or thread. */
export const monitor = {
  /**
   * Has the notification signalled, with the badge of its capability, when the target has ended, at once if
   * it has. Once; then it can watch another. Needs WRITE.
   */
  *watch(sys: Sys, handle: number, target: number, notification: number): Steps<void> {
    const { words } = sys;
    words[1] = target;
    words[2] = notification;
    yield* invoke(sys, "monitor", handle, Method.MONITOR_WATCH, 3);
  },

  /** How the target ended; as running, if the capability it was watched by was taken back. Needs READ. */
  *status(sys: Sys, handle: number): Steps<MonitorStatus> {
    const { words } = sys;
    yield* invoke(sys, "monitor status", handle, Method.MONITOR_STATUS, 1);
    return {
      ended: words[0] === 1,
      state: words[1],
      status: words[2],
      line: words[3],
      column: words[4],
    };
  },
};

/** What an interrupt signals. */
export const irq = {
  /**
   * Has the interrupt signal a notification from now on, in place of the one before. Nothing has to be
   * acknowledged. Needs WRITE.
   */
  *bind(sys: Sys, handle: number, notification: number): Steps<void> {
    const { words } = sys;
    words[1] = notification;
    yield* invoke(sys, "bind interrupt", handle, Method.IRQ_BIND, 2);
  },
};

/** Bytes to and from a serial device of the host. */
export const port = {
  /** The most bytes that one `write` takes. */
  MAX_BYTES: 372,

  /**
   * Writes bytes. The device may take fewer. Needs WRITE.
   *
   * @returns how many bytes the device took
   */
  *write(sys: Sys, handle: number, bytes: readonly number[], from = 0, to = bytes.length): Steps<number> {
    const { words } = sys;
    const end = Math.min(to, from + 372);
    words[1] = end - from;
    const packed = packBytes(words, 2, bytes, from, end);
    yield* invoke(sys, "write port", handle, Method.PORT_WRITE, 2 + packed);
    return words[0];
  },

  /**
   * Takes the bytes that have come, none if none have. Needs READ.
   *
   * @returns -1, or null in the library, at the end of the input
   */
  *read(sys: Sys, handle: number): Steps<number[] | null> {
    const { words } = sys;
    yield* invoke(sys, "read port", handle, Method.PORT_READ, 1);
    if (words[0] < 0) return null;
    const bytes: number[] = [];
    unpackBytes(words, 1, Math.min(words[0], (MAX_MESSAGE_WORDS - 1) * BYTES_PER_WORD), bytes, 0);
    return bytes;
  },
};

/** What the machine is made of. */
export interface Machine {
  readonly cores: number;
  readonly hardwareThreads: number;
  readonly memoryMiB: number;
  /** The one that the invoker runs on. */
  readonly core: number;
  readonly seed: number;
}

/** What one core has done since the machine started. */
export interface CoreCounters {
  /** Safe points. */
  readonly traps: number;
  readonly contextSwitches: number;
  readonly gracePeriods: number;
  readonly halts: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bounces: number;
  readonly incarnation: number;
}

/** Takes the oldest event of a core's history: see `HistoryWord`. */
export interface HistoryEvent {
  readonly startNs: number;
  readonly endNs: number;
  /** Its number times 64, plus its core. */
  readonly thread: number;
  readonly kind: number;
  readonly object: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** The machine itself, for whoever holds the Debug capability. */
export const debug = {
  /** The machine's clock, in nanoseconds. */
  *clock(sys: Sys, handle: number): Steps<number> {
    const { words } = sys;
    yield* invoke(sys, "clock", handle, Method.DEBUG_CLOCK, 1);
    return words[0];
  },

  /** Bytes in use on this core's JavaScript heap. */
  *heap(sys: Sys, handle: number): Steps<number> {
    const { words } = sys;
    yield* invoke(sys, "heap", handle, Method.DEBUG_HEAP, 1);
    return words[0];
  },

  /**
   * Writes a text to the kernel's own log, a longer one as several records.
   *
   * @param text of any length
   */
  *print(sys: Sys, handle: number, text: string): Steps<void> {
    for (const part of splitText(text, 372)) {
      const count = argumentText(sys, 1, "debug text", part, 372);
      yield* invoke(sys, "print", handle, Method.DEBUG_PRINT, count);
    }
  },

  /** Stops the machine; its process exits with the status. */
  *halt(sys: Sys, handle: number, status: number): Steps<void> {
    const { words } = sys;
    words[1] = status;
    yield* invoke(sys, "halt", handle, Method.DEBUG_HALT, 2);
  },

  /** What the machine is made of. */
  *machine(sys: Sys, handle: number): Steps<Machine> {
    const { words } = sys;
    yield* invoke(sys, "machine", handle, Method.DEBUG_MACHINE, 1);
    return {
      cores: words[0],
      hardwareThreads: words[1],
      memoryMiB: words[2],
      core: words[3],
      seed: words[4],
    };
  },

  /** Blocks until one grace period has passed; answers its number. */
  *gracePeriod(sys: Sys, handle: number): Steps<number> {
    const { words } = sys;
    yield* invoke(sys, "grace period", handle, Method.DEBUG_GRACE_PERIOD, 1);
    return words[0];
  },

  /**
   * Stops the machine with a dump.
   *
   * @param text cut behind 372 bytes
   */
  *panic(sys: Sys, handle: number, text: string): Steps<void> {
    const count = argumentText(sys, 1, "debug text", splitText(text, 372)[0], 372);
    yield* invoke(sys, "panic", handle, Method.DEBUG_PANIC, count);
  },

  /** What one core has done since the machine started. */
  *core(sys: Sys, handle: number, core: number): Steps<CoreCounters> {
    const { words } = sys;
    words[1] = core;
    yield* invoke(sys, "core counters", handle, Method.DEBUG_CORE, 2);
    return {
      traps: words[0],
      contextSwitches: words[1],
      gracePeriods: words[2],
      halts: words[3],
      messagesIn: words[4],
      messagesOut: words[5],
      bounces: words[6],
      incarnation: words[7],
    };
  },

  /** Appends an event to this core's history: the times and the thread are added. */
  *record(
    sys: Sys,
    handle: number,
    startNs: number,
    kind: number,
    object: number,
    a: number,
    b: number,
    c: number,
  ): Steps<void> {
    const { words } = sys;
    words[1] = startNs;
    words[2] = kind;
    words[3] = object;
    words[4] = a;
    words[5] = b;
    words[6] = c;
    yield* invoke(sys, "record", handle, Method.DEBUG_RECORD, 7);
  },

  /** Takes the oldest event of a core's history: see `HistoryWord`. */
  *history(sys: Sys, handle: number, core: number): Steps<HistoryEvent> {
    const { words } = sys;
    words[1] = core;
    yield* invoke(sys, "history", handle, Method.DEBUG_HISTORY, 2);
    return {
      startNs: words[0],
      endNs: words[1],
      thread: words[2],
      kind: words[3],
      object: words[4],
      a: words[5],
      b: words[6],
      c: words[7],
    };
  },

  /** Prints the dump of the whole machine on the kernel's own line. */
  *dump(sys: Sys, handle: number): Steps<void> {
    yield* invoke(sys, "dump", handle, Method.DEBUG_DUMP, 1);
  },
};

/** The store of boot modules, where the host loads images. */
export const imageControl = {
  /**
   * Puts a capability to an image that the host has loaded into a slot. It is derived from the one to the
   * store. Needs WRITE.
   *
   * @param number by which the host knows the image
   * @returns of the new capability in that CNode
   */
  *take(sys: Sys, handle: number, number: number, into: number, slot: number): Steps<number> {
    const { words } = sys;
    words[1] = number;
    words[2] = into;
    words[3] = slot;
    yield* invoke(sys, "take image", handle, Method.IMAGE_CONTROL_TAKE, 4);
    return words[0];
  },
};
