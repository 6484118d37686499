import { ChannelError, Ring, type Steps } from "@capos/libos";
import fc from "fast-check";
import t from "tap";
import { FakeMemory, TRAP } from "./support/fake-memory.js";

const START = 0x10_0000;
const SLOT = 24;

function sides(slots: number) {
  const bytes = 256 + SLOT * slots;
  const near = new FakeMemory(START, bytes);
  const far = near.beside();
  const place = (memory: FakeMemory, waitsOn: number, signals: number) => ({
    sys: memory.sys,
    address: START,
    bytes,
    waitsOn,
    signals,
  });
  return {
    near,
    far,
    filler: new Ring(place(near, 1, 2), SLOT, true),
    emptier: new Ring(place(far, 2, 1), SLOT, false),
  };
}

/** Runs steps that are not to wait. */
function run<T>(steps: Steps<T>): T {
  for (let answer = 0; ; ) {
    const step = steps.next(answer);
    if (step.done) return step.value;
    if (step.value === TRAP.WAIT) throw new Error("waits");
    answer = 0;
  }
}

t.test(
  "what is filled is emptied in order, none lost and none twice, for any number of slots and steps",
  (t) => {
    const steps = fc.array(fc.record({ fill: fc.boolean(), count: fc.nat({ max: 9 }), tell: fc.boolean() }), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), steps, (slots, actions) => {
        const { near, far, filler, emptier } = sides(slots);
        let next = 0;
        let wanted = 0;
        for (const { fill, count, tell } of actions) {
          for (let i = 0; i < count; i++) {
            const side = fill ? filler : emptier;
            const slot = side.slot();
            if (slot === 0) break;
            if (fill) near.sys.storeF64(slot, next++);
            else if (far.sys.loadF64(slot) !== wanted++) throw new Error("out of order");
            side.advance();
          }
          if (next - wanted > slots) throw new Error("more than there are slots");
          if (tell) run((fill ? filler : emptier).tell());
        }
        run(filler.tell());
        for (let slot = emptier.slot(); slot !== 0; slot = emptier.slot()) {
          if (far.sys.loadF64(slot) !== wanted++) throw new Error("out of order");
          emptier.advance();
        }
        return wanted === next && near.signalled.length + far.signalled.length === 0;
      }),
    );
    t.end();
  },
);

t.test("there is one signal from empty to not empty and one from full to not full, and none else", (t) => {
  const { near, far, filler, emptier } = sides(4);
  const waiting = emptier.wait();
  t.equal(waiting.next(0).value, TRAP.WAIT);
  for (let i = 0; i < 3; i++) {
    filler.slot();
    filler.advance();
    run(filler.tell());
  }
  t.same(near.signalled, [2], "once for three");
  t.same(waiting.next(0), { done: true, value: true });
  filler.slot();
  filler.advance();
  run(filler.tell());
  t.same(near.signalled, [2], "not to one that has something to do");
  const full = filler.wait();
  t.equal(full.next(0).value, TRAP.WAIT);
  for (let i = 0; i < 3; i++) {
    emptier.slot();
    emptier.advance();
  }
  t.same(far.signalled, [], "not before it is told");
  run(emptier.tell());
  run(emptier.tell());
  t.same(far.signalled, [1]);
  t.same(full.next(0), { done: true, value: true });
  t.equal(filler.count(), 3);
  t.end();
});

t.test(
  "at each place where the other side may move between a look and a wait, the wait is woken or not begun",
  (t) => {
    // The other side acts before the n-th access of the one that is about to wait.
    for (const isFiller of [false, true])
      for (const act of ["moves", "ends"] as const)
        for (let n = 0; n < 40; n++) {
          const { near, far, filler, emptier } = sides(1);
          const [side, other] = isFiller ? [filler, emptier] : [emptier, filler];
          const memory = isFiller ? near : far;
          const otherMemory = isFiller ? far : near;
          if (isFiller) {
            filler.slot();
            filler.advance();
            run(filler.tell());
          }
          let acted = false;
          const move = () => {
            acted = true;
            if (act === "moves") {
              other.slot();
              other.advance();
              run(other.tell());
            } else run(other.end());
          };
          const begun = memory.accesses;
          memory.meanwhile = () => {
            if (!acted && memory.accesses - begun > n) move();
          };
          const steps = side.wait();
          let step = steps.next(0);
          if (!acted) move();
          while (!step.done) {
            if (step.value !== TRAP.WAIT) throw new Error("another trap");
            t.ok(otherMemory.signalled.length > 0, `${act} before access ${n}: it sleeps for ever`);
            otherMemory.signalled.pop();
            step = steps.next(0);
          }
          t.equal(step.value, act === "moves");
        }
    t.end();
  },
);

