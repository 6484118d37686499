/**
 * The queue of threads that wait at an endpoint or notification: by priority, first come first served
 * within one. Guarded by the home core of the object.
 *
 * The object's first word is the head. The threads of one priority form a circle; the one that came
 * first is its leader, and the leaders form a list from high to low. So an insertion walks at most 256
 * leaders however many threads wait, and taking out any thread is O(1).
 */

import { assert } from "../state/assert.js";
import { CHECKED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { Endpoint, Thread } from "../state/layout.js";
import type { QueueRef, ThreadRef } from "../state/references.js";

/** LEADER_NEXT of a thread that is no leader. */
const FOLLOWER = -1;

/** Inserts a thread. */
export function insert(k: Core, object: QueueRef, thread: ThreadRef): void {
  const { i32 } = k;
  const head = i32[object] as ThreadRef | 0;
  const priority = i32[thread + Thread.PRIORITY];
  if (CHECKED) assert(i32[thread + Thread.QUEUE] === 0, "in no queue");
  i32[thread + Thread.QUEUE] = object;
  i32[thread + Thread.QUEUE_PRIORITY] = priority;
  if (head === 0) {
    lead(i32, object, thread, 0, 0);
    return;
  }
  let before: ThreadRef | 0 = 0;
  let leader: ThreadRef | 0 = head;
  while (leader !== 0 && i32[leader + Thread.QUEUE_PRIORITY] > priority) {
    before = leader;
    leader = i32[leader + Thread.LEADER_NEXT] as ThreadRef | 0;
  }
  if (leader === 0 || i32[leader + Thread.QUEUE_PRIORITY] !== priority) {
    lead(i32, object, thread, before, leader);
    return;
  }
  const last = i32[leader + Thread.SAME_PREVIOUS];
  i32[last + Thread.SAME_NEXT] = thread;
  i32[thread + Thread.SAME_PREVIOUS] = last;
  i32[thread + Thread.SAME_NEXT] = leader;
  i32[leader + Thread.SAME_PREVIOUS] = thread;
  i32[thread + Thread.LEADER_NEXT] = FOLLOWER;
}

/** Makes a thread a leader of its own between two others. */
function lead(
  i32: Int32Array,
  object: QueueRef,
  thread: ThreadRef,
  before: ThreadRef | 0,
  after: ThreadRef | 0,
): void {
  i32[thread + Thread.SAME_NEXT] = thread;
  i32[thread + Thread.SAME_PREVIOUS] = thread;
  linkLeader(i32, object, thread, before, after);
}

function linkLeader(
  i32: Int32Array,
  object: QueueRef,
  thread: ThreadRef,
  before: ThreadRef | 0,
  after: ThreadRef | 0,
): void {
  i32[thread + Thread.LEADER_PREVIOUS] = before;
  i32[thread + Thread.LEADER_NEXT] = after;
  if (before === 0) i32[object] = thread;
  else i32[before + Thread.LEADER_NEXT] = thread;
  if (after !== 0) i32[after + Thread.LEADER_PREVIOUS] = thread;
}

/** The thread that stands behind another; 0 if none does. */
export function nextInQueue(k: Core, thread: ThreadRef): ThreadRef | 0 {
  const { i32 } = k;
  const next = i32[thread + Thread.SAME_NEXT] as ThreadRef;
  const after = i32[next + Thread.LEADER_NEXT] as ThreadRef | 0 | typeof FOLLOWER;
  // Back at the leader of its priority: the next priority's.
  return after === FOLLOWER ? next : after;
}

/** Takes a thread out, wherever it stands. */
export function remove(k: Core, object: QueueRef, thread: ThreadRef): void {
  const { i32 } = k;
  if (CHECKED) assert(i32[thread + Thread.QUEUE] === object, "in this queue");
  // A sweep that would look at it next goes on behind it.
  if (i32[object + Endpoint.SWEEP_CURSOR] === thread)
    i32[object + Endpoint.SWEEP_CURSOR] = nextInQueue(k, thread);
  const next = i32[thread + Thread.SAME_NEXT] as ThreadRef;
  const after = i32[thread + Thread.LEADER_NEXT] as ThreadRef | 0 | typeof FOLLOWER;
  i32[thread + Thread.QUEUE] = 0;
  if (next !== thread) {
    const previous = i32[thread + Thread.SAME_PREVIOUS];
    i32[previous + Thread.SAME_NEXT] = next;
    i32[next + Thread.SAME_PREVIOUS] = previous;
    if (after !== FOLLOWER)
      linkLeader(i32, object, next, i32[thread + Thread.LEADER_PREVIOUS] as ThreadRef | 0, after);
    return;
  }
  const before = i32[thread + Thread.LEADER_PREVIOUS];
  if (before === 0) i32[object] = after;
  else i32[before + Thread.LEADER_NEXT] = after;
  if (after !== 0) i32[after + Thread.LEADER_PREVIOUS] = before;
}
