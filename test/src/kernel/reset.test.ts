import { Err, InitSlot, ObjectType, Right, Slot, SlotState } from "@capos/abi";
import { type Core, graceIsOver, killSlot, moveSlot, retype, type SlotRef } from "@capos/kernel/internal";
import { KernelInfo } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeThreads } from "./support/kernel.js";
import { makeBench } from "./support/slots.js";
import { DrivenTrap } from "./support/trap.js";
import { childrenOf, settle, stateOf, turn } from "./support/tree.js";

useSeed(t);

const bench = makeBench(3);
const { i32, cores, slotAt, untyped, locked, objectIn, resources } = bench;
const [zero, one] = cores as [Core, Core, Core];
const threads = [0, 1].map((home) => makeThreads(bench, 1, home)[0]);
const words = new Int32Array(bench.wasm.buffer);
const kill = (slot: SlotRef): void => locked(zero, (held) => killSlot(held, slot));
const used = (slot: SlotRef): number => i32[slot + Slot.WATERMARK] * 64;

/** A retype as a trap of a thread, which waits as often as it has to. */
class Retyping extends DrivenTrap {
  constructor(k: Core, from: SlotRef, type: ObjectType, sizeBits: number, count: number, first: number) {
    const request = { untyped: from, type, sizeBits, count, cnodeSlot: slotAt(InitSlot.CNODE), first };
    const thread = threads[k.id];
    super(k, thread, resources.process, (context) => retype(k, thread, context, request));
  }
}

/** Fills all memory of a slot below the given one with something that is not zero. */
function soil(slot: SlotRef, bytes: number): void {
  words.fill(0x5a5a5a5a, objectIn(slot), objectIn(slot) + bytes / 4);
}

t.test(
  "memory is used again after two grace periods since its last child died, each of them with every core, and not before",
  (t) => {
    for (const late of cores) {
      bench.renew(14);
      const slots = bench.make(ObjectType.FRAME, 12, 4, 100);
      soil(untyped, 2 ** 14);
      for (const slot of slots) kill(slot);
      const trap = new Retyping(zero, untyped, ObjectType.FRAME, 12, 4, 110);
      const attempt = (): void => {
        for (let i = 0; i < 5; i++) {
          for (const core of cores) if (core !== late) turn(core);
          trap.turn();
        }
      };
      for (const round of [1, 2]) {
        attempt();
        t.equal(trap.isDone, false, `grace period ${round} lacks core ${late.id}`);
        t.equal(used(untyped), 2 ** 14, "nothing was touched");
        t.ok(words[objectIn(untyped)] === 0x5a5a5a5a);
        // The core passes once, for what was asked for until now.
        turn(late);
      }
      for (let i = 0; i < 20 && !trap.isDone; i++) {
        trap.turn();
        settle(cores);
      }
      t.equal(trap.result, Err.OK);
      t.ok(
        words.subarray(objectIn(untyped), objectIn(untyped) + 2 ** 12).every((word) => word === 0),
        "it reads as zero",
      );
    }
    t.end();
  },
);

t.test("memory is zeroed in bounded steps, all that was ever handed out and nothing beyond", (t) => {
  bench.renew(18);
  const slots = bench.make(ObjectType.FRAME, 12, 63, 100);
  soil(untyped, 2 ** 18);
  for (const slot of slots) kill(slot);
  const trap = new Retyping(zero, untyped, ObjectType.UNTYPED, 18, 1, 200);
  let steps = 0;
  const dirty = (): number => {
    let count = 0;
    for (let at = objectIn(untyped); at < objectIn(untyped) + 2 ** 16; at++) if (words[at] !== 0) count++;
    return count * 4;
  };
  for (let before = dirty(); !trap.isDone; ) {
    settle(cores);
    trap.turn();
    const now = dirty();
    t.ok(before - now <= 2 ** 15, `${before - now} bytes in a step`);
    if (now < before) steps++;
    before = now;
    if (!trap.isDone) t.equal(dirty() - 4096, used(untyped), "the watermark says how far it is");
  }
  t.ok(steps >= 8);
  t.equal(dirty(), 4096, "what was never handed out was not touched");
  t.end();
});

t.test("memory that is not needed is not waited for: what fits behind the watermark is made at once", (t) => {
  bench.renew(14);
  kill(bench.make(ObjectType.FRAME, 12, 1, 100)[0]);
  const trap = new Retyping(zero, untyped, ObjectType.FRAME, 12, 3, 110);
  trap.turn();
  t.equal(trap.result, Err.OK);
  t.equal(used(untyped), 2 ** 14);
  t.end();
});

