import { Attention, CoreArea, CoreState, raise } from "@capos/hal";
import {
  attend,
  type Core,
  enter,
  graceIsOver,
  leaveGraceWait,
  passGrace,
  requestGrace,
  type ThreadRef,
  waitForGrace,
} from "@capos/kernel/internal";
import { KernelArea, KernelCore, KernelInfo, Restart, Thread, ThreadState } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { type Kernel, makeKernel, makeThreads } from "./support/kernel.js";

useSeed(t);

const CORES = 4;
const kernel = makeKernel(CORES);
const { i32 } = kernel.memory;
const { cores } = kernel;
const threads = cores.map((core) => makeThreads(kernel, 4, core.id));

/** All online and awake, nothing asked for; the next grace period has the number after `number`. */
function reset(number = 0): Kernel {
  i32[KernelInfo.GRACE_REQUESTED] = number;
  for (const core of cores) {
    i32[core.attention] = 0;
    i32[core.area + CoreArea.STATE] = CoreState.ONLINE;
    i32[core.area + KernelCore.GRACE_PASSED] = number;
    i32[core.area + KernelCore.GRACE_AWAITED] = 0;
    core.graceOver = 0;
    for (let word = 0; word < KernelArea.SIZE; word++) i32[core.kernelArea + word] = 0;
    core.current = 0;
    core.topReady = -1;
    for (const thread of threads[core.id]) {
      i32[thread + Thread.STATE] = ThreadState.INACTIVE;
      i32[thread + Thread.PRIORITY] = 3;
    }
  }
  return kernel;
}

const stateOf = (thread: ThreadRef): number => i32[thread + Thread.STATE];
const setState = (core: number, state: CoreState): void => {
  i32[cores[core].area + CoreArea.STATE] = state;
};
const attention = (core: number): number => i32[cores[core].attention];

/** What a core does on its way to sleep, but for the sleep: false if it may not. */
function halt(core: Core): boolean {
  return Atomics.compareExchange(i32, core.attention, 0, Attention.HALTED) === 0;
}

/** What a core does when it wakes, as `idle` in loop.ts. */
function leaveHalt(core: Core): void {
  Atomics.and(i32, core.attention, ~Attention.HALTED);
  const asked = Atomics.load(i32, KernelInfo.GRACE_REQUESTED);
  attend(core);
  passGrace(core, asked);
}

/** Makes a thread of a core wait for a grace period, as a trap of its own does. */
function wait(core: number, thread: ThreadRef, number: number): void {
  enter(cores[core], thread);
  waitForGrace(cores[core], thread, number);
}

t.test(
  "a grace period is over when every online core has passed a safe point since it was asked for, not one core earlier",
  (t) => {
    for (const last of [0, 1, 2, 3]) {
      reset();
      const number = requestGrace(cores[0]);
      for (const core of cores) {
        if (core.id === last) continue;
        t.equal(graceIsOver(cores[0], number), false);
        attend(core);
      }
      t.equal(graceIsOver(cores[0], number), false, `core ${last} has not`);
      attend(cores[last]);
      for (const core of cores) t.equal(graceIsOver(core, number), true, "every core sees it over");
    }
    t.end();
  },
);

t.test("the core that asks must pass a safe point itself", (t) => {
  reset();
  for (const core of [1, 2, 3]) setState(core, CoreState.OFFLINE);
  const number = requestGrace(cores[0]);
  t.equal(graceIsOver(cores[0], number), false);
  attend(cores[0]);
  t.equal(graceIsOver(cores[0], number), true);
  t.end();
});

t.test("a safe point before the request does not count", (t) => {
  reset();
  for (const core of cores) attend(core);
  const number = requestGrace(cores[0]);
  t.equal(graceIsOver(cores[0], number), false);
  t.end();
});

t.test("a request asks every core by its attention word", (t) => {
  reset();
  requestGrace(cores[2]);
  t.same([0, 1, 2, 3].map(attention), [Attention.GRACE, Attention.GRACE, Attention.GRACE, Attention.GRACE]);
  t.end();
});

t.test("a core whose word is HALTED counts as passed and is not woken", (t) => {
  reset();
  for (const core of [1, 2, 3]) halt(cores[core]);
  const number = requestGrace(cores[0]);
  t.equal(graceIsOver(cores[0], number), false, "the asker is awake");
  attend(cores[0]);
  t.equal(graceIsOver(cores[0], number), true);
  t.same([1, 2, 3].map(attention), [Attention.HALTED, Attention.HALTED, Attention.HALTED]);
  t.end();
});

