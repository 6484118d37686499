import { Lapic, lapicOf } from "@capos/hal";
import {
  charge,
  dequeue,
  enqueue,
  enter,
  goesFirst,
  leave,
  preempt,
  QUANTUM_NS,
  refreshTop,
  restart,
  rotate,
  stopTicking,
  switchTo,
  type ThreadRef,
  TICK_NS,
  takeNext,
  Vector,
  wake,
} from "@capos/kernel/internal";
import { KernelArea, KernelCore, Restart, Thread, ThreadState } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeKernel, makeThreads } from "./support/kernel.js";

useSeed(t);

const THREADS = 16;
const kernel = makeKernel(1);
const k = kernel.cores[0];
const { i32 } = k;
const threads = makeThreads(kernel, THREADS);
const area = k.kernelArea;
const stateOf = (thread: ThreadRef): number => i32[thread + Thread.STATE];
const armed = (): boolean => i32[lapicOf(k.memory, 0) + Lapic.TIMER_ARMED] !== 0;

function reset(): void {
  for (let word = 0; word < KernelArea.SIZE; word++) i32[area + word] = 0;
  for (const thread of threads) i32[thread + Thread.STATE] = ThreadState.INACTIVE;
  leave(k);
  refreshTop(k);
  stopTicking(k);
  k.turn = 0;
}

/** Ready threads by priority, the next to run first. */
type Queues = Map<number, ThreadRef[]>;

/** What is wrong with the run queue that should hold these threads, or "". */
function flaw(queues: Queues): string {
  let count = 0;
  let top = -1;
  for (let priority = 0; priority < 256; priority++) {
    const expected = queues.get(priority) ?? [];
    const pair = area + KernelArea.RUN_QUEUES + priority * 2;
    const bit = (i32[area + KernelArea.READY_BITMAP + (priority >> 5)] >>> (priority & 31)) & 1;
    if ((bit === 1) !== expected.length > 0) return `the bitmap is wrong about priority ${priority}`;
    if (
      expected.length === 0 ? i32[pair] !== 0 : i32[pair] !== expected[0] || i32[pair + 1] !== expected.at(-1)
    )
      return `head or tail of ${priority} is wrong`;
    for (const [i, thread] of expected.entries()) {
      if (
        i32[thread + Thread.RUN_NEXT] !== (expected[i + 1] ?? 0) ||
        i32[thread + Thread.RUN_PREVIOUS] !== (expected[i - 1] ?? 0)
      )
        return `the links of ${priority} are wrong`;
      if (i32[thread + Thread.STATE] !== ThreadState.READY) return "a queued thread is not READY";
    }
    count += expected.length;
    if (expected.length > 0) top = priority;
  }
  if (i32[area + KernelArea.READY_COUNT] !== count) return "the count is wrong";
  if (k.topReady !== top) return `the highest ready priority is ${top}, not ${k.topReady}`;
  refreshTop(k);
  return k.topReady === top ? "" : "refreshTop does not find the highest";
}

const step = fc.record({
  what: fc.constantFrom(
    "enqueue",
    "enqueue at front",
    "wake",
    "wake",
    "dequeue",
    "choose",
    "choose",
    "block",
    "preempt",
    "rotate",
  ),
  thread: fc.nat(THREADS - 1),
  priority: fc.oneof(fc.nat(2), fc.constantFrom(0, 31, 32, 63, 255), fc.nat(255)),
});

