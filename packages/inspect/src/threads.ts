/** Threads as they stand, and what each waits for. */
import { lifeName, ObjectType, Slot, SlotBits, SlotState } from "@capos/abi";
import type { PhysicalMemory, WordIndex } from "@capos/hal";
import { ObjectHeader, Process, Thread, ThreadState } from "@capos/kernel/layout";
import { countMonitors } from "./processes.js";
import type { ThreadInfo, WaitInfo } from "./state.js";
import { type Survey, typeOf } from "./survey.js";
import { hex, isLine, nameOf, processName, wordAt } from "./words.js";

const STATES: readonly string[] = Object.freeze([
  "inactive",
  "ready",
  "running",
  "queued",
  "awaiting reply",
  "asked another core",
  "waits for ring space",
  "waits for grace period",
  "dying",
  "dead",
]);
const ROLES: readonly string[] = Object.freeze([
  "-",
  "sender",
  "caller",
  "receiver",
  "waiter",
  "reply owed",
  "replying",
]);

/** What a thread is queued as. */
export function roleName(role: number): string {
  return nameOf(ROLES, role);
}

/** The name of a `ThreadState`. */
export function stateName(state: number): string {
  return nameOf(STATES, state);
}

/** A memory, and how its threads are found. */
export interface ThreadFinder {
  readonly memory: PhysicalMemory;
  /** The thread in the thread table under a number, 0 for none. */
  threadNumbered(number: number): WordIndex;
}

/** All threads that were found, by number; those without one last. */
export function inspectThreads(survey: Survey): ThreadInfo[] {
  const servers = whoOwes(survey);
  return [...survey.threads.keys()]
    .map((thread) => inspectThread(survey, thread, servers))
    .sort((a, b) => (a.number || Infinity) - (b.number || Infinity) || a.address - b.address);
}

/** Who owes a caller its reply, for people: the thread that took its call, or the slot that the reply was saved in. */
function whoOwes(survey: Survey): Map<WordIndex, string> {
  const servers = new Map<WordIndex, string>();
  for (const { at, words } of survey.tree.slots) {
    const word = words[Slot.STATE];
    if ((word & SlotBits.STATE_MASK) !== SlotState.LIVE || typeOf(word) !== ObjectType.REPLY) continue;
    const { holder, index } = survey.placeOf(at);
    servers.set(words[Slot.OBJECT], `the holder of ${holder} slot ${index ?? "?"}`);
  }
  for (const thread of survey.threads.keys()) {
    const caller = callerOf(survey, thread);
    if (caller !== 0) servers.set(caller, survey.threadName(thread));
  }
  return servers;
}

/** The thread whose call this one took and has not answered; 0 for none, and for a call that is over. */
export function callerOf(finder: ThreadFinder, thread: WordIndex): WordIndex {
  const { memory } = finder;
  const caller = finder.threadNumbered(wordAt(memory, thread + Thread.REPLY_TO));
  const call = wordAt(memory, thread + Thread.REPLY_CALL);
  return caller !== 0 && wordAt(memory, caller + Thread.CALL_NUMBER) === call ? caller : 0;
}

function inspectThread(
  survey: Survey,
  thread: WordIndex,
  servers: ReadonlyMap<WordIndex, string>,
): ThreadInfo {
  const { memory } = survey;
  const word = (offset: Thread): number => wordAt(memory, thread + offset);
  const process = word(Thread.PROCESS);
  const known = survey.processes.has(process);
  const caller = callerOf(survey, thread);
  const bound = word(Thread.BOUND_NOTIFICATION);
  return {
    number: survey.threads.get(thread) ?? 0,
    address: thread * 4,
    process: known ? wordAt(memory, process + Process.NUMBER) : null,
    processName: known ? processName(memory, process) : "",
    index: word(Thread.INDEX),
    core: word(Thread.HOME),
    priority: word(Thread.PRIORITY),
    life: lifeName(word(Thread.LIFE)),
    status: word(Thread.EXIT_STATUS),
    state: stateName(word(Thread.STATE)),
    waits: inspectWait(survey, thread, servers),
    owesReplyTo: caller === 0 ? null : wordAt(memory, caller + Thread.NUMBER),
    boundNotification: bound > 0 ? bound * 4 : null,
    references: wordAt(memory, thread + Thread.HEADER + ObjectHeader.REFERENCES),
    monitors: countMonitors(memory, thread + Thread.MONITORS),
  };
}

function inspectWait(
  survey: Survey,
  thread: WordIndex,
  servers: ReadonlyMap<WordIndex, string>,
): WaitInfo | null {
  const { memory } = survey;
  const word = (offset: Thread): number => wordAt(memory, thread + offset);
  const state = word(Thread.STATE);
  const wait = {
    as: roleName(word(Thread.ROLE)),
    at: "",
    object: null,
    through: null,
    throughHolds: false,
    askedCore: state === ThreadState.REMOTE ? word(Thread.ASKED_CORE) : null,
    gracePeriod: null,
  };
  switch (state) {
    case ThreadState.GRACE_WAIT:
      return { ...wait, as: "-", gracePeriod: word(Thread.GRACE_TARGET) };
    case ThreadState.AWAITING_REPLY:
      return { ...wait, at: servers.get(thread) ?? "" };
    case ThreadState.QUEUED:
    case ThreadState.REMOTE: {
      const queue = word(Thread.QUEUE);
      // In no queue, or not any more: another core has its request, or owes it the reply.
      if (!isLine(memory, queue)) return { ...wait, at: servers.get(thread) ?? "" };
      return { ...wait, at: queueName(survey, queue), object: queue * 4, ...through(survey, thread) };
    }
    case ThreadState.RING_WAIT:
      return { ...wait, as: "-" };
    default:
      return null;
  }
}

function queueName({ endpoints, notifications }: Survey, queue: WordIndex): string {
  if (endpoints.has(queue)) return `endpoint ${hex(queue)}`;
  return notifications.has(queue) ? `notification ${hex(queue)}` : `queue ${hex(queue)}`;
}

/** The slot that a queued thread waits through. */
function through(survey: Survey, thread: WordIndex): Pick<WaitInfo, "through" | "throughHolds"> {
  const { memory } = survey;
  const slot = wordAt(memory, thread + Thread.WAIT_SLOT);
  if (!isLine(memory, slot)) return { through: null, throughHolds: false };
  const live = (wordAt(memory, slot) & SlotBits.STATE_MASK) === SlotState.LIVE;
  const same = wordAt(memory, slot + Slot.GENERATION) === wordAt(memory, thread + Thread.WAIT_GENERATION);
  return { through: survey.placeOf(slot), throughHolds: live && same };
}
