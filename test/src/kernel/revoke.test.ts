import { Err, makeHandle, ObjectType, Right, Slot, SlotState } from "@capos/abi";
import {
  CHUNK,
  type Core,
  deriveSlot,
  graceIsOver,
  killDescendants,
  killSlot,
  Left,
  moveSlot,
  reclaimSlot,
  revoke,
  type SlotRef,
  type ThreadRef,
} from "@capos/kernel/internal";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeThreads } from "./support/kernel.js";
import { makeBench } from "./support/slots.js";
import { DrivenTrap } from "./support/trap.js";
import { childrenOf, descendantsOf, settle, stateOf, turn } from "./support/tree.js";

useSeed(t);

const bench = makeBench(2);
const { i32, cores, slotAt, untyped, locked, resources } = bench;
const [zero, one] = cores as [Core, Core];
const threads = [makeThreads(bench, 2, 0), makeThreads(bench, 2, 1)] as const;
const CSPACE_SLOTS = 4096;

const isAlive = (slot: number): boolean => stateOf(i32, slot) === SlotState.LIVE;

/** Capabilities with everything they were ever derived from: what the tree must remember whoever goes in between. */
class Family {
  /** By slot, for those that live. */
  readonly ancestors = new Map<SlotRef, Set<number>>();
  private names = 0;
  readonly name = new Map<SlotRef, number>();

  derive(source: SlotRef, slot: SlotRef): void {
    this.name.set(slot, ++this.names);
    this.ancestors.set(slot, new Set([...(this.ancestors.get(source) ?? []), this.name.get(source) ?? 0]));
  }

  move(from: SlotRef, to: SlotRef): void {
    this.name.set(to, this.name.get(from)!);
    this.ancestors.set(to, this.ancestors.get(from)!);
    this.drop(from);
  }

  drop(slot: SlotRef): void {
    this.name.delete(slot);
    this.ancestors.delete(slot);
  }

  below(name: number): SlotRef[] {
    return [...this.ancestors].filter(([, above]) => above.has(name)).map(([slot]) => slot);
  }
}

const step = fc.record({
  what: fc.constantFrom(
    "chunk",
    "chunk",
    "chunk",
    "other chunk",
    "derive",
    "derive",
    "derive",
    "move",
    "kill",
  ),
  from: fc.nat(),
  rights: fc.integer({ min: 0, max: 255 }),
});

const shape = fc.constantFrom("star", "chain", "random", "random", "broom");

