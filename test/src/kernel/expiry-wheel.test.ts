import {
  CLOCK_STEP_NS,
  Err,
  InitSlot,
  Method,
  makeHandle,
  ObjectType,
  Right,
  Slot,
  SlotFlag,
  SlotState,
} from "@capos/abi";
import { BootInfo, nowNs } from "@capos/hal";
import {
  deriveSlot,
  enterWheel,
  expireSome,
  invokeCNode,
  killSlot,
  leaveWheel,
  moveInWheel,
  moveSlot,
  nextExpired,
  type SlotRef,
  type ThreadRef,
} from "@capos/kernel/internal";
import { Tables } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeThreads } from "./support/kernel.js";
import { makeBench } from "./support/slots.js";
import { DrivenTrap } from "./support/trap.js";
import { stateOf } from "./support/tree.js";

useSeed(t);

const bench = makeBench(1);
const { i32, slotAt, locked, resources } = bench;
const k = bench.cores[0];
const { f64 } = k;
const [thread] = makeThreads(bench, 1) as [ThreadRef];
const TICK = 2 ** 23;
const HOUR = 3600e9;
const SLOTS = 60;

const alarm = (): number => f64[(k.tables + Tables.ALARM_NS) >> 1];
const dueTick = (time: number): number => Math.ceil(time / TICK) * TICK;

const next = (now: number): SlotRef | 0 | -1 => locked(k, (held) => nextExpired(held, now));

/** Times from one tick to the next, to the ends of each of the four levels, and beyond the last. */
const delay = fc.oneof(
  fc.constantFrom(0, 1, TICK - 1, TICK, TICK + 1),
  ...[1, 64, 64 ** 2, 64 ** 3, 64 ** 4, 3 * 64 ** 4].map((ticks) =>
    fc
      .integer({ min: -3, max: 70 })
      .map((n) => Math.max(0, ticks * TICK + Math.floor((n * ticks * TICK) / 64) + n)),
  ),
  fc.integer({ min: 0, max: 10 * 24 * HOUR }),
);

const step = fc.record({
  what: fc.constantFrom("enter", "enter", "enter", "leave", "move", "ring", "ring", "wait", "late"),
  pick: fc.nat(),
  delay,
});

t.test(
  "each capability comes out of the wheel once, at its time or at most a tick later and never before, whoever else comes, goes and moves",
  (t) => {
    let out = 0;
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 50 })),
        fc.array(step, { maxLength: 150, size: "max" }),
        (start, steps) => {
          bench.renew(12);
          let now = start;
          const expiry = new Map<SlotRef, number>();
          const free = Array.from({ length: SLOTS }, (_, i) => slotAt(100 + i));
          const earliest = (): number => Math.min(Number.POSITIVE_INFINITY, ...expiry.values());
          const take = (): void => {
            for (let calls = 0; ; calls++) {
              if (calls > SLOTS * 8 + 500) throw new Error("the wheel does not come to rest");
              const slot = next(now);
              if (slot === 0) break;
              if (slot === -1) continue;
              const due = expiry.get(slot);
              if (due === undefined) throw new Error("a slot came out that was not in");
              if (due > now) throw new Error(`a slot came out ${due - now} ns early`);
              locked(k, (held) => leaveWheel(held, slot));
              expiry.delete(slot);
              free.push(slot);
              out++;
            }
            for (const due of expiry.values())
              if (dueTick(due) <= now) throw new Error(`a slot is ${now - due} ns late`);
          };
          for (const { what, pick, delay } of steps) {
            const members = [...expiry.keys()];
            const member = members[pick % Math.max(1, members.length)];
            const slot = free[pick % Math.max(1, free.length)];
            if (what === "enter" && slot !== undefined) {
              f64[(slot + Slot.EXPIRY) >> 1] = now + delay;
              locked(k, (held) => enterWheel(held, slot, now));
              expiry.set(slot, now + delay);
              free.splice(free.indexOf(slot), 1);
            } else if (what === "leave" && member !== undefined) {
              locked(k, (held) => leaveWheel(held, member));
              expiry.delete(member);
              free.push(member);
            } else if (what === "move" && member !== undefined && slot !== undefined) {
              for (const word of [Slot.EXPIRY, Slot.EXPIRY + 1, Slot.WATERMARK, Slot.LINK])
                i32[slot + word] = i32[member + word];
              locked(k, (held) => moveInWheel(held, member, slot));
              expiry.set(slot, expiry.get(member)!);
              expiry.delete(member);
              free.splice(free.indexOf(slot), 1, member);
            } else if (what === "ring" && alarm() < Number.POSITIVE_INFINITY) {
              now = Math.max(now, alarm());
              take();
            } else if (what === "wait") {
              // Time passes, but not beyond the alarm.
              now = Math.min(now + delay, Math.max(now, alarm()));
            } else if (what === "late") {
              now += delay;
              take();
            }
            if (alarm() > dueTick(earliest())) throw new Error("the alarm is set for too late");
            if (f64[BootInfo.ALARM_NS >> 1] !== alarm()) throw new Error("the chipset has another alarm");
            if (i32[k.tables + Tables.EXPIRING] !== expiry.size) throw new Error("they are not counted");
          }
          // Alarm by alarm to the end.
          for (let rings = 0; expiry.size > 0; rings++) {
            if (rings > SLOTS * 12 + 2000) throw new Error("alarms without end");
            now = Math.max(now, alarm());
            take();
          }
          for (let list = 0; list < 256; list++)
            if (i32[k.tables + Tables.EXPIRY_WHEEL + list] !== 0) throw new Error("a list is not empty");
        },
      ),
      { numRuns: 300 },
    );
    t.ok(out > 1000, `${out} came out`);
    t.end();
  },
);