t.test(
  "a run queue is a list for each priority: what runs next, the bitmap, the count and the cached top are always those of the lists",
  (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
        reset();
        const queues: Queues = new Map();
        const listOf = (thread: ThreadRef): ThreadRef[] => {
          const priority = i32[thread + Thread.PRIORITY];
          if (!queues.has(priority)) queues.set(priority, []);
          return queues.get(priority)!;
        };
        let running: ThreadRef | 0 = 0;
        const priorityOf = (thread: ThreadRef): number => i32[thread + Thread.PRIORITY];
        for (const { what, thread: number, priority } of steps) {
          const thread = threads[number];
          const ready = i32[thread + Thread.STATE] === ThreadState.READY;
          const away = !ready && thread !== running;
          if (away && (what === "enqueue" || what === "enqueue at front" || what === "wake")) {
            i32[thread + Thread.PRIORITY] = priority;
            const idle = running === 0 && [...queues.values()].every((list) => list.length === 0);
            if (what === "wake") wake(k, thread);
            else enqueue(k, thread, what === "enqueue at front");
            if (what === "wake" && idle) running = thread;
            else if (what === "enqueue at front") listOf(thread).unshift(thread);
            else listOf(thread).push(thread);
            if (what === "wake" && running !== 0 && running !== thread && priority > priorityOf(running)) {
              listOf(running).unshift(running);
              running = 0;
            }
          } else if (what === "dequeue" && ready) {
            dequeue(k, thread);
            i32[thread + Thread.STATE] = ThreadState.QUEUED;
            listOf(thread).splice(listOf(thread).indexOf(thread), 1);
          } else if (what === "choose" && running === 0) {
            const next = takeNext(k);
            const top = Math.max(-1, ...[...queues].filter(([, list]) => list.length > 0).map(([at]) => at));
            if (next !== (queues.get(top)?.shift() ?? 0)) throw new Error("another thread was chosen");
            if (next !== 0) {
              enter(k, next);
              running = next;
            }
          } else if (what === "block" && running !== 0) {
            i32[running + Thread.STATE] = ThreadState.QUEUED;
            leave(k);
            running = 0;
          } else if (what === "preempt") {
            preempt(k);
            if (running !== 0) listOf(running).unshift(running);
            running = 0;
          } else if (what === "rotate") {
            rotate(k);
            if (running !== 0) listOf(running).push(running);
            running = 0;
          }
          const wrong = flaw(queues);
          if (wrong !== "") throw new Error(wrong);
          if (k.current !== running || i32[k.area + KernelCore.CURRENT_THREAD] !== running)
            throw new Error("another thread runs");
          if (running !== 0 && i32[running + Thread.STATE] !== ThreadState.RUNNING)
            throw new Error("the running thread is not RUNNING");
          if (running !== 0 && i32[area + KernelArea.READY_COUNT] > 0 && !armed())
            throw new Error("somebody waits and the running thread has no quantum");
        }
      }),
      { numRuns: 400 },
    );
    t.end();
  },
);

/** Threads of these priorities, none of them anywhere. */
function fresh(...priorities: number[]): ThreadRef[] {
  reset();
  return priorities.map((priority, i) => {
    i32[threads[i] + Thread.PRIORITY] = priority;
    return threads[i];
  });
}

t.test("threads of one priority run in turn", (t) => {
  const all = fresh(5, 5, 5);
  for (const thread of all) enqueue(k, thread);
  const order: number[] = [];
  for (let turn = 0; turn < 6; turn++) {
    enter(k, takeNext(k) as ThreadRef);
    order.push(k.current);
    rotate(k);
  }
  t.same(order, [...all, ...all]);
  t.end();
});

t.test("a thread that lost its core to a higher one runs before the others of its priority", (t) => {
  const [a, b, high] = fresh(5, 5, 9) as [ThreadRef, ThreadRef, ThreadRef];
  enqueue(k, a);
  enqueue(k, b);
  enter(k, takeNext(k) as ThreadRef);
  wake(k, high);
  t.equal(k.current, 0, "the core is to choose again");
  t.same([takeNext(k), takeNext(k), takeNext(k), takeNext(k)], [high, a, b, 0]);
  t.end();
});

t.test("a thread of the same or a lower priority does not take the core from the running one", (t) => {
  const [running, same, lower] = fresh(5, 5, 4) as [ThreadRef, ThreadRef, ThreadRef];
  wake(k, running);
  wake(k, same);
  wake(k, lower);
  t.equal(k.current, running);
  t.end();
});

t.test("a thread that is woken on an idle core runs at once", (t) => {
  const [a, b] = fresh(5, 9) as [ThreadRef, ThreadRef];
  wake(k, a);
  t.equal(k.current, a);
  t.equal(stateOf(a), ThreadState.RUNNING);
  wake(k, b);
  t.equal(k.current, 0, "on a busy one it does not jump the queue");
  t.equal(takeNext(k), b);
  t.end();
});

t.test("a restarted thread is chosen, never entered: the loop must see that its trap starts again", (t) => {
  const [a] = fresh(5) as [ThreadRef];
  restart(k, a);
  t.equal(k.current, 0);
  t.equal(i32[a + Thread.RESTART], Restart.TRAP);
  t.equal(takeNext(k), a);
  t.end();
});