t.test("what does not fit into all of it is refused at once, and memory with a child is not reset", (t) => {
  bench.renew(14);
  const slots = bench.make(ObjectType.FRAME, 12, 4, 100);
  const full = new Retyping(zero, untyped, ObjectType.ENDPOINT, 0, 1, 110);
  full.turn();
  t.same([full.result, full.word], [Err.NO_MEMORY, 0]);
  for (const slot of slots) kill(slot);
  const large = new Retyping(zero, untyped, ObjectType.FRAME, 12, 5, 110);
  large.turn();
  t.same([large.result, large.word], [Err.NO_MEMORY, 2 ** 14]);
  t.end();
});

t.test(
  "memory whose last objects are being finalised is waited for, and refused once one of them is alive",
  (t) => {
    bench.renew(14);
    const [gone, alive] = bench.make(ObjectType.PROCESS, 0, 16, 100) as [SlotRef, SlotRef];
    for (const slot of childrenOf(i32, untyped)) if (slot !== alive) kill(slot);
    const refused = new Retyping(zero, untyped, ObjectType.PROCESS, 0, 1, 130);
    refused.turn();
    t.equal(refused.result, Err.NO_MEMORY, "one is alive");
    kill(alive);
    const waits = new Retyping(zero, untyped, ObjectType.PROCESS, 0, 16, 130);
    waits.turn();
    t.notOk(waits.isDone, "it waits for what is being finalised");
    for (let turns = 0; turns < 100 && !waits.isDone; turns++) {
      settle(cores);
      waits.turn();
    }
    t.equal(waits.result, Err.OK, "then it has the memory");
    t.not(stateOf(i32, gone), SlotState.LIVE);
    t.end();
  },
);

t.test("two threads that reset the same memory both get on, and their objects are apart", (t) => {
  bench.renew(18);
  for (const slot of bench.make(ObjectType.FRAME, 12, 64, 100)) kill(slot);
  soil(untyped, 2 ** 18);
  const traps = [
    new Retyping(zero, untyped, ObjectType.FRAME, 12, 30, 200),
    new Retyping(one, untyped, ObjectType.FRAME, 12, 30, 300),
  ];
  for (let i = 0; i < 100 && !traps.every((trap) => trap.isDone); i++) {
    traps[i % 2].turn();
    settle(cores);
  }
  t.same(
    traps.map((trap) => trap.result),
    [Err.OK, Err.OK],
  );
  const frames = [200, 300].flatMap((first) =>
    Array.from({ length: 30 }, (_, i) => objectIn(slotAt(first + i))),
  );
  t.equal(new Set(frames).size, 60);
  t.equal(used(untyped), 60 * 4096);
  t.end();
});

t.test(
  "memory that is killed or moved while it is reset makes nothing by its old name; what it held is its parent's or its new slot's",
  (t) => {
    for (const what of ["kill", "move"] as const) {
      bench.renew(18);
      const [inner] = bench.make(ObjectType.UNTYPED, 17, 1, 100) as [SlotRef];
      for (const slot of bench.make(ObjectType.FRAME, 12, 32, 101, inner)) kill(slot);
      soil(inner, 2 ** 17);
      const trap = new Retyping(zero, inner, ObjectType.FRAME, 12, 32, 200);
      for (let i = 0; i < 10 && used(inner) === 2 ** 17; i++) {
        trap.turn();
        settle(cores);
      }
      const kept = used(inner);
      t.ok(kept > 0 && kept < 2 ** 17, "half-way");
      if (what === "kill") kill(inner);
      else locked(one, (held) => moveSlot(held, inner, slotAt(300), Right.ALL));
      for (let i = 0; i < 10 && !trap.isDone; i++) {
        trap.turn();
        settle(cores);
      }
      t.equal(trap.result, Err.BAD_CAP);
      const heir = what === "kill" ? untyped : slotAt(300);
      const again = new Retyping(one, heir, ObjectType.UNTYPED, what === "kill" ? 18 : 17, 1, 400);
      for (let i = 0; i < 100 && !again.isDone; i++) {
        again.turn();
        settle(cores);
      }
      t.equal(again.result, Err.OK);
      t.ok(words.subarray(objectIn(inner), objectIn(inner) + 2 ** 15).every((word) => word === 0));
    }
    t.end();
  },
);

