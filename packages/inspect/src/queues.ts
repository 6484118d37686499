/**
 * Who waits where, and what the cores' reapers and sweeps have before them.
 *
 * Queues belong to their home cores and change while they are read: a link counts only if it leads to a
 * thread that says it is in this very queue.
 */
import { lifeName, ObjectType, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import { Endpoint, Monitor, Notification, ObjectHeader, Reap, Tables, Thread } from "@capos/kernel/layout";
import { designation } from "./capability.js";
import type {
  EndpointInfo,
  MonitorInfo,
  NotificationInfo,
  QueueEntry,
  QueuesInfo,
  ReapInfo,
} from "./state.js";
import { type Survey, typeOf } from "./survey.js";
import { roleName } from "./threads.js";
import type { Listed } from "./tree-copy.js";
import { bitNames, doubleAt, hex, nameOf, wordAt } from "./words.js";

const KINDS: readonly string[] = Object.freeze(["empty", "senders", "receivers"]);
const WORK: Readonly<Record<number, string>> = Object.freeze({
  [Reap.FINALISE]: "finalise",
  [Reap.END]: "end",
  [Reap.TELL]: "tell",
});

export function inspectQueues(survey: Survey, nowNs: number): QueuesInfo {
  const { memory, tables, tree } = survey;
  const alarm = tables === 0 ? 0 : doubleAt(memory, tables + Tables.ALARM_NS);
  const expiring = tables === 0 ? 0 : wordAt(memory, tables + Tables.EXPIRING);
  const orphans = orphansByEndpoint(survey);
  return {
    endpoints: sorted(survey.endpoints).map((it) => inspectEndpoint(survey, it, orphans.get(it) ?? [])),
    notifications: sorted(survey.notifications).map((it) => inspectNotification(survey, it)),
    monitors: sorted(survey.monitors).map((it) => inspectMonitor(survey, it)),
    reaping: tree.reaping.map((it) => inspectReap(survey, it)),
    sweeping: tree.sweeping.map(({ core, at }) => ({
      core,
      object: `${survey.notifications.has(at) ? "notification" : "endpoint"} ${hex(at)}`,
      address: at * 4,
    })),
    expiring,
    nextExpiryInNs: expiring > 0 && Number.isFinite(alarm) ? Math.max(Math.round(alarm - nowNs), 0) : null,
  };
}

function sorted(objects: ReadonlySet<WordIndex>): WordIndex[] {
  return [...objects].sort((a, b) => a - b);
}

/** Threads in the queue of an object, in the order in which they are served: see ipc/wait-queue.ts. */
function queueOf(survey: Survey, object: WordIndex): QueueEntry[] {
  const { memory, threads } = survey;
  const entries: QueueEntry[] = [];
  const seen = new Set<WordIndex>();
  const isMember = (thread: WordIndex): boolean =>
    threads.has(thread) && !seen.has(thread) && wordAt(memory, thread + Thread.QUEUE) === object;
  for (
    let leader = wordAt(memory, object + Endpoint.QUEUE_HEAD);
    isMember(leader);
    leader = wordAt(memory, leader + Thread.LEADER_NEXT)
  ) {
    for (let member = leader; isMember(member); member = wordAt(memory, member + Thread.SAME_NEXT)) {
      seen.add(member);
      entries.push({
        thread: wordAt(memory, member + Thread.NUMBER),
        as: roleName(wordAt(memory, member + Thread.ROLE)),
        priority: wordAt(memory, member + Thread.QUEUE_PRIORITY),
        badge: wordAt(memory, wordAt(memory, member + Thread.WAIT_SLOT) + Slot.BADGE) >>> 0,
      });
    }
  }
  return entries;
}

/** Badges in the endpoints' lists of those without descendants: flagged in the tree. */
function orphansByEndpoint({ tree }: Survey): Map<WordIndex, number[]> {
  const orphans = new Map<WordIndex, number[]>();
  for (const { words } of tree.slots) {
    if ((words[Slot.STATE] & SlotFlag.NO_SENDERS) === 0) continue;
    const endpoint = words[Slot.OBJECT];
    orphans.set(endpoint, [...(orphans.get(endpoint) ?? []), words[Slot.BADGE] >>> 0]);
  }
  return orphans;
}

function inspectEndpoint(survey: Survey, endpoint: WordIndex, orphans: number[]): EndpointInfo {
  const { memory } = survey;
  return {
    address: endpoint * 4,
    home: wordAt(memory, endpoint + Endpoint.HOME),
    kind: nameOf(KINDS, wordAt(memory, endpoint + Endpoint.KIND)),
    queue: queueOf(survey, endpoint),
    orphans,
    references: wordAt(memory, endpoint + Endpoint.HEADER + ObjectHeader.REFERENCES),
  };
}

function inspectNotification(survey: Survey, notification: WordIndex): NotificationInfo {
  const { memory } = survey;
  const bound = wordAt(memory, notification + Notification.BOUND_THREAD);
  return {
    address: notification * 4,
    home: wordAt(memory, notification + Notification.HOME),
    bits: wordAt(memory, notification + Notification.BITS) >>> 0,
    waiting: wordAt(memory, notification + Notification.WAITING) !== 0,
    queue: queueOf(survey, notification),
    boundThread: survey.threads.has(bound) ? wordAt(memory, bound + Thread.NUMBER) : null,
    references: wordAt(memory, notification + Notification.HEADER + ObjectHeader.REFERENCES),
  };
}

function inspectMonitor(survey: Survey, monitor: WordIndex): MonitorInfo {
  const { memory } = survey;
  const named = (slot: WordIndex): string => {
    const word = wordAt(memory, slot);
    if ((word & SlotBits.STATE_MASK) !== SlotState.LIVE) return "";
    return designation(survey, typeOf(word), wordAt(memory, slot + Slot.OBJECT));
  };
  const ended = wordAt(memory, monitor + Monitor.ENDED) !== 0;
  return {
    address: monitor * 4,
    target: named(monitor + Monitor.TARGET),
    notification: named(monitor + Monitor.NOTIFICATION),
    ended: ended
      ? {
          life: lifeName(wordAt(memory, monitor + Monitor.LIFE)),
          status: wordAt(memory, monitor + Monitor.STATUS),
        }
      : null,
  };
}

function inspectReap(survey: Survey, { core, at }: Listed): ReapInfo {
  const { memory } = survey;
  const place = survey.placeOf(at);
  const type = typeOf(wordAt(memory, at + ObjectHeader.STATE));
  const object = wordAt(memory, at + ObjectHeader.OBJECT);
  return {
    core,
    object:
      place.kind === "header" || type === ObjectType.NONE ? place.holder : designation(survey, type, object),
    address: at * 4,
    work: bitNames(WORK, wordAt(memory, at + ObjectHeader.REAP_WORK)),
    cursor: wordAt(memory, at + ObjectHeader.CURSOR),
  };
}