t.test("a core that is halted with any other bit set does not count, and is woken", async (t) => {
  for (const bit of [
    1 << 16,
    1 << 31,
    Attention.INTERRUPT,
    Attention.POKE,
    Attention.FLUSH,
    Attention.POWER,
    Attention.DOOMED,
    Attention.NON_MASKABLE,
    Attention.GRACE,
    Attention.INIT,
    Attention.STARTUP,
  ]) {
    reset();
    i32[cores[1].attention] = Attention.HALTED | bit;
    const sleeper = Atomics.waitAsync(i32, cores[1].attention, Attention.HALTED | bit);
    const number = requestGrace(cores[0]);
    for (const core of [0, 2, 3]) attend(cores[core]);
    t.equal(graceIsOver(cores[0], number), false, `with bit ${bit}`);
    t.equal(attention(1), Attention.HALTED | bit | Attention.GRACE);
    t.equal(await sleeper.value, "ok");
    i32[cores[1].attention] = Attention.GRACE;
    attend(cores[1]);
    t.equal(graceIsOver(cores[0], number), true);
  }
});

t.test("a core that has been asked does not halt before it reported", (t) => {
  reset();
  requestGrace(cores[0]);
  t.equal(halt(cores[1]), false);
  attend(cores[1]);
  t.equal(halt(cores[1]), true);
  t.end();
});

t.test("a dying core counts until its worker has exited; one that is off or not yet on does not", (t) => {
  reset();
  const number = requestGrace(cores[0]);
  for (const core of [0, 2, 3]) attend(cores[core]);
  setState(1, CoreState.DYING);
  t.equal(graceIsOver(cores[0], number), false, "its worker may still run");
  for (const state of [
    CoreState.DEAD,
    CoreState.OFFLINE,
    CoreState.WAIT_FOR_INIT,
    CoreState.WAIT_FOR_STARTUP,
  ]) {
    setState(1, state);
    t.equal(graceIsOver(cores[0], number), true, `state ${state}`);
  }
  setState(1, CoreState.ONLINE);
  t.equal(graceIsOver(cores[2], number), false, "a core that comes online owes what it has not reported");
  attend(cores[1]);
  t.equal(graceIsOver(cores[0], number), true, "and it was asked, though it was off then");
  t.end();
});

t.test("a thread that waits is woken exactly when the last core reports, and starts its trap again", (t) => {
  for (const last of [1, 2, 3]) {
    reset();
    const thread = threads[0][0];
    const number = requestGrace(cores[0]);
    wait(0, thread, number);
    t.equal(cores[0].current, 0, "its core goes on with other work");
    attend(cores[0]);
    for (const core of [1, 2, 3].filter((id) => id !== last)) {
      attend(cores[core]);
      t.equal(attention(0), 0, "its core is not called too early");
      attend(cores[0]);
      t.equal(stateOf(thread), ThreadState.GRACE_WAIT);
    }
    attend(cores[last]);
    t.equal(attention(0), Attention.POKE, "its core is called");
    attend(cores[0]);
    t.same(
      [stateOf(thread), i32[thread + Thread.RESTART], cores[0].topReady],
      [ThreadState.READY, Restart.TRAP, 3],
    );
    t.equal(i32[cores[0].area + KernelCore.GRACE_AWAITED], 0, "nobody waits any more");
    attend(cores[last]);
    passGrace(cores[last], i32[KernelInfo.GRACE_REQUESTED]);
    t.equal(attention(0), 0, "a core without waiters is not called again");
  }
  t.end();
});

t.test("a thread is woken also when its own core is the last to report", (t) => {
  reset();
  const thread = threads[0][0];
  wait(0, thread, requestGrace(cores[0]));
  for (const core of [1, 2, 3]) attend(cores[core]);
  t.equal(stateOf(thread), ThreadState.GRACE_WAIT);
  attend(cores[0]);
  t.equal(stateOf(thread), ThreadState.READY);
  t.end();
});

t.test("a thread that waits for a grace period which is over does not wait", (t) => {
  reset();
  const number = requestGrace(cores[0]);
  for (const core of cores) attend(core);
  wait(0, threads[0][0], number);
  t.equal(stateOf(threads[0][0]), ThreadState.READY);
  t.equal(i32[cores[0].area + KernelCore.GRACE_AWAITED], 0);
  t.end();
});

