import { Err, LifeState, Method, ObjectType, Right, Slot, SlotState } from "@capos/abi";
import { Attention, CoreArea, CoreState } from "@capos/hal";
import {
  assignReap,
  bindCSpace,
  CHUNK,
  type CNodeRef,
  type Core,
  type CoreId,
  configureThread,
  deriveSlot,
  endProcess,
  finishDeath,
  flushBacklog,
  type HeaderRef,
  handOverReaping,
  invokeProcess,
  killSlot,
  moveSlot,
  type ProcessRef,
  type SlotRef,
  type ThreadRef,
} from "@capos/kernel/internal";
import {
  KernelArea,
  KernelInfo,
  Monitor,
  Notification,
  ObjectHeader,
  Process,
  Reap,
  Thread,
  ThreadState,
} from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { retypeOnce, WAITS } from "./support/kernel.js";
import { configureProcess, handleIn, messageOf, watch } from "./support/processes.js";
import { makeBench } from "./support/slots.js";
import { childrenOf, descendantsOf, interleave, settle, stateOf, turn } from "./support/tree.js";

useSeed(t);

const bench = makeBench(2);
const { i32, cores, slotAt, untyped, locked, objectIn } = bench;
const [zero, one] = cores as [Core, Core];
const kill = (k: Core, slot: SlotRef): void => locked(k, (held) => killSlot(held, slot));

/** The headers in a core's list, first to last; throws if its end is not where the list says. */
function listed(k: Core): HeaderRef[] {
  const found: HeaderRef[] = [];
  for (let at = i32[k.kernelArea + KernelArea.REAP_HEAD]; at > 0; at = i32[at + ObjectHeader.REAP_NEXT]) {
    if (i32[at + ObjectHeader.REAP_CORE] !== k.id + 1) throw new Error("a header names another core's list");
    if (found.length > 10_000) throw new Error("a list has no end");
    found.push(at as HeaderRef);
  }
  if (found.length > 0 && i32[k.kernelArea + KernelArea.REAP_TAIL] !== found.at(-1))
    throw new Error("the list's tail is not its last");
  return found;
}

t.test(
  "everything that is made and killed at random, on any core, is gone at the end, and its memory childless",
  (t) => {
    const kinds: readonly [ObjectType, number][] = [
      [ObjectType.ENDPOINT, 0],
      [ObjectType.NOTIFICATION, 0],
      [ObjectType.SEALER, 0],
      [ObjectType.CNODE, 3],
      [ObjectType.THREAD, 0],
      [ObjectType.PROCESS, 0],
      [ObjectType.MONITOR, 0],
      [ObjectType.FRAME, 12],
    ];
    const step = fc.record({
      what: fc.constantFrom("make", "make", "copy", "nest", "kill", "kill", "turn", "leave", "wait", "work"),
      pick: fc.nat(),
      core: fc.nat(1),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        bench.renew(19);
        i32[one.area + CoreArea.STATE] = CoreState.ONLINE;
        let next = 100;
        const living: SlotRef[] = [];
        const notifications: number[] = [];
        for (const { what, pick, core } of steps) {
          const gone = i32[one.area + CoreArea.STATE] === CoreState.ABSENT;
          const k = gone ? zero : cores[core];
          const slot = living[pick % Math.max(1, living.length)];
          if (what === "make") {
            const [type, bits] = kinds[pick % kinds.length];
            const [made] = bench.make(type, bits, 1, next++) as [SlotRef];
            living.push(made);
            if (type === ObjectType.NOTIFICATION) notifications.push(objectIn(made));
          } else if (what === "turn") turn(k);
          else if (what === "leave" && !gone && pick % 4 === 0) {
            // As the last phase of a core that leaves the machine: under the lock.
            locked(one, (held) => {
              handOverReaping(held);
              i32[one.area + CoreArea.STATE] = CoreState.ABSENT;
            });
            i32[one.attention] = 0;
          } else if (what === "wait" && notifications.length > 0) {
            // Some core has it in its list of nudges: it cannot go now.
            const one = notifications[pick % notifications.length];
            i32[one + Notification.NUDGE_HOLDER] = i32[one + Notification.NUDGE_HOLDER] === 0 ? 1 : 0;
          } else if (slot === undefined) continue;
          else if (what === "copy") {
            locked(k, (held) => deriveSlot(held, slot, slotAt(next), Right.ALL, 0));
            living.push(slotAt(next++));
          } else if (what === "nest") {
            const cnodes = living.filter((one) => ((i32[one] >> 2) & 63) === ObjectType.CNODE);
            const cnode = cnodes[pick % Math.max(1, cnodes.length)];
            if (cnode === undefined || cnode === slot) continue;
            // Two CNodes of which each holds the other keep each other, until their memory is revoked.
            if (((i32[slot] >> 2) & 63) === ObjectType.CNODE && objectIn(slot) < objectIn(cnode)) continue;
            const inside = [1, 2, 3, 4, 5, 6, 7].map((i) => (objectIn(cnode) + i * Slot.WORDS) as SlotRef);
            const free = inside.find((one) => i32[one] === SlotState.EMPTY);
            if (free === undefined) continue;
            locked(k, (held) => moveSlot(held, slot, free, Right.ALL));
            living.splice(living.indexOf(slot), 1);
          } else if (what === "kill") {
            kill(k, slot);
            living.splice(living.indexOf(slot), 1);
          } else if (what === "work") {
            const headers = listed(k);
            if (headers.length > 0)
              locked(k, (held) => assignReap(held, headers[pick % headers.length], Reap.FINALISE, k.id));
          }
          const all: number[] = [...listed(zero), ...listed(one)];
          if (new Set(all).size !== all.length) throw new Error("a header is in two lists, or twice in one");
          for (const header of descendantsOf(i32, untyped))
            if (stateOf(i32, header) === SlotState.DEAD && !all.includes(header))
              throw new Error("nobody reaps an object");
        }
        for (const notification of notifications) i32[notification + Notification.NUDGE_HOLDER] = 0;
        for (const slot of living) kill(zero, slot);
        const online = i32[one.area + CoreArea.STATE] === CoreState.ABSENT ? [zero] : cores;
        // What a notification waited for has come: its core is told by a bit.
        for (const k of online) Atomics.or(i32, k.attention, Attention.POKE);
        settle(online);
        if (listed(zero).length + listed(one).length > 0) throw new Error("something is still to be reaped");
        return childrenOf(i32, untyped).length === 0;
      }),
      { numRuns: 150 },
    );
    i32[one.area + CoreArea.STATE] = CoreState.ONLINE;
    t.end();
  },
);