const step = fc.record({
  what: fc.constantFrom(
    "retype",
    "retype",
    "retype",
    "kill",
    "kill",
    "kill all",
    "turn",
    "turn",
    "settle",
    "soil",
  ),
  pick: fc.nat(),
  count: fc.integer({ min: 1, max: 6 }),
  core: fc.nat(2),
});

t.test(
  "whatever is made, killed and made again: objects are apart, read as zero when they are made, and no memory is two objects within two grace periods",
  (t) => {
    const kinds: readonly [ObjectType, number, number][] = [
      [ObjectType.FRAME, 12, 12],
      [ObjectType.FRAME, 12, 12],
      [ObjectType.ENDPOINT, 0, 7],
      [ObjectType.UNTYPED, 13, 13],
      [ObjectType.SEALER, 0, 6],
    ];
    let reused = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: "max" }), (steps) => {
        bench.renew(16);
        let next = 100;
        const base = objectIn(untyped);
        /** What lives: its first byte and its size. */
        const living = new Map<SlotRef, { from: number; bytes: number }>();
        /** When each 64 bytes were last part of an object: how many grace periods had been asked for. */
        const lastUse = new Map<number, number>();
        let trap: {
          retyping: Retyping;
          bits: number;
          count: number;
          type: ObjectType;
          first: number;
        } | null = null;
        const asked = (): number => i32[KernelInfo.GRACE_REQUESTED];
        const finish = (): void => {
          if (trap === null || !trap.retyping.isDone) return;
          const { retyping, bits, count, type, first } = trap;
          trap = null;
          if (retyping.result === Err.NO_MEMORY) return;
          if (retyping.result !== Err.OK) throw new Error(`retype answers ${retyping.result}`);
          for (let i = 0; i < count; i++) {
            const object = objectIn(slotAt(first + i));
            const bytes = 2 ** bits;
            const from = (object - base) * 4;
            for (const other of living.values())
              if (from < other.from + other.bytes && other.from < from + bytes)
                throw new Error("two objects overlap");
            if (type === ObjectType.FRAME)
              for (let at = object; at < object + bytes / 4; at++)
                if (words[at] !== 0) throw new Error("an object is not new");
            for (let unit = from / 64; unit * 64 < from + bytes; unit++) {
              const stamp = lastUse.get(unit);
              if (stamp === undefined) continue;
              // Two that began after: the first has a later number than those asked for by then, the second a later one than it.
              if (((asked() - stamp) | 0) < 2 || !graceIsOver(zero, (stamp + 2) | 0))
                throw new Error("memory is used again too early");
              reused++;
            }
            living.set(slotAt(first + i), { from, bytes });
          }
        };
        for (const { what, pick, count, core } of steps) {
          const k = cores[core];
          if (what === "turn") turn(k);
          else if (what === "settle") settle(cores);
          else if (what === "soil") {
            for (const [slot, { bytes }] of living)
              if (((i32[slot] >> 2) & 63) === ObjectType.FRAME)
                words.fill(-1, objectIn(slot), objectIn(slot) + bytes / 4);
          } else if (what === "retype") {
            if (trap === null) {
              const [type, sizeBits, bits] = kinds[pick % kinds.length];
              trap = {
                retyping: new Retyping(cores[pick % 2], untyped, type, sizeBits, count, next),
                bits,
                count,
                type,
                first: next,
              };
              next += count;
            }
            trap.retyping.turn();
            finish();
          } else {
            const slots = [...living.keys()];
            const victims =
              what === "kill all"
                ? slots
                : slots.slice(pick % Math.max(1, slots.length), (pick % Math.max(1, slots.length)) + 1);
            for (const slot of victims) {
              const { from, bytes } = living.get(slot)!;
              for (let unit = from / 64; unit * 64 < from + bytes; unit++) lastUse.set(unit, asked());
              kill(slot);
              living.delete(slot);
            }
          }
          const alive = childrenOf(i32, untyped).filter((slot) => stateOf(i32, slot) === SlotState.LIVE);
          if (alive.length !== living.size) throw new Error("memory has other children than it made");
          const high = Math.max(0, ...[...living.values()].map(({ from, bytes }) => from + bytes));
          if (used(untyped) < high || used(untyped) > 2 ** 16) throw new Error("the watermark is wrong");
        }
      }),
      { numRuns: 200 },
    );
    t.ok(reused > 10, `${reused} times 64 bytes were used again`);
    t.end();
  },
);