t.test("threads of several cores wait for overlapping grace periods and each is woken by its own", (t) => {
  reset();
  const [a, b, c] = [threads[0][0], threads[0][1], threads[1][0]];
  const first = requestGrace(cores[0]);
  wait(0, a, first);
  attend(cores[1]);
  attend(cores[2]);
  const second = requestGrace(cores[1]);
  t.not(first, second);
  wait(1, c, second);
  wait(0, b, second);
  t.equal(
    i32[cores[0].area + KernelCore.GRACE_AWAITED],
    first,
    "the first to end is what its core waits for",
  );
  attend(cores[0]);
  attend(cores[3]);
  t.equal(graceIsOver(cores[0], first), true, "cores 1 and 2 had passed before the second request");
  t.equal(graceIsOver(cores[0], second), false);
  attend(cores[0]);
  t.same([a, b, c].map(stateOf), [ThreadState.READY, ThreadState.GRACE_WAIT, ThreadState.GRACE_WAIT]);
  t.equal(i32[cores[0].area + KernelCore.GRACE_AWAITED], second);
  attend(cores[1]);
  t.same([b, c].map(stateOf), [ThreadState.GRACE_WAIT, ThreadState.GRACE_WAIT]);
  attend(cores[2]);
  t.same([attention(0), attention(1)], [Attention.POKE, Attention.POKE]);
  attend(cores[0]);
  attend(cores[1]);
  t.same([a, b, c].map(stateOf), [ThreadState.READY, ThreadState.READY, ThreadState.READY]);
  t.end();
});

t.test("one safe point answers all requests before it", (t) => {
  reset();
  const numbers = [0, 1, 2, 3, 0].map((core) => requestGrace(cores[core]));
  t.equal(new Set(numbers).size, 5);
  for (const core of cores) attend(core);
  t.ok(numbers.every((number) => graceIsOver(cores[3], number)));
  t.end();
});

t.test("a thread that is destroyed while it waits is forgotten, the others are not", (t) => {
  for (const victim of [0, 1, 2]) {
    reset();
    const waiting = threads[0].slice(0, 3);
    const first = requestGrace(cores[0]);
    wait(0, waiting[0], first);
    const second = requestGrace(cores[0]);
    wait(0, waiting[1], second);
    wait(0, waiting[2], second);
    i32[waiting[victim] + Thread.STATE] = ThreadState.DEAD;
    leaveGraceWait(cores[0], waiting[victim]);
    t.equal(i32[cores[0].area + KernelCore.GRACE_AWAITED], victim === 0 ? second : first);
    for (const core of cores) attend(core);
    attend(cores[0]);
    t.same(
      waiting.map(stateOf),
      [0, 1, 2].map((i) => (i === victim ? ThreadState.DEAD : ThreadState.READY)),
    );
  }
  t.end();
});

t.test("a core's report never goes back", (t) => {
  reset();
  for (let i = 0; i < 5; i++) requestGrace(cores[0]);
  passGrace(cores[1], 4);
  passGrace(cores[1], 2);
  t.equal(i32[cores[1].area + KernelCore.GRACE_PASSED], 4);
  t.end();
});

t.test("grace periods work across the wrap of their numbers, and a waiter of each is woken", (t) => {
  for (const start of [2 ** 31 - 3, -3]) {
    reset(start | 0);
    for (let i = 0; i < 6; i++) {
      const thread = threads[0][0];
      i32[thread + Thread.STATE] = ThreadState.INACTIVE;
      const number = requestGrace(cores[0]);
      wait(0, thread, number);
      attend(cores[0]);
      for (const core of [1, 2, 3]) {
        t.equal(graceIsOver(cores[0], number), false);
        attend(cores[core]);
      }
      t.equal(graceIsOver(cores[0], number), true);
      t.equal(attention(0), Attention.POKE, `number ${number}: the waiter's core is called`);
      attend(cores[0]);
      t.equal(stateOf(thread), ThreadState.READY);
      reset(i32[KernelInfo.GRACE_REQUESTED]);
    }
  }
  t.end();
});

const step = fc.record({
  what: fc.constantFrom(
    "request",
    "request",
    "safe point",
    "safe point",
    "safe point",
    "halt",
    "leave halt",
    "bit",
    "wait",
    "die",
    "bury",
    "revive",
  ),
  core: fc.nat(CORES - 1),
  pick: fc.nat(5),
});