t.test(
  "an object is gone one grace period after its last capability died, not before, and a bounded number goes in a turn",
  (t) => {
    bench.renew(18);
    const slots = bench.make(ObjectType.ENDPOINT, 0, 100, 100);
    for (const slot of slots) kill(zero, slot);
    turn(zero);
    turn(zero);
    t.equal(childrenOf(i32, untyped).length, 100, "core 1 may be using them");
    turn(one);
    for (let left = 100; left > 0; ) {
      t.equal(turn(zero) || turn(one), true);
      const now = childrenOf(i32, untyped).length;
      t.ok(left - now <= 16, `${left - now} in a turn`);
      left = now;
    }
    t.end();
  },
);

t.test(
  "any number of objects may have to wait: no other waits for them, and their core comes to rest",
  (t) => {
    for (const count of [1, 15, 16, 17, 40]) {
      bench.renew(18);
      const waiting = bench.make(ObjectType.NOTIFICATION, 0, count, 100);
      const others = bench.make(ObjectType.ENDPOINT, 0, 30, 200);
      // Some core has them in its list of nudges.
      for (const slot of waiting) i32[objectIn(slot) + Notification.NUDGE_HOLDER] = 1;
      for (const slot of [...waiting, ...others]) kill(zero, slot);
      settle(cores);
      t.equal(childrenOf(i32, untyped).length, count);
      t.equal(zero.backlog, 0);
      for (const slot of waiting) i32[objectIn(slot) + Notification.NUDGE_HOLDER] = 0;
      Atomics.or(i32, zero.attention, Attention.POKE);
      settle(cores);
      t.same(childrenOf(i32, untyped), []);
    }
    t.end();
  },
);