t.test("a running thread has a quantum from when somebody waits, and none while it is alone", (t) => {
  const [a, b] = fresh(5, 5) as [ThreadRef, ThreadRef];
  enqueue(k, a);
  enter(k, takeNext(k) as ThreadRef);
  t.equal(armed(), false, "alone");
  wake(k, b);
  t.equal(armed(), true);
  const lapic = lapicOf(k.memory, 0);
  t.equal(i32[lapic + Lapic.INITIAL_COUNT], TICK_NS);
  t.equal(i32[lapic + Lapic.LVT_TIMER] & 0xff, Vector.TIMER);
  t.end();
});

/** Blocks the running thread. */
function block(): void {
  i32[k.current + Thread.STATE] = ThreadState.QUEUED;
  leave(k);
}

const choose = (): ThreadRef => {
  const thread = takeNext(k) as ThreadRef;
  enter(k, thread);
  return thread;
};

t.test(
  "rivals have the same number of quanta, however often somebody more urgent takes the core from one of them",
  (t) => {
    const [a, b, urgent] = fresh(5, 5, 9) as [ThreadRef, ThreadRef, ThreadRef];
    i32[urgent + Thread.STATE] = ThreadState.QUEUED;
    enqueue(k, a);
    enqueue(k, b);
    const turns = { a: 0, b: 0 };
    let last: ThreadRef | 0 = 0;
    for (let ticks = 0; ticks < 4000; ticks++) {
      const thread = choose();
      if (thread !== last) turns[thread === a ? "a" : "b"]++;
      last = thread;
      // One wakes the urgent thread hundreds of times in a tick, and a tick is always found over in between.
      for (let i = 0; thread === a && i < 3; i++) {
        wake(k, urgent);
        if (i === 2) charge(k, TICK_NS);
        if (choose() !== urgent) throw new Error("the urgent thread does not run");
        block();
        if (i < 2 && choose() !== a) throw new Error("a thread that lost the core lost its place too");
      }
      if (thread === b) {
        charge(k, TICK_NS);
        if (k.current !== 0) preempt(k);
      }
    }
    t.ok(turns.a >= 490 && Math.abs(turns.a - turns.b) <= 1, `${turns.a} turns, and ${turns.b}`);
    t.end();
  },
);

t.test("a quantum that ends while a server runs on it is over when the caller is answered", (t) => {
  for (const urgency of [5, 9]) {
    const [caller, rival, server] = fresh(5, 5, urgency) as [ThreadRef, ThreadRef, ThreadRef];
    for (const thread of [caller, rival]) enqueue(k, thread);
    i32[server + Thread.QUANTUM_LEFT] = QUANTUM_NS;
    choose();
    // A direct switch there, within the caller's turn.
    i32[caller + Thread.STATE] = ThreadState.AWAITING_REPLY;
    t.ok(goesFirst(k, server));
    switchTo(k, server, k.contexts[i32[server + Thread.NUMBER]]!);
    charge(k, QUANTUM_NS - 1);
    t.equal(k.current, server, "not yet");
    t.ok(goesFirst(k, caller));
    charge(k, 1);
    t.equal(k.current, 0, "the server goes to the end of its priority");
    t.notOk(goesFirst(k, caller), "and the caller has no claim before its rival");
    t.equal(takeNext(k), urgency === 9 ? server : rival);
  }
  t.end();
});

t.test(
  "a thread that lost the core keeps what was left of its quantum, and has a full one after it gave way",
  (t) => {
    const [a, b, urgent] = fresh(5, 5, 9) as [ThreadRef, ThreadRef, ThreadRef];
    enqueue(k, a);
    enqueue(k, b);
    choose();
    charge(k, TICK_NS);
    wake(k, urgent);
    t.equal(choose(), urgent);
    charge(k, TICK_NS);
    t.equal(i32[a + Thread.QUANTUM_LEFT], QUANTUM_NS - TICK_NS, "the urgent thread's time is its own");
    block();
    t.equal(choose(), a);
    rotate(k);
    t.equal(i32[a + Thread.QUANTUM_LEFT], QUANTUM_NS);
    t.end();
  },
);

t.test("with nobody running, preempt and rotate do nothing", (t) => {
  reset();
  preempt(k);
  rotate(k);
  t.equal(flaw(new Map()), "");
  t.equal(takeNext(k), 0);
  t.end();
});
