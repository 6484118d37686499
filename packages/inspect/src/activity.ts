/**
 * What the threads of a running machine are at: a light look, made over and over.
 *
 * Only the thread table, the threads in it and their processes are read, without the tree lock and without a
 * copy of the tree, and nothing is written: no core notices. So each word is as it happened to be met,
 * and a link counts only where it leads to what it should.
 */
import { ObjectType, Right, Slot, SlotBits, SlotState } from "@capos/abi";
import type { PhysicalMemory, WordIndex } from "@capos/hal";
import { Process, Role, Tables, Thread, ThreadState } from "@capos/kernel/layout";
import { typeOf } from "./survey.js";
import { callerOf, roleName, stateName, type ThreadFinder } from "./threads.js";
import { clamp, forEachThread, isLine, processName, tablesOf, threadLimit, wordAt } from "./words.js";

export interface MachineActivity {
  /** By number. */
  readonly processes: readonly ProcessActivity[];
  readonly threads: readonly ThreadActivity[];
}

/** A process that has threads. */
export interface ProcessActivity {
  readonly number: number;
  readonly name: string;
}

export interface ThreadActivity {
  readonly number: number;
  /** Physical, in bytes. */
  readonly address: number;
  /** Number of its process, 0 for one that is not configured yet. */
  readonly process: number;
  readonly processName: string;
  /** Index within its process. */
  readonly index: number;
  readonly core: number;
  readonly priority: number;
  readonly state: string;
  /** Null for one that waits for nothing. */
  readonly waits: WaitActivity | null;
}

/** What a thread waits for, and on whom. */
export interface WaitActivity {
  /**
   * "message", "send" (a receiver for what it sends), "answer" (to a call that nobody has taken), "reply" (to a
   * call that was taken), "signal", "core" (an answer of another core), "ring" (room in one), "grace period".
   */
  readonly for: string;
  /** What it is queued as: "sender", "caller", "receiver", "waiter"; "reply owed", "replying" or "-". */
  readonly as: string;
  /** Address of the endpoint or notification in whose queue it is, in bytes; null if it is in none. */
  readonly object: number | null;
  /** Numbers of the threads on whom: who took its call, or who last waited for messages at that endpoint. */
  readonly onThreads: readonly number[];
  /** Number of the process that holds the reply in a slot, null for none. */
  readonly onProcess: number | null;
  /** The core that it asked, null for none. */
  readonly onCore: number | null;
  /** The grace period, null for none. */
  readonly gracePeriod: number | null;
}

/** Reads what all threads are at. Any thread with the machine's memory may; it never throws. */
export function readActivity(memory: PhysicalMemory): MachineActivity {
  return new Look(memory).read();
}

/**
 * Call numbers by thread number, modulo 2^32. They are raised by one at the end of each call and when a thread
 * ends, and the number's next thread goes on from there: differences count calls, whoever made them.
 */
export function readCallNumbers(memory: PhysicalMemory): Uint32Array {
  const tables = tablesOf(memory);
  const limit = tables === 0 ? 0 : threadLimit(memory, tables);
  const ended = tables === 0 ? 0 : wordAt(memory, tables + Tables.CALL_NUMBERS);
  const numbers = Uint32Array.from({ length: limit }, (_, number) => wordAt(memory, ended + number));
  forEachThread(memory, (thread, number) => {
    numbers[number] = wordAt(memory, thread + Thread.CALL_NUMBER);
  });
  return numbers;
}

class Look implements ThreadFinder {
  readonly #threads = new Map<WordIndex, number>();
  readonly #byNumber = new Map<number, WordIndex>();
  readonly #processes = new Map<WordIndex, ProcessActivity>();
  /** By caller: who took its call. */
  readonly #servers = new Map<WordIndex, number>();
  /** By endpoint: who last waited for messages there. */
  readonly #receivers = new Map<WordIndex, number[]>();

  constructor(readonly memory: PhysicalMemory) {
    forEachThread(memory, (thread, number) => {
      // One that is being made or taken apart says something else.
      if (wordAt(memory, thread + Thread.NUMBER) !== number) return;
      this.#threads.set(thread, number);
      this.#byNumber.set(number, thread);
    });
    for (const [thread, number] of this.#threads) {
      const process = wordAt(memory, thread + Thread.PROCESS);
      if (isLine(memory, process) && !this.#processes.has(process)) {
        const name = processName(memory, process);
        this.#processes.set(process, { number: wordAt(memory, process + Process.NUMBER), name });
      }
      const caller = callerOf(this, thread);
      if (caller !== 0) this.#servers.set(caller, number);
      const endpoint = this.#receivesAt(thread);
      if (endpoint === 0) continue;
      const others = this.#receivers.get(endpoint);
      if (others === undefined) this.#receivers.set(endpoint, [number]);
      else others.push(number);
    }
  }

  threadNumbered(number: number): WordIndex {
    return this.#byNumber.get(number) ?? 0;
  }

