/**
 * Kernel objects as functions: one generator for each method that an object answers.
 *
 * Each is one call on a capability (`Method` in the ABI), with the arguments named and the answer
 * unpacked. It throws `IpcError` with the kernel's code and what the kernel said besides; a failed
 * invocation changed nothing. The receive window is closed: kernel objects send no capabilities, and
 * what pretends to be one gets no chance to.
 */
import {
  BYTES_PER_WORD,
  type LifeState,
  MAX_MESSAGE_WORDS,
  MAX_NAME_BYTES,
  Method,
  type ObjectType,
  type Sys,
} from "@capos/abi";
import { argumentText, invoke } from "./invocation.js";
import type { Steps } from "./steps.js";
import { unpackText } from "./text.js";

/** Words that `thread.start` can hand over: the message's first is the method. */
export const MAX_START_WORDS = MAX_MESSAGE_WORDS - 1;

/** Untyped memory: what all objects are made from. */
export const untyped = {
  /**
   * Makes `count` objects in consecutive empty slots of a CNode, from slot `first` on. Needs WRITE.
   * Their handles are not said: see `cnode.inspect`.
   *
   * @param sizeBits log2 of the size in bytes (untyped) or slots (CNode); 0 for objects of one size
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

  /** Size and what is left of it, in bytes. */
  *info(sys: Sys, handle: number): Steps<{ sizeBytes: number; leftBytes: number }> {
    yield* invoke(sys, "untyped info", handle, Method.UNTYPED_INFO);
    return { sizeBytes: sys.words[0]!, leftBytes: sys.words[1]! };
  },
};

/** What `cnode.inspect` says of a slot. */
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
  /** Nanoseconds until it is dead; null is never. */
  readonly expiresInNs: number | null;
}

/** CNodes: tables of capability slots. */
export const cnode = {
  /** Copies a capability of one's own into slot `slot` of the CNode, with at most `rights`. Needs WRITE. Gives the copy's handle there. */
  *copy(sys: Sys, handle: number, slot: number, source: number, rights: number): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    words[3] = rights;
    yield* invoke(sys, "copy", handle, Method.CNODE_COPY, 4);
    return words[0]!;
  },

  /** Copies with a badge (1 to 2^32 - 1), which receivers learn from each message. Gives the copy's handle there. */
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
    return words[0]!;
  },

  /** Empties a slot, if it is not empty already. What was derived from its capability stays. */
  *delete(sys: Sys, handle: number, slot: number): Steps<void> {
    sys.words[1] = slot;
    yield* invoke(sys, "delete", handle, Method.CNODE_DELETE, 2);
  },

  *inspect(sys: Sys, handle: number, slot: number): Steps<SlotInfo> {
    const { words } = sys;
    words[1] = slot;
    yield* invoke(sys, "inspect", handle, Method.CNODE_INSPECT, 2);
    return {
      type: words[0]!,
      rights: words[1]!,
      badge: words[2]!,
      state: words[3]!,
      sizeBits: words[4]!,
      handle: words[5]!,
      flags: words[6]!,
      expiresInNs: words[7]! < 0 ? null : words[7]!,
    };
  },

  /** Moves a capability of one's own into slot `slot` of the CNode. What was derived from it stays derived from it. */
  *move(sys: Sys, handle: number, slot: number, source: number): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    yield* invoke(sys, "move", handle, Method.CNODE_MOVE, 3);
    return words[0]!;
  },

  /**
   * Ends everything that was derived from a capability in the CNode, on every core, and comes back when
   * nothing can be done through any of it any more. The capability itself stays. It needs REVOKE.
   */
  *revoke(sys: Sys, handle: number, target: number): Steps<void> {
    sys.words[1] = target;
    yield* invoke(sys, "revoke", handle, Method.CNODE_REVOKE, 2);
  },

  /** A sealed copy: it can be carried, not used, until the holder of the same sealer opens it. Needs WRITE on the sealer. */
  *seal(sys: Sys, handle: number, slot: number, source: number, sealer: number): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    words[3] = sealer;
    yield* invoke(sys, "seal", handle, Method.CNODE_SEAL, 4);
    return words[0]!;
  },

  /** An open copy of a sealed capability. Needs READ on its sealer. */
  *unseal(sys: Sys, handle: number, slot: number, source: number, sealer: number): Steps<number> {
    const { words } = sys;
    words[1] = slot;
    words[2] = source;
    words[3] = sealer;
    yield* invoke(sys, "unseal", handle, Method.CNODE_UNSEAL, 4);
    return words[0]!;
  },

  /** A copy with at most `rights` that is dead `forNs` nanoseconds from now, and all its copies with it. */
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
    return words[0]!;
  },
};

/** How a process stands, or how it ended. */
export interface ProcessStatus {
  readonly state: LifeState;
  readonly status: number;
  /** Where in its source a faulted process stood, and what the fault said. */
  readonly line: number;
  readonly column: number;
  readonly fault: string;
}