t.test("what was told before the end is emptied, and then the end is told", (t) => {
  const { filler, emptier } = sides(3);
  filler.slot();
  filler.advance();
  run(filler.end());
  run(filler.end());
  t.equal(run(emptier.wait()), true);
  emptier.slot();
  emptier.advance();
  t.equal(run(emptier.wait()), false);
  t.equal(run(emptier.wait()), false);
  t.end();
});

t.test("each index that cannot be is refused by what is wrong with it, then and later", (t) => {
  const FILLED = 64;
  const EMPTIED = 128;
  for (const [isFiller, index, message] of [
    [false, -1, "channel: the other side wrote -1 as its index, which is from 0 to 7"],
    [false, 8, "channel: the other side wrote 8 as its index, which is from 0 to 7"],
    [false, 0x7fff_ffff, "channel: the other side wrote 2147483647 as its index, which is from 0 to 7"],
    [false, 5, "channel: the other side claims 5 messages in a ring of 4"],
    [true, 1, "channel: the other side claims 7 messages in a ring of 4"],
    [true, -2147483648, "channel: the other side wrote -2147483648 as its index, which is from 0 to 7"],
  ] as const) {
    const { near, filler, emptier } = sides(4);
    near.sys.store32(START + (isFiller ? EMPTIED : FILLED), index);
    const side = isFiller ? filler : emptier;
    for (let twice = 0; twice < 2; twice++)
      t.throws(() => side.count(), { name: "ChannelError", trouble: "broken", message });
    near.sys.store32(START + (isFiller ? EMPTIED : FILLED), 0);
    t.throws(() => side.count(), { message }, "it is not trusted again");
    t.throws(() => run(side.wait()), { message });
  }
  const { near, emptier } = sides(4);
  near.sys.store32(START + FILLED, 3);
  t.equal(emptier.count(), 3);
  near.sys.store32(START + FILLED, 2);
  t.throws(() => emptier.count(), {
    message: "channel: the other side took back what it had said: its index went backwards",
  });
  t.end();
});

t.test("a side that is signalled for ever with nothing to do gives up", (t) => {
  for (const isFiller of [false, true]) {
    const { filler, emptier } = sides(1);
    if (isFiller) {
      filler.slot();
      filler.advance();
    }
    const steps = (isFiller ? filler : emptier).wait();
    let signals = 0;
    t.throws(
      () => {
        while (!steps.next(0).done) signals++;
      },
      { name: "ChannelError", trouble: "broken", message: /signalled 17 times with nothing to do/ },
    );
    t.equal(signals, 17);
  }
  t.end();
});

t.test(
  "whatever the other side stores at each instant, a side touches nothing outside, waits a bounded number of times, and errs by name",
  (t) => {
    let broken = 0;
    let fine = 0;
    const word = fc.oneof(
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.constantFrom(-1, -(2 ** 31), 2 ** 31 - 1),
    );
    const attack = fc.record({
      /** Only the words that no index is in. */
      flags: fc.boolean(),
      /** Accesses between two stores, and what is stored where. */
      every: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 40, max: 400 })),
      stores: fc.array(fc.tuple(fc.nat({ max: 63 }), word), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.integer({ min: 1, max: 6 }),
        attack,
        (isFiller, slots, { flags, every, stores }) => {
          const { near, far, filler, emptier } = sides(slots);
          const [side, memory, other] = isFiller ? [filler, near, far] : [emptier, far, near];
          let stored = 0;
          memory.meanwhile = () => {
            if (memory.accesses % every !== 0) return;
            const [at, value] = stores[stored++ % stores.length]!;
            // The header's words, the index of the other side more often than others.
            const index = isFiller ? 32 : 16;
            const header = [17, 33, 48, 49];
            other.sys.store32(START + 4 * (flags ? header[at % 4]! : at < 12 ? index : at), value);
          };
          try {
            for (let round = 0; round < 40; round++) {
              const slot = side.slot();
              if (slot === 0) {
                const steps = side.wait();
                let traps = 0;
                while (!steps.next(0).done) if (++traps > 20) throw new Error("waits for ever");
                continue;
              }
              if (isFiller) memory.sys.storeF64(slot + SLOT - 8, round);
              else memory.sys.loadF64(slot + SLOT - 8);
              side.advance();
              const steps = side.tell();
              let traps = 0;
              while (!steps.next(0).done) if (++traps > 1) throw new Error("signals more than once");
            }
            fine++;
          } catch (error) {
            if (!(error instanceof ChannelError)) throw error;
            if (error.trouble !== "broken" || !error.message.startsWith("channel: the other side "))
              throw error;
            broken++;
          }
        },
      ),
      { numRuns: 400 },
    );
    t.ok(broken > 20, `${broken} of the attacks were found out`);
    t.ok(fine > 20, `${fine} told a story that can be`);
    t.end();
  },
);
