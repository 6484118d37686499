import { insert, type QueueRef, remove, type ThreadRef } from "@capos/kernel/internal";
import { Thread } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeKernel, makeThreads } from "./support/kernel.js";

useSeed(t);

const THREADS = 24;
const kernel = makeKernel(1);
const k = kernel.cores[0];
const { i32 } = k;
const threads = makeThreads(kernel, THREADS);
const objects = [kernel.free, kernel.free + 16] as QueueRef[];

/** Both queues are empty, and no thread is in one. */
function begin(): void {
  for (const object of objects) i32[object] = 0;
  for (const thread of threads) i32[thread + Thread.QUEUE] = 0;
}

interface Waiting {
  readonly thread: ThreadRef;
  readonly priority: number;
}

/** What is wrong with a queue that should hold these threads in this order, or "". */
function flaw(object: QueueRef, expected: readonly Waiting[]): string {
  if (i32[object] !== (expected[0]?.thread ?? 0)) return "the head is not the thread to serve next";
  const found: number[] = [];
  let previousLeader = 0;
  let lastPriority = 256;
  for (let leader = i32[object]; leader !== 0; leader = i32[leader + Thread.LEADER_NEXT]) {
    const priority = i32[leader + Thread.QUEUE_PRIORITY];
    if (priority >= lastPriority) return "leaders do not fall in priority";
    if (i32[leader + Thread.LEADER_PREVIOUS] !== previousLeader)
      return "a leader does not know the one before it";
    lastPriority = priority;
    previousLeader = leader;
    let thread = leader;
    do {
      found.push(thread);
      const next = i32[thread + Thread.SAME_NEXT];
      if (i32[next + Thread.SAME_PREVIOUS] !== thread) return "a circle is torn";
      if (thread !== leader && i32[thread + Thread.LEADER_NEXT] >= 0)
        return "a follower takes itself for a leader";
      if (i32[thread + Thread.QUEUE_PRIORITY] !== priority) return "two priorities in one circle";
      if (i32[thread + Thread.QUEUE] !== object) return "a thread does not know its queue";
      thread = next;
    } while (thread !== leader && found.length <= THREADS);
    if (found.length > THREADS) return "the queue has no end";
  }
  return found.join() === expected.map(({ thread }) => thread).join() ? "" : "the order is wrong";
}

/** Where a thread belongs: behind all of its priority or above. */
function place(queue: Waiting[], waiting: Waiting): void {
  const at = queue.findIndex(({ priority }) => priority < waiting.priority);
  queue.splice(at < 0 ? queue.length : at, 0, waiting);
}

const step = fc.record({
  what: fc.constantFrom("insert", "insert", "serve", "remove", "change priority"),
  thread: fc.nat(THREADS - 1),
  object: fc.nat(1),
  priority: fc.oneof(fc.nat(3), fc.constantFrom(0, 255), fc.nat(255)),
});

t.test(
  "a wait queue is a list sorted by priority and then by arrival, whoever leaves it and from where",
  (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
        const queues: Waiting[][] = [[], []];
        begin();
        for (const { what, thread: number, object, priority } of steps) {
          const thread = threads[number];
          const inQueue = queues.findIndex((queue) => queue.some((waiting) => waiting.thread === thread));
          if (what === "insert" && inQueue < 0) {
            i32[thread + Thread.PRIORITY] = priority;
            insert(k, objects[object], thread);
            place(queues[object], { thread, priority });
          } else if (what === "serve" && queues[object].length > 0) {
            const first = queues[object].shift()!.thread;
            remove(k, objects[object], i32[objects[object]] as ThreadRef);
            if (i32[first + Thread.QUEUE] !== 0) throw new Error("another thread was served");
          } else if (what === "remove" && inQueue >= 0) {
            remove(k, objects[inQueue], thread);
            if (i32[thread + Thread.QUEUE] !== 0) throw new Error("a removed thread believes itself queued");
            queues[inQueue] = queues[inQueue].filter((waiting) => waiting.thread !== thread);
          } else if (what === "change priority") i32[thread + Thread.PRIORITY] = priority;
          for (const i of [0, 1]) {
            const wrong = flaw(objects[i], queues[i]);
            if (wrong !== "") throw new Error(wrong);
          }
        }
      }),
      { numRuns: 400 },
    );
    t.end();
  },
);

t.test("threads of one priority are served in the order in which they came", (t) => {
  begin();
  for (const thread of threads) {
    i32[thread + Thread.PRIORITY] = 7;
    insert(k, objects[0], thread);
  }
  const served: ThreadRef[] = [];
  while (i32[objects[0]] !== 0) {
    served.push(i32[objects[0]] as ThreadRef);
    remove(k, objects[0], served.at(-1)!);
  }
  t.same(served, threads);
  t.end();
});

t.test("a thread whose priority changes while it waits keeps its place", (t) => {
  const [a, b, c] = threads as [ThreadRef, ThreadRef, ThreadRef];
  begin();
  for (const [thread, priority] of [
    [a, 9],
    [b, 5],
    [c, 5],
  ] as const) {
    i32[thread + Thread.PRIORITY] = priority;
    insert(k, objects[0], thread);
  }
  i32[c + Thread.PRIORITY] = 255;
  i32[a + Thread.PRIORITY] = 0;
  t.equal(
    flaw(objects[0], [
      { thread: a, priority: 9 },
      { thread: b, priority: 5 },
      { thread: c, priority: 5 },
    ]),
    "",
  );
  remove(k, objects[0], b);
  t.equal(
    flaw(objects[0], [
      { thread: a, priority: 9 },
      { thread: c, priority: 5 },
    ]),
    "",
  );
  t.end();
});