t.test("a core that rests looks again when what an object of its list waited for has come", (t) => {
  bench.renew(19);
  const [slot] = bench.make(ObjectType.NOTIFICATION, 0, 1, 100) as [SlotRef];
  const notification = objectIn(slot);
  // The other core has it in its list of nudges, and makes no turn meanwhile.
  i32[notification + Notification.NUDGE_HOLDER] = zero.id + 1;
  i32[zero.kernelArea + KernelArea.NUDGE_HEAD] = notification;
  zero.backlog++;
  zero.roomNews = true;
  kill(one, slot);
  for (let i = 0; i < 20; i++) turn(one);
  t.equal(listed(one).length, 1, "it waits for the nudge");
  i32[one.attention] = 0;
  flushBacklog(zero);
  t.equal(i32[one.attention] & Attention.POKE, Attention.POKE, "its reaper is called");
  settle(cores);
  t.same(listed(one), []);

  const [processSlot, cnode, threadSlot] = [ObjectType.PROCESS, ObjectType.CNODE, ObjectType.THREAD].map(
    (type, i) => bench.make(type, 4, 1, 200 + i)[0],
  ) as [SlotRef, SlotRef, SlotRef];
  const thread = objectIn<ThreadRef>(threadSlot);
  t.equal(configureProcess(bench, zero, processSlot, cnode, 1), Err.OK);
  t.equal(configureThread(zero, thread, objectIn(processSlot), 1 as CoreId, 5), Err.OK);
  // It was ended while another core owed it an answer.
  i32[thread + Thread.STATE] = ThreadState.DYING;
  i32[thread + Thread.LIFE] = LifeState.KILLED;
  kill(zero, threadSlot);
  for (let i = 0; i < 20; i++) for (const k of cores) turn(k);
  t.equal(listed(one).length, 1, "it waits for the answer");
  i32[one.attention] = 0;
  finishDeath(one, thread);
  t.equal(i32[one.attention] & Attention.POKE, Attention.POKE, "its reaper is called");
  settle(cores);
  t.same(listed(one), []);
  t.end();
});

t.test("a CNode of any size is emptied in bounded steps, and what was in it is dead", (t) => {
  bench.renew(19);
  const [frame] = bench.make(ObjectType.FRAME, 12, 1, 100) as [SlotRef];
  const [cnode] = bench.make(ObjectType.CNODE, 12, 1, 101) as [SlotRef];
  const inside = Array.from({ length: 4095 }, (_, i) => (objectIn(cnode) + (i + 1) * Slot.WORDS) as SlotRef);
  for (const slot of inside) locked(zero, (held) => deriveSlot(held, frame, slot, Right.ALL, 0));
  kill(zero, cnode);
  const alive = (): number => inside.filter((slot) => stateOf(i32, slot) === SlotState.LIVE).length;
  t.equal(alive(), 4095, "the one who deletes it does not do it");
  for (let left = 4095; left > 0; ) {
    turn(zero);
    const now = alive();
    t.ok(left - now <= CHUNK && now < left, `${left - now} in a turn`);
    left = now;
  }
  settle(cores);
  t.same(childrenOf(i32, untyped), [frame]);
  t.same(childrenOf(i32, frame), []);
  t.end();
});

/** A CNode of 1024 slots from memory of its own that holds, far behind, memory and a capability to itself. */
function makeRoom(): { cnode: CNodeRef; own: SlotRef; memory: SlotRef; slot: SlotRef; inner: SlotRef } {
  bench.renew(20);
  const [memory] = bench.make(ObjectType.UNTYPED, 17, 1, 100) as [SlotRef];
  const [slot] = bench.make(ObjectType.CNODE, 10, 1, 101, memory) as [SlotRef];
  const [loose] = bench.make(ObjectType.UNTYPED, 12, 1, 102) as [SlotRef];
  const cnode = objectIn<CNodeRef>(slot);
  const [inner, own] = [cnode + 800 * Slot.WORDS, cnode + 801 * Slot.WORDS] as [SlotRef, SlotRef];
  locked(zero, (held) => {
    moveSlot(held, loose, inner, Right.ALL);
    deriveSlot(held, slot, own, Right.ALL, 0);
  });
  return { cnode, own, memory, slot, inner };
}

/** The first chunk of a CNode whose last capability is gone has been emptied by core 0. */
function lose(slot: SlotRef): void {
  kill(zero, slot);
  turn(zero);
}

t.test(
  "nobody fills a CNode that is being emptied, not even by a capability to it that lies in it and was found before",
  (t) => {
    const { cnode, own, memory, slot, inner } = makeRoom();
    let status = WAITS;
    // Core 1 has looked both up; then the last capability elsewhere is deleted, and core 0 begins to empty the CNode.
    const came = interleave(
      "add",
      one.i32,
      KernelInfo.TREE_LOCK_TICKET,
      () => lose(slot),
      () => {
        const request = {
          untyped: inner,
          type: ObjectType.ENDPOINT,
          sizeBits: 0,
          count: 3,
          cnodeSlot: own,
          first: 1,
        };
        ({ status } = retypeOnce(one, bench.thread, request));
      },
    );
    t.equal(came, true);
    t.equal(stateOf(i32, cnode), SlotState.DEAD);
    t.equal(status, Err.BAD_CAP);
    settle(cores);
    for (let index = 1; index < 1024; index++)
      if (stateOf(i32, cnode + index * Slot.WORDS) === SlotState.LIVE)
        t.fail(`slot ${index} is alive in memory that is free`);
    t.same(childrenOf(i32, memory), []);
    t.end();
  },
);

