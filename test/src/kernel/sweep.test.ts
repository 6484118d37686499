import { BADGE_HAS_NO_SENDERS, Err, ObjectType, Reg, Right, Slot, SlotState } from "@capos/abi";
import { makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import { Attention } from "@capos/hal";
import {
  attend,
  type Core,
  type CoreId,
  deriveSlot,
  type EndpointRef,
  graceIsOver,
  killSlot,
  moveHome,
  moveSlot,
  nextInQueue,
  queueThread,
  requestGrace,
  requeue,
  type SlotRef,
  type ThreadRef,
  takeFrom,
} from "@capos/kernel/internal";
import { Endpoint, KernelArea, KernelCore, QueueKind, Role, Thread, ThreadState } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeThreads } from "./support/kernel.js";
import { makeBench } from "./support/slots.js";
import { settle, stateOf } from "./support/tree.js";

useSeed(t);

const THREADS = 600;
const STEPS = 256;
const bench = makeBench(2);
const { i32, cores, slotAt, locked, objectIn } = bench;
const [home, killer] = cores as [Core, Core];
const threads = makeThreads(bench, THREADS);
const contexts = threads.map(() => new GeneratorContext(makeRegisters()));
const passed = (): number => i32[home.area + KernelCore.GRACE_PASSED];

/** Everything new: endpoints at home on core 0, and threads of it that wait nowhere. */
function begin(endpoints: number): SlotRef[] {
  bench.renew(18);
  threads.forEach((thread, i) => {
    i32[thread + Thread.STATE] = ThreadState.INACTIVE;
    i32[thread + Thread.QUEUE] = 0;
    home.contexts[i32[thread + Thread.NUMBER]] = contexts[i];
    contexts[i].result = 77;
  });
  return bench.make(ObjectType.ENDPOINT, 0, endpoints, 100);
}

function derive(source: SlotRef, index: number): SlotRef {
  locked(home, (held) => deriveSlot(held, source, slotAt(index), Right.ALL, 0));
  return slotAt(index);
}

function queue(
  endpoint: EndpointRef,
  thread: ThreadRef,
  slot: SlotRef,
  priority: number,
  kind = QueueKind.SENDERS,
): void {
  i32[thread + Thread.PRIORITY] = priority;
  i32[thread + Thread.STATE] = ThreadState.QUEUED;
  const role = kind === QueueKind.SENDERS ? Role.SENDER : Role.RECEIVER;
  queueThread(home, endpoint, kind, thread, role, slot, i32[slot + Slot.GENERATION], 0);
}

const kill = (k: Core, slot: SlotRef): void => locked(k, (held) => killSlot(held, slot));

function waiting(endpoint: EndpointRef): ThreadRef[] {
  const found: ThreadRef[] = [];
  for (
    let thread = i32[endpoint] as ThreadRef | 0;
    thread !== 0 && found.length <= THREADS;
    thread = nextInQueue(home, thread)
  )
    found.push(thread);
  return found;
}

const step = fc.record({
  what: fc.constantFrom(
    "kill",
    "kill",
    "kill many",
    "move",
    "turn",
    "turn",
    "ask",
    "serve",
    "cancel",
    "change priority",
    "change priority",
    "come",
    "come",
  ),
  pick: fc.nat(),
  priority: fc.oneof(fc.nat(2), fc.nat(255)),
  own: fc.boolean(),
});