/** Processes: a CSpace, an image and threads. */
export const process = {
  /**
   * Gives the process its CSpace, the number of its image, a name of at most 32 bytes, and some of the
   * caller's thread numbers, which the caller has back when the process is gone.
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
    const count = argumentText(sys, 4, "process name", name, MAX_NAME_BYTES);
    words[1] = space;
    words[2] = image;
    words[3] = threads;
    yield* invoke(sys, "configure process", handle, Method.PROCESS_CONFIGURE, count);
  },

  /** Whether the process holds a capability to the object that one's own `held` names, with these rights and the same badge. */
  *verify(sys: Sys, handle: number, held: number, rights: number): Steps<boolean> {
    const { words } = sys;
    words[1] = held;
    words[2] = rights;
    yield* invoke(sys, "verify", handle, Method.PROCESS_VERIFY, 3);
    return words[0] === 1;
  },

  *status(sys: Sys, handle: number): Steps<ProcessStatus> {
    const { words } = sys;
    yield* invoke(sys, "process status", handle, Method.PROCESS_STATUS);
    const length = Math.min(words[4]!, (MAX_MESSAGE_WORDS - 5) * BYTES_PER_WORD);
    return {
      state: words[0]!,
      status: words[1]!,
      line: words[2]!,
      column: words[3]!,
      fault: unpackText(words, 5, length),
    };
  },

  /** From now on its threads give no priority above this one. It only comes down; a process starts with its maker's. */
  *ceiling(sys: Sys, handle: number, priority: number): Steps<void> {
    sys.words[1] = priority;
    yield* invoke(sys, "ceiling", handle, Method.PROCESS_CEILING, 2);
  },

  /**
   * Ends the process and comes back when it is gone: its threads, all that was made from its own untyped
   * memory, wherever it is, and what it held. What it passed on stays.
   */
  *kill(sys: Sys, handle: number): Steps<void> {
    yield* invoke(sys, "kill process", handle, Method.PROCESS_KILL);
  },
};

/** How a thread stands. */
export interface ThreadStatus {
  readonly state: LifeState;
  /** What it waits for, as the kernel numbers it. */
  readonly ipcState: number;
  readonly core: number;
  readonly priority: number;
  readonly exitReason: number;
}

/** Threads. */
export const thread = {
  /** Puts a thread into a process, on a core, with a priority from 0 to 255. */
  *configure(sys: Sys, handle: number, ofProcess: number, core: number, priority: number): Steps<void> {
    const { words } = sys;
    words[1] = ofProcess;
    words[2] = core;
    words[3] = priority;
    yield* invoke(sys, "configure thread", handle, Method.THREAD_CONFIGURE, 4);
  },

  /** Starts it with at most 63 words in its register file, where its `main` finds them: see `encodeEnvironment`. */
  *start(sys: Sys, handle: number, startWords: readonly number[]): Steps<void> {
    const { length } = startWords;
    if (length > MAX_START_WORDS)
      throw new RangeError(`start: ${length} words, the limit is ${MAX_START_WORDS}`);
    for (let i = 0; i < length; i++) sys.words[1 + i] = startWords[i]!;
    yield* invoke(sys, "start", handle, Method.THREAD_START, 1 + length);
  },

  /** Ends it, whatever it does, and comes back when it has stopped. */
  *destroy(sys: Sys, handle: number): Steps<void> {
    yield* invoke(sys, "destroy thread", handle, Method.THREAD_DESTROY);
  },

  /** Binds a notification: it ends the thread's waits for messages too. */
  *bind(sys: Sys, handle: number, notification: number): Steps<void> {
    sys.words[1] = notification;
    yield* invoke(sys, "bind notification", handle, Method.THREAD_BIND, 2);
  },

  /** Sets the priority, 0 to 255. */
  *priority(sys: Sys, handle: number, priority: number): Steps<void> {
    sys.words[1] = priority;
    yield* invoke(sys, "set priority", handle, Method.THREAD_PRIORITY, 2);
  },

  *status(sys: Sys, handle: number): Steps<ThreadStatus> {
    const { words } = sys;
    yield* invoke(sys, "thread status", handle, Method.THREAD_STATUS);
    return {
      state: words[0]!,
      ipcState: words[1]!,
      core: words[2]!,
      priority: words[3]!,
      exitReason: words[4]!,
    };
  },
};

/** How the target of a monitor ended. */
export interface MonitorStatus {
  readonly ended: boolean;
  readonly state: LifeState;
  readonly status: number;
  readonly line: number;
  readonly column: number;
}

/** Monitors: who wants to know of the end of a process or thread. */
export const monitor = {
  /** Has the notification signalled when the target ends, at once if it has. Once; then it can watch another. */
  *watch(sys: Sys, handle: number, target: number, notification: number): Steps<void> {
    const { words } = sys;
    words[1] = target;
    words[2] = notification;
    yield* invoke(sys, "monitor", handle, Method.MONITOR_WATCH, 3);
  },

  *status(sys: Sys, handle: number): Steps<MonitorStatus> {
    const { words } = sys;
    yield* invoke(sys, "monitor status", handle, Method.MONITOR_STATUS);
    return {
      ended: words[0] === 1,
      state: words[1]!,
      status: words[2]!,
      line: words[3]!,
      column: words[4]!,
    };
  },
};
