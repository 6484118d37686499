/** The minimiser, against all schedules of small programs. */

import { type Coroutine, type Failure, Frontier, type Strategy } from "@capos/explorer";
import {
  fromText,
  isSameFinding,
  type Minimal,
  type Minimiser,
  minimise,
  toText,
} from "@capos/explorer/campaign";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { type Shared, type Toy, ToyExplorer } from "./support/toy.js";

useSeed(t);

const access = fc.record({
  kind: fc.constantFrom("load", "store", "add", "swap"),
  word: fc.integer({ min: 1, max: 2 }),
  value: fc.integer({ min: 0, max: 2 }),
});
type Accesses = readonly { kind: string; word: number; value: number }[];

const programs = fc.array(fc.array(access, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 3 });

/** A program in which about every third outcome is wrong: in one of two ways, each with a number that varies. */
function toyOf(all: readonly Accesses[]): Toy {
  const seen: number[][] = all.map(() => []);
  return {
    programs: all.map(
      (accesses, core) =>
        function* (it: Shared): Coroutine<void> {
          seen[core] = [];
          for (const { kind, word, value } of accesses) {
            if (kind === "load") seen[core].push(yield* it.load(word));
            else if (kind === "store") yield* it.store(word, value);
            else if (kind === "add") seen[core].push(yield* it.add(word, 1));
            else seen[core].push(yield* it.swap(word, value, 5));
          }
        },
    ),
    finish(it) {
      let hash = it.i32[1] * 31 + it.i32[2] * 7;
      for (const value of seen.flat()) hash = (Math.imul(hash, 33) + value) >>> 0;
      if (hash % 3 !== 0) return null;
      return { kind: "assertion", message: `${hash % 2 === 0 ? "even" : "odd"} outcome ${hash}` };
    },
  };
}

/** Each failure of each schedule that a strategy has; ends early if `take` says so. */
function eachFailure(toy: ToyExplorer, strategy: Strategy, take: (failure: Failure) => boolean): void {
  const frontier = new Frontier(strategy, Number.POSITIVE_INFINITY);
  for (let unit = frontier.next(); unit !== undefined; unit = frontier.next()) {
    const result = toy.explorer.explore(unit, strategy, () => false);
    if (result.failure !== null && take(result.failure)) return;
    frontier.give(unit, result);
  }
}

function minimiserOf(toy: ToyExplorer): Minimiser {
  return {
    replay: (choices) => toy.explorer.replay(choices, true),
    isOver: () => false,
    search(preemptions, wanted) {
      let found: Failure | null = null;
      eachFailure(toy, { kind: "bounded", preemptions }, (failure) => {
        if (wanted(failure)) found = failure;
        return found !== null;
      });
      return found;
    },
  };
}

t.test(
  "the simplest failure is the same one, fails exactly as it says, and no schedule has fewer preemptions",
  (t) => {
    let simpler = 0;
    fc.assert(
      fc.property(programs, fc.nat(), (all, which) => {
        const toy = new ToyExplorer(toyOf(all));
        const failures: Failure[] = [];
        eachFailure(toy, { kind: "dfs" }, (failure) => failures.push(failure) === -1);
        fc.pre(failures.length > 0);
        const found = failures[which % failures.length];
        const same = failures.filter((failure) => isSameFinding(failure, found));
        const fewest = Math.min(...same.map(({ preemptions }) => preemptions));
        const minimal = minimise(found, minimiserOf(toy));
        const again = toy.explorer.replay(minimal.failure.choices, false);
        t.ok(isSameFinding(minimal.failure, found));
        t.same(again.failure, minimal.failure);
        t.equal(minimal.failure.preemptions, fewest);
        t.equal(minimal.isFewest, true);
        if (minimal.failure.preemptions < found.preemptions) simpler++;
      }),
      { numRuns: 150 },
    );
    t.ok(simpler > 10, `${simpler} became simpler`);
    t.end();
  },
);

/** Cores add to a word by load and store, between steps that have nothing to do with it. */
const lossy: Toy = {
  programs: Array.from(
    { length: 3 },
    () =>
      function* (it: Shared): Coroutine<void> {
        for (let i = 0; i < 10; i++) yield* it.add(2, 1);
        const value = yield* it.load(1);
        yield* it.store(1, value + 1);
        for (let i = 0; i < 10; i++) yield* it.add(2, 1);
      },
  ),
  finish: (it) => (it.i32[1] === 3 ? null : { kind: "assertion", message: `${it.i32[1]} of 3` }),
};

function firstByChance(toy: ToyExplorer, seed: number): Failure {
  const unit = { path: "", take: -1, asleep: 0, first: 0, count: 1000 };
  return toy.explorer.explore(unit, { kind: "random", seed }, () => false).failure!;
}

t.test("without a search, changes of the schedule alone bring a failure by chance to one preemption", (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const toy = new ToyExplorer(lossy);
    const { search, ...alone } = minimiserOf(toy);
    const found = firstByChance(toy, seed);
    t.ok(found.preemptions > 5, `${found.preemptions}`);
    const minimal = minimise(found, alone);
    t.equal(minimal.failure.preemptions, 1, `seed ${seed}`);
    t.equal(minimal.isFewest, false, "nobody searched");
  }
  t.end();
});

t.test("when its time is over the minimiser answers with the best that it has", (t) => {
  const toy = new ToyExplorer(lossy);
  const found = firstByChance(toy, 3);
  let last: Minimal = { failure: found, isFewest: false };
  for (let replays = 0; replays < 40; replays += 8) {
    let left = replays;
    const now = minimise(found, { ...minimiserOf(toy), isOver: () => left-- <= 0 });
    t.ok(now.failure.preemptions <= last.failure.preemptions, `${now.failure.preemptions} after ${replays}`);
    t.same(toy.explorer.replay(now.failure.choices, false).failure, now.failure);
    last = now;
  }
  t.ok(last.failure.preemptions < found.preemptions);
  t.end();
});

t.test("findings are the same by kind, by message but for numbers, and by place", (t) => {
  const finding = { kind: "assertion", message: "core 1 has 12 of 3" } as const;
  t.ok(isSameFinding(finding, { kind: "assertion", message: "core 0 has 7 of 3" }));
  t.notOk(isSameFinding(finding, { kind: "invariant", message: finding.message }));
  t.notOk(isSameFinding(finding, { kind: "assertion", message: "core 1 lacks 12 of 3" }));
  t.notOk(isSameFinding({ ...finding, sites: [3, 4] }, { ...finding, sites: [3, 5] }));
  t.ok(isSameFinding({ ...finding, sites: [3, 4] }, { ...finding, sites: [4, 3] }));
  t.end();
});

t.test("choices become text and back", (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 30 }))),
      (blocks) => {
        const choices = blocks.map(([core, steps]) => String(core).repeat(steps)).join("");
        return fromText(toText(choices), 1000) === choices;
      },
    ),
  );
  t.equal(toText("0001220"), "0*3 1 2*2 0");
  for (const text of [
    "x",
    "0*",
    "0*0",
    "0*-1",
    "0  1",
    " 0",
    "0*1e9",
    "00",
    "0*1001",
    "0*600 1*600",
    "0*99999999999",
  ])
    t.equal(fromText(text, 1000), undefined, text);
  t.end();
});
