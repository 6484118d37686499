/**
 * Words whose plain accesses race by design, and what orders them instead of `Atomics`: each reason is the
 * argument that stands at the lines in the kernel. Accesses to them are scheduling points.
 */
import type { Machine } from "./machine.js";
import { placeOf } from "./places.js";

/** By layout and field. */
const ORDERED: Readonly<Record<string, string>> = {
  "CoreArea.ATTENTION": "a value that is a turn old only means that the bit is seen a turn later (loop.ts)",
  "Line.KIND": "a value that is a turn old only means that the line is seen a turn later (watched-ring.ts)",
  "Slot.STATE":
    "what was found LIVE may be used until the core's next safe point: who kills it waits for a grace period (lookup.ts)",
  "ObjectHeader.STATE": "type and size never change, the rest is read and written under the tree lock",
  "Endpoint.HOME":
    "a hint for any core but the home, which alone changes it: the wrong core bounces (endpoint.ts)",
  "Endpoint.KIND":
    "who does not wait and finds that nobody does answers for that instant; that somebody does is a hint (endpoint.ts)",
  "Notification.HOME":
    "a hint for any core but the home, which alone changes it: the wrong core passes it on",
  "PageTable.LOW":
    "who holds the tree lock reads and writes what no walker changes: that marks an entry by compare-and-swap, and begins anew if it was changed (mmu.ts)",
  "Process.CSPACE_SLOTS": "a core that does not see the CSpace's end finds the slots in it dead (lookup.ts)",
  "Process.STATUS":
    "whoever looks at LIFE first finds an ended process's status; of one that has not ended it means nothing (process-end.ts)",
  "Tables.THREAD_TABLE":
    "a reply finds its caller, nobody, or the number's next thread, whose calls have other numbers (reply.ts)",
  "Thread.ROLE":
    "whoever cancels looks at the sequence after it: unchanged, this is what its own core wrote (incoming.ts)",
  "Thread.QUEUE": "as ROLE",
  "Thread.SEQUENCE":
    "an answer raises it before its thread's next question does: whoever reads either number finds that it is not the one meant",
  "Thread.PRIORITY":
    "whoever changes it has the home of a queue that its thread waits in look again, once it is stored (requeue.ts)",
  "Thread.ASKED_CORE":
    "whoever reads it to have a queue looked at may ask the wrong core, which has no such queue (requeue.ts)",
  "Thread.STATE": "its home decides when the request comes; others only look whether there is one to ask",
};

/** What orders the plain accesses of a word; null if they must not race. */
export function orderedBy(machine: Machine, word: number): string | null {
  const place = placeOf(machine, word);
  return place === null ? null : (ORDERED[`${place.layout}.${place.field}`] ?? null);
}

/**
 * Stored atomically and read plainly: who finds its own number in HOME owns the object, and everything in it as the
 * former home left it; who finds a thread in the table finds it configured. That takes a machine that does not
 * reorder loads, as x86 does not.
 */
const PUBLISHED: ReadonlySet<string> = new Set(["Endpoint.HOME", "Notification.HOME", "Tables.THREAD_TABLE"]);

export function publishes(machine: Machine, word: number): boolean {
  const place = placeOf(machine, word);
  return place !== null && PUBLISHED.has(`${place.layout}.${place.field}`);
}

/** Words that steer nothing that a property could depend on: with no hardware threads, every idle core polls for the shorter time. */
const INDIFFERENT: ReadonlySet<string> = new Set(["KernelInfo.AWAKE"]);

export function isIndifferent(machine: Machine, word: number): boolean {
  const place = placeOf(machine, word);
  return place !== null && INDIFFERENT.has(`${place.layout}.${place.field}`);
}
