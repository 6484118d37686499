import type { Coroutine, Strategy } from "@capos/explorer";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { exploreToy, type Shared, type Toy } from "./support/toy.js";

useSeed(t);

const DPOR: Strategy = { kind: "dpor" };
const DFS: Strategy = { kind: "dfs" };

t.test("cores that touch different words have one schedule", (t) => {
  const program = (word: number) =>
    function* (it: Shared): Coroutine<void> {
      for (let i = 0; i < 5; i++) yield* it.add(word, 1);
    };
  const found = exploreToy({ programs: [program(1), program(2), program(3)] }, DPOR);
  t.same([found.schedules, found.redundant], [1, 0]);
  t.end();
});

t.test("a writer and n readers of a word have 2^n schedules", (t) => {
  const reader = function* (it: Shared): Coroutine<void> {
    yield* it.load(1);
  };
  const writer = function* (it: Shared): Coroutine<void> {
    yield* it.store(1, 1);
  };
  for (let readers = 1; readers <= 3; readers++) {
    const programs = [writer, ...Array.from({ length: readers }, () => reader)];
    t.equal(exploreToy({ programs }, DPOR).schedules, 2 ** readers);
  }
  t.end();
});

t.test("additions whose results are not used commute, others do not", (t) => {
  const blind = function* (it: Shared): Coroutine<void> {
    yield* it.count(1, 1);
  };
  const seeing = function* (it: Shared): Coroutine<void> {
    yield* it.add(1, 1);
  };
  t.equal(exploreToy({ programs: [blind, blind, blind] }, DPOR).schedules, 1);
  t.equal(exploreToy({ programs: [seeing, seeing, seeing] }, DPOR).schedules, 6);
  t.end();
});

t.test("a lost update is found by every strategy, and never where the addition is atomic", (t) => {
  const split = function* (it: Shared): Coroutine<void> {
    const value = yield* it.load(1);
    yield* it.store(1, value + 1);
  };
  const whole = function* (it: Shared): Coroutine<void> {
    yield* it.add(1, 1);
  };
  const toy = (program: (it: Shared) => Coroutine): Toy => ({
    programs: [program, program],
    finish: (it) => (it.i32[1] === 2 ? null : { kind: "assertion", message: `the word is ${it.i32[1]}` }),
  });
  const strategies: Strategy[] = [
    DPOR,
    DFS,
    { kind: "bounded", preemptions: 1 },
    { kind: "pct", depth: 2, seed: 1 },
    { kind: "random", seed: 1 },
  ];
  for (const strategy of strategies) {
    t.equal(exploreToy(toy(split), strategy).failure?.message, "the word is 1", strategy.kind);
    t.equal(exploreToy(toy(whole), strategy).failure, null, strategy.kind);
  }
  t.equal(exploreToy(toy(split), { kind: "bounded", preemptions: 0 }).failure, null, "it needs a preemption");
  t.end();
});

t.test("a core that is notified before it waits waits for ever unless it looked", (t) => {
  const waiter = (looks: boolean) =>
    function* (it: Shared): Coroutine<void> {
      if (looks) while ((yield* it.load(1)) === 0) yield* it.wait(1, 0);
      else yield* it.wait(2, 0);
    };
  const waker = function* (it: Shared): Coroutine<void> {
    yield* it.store(1, 1);
    yield* it.notify(1);
    yield* it.notify(2);
  };
  t.equal(exploreToy({ programs: [waiter(true), waker] }, DPOR).failure, null);
  t.equal(exploreToy({ programs: [waiter(false), waker] }, DPOR).failure?.kind, "deadlock");
  t.end();
});

t.test("a time limit that is over while nothing else can go on is a finding unless a timer is due", (t) => {
  const programs = [
    function* (it: Shared): Coroutine<void> {
      if ((yield* it.wait(1, 0, 10)) === "timed-out") yield* it.store(2, 1);
    },
  ];
  t.equal(exploreToy({ programs }, DPOR).failure?.kind, "lost wake-up");
  t.equal(exploreToy({ programs, timerDue: true }, DPOR).failure, null);
  t.end();
});

