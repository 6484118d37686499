/** What `top` reads, on memory written by hand: looks become shares, counters rates, links names. */
import { ObjectType } from "@capos/abi";
import { Attention, BootInfo, CoreArea, CoreState, coreArea, Power } from "@capos/hal";
import { readActivity, readCallNumbers } from "@capos/inspect";
import {
  Endpoint,
  KernelArea,
  KernelCore,
  QueueKind,
  Role,
  Tables,
  Thread,
  ThreadState,
} from "@capos/kernel/layout";
import { Watch } from "capos";
import fc from "fast-check";
import t from "tap";
import { makeSmallSystem } from "../../inspect/support/written-machine.js";
import { useSeed } from "../../support/machine.js";

/** The small system, in which thread 5 runs on core 1. */
function makeWatched() {
  const system = makeSmallSystem();
  const { memory } = system.memory.machine;
  const { i32 } = memory;
  const area = (core: number): number => coreArea(memory, core);
  const threadAt = (number: number): number => i32[i32[system.memory.tables + Tables.THREAD_TABLE] + number];
  return { ...system, physical: memory, i32, area, threadAt };
}

t.test("of a number of looks, each counts for what its core did then", (t) => {
  const { physical, i32, area, threadAt, memory } = makeWatched();
  const watch = new Watch(physical, 2);
  const one = area(1);
  i32[one + CoreArea.HEARTBEAT] = 7;
  watch.look();
  watch.look();
  i32[one + KernelCore.IN_KERNEL] = 7;
  i32[i32[memory.tables + Tables.KERNEL_AREAS] + KernelArea.SIZE + KernelArea.READY_COUNT] = 5;
  watch.look();
  i32[one + KernelCore.CURRENT_THREAD] = 0;
  watch.look();
  i32[one + CoreArea.ATTENTION] = Attention.HALTED;
  watch.look();
  i32[area(0) + CoreArea.STATE] = CoreState.DEAD;
  for (let i = 0; i < 5; i++) watch.look();
  const reading = watch.read();
  t.equal(reading.looks, 10);
  t.match(reading.cores[1], { state: "online", busy: 0.3, kernel: 0.1, polling: 0.1, halted: 0.6, ready: 4 });
  t.match(reading.cores[0], { state: "dead", busy: 0, polling: 0.5, halted: 0 });
  t.match(
    reading.threads.find(({ number }) => number === 5),
    { cpu: 0.3, address: threadAt(5) * 4 },
  );
  t.match(reading.processes, [
    { number: 1, name: "init", threads: 1, cpu: 0, cores: [0] },
    { number: 2, name: "echo", threads: 4, cpu: 0.3, cores: [0, 1] },
  ]);
  t.equal(watch.read().looks, 1, "the next interval begins anew, and looks at least once");
  t.end();
});

t.test("rates are differences of counters, also where one has gone past 2^32", (t) => {
  const { physical, i32, area, threadAt } = makeWatched();
  i32[area(1) + CoreArea.HEARTBEAT] = -3;
  i32[threadAt(1) + Thread.CALL_NUMBER] = -1;
  const watch = new Watch(physical, 2);
  i32[area(1) + CoreArea.HEARTBEAT] = 7;
  i32[area(1) + KernelCore.MESSAGES_IN] += 30;
  i32[area(0) + KernelCore.MESSAGES_OUT] += 40;
  i32[area(0) + KernelCore.GRACE_PASSED] += 2;
  i32[threadAt(1) + Thread.CALL_NUMBER] = 19;
  const { seconds, cores, threads, processes } = watch.read();
  const times = (rate: number): number => Math.round(rate * seconds);
  t.equal(times(cores[1].traps), 10);
  t.equal(times(cores[1].messagesIn), 30);
  t.equal(times(cores[0].messagesOut), 40);
  t.equal(times(cores[0].gracePeriods), 2);
  t.equal(times(threads[0].calls), 20);
  t.equal(times(cores[0].calls), 20, "a call counts where its thread is at home");
  t.equal(times(processes[0].calls), 20);
  t.end();
});

