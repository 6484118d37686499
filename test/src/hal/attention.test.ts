import { Attention, attentionOf, halt, RINGS_SHIFT, raise, ringGroup } from "@capos/hal";
import t from "tap";
import { makeMachine, scratchOf, startJob } from "../support/machine.js";
import { LINE } from "../support/machine-worker.js";

t.test("no wake-up of a halting core is lost", async (t) => {
  // A lost one leaves the halter asleep for ever, and this test at its time limit.
  const machine = makeMachine(2);
  const rounds = 15_000;
  const bits = [Attention.POKE, 1 << 31];
  const requests = scratchOf(machine);
  const halter = startJob<{ taken: number; halts: number; left: number }>(t, {
    role: "halter",
    wasm: machine.wasm,
    core: 1,
    requests,
    bits,
    rounds,
  });
  const raisers = bits.map((bit, i) =>
    startJob<{ failed: string }>(t, {
      role: "raiser",
      wasm: machine.wasm,
      core: 0,
      target: 1,
      request: requests + i * 2 * LINE,
      bit,
      rounds,
    }),
  );
  for (const { failed } of await Promise.all(raisers)) t.equal(failed, "", "every request was answered once");
  const { taken, halts, left } = await halter;
  t.equal(taken, rounds * bits.length);
  t.ok(halts > 0, `the core halted ${halts} times`);
  t.equal(left, 0, "no bit is left over");
});

t.test("a core with a bit set does not halt", (t) => {
  const { memory } = makeMachine(1);
  const word = attentionOf(memory, 0);
  for (const bit of [
    Attention.GRACE,
    Attention.INTERRUPT,
    1 << RINGS_SHIFT,
    1 << 31,
    Attention.POKE,
    Attention.FLUSH,
    Attention.POWER,
    Attention.DOOMED,
    Attention.NON_MASKABLE,
    Attention.INIT,
    Attention.STARTUP,
    Attention.QUIESCENT,
  ]) {
    memory.i32[word] = bit;
    // Would never return.
    halt(memory, word, Number.POSITIVE_INFINITY);
    t.equal(memory.i32[word], bit, "the bit is still there to be taken, and HALTED is not");
  }
  t.end();
});

t.test("a core whose halt times out is no longer halted", (t) => {
  const { memory } = makeMachine(1);
  const word = attentionOf(memory, 0);
  halt(memory, word, 0);
  t.equal(memory.i32[word], 0);
  t.end();
});

t.test("a bit is set and only a core that is HALTED is notified", async (t) => {
  const { memory } = makeMachine(3);
  const { i32 } = memory;
  for (const [before, notified] of [
    [0, false],
    [Attention.GRACE, false],
    [Attention.DOOMED | (1 << 31), false],
    [Attention.HALTED, true],
    [Attention.HALTED | (1 << RINGS_SHIFT), true],
  ] as const) {
    const word = attentionOf(memory, 1);
    i32[word] = before;
    const waiter = Atomics.waitAsync(i32, word, before);
    raise(memory, word, Attention.POKE);
    t.equal(i32[word], before | Attention.POKE);
    t.equal(
      Atomics.notify(i32, word),
      notified ? 0 : 1,
      `with ${before} in the word a waiter was ${notified ? "" : "not "}woken`,
    );
    await waiter.value;
  }
  t.equal(i32[attentionOf(memory, 0)], 0, "no other core is touched");
  t.equal(i32[attentionOf(memory, 2)], 0, "no other core is touched");
});

t.test("no bit is two things, and what a safe point takes is all but HALTED and DOOMED", (t) => {
  const taken = [
    Attention.GRACE,
    Attention.INTERRUPT,
    Attention.POKE,
    Attention.FLUSH,
    Attention.POWER,
    Attention.NON_MASKABLE,
    Attention.INIT,
    Attention.STARTUP,
    Attention.RINGS,
  ];
  const all = [...taken, Attention.HALTED, Attention.DOOMED];
  t.equal(
    all.reduce((sum, bits) => sum + (bits >>> 0), 0),
    all.reduce((union, bits) => union | bits, 0) >>> 0,
    "each its own",
  );
  t.equal(
    taken.reduce((union, bits) => union | bits, 0),
    Attention.TAKEN,
  );
  t.equal(Attention.TAKEN & (Attention.HALTED | Attention.DOOMED), 0);
  t.end();
});

t.test(
  "every core has a bell in every other's word, in a machine of any size, and neighbours alone share one",
  (t) => {
    for (let cores = 1; cores <= 64; cores++) {
      const group = ringGroup(cores);
      for (let core = 0; core < cores; core++) {
        const bell = 1 << (RINGS_SHIFT + Math.floor(core / group));
        if ((bell & Attention.RINGS) === 0) t.fail(`core ${core} of ${cores} has no bell`);
      }
      if (cores <= 16 && group !== 1) t.fail(`${cores} cores share bells`);
    }
    t.end();
  },
);
