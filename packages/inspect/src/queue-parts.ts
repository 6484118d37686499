/** Queues as people read them. */
import { type Limits, type Part, part } from "./part.js";
import { address, duration } from "./phrases.js";
import type { QueueEntry, QueuesInfo } from "./state.js";

function queueText(queue: readonly QueueEntry[]): string {
  const shown = queue.slice(0, MAX_QUEUE_SHOWN).map(({ thread, as, badge }) => {
    return `${thread} (${as}${badge === 0 ? "" : `, badge ${badge}`})`;
  });
  if (queue.length > shown.length) shown.push(`and ${queue.length - shown.length} more`);
  return shown.join(", ");
}

const MAX_QUEUE_SHOWN = 12;

/** Who waits where, and what is being finalised; objects at which nothing happens are counted only. */
export function queueParts(queues: QueuesInfo, limits: Limits): Part[] {
  const { endpoints, notifications, monitors, reaping, sweeping, expiring, nextExpiryInNs } = queues;
  const busy = endpoints.filter(({ queue, orphans }) => queue.length > 0 || orphans.length > 0);
  const waited = notifications.filter(
    ({ queue, bits, boundThread }) => queue.length > 0 || bits !== 0 || boundThread !== null,
  );
  const alarm = nextExpiryInNs === null ? "" : `, the next in ${duration(nextExpiryInNs)}`;
  return [
    part(
      "queues",
      `endpoints: ${endpoints.length}, ${busy.length} of them with somebody or something waiting`,
      ["endpoint", "home", "queue of", "threads", "orphaned badges", "references"],
      busy.map(({ address: at, home, kind, queue, orphans, references }) => [
        ...[address(at), String(home), kind, queueText(queue), orphans.join(" "), String(references)],
      ]),
      limits,
    ),
    part(
      "queues",
      `notifications: ${notifications.length}, ${waited.length} of them with bits, somebody waiting or a bound thread`,
      ["notification", "home", "bits", "threads", "bound to thread", "references"],
      waited.map(({ address: at, home, bits, queue, boundThread, references }) => [
        ...[address(at), String(home), bits === 0 ? "" : `0x${bits.toString(16)}`, queueText(queue)],
        ...[boundThread === null ? "" : String(boundThread), String(references)],
      ]),
      limits,
    ),
    part(
      "queues",
      `monitors: ${monitors.length}`,
      ["monitor", "watches", "signals", "ended"],
      monitors.map(({ address: at, target, notification, ended }) => [
        ...[address(at), target, notification, ended === null ? "" : `${ended.life} with ${ended.status}`],
      ]),
      limits,
    ),
    part(
      "queues",
      `finalisation: ${reaping.length} objects to reap, ${sweeping.length} queues to sweep, ` +
        `${expiring} capabilities that expire${alarm}`,
      ["core", "object", "work", "at"],
      [
        ...reaping.map(({ core, object, work, cursor }) => [
          ...[String(core), object, `reap: ${work.join(", ")}`, String(cursor)],
        ]),
        ...sweeping.map(({ core, object }) => [String(core), object, "sweep", ""]),
      ],
      limits,
    ),
  ];
}