t.test("a number's next thread goes on counting where the last one ended", (t) => {
  const { physical, i32, memory, threadAt } = makeWatched();
  const ended = memory.take(64);
  i32[memory.tables + Tables.CALL_NUMBERS] = ended;
  i32[ended + 1] = 1000;
  i32[ended + 9] = 77;
  const numbers = readCallNumbers(physical);
  t.equal(numbers[1], i32[threadAt(1) + Thread.CALL_NUMBER], "a thread's own");
  t.equal(numbers[9], 77, "of a number without a thread: where its next one begins");
  t.equal(numbers.length, 64);
  t.end();
});

t.test("a thread that waits says for what, and on whom", (t) => {
  const { physical, i32, memory, endpoint, threadAt, echoSlot } = makeWatched();
  const waits = (number: number) => readActivity(physical).threads.find((it) => it.number === number)!.waits;
  t.match(waits(1), { for: "reply", onThreads: [5], object: null }, "on the thread that took its call");
  t.match(waits(2), { for: "message", as: "receiver", object: endpoint * 4, onThreads: [] });
  t.match(waits(3), { for: "signal", as: "waiter" });
  t.equal(waits(5), null, "a running thread waits for nothing");

  // The receiver has gone on; a caller came into the queue.
  memory.set(threadAt(2), { [Thread.STATE]: ThreadState.READY, [Thread.QUEUE]: 0, [Thread.ROLE]: Role.NONE });
  memory.set(threadAt(1), { [Thread.STATE]: ThreadState.QUEUED });
  memory.queue(endpoint, [threadAt(1)], Role.CALLER);
  i32[endpoint + Endpoint.KIND] = QueueKind.SENDERS;
  t.match(
    waits(1),
    { for: "answer", as: "caller", object: endpoint * 4, onThreads: [2] },
    "on who received there last",
  );

  memory.set(threadAt(1), {
    [Thread.STATE]: ThreadState.REMOTE,
    [Thread.QUEUE]: 0,
    [Thread.ASKED_CORE]: 1,
    [Thread.ROLE]: Role.NONE,
  });
  t.match(waits(1), { for: "core", onCore: 1 });
  i32[threadAt(1) + Thread.ROLE] = Role.REPLY_OWED;
  t.match(waits(1), { for: "reply", onThreads: [5] });

  // The server has saved the reply in a slot of its process.
  i32[threadAt(5) + Thread.REPLY_TO] = 0;
  memory.hold(echoSlot(10), {
    type: ObjectType.REPLY,
    object: threadAt(1),
    parent: threadAt(1) + Thread.HEADER,
  });
  t.match(waits(1), { for: "reply", onThreads: [], onProcess: 2 });

  memory.set(threadAt(1), { [Thread.STATE]: ThreadState.GRACE_WAIT, [Thread.GRACE_TARGET]: 12 });
  t.match(waits(1), { for: "grace period", gracePeriod: 12 });
  memory.set(threadAt(1), { [Thread.STATE]: ThreadState.RING_WAIT });
  t.match(waits(1), { for: "ring" });
  t.end();
});

t.test("looking writes nothing", (t) => {
  const { physical } = makeWatched();
  const before = Uint8Array.from({ length: 2 ** 21 }, (_, i) => physical.u8[i]);
  const watch = new Watch(physical, 2);
  for (let i = 0; i < 10; i++) watch.look();
  watch.read();
  t.ok(before.every((byte, i) => byte === physical.u8[i]));
  t.end();
});

t.test("whatever words are met, a reading throws nothing", (t) => {
  useSeed(t);
  const word = fc.oneof(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.integer({ min: 0, max: 2 ** 18 }).map((line) => line * 16),
    fc.constantFrom(0, 1, -1, 0x7fff_ffff, -0x8000_0000),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), word), { maxLength: 300 }),
      (scribbles) => {
        const { physical, i32, memory, echoSlot } = makeWatched();
        const watch = new Watch(physical, 2);
        const used: number[] = [];
        for (let at = memory.tables; at < echoSlot(16) + 4096; at++) if (i32[at] !== 0) used.push(at);
        for (const [where, value] of scribbles) i32[used[Math.floor(where * (used.length - 1))]] = value;
        watch.look();
        JSON.stringify(watch.read());
      },
    ),
    { numRuns: 100 },
  );
  t.end();
});

t.test("a machine that is off is told as over", (t) => {
  const { physical, i32 } = makeWatched();
  const watch = new Watch(physical, 2);
  t.equal(watch.read().ended, false);
  i32[BootInfo.POWER] = Power.PANIC;
  t.equal(watch.read().ended, true);
  t.end();
});
