import { Method, makeHandle, ObjectType, Reg, Slot } from "@capos/abi";
import { makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import { Attention, CoreArea } from "@capos/hal";
import {
  attend,
  type Core,
  currentSlot,
  graceIsOver,
  killSlot,
  owePass,
  type SlotRef,
} from "@capos/kernel/internal";
import { KernelCore, KernelInfo } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeBench } from "./support/slots.js";
import { calm, interleave, turn } from "./support/tree.js";

useSeed(t);

const CORES = 3;
const bench = makeBench(CORES);
const { i32, cores, locked, thread } = bench;

const isHalted = (k: Core): boolean => (i32[k.attention] & Attention.HALTED) !== 0;
const asked = (): number => i32[KernelInfo.GRACE_REQUESTED];
const kill = (k: Core, slot: SlotRef): void => locked(k, (held) => killSlot(held, slot));

/** As the loop does it: only from a safe point, with no bit set. */
function tryHalt(k: Core): void {
  Atomics.compareExchange(i32, k.attention, 0, Attention.HALTED);
}

function leaveHalt(k: Core): void {
  Atomics.and(i32, k.attention, ~Attention.HALTED);
  owePass(k);
  attend(k);
}

/** From here on a core acts only when it is called, and halts when it is not. */
function actWhenCalled(): void {
  while (cores.some((k) => i32[k.attention] !== Attention.HALTED))
    for (const k of cores) {
      if (i32[k.attention] === Attention.HALTED) continue;
      if (isHalted(k)) leaveHalt(k);
      else turn(k);
      tryHalt(k);
    }
}

/** All at rest, and the numbers of grace periods far from their wrap. */
function rest(): void {
  i32[KernelInfo.GRACE_REQUESTED] = 1000;
  calm(cores);
}

const step = fc.record({
  what: fc.constantFrom("kill", "kill", "kill", "safe point", "safe point", "halt", "wake"),
  core: fc.nat(CORES - 1),
});

t.test(
  "every kill is followed by a grace period that begins after it, also if nobody waits for one, and a core has asked for at most one that is not over",
  (t) => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 2 ** 31 - 8, -8),
        fc.array(step, { maxLength: 120, size: "max" }),
        (start, steps) => {
          i32[KernelInfo.GRACE_REQUESTED] = start | 0;
          calm(cores);
          bench.renew(20);
          const slots = bench.make(ObjectType.FRAME, 12, 120, 100);
          /** The grace periods that each core has asked for. */
          const own = cores.map(() => [] as number[]);
          const stamps: number[] = [];
          const watched = (k: Core, body: () => void): void => {
            const before = asked();
            body();
            // 0 is no number.
            for (let n = (before + 1) | 0; n !== ((asked() + 1) | 0); n = (n + 1) | 0)
              if (n !== 0) own[k.id].push(n);
            const open = own[k.id].filter((n) => !graceIsOver(k, n));
            if (open.length > 1)
              throw new Error(`core ${k.id} has asked for ${open.length} grace periods at once`);
          };
          for (const { what, core } of steps) {
            const k = cores[core];
            if (what === "wake" && isHalted(k)) watched(k, () => leaveHalt(k));
            if (isHalted(k)) continue;
            if (what === "kill") {
              const slot = slots.pop()!;
              const before = asked();
              watched(k, () => kill(k, slot));
              const stamp = i32[slot + Slot.STAMP];
              if (((stamp - before) | 0) <= 0) throw new Error("the grace period had begun before the kill");
              stamps.push(stamp);
            } else {
              watched(k, () => attend(k));
              if (what === "halt") tryHalt(k);
            }
            for (const stamp of stamps)
              if (((asked() - stamp) | 0) < 0 && graceIsOver(k, stamp))
                throw new Error("over before it was asked for");
          }
          actWhenCalled();
          const late = stamps.filter((stamp) => ((asked() - stamp) | 0) < 0 || !graceIsOver(cores[0], stamp));
          if (late.length > 0) throw new Error(`${late.length} kills were not followed`);
          return cores.every((k) => !k.graceWanted && i32[k.area + KernelCore.GRACE_AWAITED] === 0);
        },
      ),
      { numRuns: 300 },
    );
    t.end();
  },
);