t.test("a spinning core does not multiply the schedules, and one that gives up gets there", (t) => {
  const spin = (turns: number) =>
    function* (it: Shared): Coroutine<void> {
      it.runtime.enter();
      for (let i = 0; i < turns; i++) {
        it.runtime.turn(1);
        if ((yield* it.load(1)) !== 0) return;
      }
      yield* it.store(2, 1);
    };
  const setter = function* (it: Shared): Coroutine<void> {
    yield* it.store(1, 1);
  };
  const gaveUp = new Set<number>();
  const toy = (turns: number): Toy => ({
    programs: [spin(turns), setter],
    finish(it) {
      gaveUp.add(it.i32[2]);
      return null;
    },
  });
  t.equal(exploreToy(toy(500), DPOR).schedules, 2);
  t.same([...gaveUp].sort(), [0, 1]);
  gaveUp.clear();
  t.equal(
    exploreToy(toy(Number.POSITIVE_INFINITY), DPOR).failure,
    null,
    "one that never gives up waits for the word",
  );
  t.same([...gaveUp], [0]);
  const alone = exploreToy({ programs: [spin(Number.POSITIVE_INFINITY)] }, DPOR);
  t.equal(alone.failure?.kind, "deadlock");
  t.end();
});

t.test("plain accesses that nothing orders are a data race, with both places", (t) => {
  const writer = (ordered: boolean) =>
    function* (it: Shared): Coroutine<void> {
      yield* it.write(1, 7);
      if (ordered) yield* it.store(2, 1);
    };
  const reader = (ordered: boolean) =>
    function* (it: Shared): Coroutine<void> {
      if (ordered && (yield* it.load(2)) === 0) return;
      yield* it.read(1);
    };
  const race = exploreToy({ programs: [writer(false), reader(false)] }, DPOR).failure;
  t.equal(race?.kind, "data race");
  t.equal(race?.sites?.length, 2);
  t.equal(exploreToy({ programs: [writer(true), reader(true)] }, DPOR).failure, null);
  t.equal(
    exploreToy({ programs: [writer(false), reader(false)], racy: [1] }, DPOR).schedules,
    2,
    "declared: explored",
  );
  t.end();
});

/** One access of a random program; the value goes into what the core has seen. */
const access = fc.record({
  kind: fc.constantFrom("load", "store", "add", "count", "swap", "notify", "spin"),
  word: fc.integer({ min: 1, max: 3 }),
  value: fc.integer({ min: 0, max: 2 }),
});

function runner(accesses: readonly { kind: string; word: number; value: number }[], seen: number[]) {
  return function* (it: Shared): Coroutine<void> {
    seen.length = 0;
    for (const { kind, word, value } of accesses) {
      if (kind === "load") seen.push(yield* it.load(word));
      else if (kind === "store") yield* it.store(word, value);
      else if (kind === "add") seen.push(yield* it.add(word, 1));
      else if (kind === "count") yield* it.count(word, 1);
      else if (kind === "swap") seen.push(yield* it.swap(word, value, 5));
      else if (kind === "notify") seen.push(yield* it.notify(word));
      else seen.push((yield* it.wait(word, value)).length);
    }
  };
}

t.test("the reduced search reaches every outcome that all schedules reach, however it is sliced", (t) => {
  let reduced = 0;
  let all = 0;
  fc.assert(
    fc.property(
      fc.array(fc.array(access, { maxLength: 3 }), { minLength: 2, maxLength: 3 }),
      fc.integer({ min: 1, max: 4 }),
      (programs, slice) => {
        const outcomes = (strategy: Strategy, size: number): string => {
          const seen = programs.map(() => [] as number[]);
          const reached = new Set<string>();
          const toy: Toy = {
            programs: programs.map((accesses, core) => runner(accesses, seen[core])),
            finish(it, waiting) {
              reached.add(JSON.stringify([seen, [...it.i32.slice(0, 4)], waiting]));
              return null;
            },
          };
          const { schedules, failure } = exploreToy(toy, strategy, size);
          if (failure !== null) throw new Error(failure.message);
          if (strategy.kind === "dpor") reduced += schedules;
          else if (strategy.kind === "dfs") all += schedules;
          return [...reached].sort().join("\n");
        };
        const expected = outcomes(DFS, Number.POSITIVE_INFINITY);
        if (outcomes(DPOR, Number.POSITIVE_INFINITY) !== expected) throw new Error("dpor misses some");
        if (outcomes(DPOR, slice) !== expected) throw new Error("dpor in slices misses some");
        if (outcomes({ kind: "bounded", preemptions: 9 }, slice) !== expected)
          throw new Error("bounded misses some");
      },
    ),
    {
      numRuns: 1000,
      examples: [
        // Whether the wait and the notify commute depends on what the third does: they must be taken not to.
        [
          [
            [{ kind: "spin", word: 2, value: 0 }],
            [
              { kind: "load", word: 1, value: 0 },
              { kind: "count", word: 2, value: 0 },
            ],
            [{ kind: "notify", word: 2, value: 0 }],
          ],
          1,
        ],
      ],
    },
  );
  t.ok(reduced < all / 2, `${reduced} of ${all} schedules`);
  t.end();
});