t.test("driven by its alarm alone the wheel is as exact after ten days as at once", (t) => {
  for (const start of [0, TICK * 64 ** 3 - 5, TICK * 64 ** 4 + 12345]) {
    bench.renew(12);
    let now = start;
    const due = [
      1,
      TICK * 63,
      TICK * 64,
      TICK * 4095,
      3 * HOUR,
      39 * HOUR,
      40 * HOUR,
      100 * HOUR,
      240 * HOUR,
    ];
    due.forEach((time, i) => {
      f64[(slotAt(100 + i) + Slot.EXPIRY) >> 1] = now + time;
      locked(k, (held) => enterWheel(held, slotAt(100 + i), now));
    });
    const order: number[] = [];
    let rings = 0;
    for (; order.length < due.length && rings < 1000; rings++) {
      now = alarm();
      for (let slot = next(now); slot !== 0; slot = next(now)) {
        if (slot === -1) continue;
        const index = (slot - slotAt(100)) / Slot.WORDS;
        order.push(index);
        t.ok(now >= start + due[index] && now - (start + due[index]) < TICK);
        locked(k, (held) => leaveWheel(held, slot));
      }
    }
    t.same(order, [...due.keys()]);
    t.ok(rings < 100, `${rings} alarms for ten days`);
    t.equal(alarm(), Number.POSITIVE_INFINITY, "nobody is called when nothing is left");
  }
  t.end();
});

/** `expire` as a guest asks for it. */
function expire(source: SlotRef, to: number, rights: number, ns: number): number {
  const index = (source - bench.cspace) / Slot.WORDS;
  const trap = new DrivenTrap(k, thread, resources.process, (context) => {
    [Method.CNODE_EXPIRE, to, makeHandle(index, i32[source + Slot.GENERATION]), rights, ns].forEach(
      (word, i) => {
        context.regs[i] = word;
      },
    );
    invokeCNode(k, thread, context, slotAt(InitSlot.CNODE), Method.CNODE_EXPIRE);
  });
  trap.turn();
  return trap.result;
}

/** When a limit asked for now ends: the clock and the limit each in whole steps, as guests are told time. */
function asked(ns: number): number {
  const steps = (time: number): number => Math.floor(time / CLOCK_STEP_NS);
  return (steps(nowNs()) + steps(ns)) * CLOCK_STEP_NS;
}

t.test(
  "a copy's time is the earlier of its own and its source's, and only one that is earlier is in the wheel",
  (t) => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ from: fc.nat(), ns: fc.integer({ min: 1e9, max: 1e15 }), expires: fc.boolean() }),
          { maxLength: 30 },
        ),
        (steps) => {
          bench.renew(12);
          const [top] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
          const slots = [top];
          const times = [Number.POSITIVE_INFINITY];
          let timed = 0;
          steps.forEach(({ from, ns, expires }, i) => {
            const source = from % slots.length;
            const slot = slotAt(101 + i);
            const earliest = asked(ns);
            if (expires) {
              if (expire(slots[source], 101 + i, Right.ALL, ns) < 0) throw new Error("refused");
            } else locked(k, (held) => deriveSlot(held, slots[source], slot, Right.ALL, 0));
            const time = f64[(slot + Slot.EXPIRY) >> 1];
            const word = i32[slot];
            const latest = asked(ns);
            const earlier = expires && time < times[source];
            if (earlier) {
              timed++;
              if (!(time >= earliest && time <= latest)) throw new Error("not in that many steps");
            } else if (times[source] < Number.POSITIVE_INFINITY && time !== times[source])
              throw new Error("a copy outlives its source");
            else if (expires && latest < times[source]) throw new Error("a limit was not taken");
            times.push(earlier ? time : times[source]);
            slots.push(slot);
            if (((word & SlotFlag.TIMED) !== 0) !== earlier)
              throw new Error("in the wheel for nothing, or not");
            if (((word & SlotFlag.EXPIRES) !== 0) !== times.at(-1)! < Number.POSITIVE_INFINITY)
              throw new Error("the slot does not say whether it expires");
          });
          return i32[k.tables + Tables.EXPIRING] === timed;
        },
      ),
      { numRuns: 100 },
    );
    t.end();
  },
);

t.test(
  "what has expired dies with all below it, in the wheel or not; what is killed or moved before leaves or follows",
  (t) => {
    bench.renew(12);
    const [top] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
    for (const to of [101, 102, 103]) t.ok(expire(top, to, Right.ALL, 1) >= 0);
    t.ok(expire(top, 104, Right.ALL, 1e15) >= 0);
    locked(k, (held) => deriveSlot(held, slotAt(101), slotAt(110), Right.ALL, 0));
    locked(k, (held) => deriveSlot(held, slotAt(110), slotAt(111), Right.ALL, 0));
    locked(k, (held) => moveSlot(held, slotAt(102), slotAt(112), Right.ALL));
    locked(k, (held) => killSlot(held, slotAt(103)));
    t.equal(i32[k.tables + Tables.EXPIRING], 3);
    // Until the alarm is that of the one with much time.
    while (expireSome(k) || alarm() < nowNs() + 1e14);
    const alive = (index: number): boolean => stateOf(i32, slotAt(index)) === SlotState.LIVE;
    t.same([101, 110, 111, 112].filter(alive), []);
    t.same([100, 104].filter(alive), [100, 104]);
    t.equal(i32[k.tables + Tables.EXPIRING], 1);
    t.equal(expire(slotAt(110), 120, Right.ALL, 5), Err.BAD_CAP);
    t.end();
  },
);