  read(): MachineActivity {
    const byNumber = (a: { number: number }, b: { number: number }): number => a.number - b.number;
    return {
      processes: [...this.#processes.values()].sort(byNumber),
      threads: [...this.#threads].map(([thread, number]) => this.#readThread(thread, number)).sort(byNumber),
    };
  }

  #readThread(thread: WordIndex, number: number): ThreadActivity {
    const word = (offset: Thread): number => wordAt(this.memory, thread + offset);
    const process = this.#processes.get(word(Thread.PROCESS));
    const state = word(Thread.STATE);
    return {
      number,
      address: thread * 4,
      process: process?.number ?? 0,
      processName: process?.name ?? "",
      index: word(Thread.INDEX),
      core: word(Thread.HOME),
      priority: word(Thread.PRIORITY),
      state: stateName(state),
      waits: this.#readWait(thread, state),
    };
  }

  #readWait(thread: WordIndex, state: number): WaitActivity | null {
    const word = (offset: Thread): number => wordAt(this.memory, thread + offset);
    const role = word(Thread.ROLE);
    const queue = word(Thread.QUEUE);
    const wait = {
      as: roleName(role),
      object: null,
      onThreads: [],
      onProcess: null,
      onCore: null,
      gracePeriod: null,
    };
    switch (state) {
      case ThreadState.GRACE_WAIT:
        return { ...wait, as: "-", for: "grace period", gracePeriod: word(Thread.GRACE_TARGET) };
      case ThreadState.RING_WAIT:
        return { ...wait, as: "-", for: "ring" };
      case ThreadState.AWAITING_REPLY:
        return { ...wait, for: "reply", ...this.#owesReply(thread) };
      case ThreadState.QUEUED:
        return { ...wait, ...this.#inQueue(queue, role) };
      case ThreadState.REMOTE:
        // Of another core's queue, or in none: its call was taken, or its request is on its way.
        if (isLine(this.memory, queue)) return { ...wait, ...this.#inQueue(queue, role) };
        return role === Role.REPLY_OWED || role === Role.REPLYING
          ? { ...wait, for: "reply", ...this.#owesReply(thread) }
          : { ...wait, for: "core", onCore: word(Thread.ASKED_CORE) };
      default:
        return null;
    }
  }

  #inQueue(queue: WordIndex, role: number): Pick<WaitActivity, "for" | "object" | "onThreads"> {
    const object = isLine(this.memory, queue) ? queue * 4 : null;
    const receivers = this.#receivers.get(queue) ?? [];
    if (role === Role.CALLER) return { for: "answer", object, onThreads: receivers };
    if (role === Role.SENDER) return { for: "send", object, onThreads: receivers };
    return { for: role === Role.WAITER ? "signal" : "message", object, onThreads: [] };
  }

  /** The thread that took a caller's call and still owes the reply, or the process in whose slot the reply is. */
  #owesReply(caller: WordIndex): Pick<WaitActivity, "onThreads" | "onProcess"> {
    const server = this.#servers.get(caller);
    if (server !== undefined) return { onThreads: [server], onProcess: null };
    const { memory } = this;
    const slot = wordAt(memory, caller + Thread.HEADER + Slot.FIRST_CHILD);
    if (!isLine(memory, slot) || !this.#isLive(slot, ObjectType.REPLY))
      return { onThreads: [], onProcess: null };
    return { onThreads: [], onProcess: this.#holderOf(slot) };
  }

  /** Number of the process in whose CSpace a slot is, null if it is in none. */
  #holderOf(slot: WordIndex): number | null {
    for (const [process, { number }] of this.#processes) {
      const cspace = wordAt(this.memory, process + Process.CSPACE);
      const slots = clamp(wordAt(this.memory, process + Process.CSPACE_SLOTS), MAX_CSPACE_SLOTS);
      if (slot >= cspace && slot < cspace + slots * Slot.WORDS) return number;
    }
    return null;
  }

  /** The endpoint whose messages a thread waits for or waited for last, 0 for none. */
  #receivesAt(thread: WordIndex): WordIndex {
    const { memory } = this;
    const slot = wordAt(memory, thread + Thread.WAIT_SLOT);
    if (!isLine(memory, slot) || !this.#isLive(slot, ObjectType.ENDPOINT)) return 0;
    const rights = (wordAt(memory, slot) & SlotBits.RIGHTS_MASK) >> SlotBits.RIGHTS_SHIFT;
    const role = wordAt(memory, thread + Thread.ROLE);
    if ((rights & Right.RECEIVE) === 0 || role === Role.CALLER || role === Role.SENDER) return 0;
    return wordAt(memory, slot + Slot.OBJECT);
  }

  #isLive(slot: WordIndex, type: ObjectType): boolean {
    const word = wordAt(this.memory, slot);
    return (word & SlotBits.STATE_MASK) === SlotState.LIVE && typeOf(word) === type;
  }
}

const MAX_CSPACE_SLOTS = 65_536;