t.test(
  "whatever is derived, moved and deleted between the chunks of two revokes: when one says that nothing is left nothing is alive that came from its capability, and what did not come from it lives",
  (t) => {
    let chunks = 0;
    fc.assert(
      fc.property(
        shape,
        fc.integer({ min: 300, max: 1200 }),
        fc.array(fc.nat(), { minLength: 50, maxLength: 50 }),
        fc.array(step, { maxLength: 60, size: "max" }),
        fc.tuple(fc.nat(), fc.nat()),
        (form, count, choices, steps, targets) => {
          bench.renew(16);
          const family = new Family();
          const [top, beside] = bench.make(ObjectType.ENDPOINT, 0, 2, 100) as [SlotRef, SlotRef];
          family.derive(untyped, top);
          family.derive(untyped, beside);
          let next = 102;
          const slots = [top, beside];
          const derive = (k: Core, source: SlotRef, rights: number): void => {
            const slot = slotAt(next++);
            locked(k, (held) => deriveSlot(held, source, slot, rights, 0));
            family.derive(source, slot);
            slots.push(slot);
          };
          for (let i = 0; i < count; i++) {
            const choice = choices[i % choices.length] + i;
            const parents: Record<typeof form, SlotRef> = {
              star: top,
              chain: slots.at(-1)!,
              random: slots[choice % slots.length],
              broom: i < count / 2 ? slots.at(-1)! : slots[Math.floor(count / 2)],
            };
            derive(zero, i === 0 ? top : parents[form], Right.ALL);
          }
          // Two nodes, often one above the other; by name, since they may be moved.
          const revoked = [slots[targets[0] % 4], slots[targets[1] % slots.length]].map(
            (slot) => family.name.get(slot)!,
          );
          const where = (name: number): SlotRef | undefined =>
            [...family.name].find(([, n]) => n === name)?.[0];
          const chunk = (which: 0 | 1): Left => {
            const node = where(revoked[which]);
            if (node === undefined) return Left.NONE;
            const k = cores[which];
            const expendable = new Set(family.below(revoked[which]));
            const left = locked(k, (held) => killDescendants(held, node));
            let killed = 0;
            for (const slot of [...family.name.keys()]) {
              if (isAlive(slot)) continue;
              if (!expendable.has(slot)) throw new Error("a capability was killed that came from elsewhere");
              family.drop(slot);
              killed++;
            }
            if (killed > CHUNK) throw new Error(`${killed} slots were killed with the lock held once`);
            if (left === Left.MORE && killed !== CHUNK)
              throw new Error(`a chunk killed ${killed} and left some`);
            if (left !== Left.MORE && left !== Left.NONE)
              throw new Error("something is said to be finalised");
            if (left === Left.NONE && family.below(revoked[which]).length > 0)
              throw new Error("something that was derived is alive");
            if (!isAlive(node)) throw new Error("the capability itself is gone");
            chunks++;
            return left;
          };
          for (const { what, from, rights } of steps) {
            const living = [...family.name.keys()];
            const source = living[from % Math.max(1, living.length)];
            if (what === "chunk") chunk(0);
            else if (what === "other chunk") chunk(1);
            else if (source === undefined) continue;
            else if (what === "derive") derive(one, source, rights);
            else if (what === "move") {
              const slot = slotAt(next++);
              locked(one, (held) => moveSlot(held, source, slot, rights));
              family.move(source, slot);
              slots.push(slot);
            } else if (source !== top) {
              locked(one, (held) => killSlot(held, source));
              family.drop(source);
            }
            if (family.name.size !== descendantsOf(i32, untyped).filter(isAlive).length)
              throw new Error("the tree lost somebody, or found a stranger");
          }
          for (const which of [1, 0] as const)
            for (let turns = 0; chunk(which) === Left.MORE; turns++)
              if (turns > (count + 100) / CHUNK) throw new Error("a revoke does not come to an end");
          for (const slot of family.name.keys()) if (!isAlive(slot)) throw new Error("a capability is gone");
          if (isAlive(beside) !== family.name.has(beside)) throw new Error("the sibling is gone");
        },
      ),
      { numRuns: 60 },
    );
    t.ok(chunks > 100, `${chunks} chunks`);
    t.end();
  },
);

/** A revoke of what a slot of init holds, as a trap of a thread. */
function revoking(k: Core, thread: ThreadRef, slot: SlotRef): DrivenTrap {
  const index = (slot - bench.cspace) / Slot.WORDS;
  const handle = makeHandle(index, i32[slot + Slot.GENERATION]);
  return new DrivenTrap(k, thread, resources.process, (context) =>
    revoke(k, thread, context, bench.cspace, CSPACE_SLOTS, handle),
  );
}

t.test(
  "revoke answers one grace period after the last kill, not before, and everything is dead all the while",
  (t) => {
    bench.renew(16);
    const [top] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
    for (let i = 0; i < 600; i++)
      locked(zero, (held) =>
        deriveSlot(held, i % 3 === 0 ? top : slotAt(100 + i), slotAt(101 + i), Right.ALL, 0),
      );
    const trap = revoking(zero, threads[0][0], top);
    t.equal(trap.turn(), true);
    t.equal(descendantsOf(i32, top).length, 600 - CHUNK, "a chunk, then others get a turn");
    trap.turn();
    trap.turn();
    t.equal(descendantsOf(i32, top).length, 0);
    t.equal(trap.isDone, false);
    t.equal(trap.turn(), false, "it waits");
    while (turn(zero));
    trap.turn();
    t.equal(trap.isDone, false, "core 1 has not passed");
    settle(cores);
    trap.turn();
    t.equal(trap.isDone && trap.result, Err.OK);
    t.equal(isAlive(top), true);
    t.ok(graceIsOver(zero, i32[slotAt(101) + Slot.STAMP]), "all that it killed can be filled again");
    t.equal(
      locked(zero, (held) => reclaimSlot(held, slotAt(101))),
      true,
    );
    t.end();
  },
);