t.test(
  "a core says that a grace period is over for it only when nobody waits at it through what was killed before; the others go on waiting, in their order",
  (t) => {
    let woken = 0;
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.array(fc.nat(3), { minLength: 20, maxLength: 20 }),
        fc.array(step, { maxLength: 80, size: "max" }),
        (count, priorities, steps) => {
          const tops = begin(3);
          const objects = tops.map(objectIn<EndpointRef>);
          let index = 110;
          const free = [...threads];
          /** Who waits where, through what and how urgently, in the order in which they came. */
          const model = new Map<ThreadRef, { object: EndpointRef; slot: SlotRef; priority: number }>();
          const dead = new Map<SlotRef, number>();
          const come = (pick: number, priority: number): void => {
            const thread = free.shift();
            if (thread === undefined) return;
            const which = pick % 3;
            const slot = derive(tops[which], index++);
            queue(objects[which], thread, slot, priority);
            model.set(thread, { object: objects[which], slot, priority });
          };
          for (let i = 0; i < count; i++) come(i % 7, priorities[i % 20]);
          const end = (slot: SlotRef, own: boolean, moves: boolean): void => {
            if (dead.has(slot)) return;
            const k = own ? home : killer;
            if (moves) locked(k, (held) => moveSlot(held, slot, slotAt(index++), Right.ALL));
            else kill(k, slot);
            dead.set(slot, i32[slot + Slot.STAMP]);
          };
          const check = (): void => {
            let ended = 0;
            for (const [thread, { object, slot }] of model) {
              if (i32[thread + Thread.QUEUE] === object) {
                const stamp = dead.get(slot);
                if (stamp !== undefined && ((passed() - stamp) | 0) >= 0)
                  throw new Error("a grace period was reported while somebody waits through a dead slot");
                continue;
              }
              if (!dead.has(slot)) throw new Error("somebody was woken whose capability lives");
              if (
                home.contexts[i32[thread + Thread.NUMBER]]!.result !== Err.REVOKED ||
                i32[thread + Thread.STATE] !== ThreadState.READY
              )
                throw new Error("somebody was not told that his capability was revoked");
              model.delete(thread);
              ended++;
            }
            woken += ended;
            if (ended > STEPS) throw new Error(`${ended} were woken in one turn`);
            for (const object of objects) {
              const expected = [...model].filter(([, one]) => one.object === object);
              expected.sort(([, a], [, b]) => b.priority - a.priority);
              if (waiting(object).join() !== expected.map(([thread]) => thread).join())
                throw new Error("the order is lost");
              const cursor = i32[object + Endpoint.SWEEP_CURSOR];
              if (cursor !== 0 && i32[cursor + Thread.QUEUE] !== object)
                throw new Error("a sweep stands at a stranger");
            }
          };
          for (const { what, pick, priority, own } of steps) {
            const one = [...model.keys()][pick % Math.max(1, model.size)];
            if (what === "turn") attend(home);
            else if (what === "ask") requestGrace(killer);
            else if (what === "come") come(pick, priority);
            else if (one === undefined) continue;
            else if (what === "kill" || what === "move") end(model.get(one)!.slot, own, what === "move");
            else if (what === "kill many")
              for (const { slot } of [...model.values()].slice(0, pick % 400)) end(slot, own, false);
            else if (what === "change priority") {
              const changed = { ...model.get(one)!, priority };
              if (i32[one + Thread.PRIORITY] === priority) continue;
              i32[one + Thread.PRIORITY] = priority;
              requeue(home, changed.object, one);
              // It stands behind those who had it.
              model.delete(one);
              model.set(one, changed);
            } else {
              const { object, slot } = model.get(one)!;
              const thread = what === "cancel" ? one : (i32[object] as ThreadRef);
              if (thread !== one && dead.has(model.get(thread)!.slot)) continue;
              if (what === "cancel" && dead.has(slot)) continue;
              takeFrom(home, object, thread);
              i32[thread + Thread.STATE] = ThreadState.INACTIVE;
              model.delete(thread);
            }
            check();
          }
          while (i32[home.attention] !== 0 || i32[killer.attention] !== 0) {
            attend(home);
            check();
            attend(killer);
          }
          for (const { slot } of model.values())
            if (dead.has(slot)) throw new Error("somebody waits for ever");
          for (const stamp of dead.values())
            if (!graceIsOver(home, stamp)) throw new Error("a kill was not followed");
        },
      ),
      { numRuns: 60 },
    );
    t.ok(woken > 500, `${woken} were woken`);
    t.end();
  },
);