t.test(
  "no grace period is over before every core was at rest since it was asked for, all are once they were, and nobody who waits is forgotten",
  (t) => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 2 ** 31 - 10, -10),
        fc.array(step, { maxLength: 150, size: "max" }),
        (start, steps) => {
          reset(start | 0);
          let time = 0;
          const requests: { number: number; time: number }[] = [];
          /** When each core was last at a safe point, or halted with nothing to do. */
          const rested = cores.map(() => 0);
          const counts = cores.map(() => true);
          const dead = cores.map(() => false);
          const waiting = new Map<ThreadRef, number>();
          const isHalted = (core: number): boolean => (attention(core) & Attention.HALTED) !== 0;
          const rest = (core: number): void => {
            rested[core] = time;
          };
          const safePoint = (core: number): void => {
            attend(cores[core]);
            rest(core);
          };
          // A new worker: it owes the reports of the old one, which may have died between taking its bits and reporting.
          const revive = (core: number): void => {
            setState(core, CoreState.ONLINE);
            dead[core] = false;
            counts[core] = true;
            raise(kernel.memory, cores[core].attention, Attention.GRACE);
            safePoint(core);
          };
          const check = (): void => {
            cores.forEach((core) => {
              if (attention(core.id) === Attention.HALTED) rest(core.id);
            });
            for (const { number, time: asked } of requests) {
              const atRest = cores.every((core) => !counts[core.id] || rested[core.id] >= asked);
              if (graceIsOver(cores[0], number) && !atRest)
                throw new Error(`grace period ${number} is over too early`);
              // A halted core has no report to make until somebody asks or it wakes.
              const reported = cores.every(
                (core) => !counts[core.id] || (rested[core.id] >= asked && !isHalted(core.id)),
              );
              if (!graceIsOver(cores[0], number) && reported)
                throw new Error(`grace period ${number} is not over`);
            }
          };
          for (const { what, core, pick } of steps) {
            time++;
            const k = cores[core];
            const runs = !dead[core] && counts[core] && !isHalted(core);
            if (what === "request" && runs) requests.push({ number: requestGrace(k), time });
            else if (what === "safe point" && runs) safePoint(core);
            else if (what === "halt" && runs) {
              // As in the loop: a core halts only from a safe point, with no bit set.
              safePoint(core);
              halt(k);
            } else if (what === "leave halt" && isHalted(core) && !dead[core]) {
              leaveHalt(k);
              rest(core);
            } else if (what === "bit")
              Atomics.or(i32, k.attention, [Attention.POKE, Attention.FLUSH][pick % 2]);
            else if (what === "wait" && runs && requests.length > 0) {
              const thread = threads[core].find((one) => !waiting.has(one));
              const request = requests[requests.length - 1 - (pick % requests.length)];
              if (thread === undefined) continue;
              wait(core, thread, request.number);
              if (stateOf(thread) === ThreadState.GRACE_WAIT) waiting.set(thread, request.number);
            } else if (what === "die" && runs && core !== 0) {
              if (pick > 2) Atomics.and(i32, k.attention, ~Attention.TAKEN);
              setState(core, CoreState.DYING);
              dead[core] = true;
            } else if (what === "bury" && dead[core]) {
              setState(core, CoreState.DEAD);
              counts[core] = false;
            } else if (what === "revive" && dead[core] && !counts[core]) {
              revive(core);
            }
            check();
            for (const [thread, number] of waiting) {
              if (stateOf(thread) !== ThreadState.READY) continue;
              if (!graceIsOver(cores[0], number)) throw new Error("a thread was woken too early");
              waiting.delete(thread);
              i32[thread + Thread.STATE] = ThreadState.INACTIVE;
              // Nobody runs it here.
              emptyRunQueue(i32[thread + Thread.HOME]);
            }
          }
          // The dead come back; from here on a core acts only when it is called.
          cores.forEach((core) => {
            if (dead[core.id]) revive(core.id);
          });
          for (let called = true; called; ) {
            called = false;
            for (const core of cores) {
              if (attention(core.id) === 0 || attention(core.id) === Attention.HALTED) continue;
              if (isHalted(core.id)) leaveHalt(core);
              else attend(core);
              called = true;
            }
          }
          for (const [thread] of waiting)
            if (stateOf(thread) !== ThreadState.READY) throw new Error("a thread is forgotten");
          return requests.every(({ number }) => graceIsOver(cores[0], number));
        },
      ),
      { numRuns: 400 },
    );
    t.end();
  },
);

/** Forgets who is ready on a core. */
function emptyRunQueue(core: number): void {
  const area = cores[core].kernelArea;
  for (let word = KernelArea.READY_BITMAP; word <= KernelArea.READY_COUNT; word++) i32[area + word] = 0;
  for (let word = KernelArea.RUN_QUEUES; word < KernelArea.SIZE; word++) i32[area + word] = 0;
  cores[core].topReady = -1;
}