t.test("no process gets a CSpace that is being emptied", (t) => {
  const { own, slot, memory, cnode } = makeRoom();
  const [user, made] = bench.make(ObjectType.PROCESS, 0, 2, 110) as [SlotRef, SlotRef];
  const process = objectIn<ProcessRef>(user);
  locked(zero, (held) => bindCSpace(held, process, slot));
  const maker = i32[bench.thread + Thread.PROCESS];
  i32[bench.thread + Thread.PROCESS] = process;
  const image = (cnode + 802 * Slot.WORDS) as SlotRef;
  locked(zero, (held) => deriveSlot(held, bench.image, image, Right.EXECUTE, 0));
  const handles = [handleIn(bench, cnode, own), handleIn(bench, cnode, image)];
  const context = messageOf([Method.PROCESS_CONFIGURE, ...handles, 0, 0]);
  const lost = (): void => {
    kill(zero, (process + Process.BINDING) as SlotRef);
    lose(slot);
  };
  const came = interleave("add", one.i32, KernelInfo.TREE_LOCK_TICKET, lost, () =>
    invokeProcess(one, bench.thread, context, made, Method.PROCESS_CONFIGURE),
  );
  i32[bench.thread + Thread.PROCESS] = maker;
  t.equal(came, true);
  t.equal(context.result, Err.BAD_CAP);
  t.equal(i32[objectIn(made) + Process.CSPACE_SLOTS], 0);
  settle(cores);
  t.equal(i32[cnode + ObjectHeader.REFERENCES], 0);
  t.same(childrenOf(i32, memory), []);
  t.end();
});

t.test("whatever is to be done with a thread, telling its monitors too, is done by its home", (t) => {
  bench.renew(18);
  const [cnode, process, threadSlot, monitor, notification] = [
    ObjectType.CNODE,
    ObjectType.PROCESS,
    ObjectType.THREAD,
    ObjectType.MONITOR,
    ObjectType.NOTIFICATION,
  ].map((type, i) => bench.make(type, 4, 1, 100 + i)[0]) as [SlotRef, SlotRef, SlotRef, SlotRef, SlotRef];
  const target = objectIn<ThreadRef>(threadSlot);
  t.equal(configureProcess(bench, zero, process, cnode, 1), Err.OK);
  t.equal(configureThread(zero, target, objectIn(process), 1 as CoreId, 5), Err.OK);
  // It is about to end, on core 1; core 0 asks to be told.
  i32[target + Thread.LIFE] = LifeState.EXITED;
  t.equal(watch(bench, zero, monitor, threadSlot, notification), Err.OK);
  t.same([listed(zero), listed(one)], [[], [target + Thread.HEADER]]);
  // Its last capability goes while that is still to be done.
  kill(zero, threadSlot);
  t.same([listed(zero), listed(one)], [[], [target + Thread.HEADER]]);
  turn(zero);
  t.equal(i32[objectIn(monitor) + Monitor.ENDED], 0);
  settle(cores);
  t.equal(i32[objectIn(monitor) + Monitor.ENDED], 1);
  t.equal(i32[target + Thread.STATE], ThreadState.DEAD);
  t.end();
});

t.test(
  "a monitor that is armed while the reaper tells the others is told too, whichever instruction it is at",
  (t) => {
    let points = 0;
    for (const operation of ["load", "and"] as const) {
      for (let nth = 1; nth <= 6; nth++) {
        bench.renew(18);
        const [cnode] = bench.make(ObjectType.CNODE, 4, 1, 100) as [SlotRef];
        const [slot] = bench.make(ObjectType.PROCESS, 0, 1, 101) as [SlotRef];
        const [early, late] = bench.make(ObjectType.MONITOR, 0, 2, 102) as [SlotRef, SlotRef];
        const [notification] = bench.make(ObjectType.NOTIFICATION, 0, 1, 104) as [SlotRef];
        configureProcess(bench, zero, slot, cnode, 1);
        watch(bench, zero, early, slot, notification);
        endProcess(zero, objectIn(slot), LifeState.EXITED, 7);
        const word = objectIn(slot) + Process.HEADER + ObjectHeader.REAP_WORK;
        const arm = (): void => {
          t.equal(watch(bench, one, late, slot, notification), Err.OK);
        };
        if (!interleave(operation, zero.i32, word, arm, () => settle(cores), nth)) continue;
        points++;
        settle(cores);
        for (const monitor of [early, late])
          t.same(
            [i32[objectIn(monitor) + Monitor.ENDED], i32[objectIn(monitor) + Monitor.STATUS]],
            [1, 7],
            `${operation} ${nth}`,
          );
      }
    }
    t.ok(points >= 4, `${points} points`);
    t.end();
  },
);