t.test(
  "a core with sweeps left reports nothing, does not halt, and takes what is killed meanwhile in the next batch",
  (t) => {
    const [top] = begin(1) as [SlotRef];
    const endpoint = objectIn<EndpointRef>(top);
    for (let i = 0; i < THREADS; i++) queue(endpoint, threads[i], derive(top, 200 + i), 1);
    for (let i = 0; i < THREADS - 10; i++) kill(killer, slotAt(200 + i));
    const first = i32[slotAt(200) + Slot.STAMP];
    attend(killer);
    attend(home);
    const swept = THREADS - waiting(endpoint).length;
    t.ok(swept > 0 && swept <= STEPS, `${swept} in a turn`);
    t.equal(graceIsOver(home, first), false);
    t.not(i32[home.attention], 0, "it comes again in its next turn");
    kill(killer, slotAt(200 + THREADS - 1));
    const second = i32[slotAt(200 + THREADS - 1) + Slot.STAMP];
    t.equal(i32[home.kernelArea + KernelArea.SWEEP_HEAD], endpoint, "flagged anew");
    attend(home);
    attend(home);
    t.equal(graceIsOver(home, first), true);
    t.equal(graceIsOver(home, second), false, "the batch that it is in has only begun");
    settle(cores);
    t.equal(graceIsOver(home, second), true);
    t.equal(waiting(endpoint).length, 9);
    t.end();
  },
);

t.test("a halted home is woken by a kill, and is not counted as passed before it has swept", (t) => {
  const [top] = begin(1) as [SlotRef];
  const slot = derive(top, 200);
  queue(objectIn(top), threads[0], slot, 3);
  settle(cores);
  i32[home.attention] = Attention.HALTED;
  kill(killer, slot);
  t.equal(i32[home.attention], Attention.HALTED | Attention.POKE | Attention.GRACE);
  attend(killer);
  t.equal(graceIsOver(killer, i32[slot + Slot.STAMP]), false);
  Atomics.and(i32, home.attention, ~Attention.HALTED);
  attend(home);
  t.equal(graceIsOver(killer, i32[slot + Slot.STAMP]), true);
  t.equal(i32[threads[0] + Thread.STATE], ThreadState.READY);
  t.end();
});

t.test("an endpoint changes its home only when no kill at it is still to be swept", (t) => {
  const [top] = begin(1) as [SlotRef];
  const endpoint = objectIn<EndpointRef>(top);
  const slot = derive(top, 200);
  t.equal(moveHome(home, endpoint, 1 as CoreId), true);
  t.equal(moveHome(killer, endpoint, 0 as CoreId), true);
  kill(killer, slot);
  t.equal(moveHome(home, endpoint, 1 as CoreId), false);
  t.equal(i32[endpoint + Endpoint.HOME], 0);
  settle(cores);
  t.equal(moveHome(home, endpoint, 1 as CoreId), true);
  t.equal(i32[endpoint + Endpoint.HOME], 1);
  t.end();
});

t.test("however many objects are flagged, and whoever waits at them, a turn sweeps a bounded number", (t) => {
  for (const waiters of [0, 1]) {
    const tops = begin(500);
    const slots = tops.map((top, i) => derive(top, 700 + i));
    for (let i = 0; i < waiters * 500; i++) queue(objectIn(tops[i]), threads[i], slots[i], 1);
    for (const slot of slots) kill(killer, slot);
    const flagged = (): number => tops.filter((top) => i32[objectIn(top) + Endpoint.SWEEP_NEXT] !== 0).length;
    t.equal(flagged(), 500);
    let turns = 0;
    for (let before = 500; before > 0; turns++) {
      attend(home);
      t.ok(before - flagged() <= STEPS, `${before - flagged()} objects in one turn`);
      before = flagged();
    }
    t.ok(turns >= 2, `${turns} turns`);
    settle(cores);
    t.equal(threads.filter((thread) => i32[thread + Thread.QUEUE] !== 0).length, 0);
  }
  t.end();
});

t.test("a receiver that waits is told of a minted badge without descendants, once, by the sweep", (t) => {
  const [top] = begin(1) as [SlotRef];
  const endpoint = objectIn<EndpointRef>(top);
  locked(home, (held) => deriveSlot(held, top, slotAt(200), Right.ALL, 4711));
  const client = derive(slotAt(200), 201);
  queue(endpoint, threads[0], top, 1, QueueKind.RECEIVERS);
  queue(endpoint, threads[1], top, 1, QueueKind.RECEIVERS);
  kill(killer, client);
  settle(cores);
  t.same([contexts[0].result, contexts[0].regs[Reg.BADGE]], [0, BADGE_HAS_NO_SENDERS + 4711]);
  t.same(waiting(endpoint), [threads[1]]);
  t.equal(i32[endpoint + Endpoint.NO_SENDERS], 0);
  t.equal(stateOf(i32, slotAt(200)), SlotState.LIVE);
  t.end();
});