t.test("revoke needs the right, and a capability that lives", (t) => {
  bench.renew(16);
  const [top] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
  locked(zero, (held) => deriveSlot(held, top, slotAt(101), Right.ALL & ~Right.REVOKE, 0));
  locked(zero, (held) => deriveSlot(held, slotAt(101), slotAt(102), Right.ALL, 0));
  const denied = revoking(zero, threads[0][0], slotAt(101));
  denied.turn();
  t.equal(denied.result, Err.DENIED);
  t.equal(isAlive(slotAt(102)), true);
  const gone = revoking(zero, threads[0][0], slotAt(102));
  locked(zero, (held) => killSlot(held, slotAt(102)));
  gone.turn();
  t.equal(gone.result, Err.BAD_CAP);
  t.end();
});

t.test(
  "of two revokes one above the other, whose chunks alternate, the outer ends and the inner says that its capability is gone",
  (t) => {
    for (const first of [0, 1]) {
      bench.renew(16);
      const [top] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
      locked(zero, (held) => deriveSlot(held, top, slotAt(101), Right.ALL, 0));
      // Most of it below the inner one.
      for (let i = 0; i < 1000; i++)
        locked(zero, (held) => deriveSlot(held, i < 50 ? top : slotAt(101), slotAt(102 + i), Right.ALL, 0));
      const traps = [revoking(zero, threads[0][0], top), revoking(one, threads[1][0], slotAt(101))];
      for (let i = first; i < first + 40 && !traps.every((trap) => trap.isDone); i++) {
        traps[i % 2].turn();
        if (i % 4 === 3) settle(cores);
      }
      t.equal(traps[0].result, Err.OK);
      t.equal(traps[1].result, Err.BAD_CAP);
      t.same(childrenOf(i32, top), []);
    }
    t.end();
  },
);

t.test(
  "revoking memory answers when nothing made of it is left, with the objects' headers out of the tree",
  (t) => {
    bench.renew(18);
    bench.make(ObjectType.ENDPOINT, 0, 40, 100);
    bench.make(ObjectType.CNODE, 4, 3, 140);
    bench.make(ObjectType.FRAME, 12, 5, 150);
    const trap = revoking(zero, threads[0][0], untyped);
    trap.turn();
    t.ok(descendantsOf(i32, untyped).every((slot) => !isAlive(slot)));
    t.equal(descendantsOf(i32, untyped).length, 43, "the headers of what has to be finalised");
    for (let i = 0; i < 40 && !trap.isDone; i++) {
      settle(cores);
      const left = childrenOf(i32, untyped).length;
      trap.turn();
      if (trap.isDone) t.equal(left, 0);
    }
    t.equal(trap.result, Err.OK);
    t.end();
  },
);

t.test(
  "objects that are being finalised hide nothing: what lives behind any number of them is found, chunk by chunk",
  (t) => {
    for (const crowd of [10, 1023, 1024, 1025, 2000]) {
      bench.renew(18);
      bench.make(ObjectType.FRAME, 12, 3, 100);
      const crowded = [];
      for (let made = 0; made < crowd; made += 1000)
        crowded.push(...bench.make(ObjectType.SEALER, 0, Math.min(1000, crowd - made), 110 + made));
      for (const slot of crowded) locked(one, (held) => killSlot(held, slot));
      const said: Left[] = [];
      for (let i = 0; i < 6; i++) said.push(locked(zero, (held) => killDescendants(held, untyped)));
      t.ok(
        [100, 101, 102].every((index) => !isAlive(slotAt(index))),
        `${crowd} are passed over`,
      );
      t.equal(childrenOf(i32, untyped).length, crowd);
      t.notOk(said.includes(Left.NONE));
      t.equal(said.at(-1), crowd < 1024 ? Left.FINALISING : Left.CROWDED, `${crowd}`);
      if (crowd > 1024)
        t.ok(said.includes(Left.CROWDED), "so many that a chunk does not see the end of them");
      settle(cores);
      t.equal(
        locked(zero, (held) => killDescendants(held, untyped)),
        Left.NONE,
      );
    }
    t.end();
  },
);