t.test("a hundred kills while a grace period is under way lead to one more, not to a hundred", (t) => {
  rest();
  bench.renew(20);
  const slots = bench.make(ObjectType.FRAME, 12, 101, 100);
  const before = asked();
  for (const slot of slots) kill(cores[0], slot);
  t.equal(asked(), before + 1);
  actWhenCalled();
  t.equal(asked(), before + 2);
  t.ok(graceIsOver(cores[0], i32[slots[100] + Slot.STAMP]));
  t.end();
});

t.test(
  "a grace period that ends while a core notes that it wants the next one is noticed, whichever instruction it ends at",
  (t) => {
    const [k, other, third] = cores as [Core, Core, Core];
    for (const word of [
      k.area + KernelCore.GRACE_AWAITED,
      other.area + KernelCore.GRACE_PASSED,
      other.area + CoreArea.STATE,
    ]) {
      rest();
      bench.renew(20);
      const [first, second] = bench.make(ObjectType.FRAME, 12, 2, 100) as [SlotRef, SlotRef];
      kill(k, first);
      attend(k);
      attend(third);
      // Core 0 has reported, so what it asked for ends with the other's report: in the middle of the next kill.
      const operation = word === k.area + KernelCore.GRACE_AWAITED ? "store" : "load";
      const came = interleave(
        operation,
        k.i32,
        word,
        () => attend(other),
        () => kill(k, second),
      );
      t.equal(came, true);
      actWhenCalled();
      t.ok(((asked() - i32[second + Slot.STAMP]) | 0) >= 0, "a grace period was asked for after the kill");
      t.ok(graceIsOver(k, i32[second + Slot.STAMP]));
      t.equal(k.graceWanted, false);
    }
    t.end();
  },
);

/** A context whose trap names a slot. */
function naming(slot: SlotRef): GeneratorContext {
  const context = new GeneratorContext(makeRegisters());
  context.regs[Reg.HANDLE] = makeHandle((slot - bench.cspace) / Slot.WORDS, i32[slot + Slot.GENERATION]);
  context.trap = Method.UNTYPED_INFO;
  return context;
}

t.test(
  "what was looked up is looked up anew after a kill on the own core, and after a grace period on any",
  (t) => {
    for (const killer of cores) {
      for (const user of cores) {
        rest();
        bench.renew(20);
        const [slot] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
        const context = naming(slot);
        t.equal(currentSlot(user, thread, context), slot);
        t.equal(currentSlot(user, thread, context), slot);
        t.equal(context.foundEpoch, user.graceEpoch, "it is remembered");
        kill(killer, slot);
        // On another core it is used until that core has taken part in a grace period, not longer.
        if (killer === user) t.equal(currentSlot(user, thread, context), 0, "at once");
        actWhenCalled();
        t.equal(currentSlot(user, thread, context), 0);
      }
    }
    t.end();
  },
);

t.test("a core that halts through a grace period looks everything up anew", (t) => {
  rest();
  bench.renew(20);
  const [slot] = bench.make(ObjectType.FRAME, 12, 1, 100) as [SlotRef];
  const context = naming(slot);
  const [k, other, third] = cores as [Core, Core, Core];
  currentSlot(other, thread, context);
  tryHalt(other);
  kill(k, slot);
  attend(k);
  attend(third);
  t.ok(graceIsOver(k, i32[slot + Slot.STAMP]), "it was counted");
  t.equal(i32[other.attention], Attention.HALTED, "and not woken");
  leaveHalt(other);
  t.equal(currentSlot(other, thread, context), 0);
  t.end();
});

t.test("no two cores are ever in an epoch of the same number", (t) => {
  rest();
  bench.renew(20);
  const seen = new Map<number, number>();
  const slots = bench.make(ObjectType.FRAME, 12, 60, 100);
  for (const slot of slots) {
    kill(cores[slot % CORES], slot);
    for (const k of cores) {
      if ((slot + k.id) % 2 === 0) attend(k);
      if ((seen.get(k.graceEpoch) ?? k.id) !== k.id) t.fail("another core was in this epoch");
      seen.set(k.graceEpoch, k.id);
    }
  }
  t.ok(seen.size > CORES);
  t.end();
});
