import {
  checkHistory,
  partition,
  type Specification,
  shortestExcerpt,
  type Timed,
} from "@capos/explorer/history";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";

useSeed(t);

/** A register that also counts: small, with answers that depend on the order of everything. */
interface Access extends Timed {
  readonly what: "write" | "read" | "add";
  readonly value: number;
  /** What a read or add answered. */
  readonly answer: number;
}

const register: Specification<number, Access> = {
  initial: 0,
  step(state, { what, value, answer }) {
    if (what === "write") return [value];
    if (answer !== state) return [];
    return [what === "add" ? state + value : state];
  },
  key: (state) => state,
};

/** One operation at a time, each at an instant; then each is stretched to both sides. */
const sequential = fc
  .array(
    fc.record({
      what: fc.constantFrom("write" as const, "read" as const, "add" as const),
      value: fc.integer({ min: 1, max: 3 }),
      before: fc.nat(40),
      after: fc.nat(40),
      isPending: fc.nat(9),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let state = 0;
    return steps.map(({ what, value, before, after, isPending }, i): Access => {
      const answer = what === "write" ? 0 : state;
      if (what === "write") state = value;
      else if (what === "add") state += value;
      const instant = 10 * i;
      const end = isPending === 0 ? Number.POSITIVE_INFINITY : instant + after;
      return { what, value, answer, start: instant - before, end };
    });
  });

t.test("a history that was stretched from a sequential run is linearizable", async (t) => {
  fc.assert(fc.property(sequential, (history) => checkHistory(register, history).outcome === "linearizable"));
  t.pass("all were");
});

t.test("an answer that no order explains is found, whatever overlaps with it", async (t) => {
  fc.assert(
    fc.property(sequential, fc.nat(), (history, which) => {
      const reads = history.filter(({ what, end }) => what !== "write" && end !== Number.POSITIVE_INFINITY);
      fc.pre(reads.length > 0);
      const lie = reads[which % reads.length];
      const told = history.map((one) => (one === lie ? { ...one, answer: 1_000_000 } : one));
      return checkHistory(register, told).outcome === "violation";
    }),
  );
  t.pass("each was");
});

/** All of it, by brute force: some order of all that ended and any of the rest, that respects time. */
function bruteForce(history: readonly Access[]): boolean {
  function search(left: readonly Access[], state: number): boolean {
    if (left.every(({ end }) => end === Number.POSITIVE_INFINITY)) return true;
    for (const next of left) {
      if (left.some((other) => other.end < next.start)) continue;
      const rest = left.filter((other) => other !== next);
      if (register.step(state, next).some((following) => search(rest, following))) return true;
    }
    return false;
  }
  return search(history, 0);
}

const arbitrary = fc.array(
  fc
    .record({
      what: fc.constantFrom("write" as const, "read" as const, "add" as const),
      value: fc.integer({ min: 1, max: 2 }),
      answer: fc.integer({ min: 0, max: 3 }),
      start: fc.nat(12),
      length: fc.nat(8),
      isPending: fc.nat(7),
    })
    .map(
      ({ start, length, isPending, ...rest }): Access => ({
        ...rest,
        start,
        end: isPending === 0 ? Number.POSITIVE_INFINITY : start + length,
      }),
    ),
  { maxLength: 6 },
);

t.test("any small history is judged as by trying every order", async (t) => {
  const seen = { linearizable: 0, violation: 0 };
  fc.assert(
    fc.property(arbitrary, (history) => {
      const isLinearizable = bruteForce(history);
      seen[isLinearizable ? "linearizable" : "violation"]++;
      return (checkHistory(register, history).outcome === "linearizable") === isLinearizable;
    }),
    { numRuns: 2000 },
  );
  t.ok(seen.linearizable > 50, "some of them are linearizable");
  t.ok(seen.violation > 50, "some of them are not");
});

t.test("an excerpt is a violation itself, and nothing can be taken out of it", async (t) => {
  fc.assert(
    fc.property(arbitrary, (history) => {
      fc.pre(checkHistory(register, history).outcome === "violation");
      const excerpt = shortestExcerpt(register, history);
      if (checkHistory(register, excerpt).outcome !== "violation") return false;
      return excerpt.every((one) => {
        const rest = excerpt.filter((other) => other !== one);
        return checkHistory(register, rest).outcome === "linearizable";
      });
    }),
    { numRuns: 500 },
  );
  t.pass("none could");
});

t.test("the excerpt of a long history is the few operations that matter", async (t) => {
  const history: Access[] = [];
  for (let i = 0; i < 400; i++) {
    history.push({ what: "write", value: 7, answer: 0, start: 10 * i, end: 10 * i + 15 });
    history.push({ what: "read", value: 0, answer: 7, start: 10 * i + 20, end: 10 * i + 25 });
  }
  history.push({ what: "read", value: 0, answer: 8, start: 1005, end: 1006 });
  t.same(
    shortestExcerpt(register, history).map(({ answer }) => answer),
    [8],
  );
});

t.test("an excerpt leaves out no operation that another needs", async (t) => {
  const history: Access[] = [
    { what: "add", value: 1, answer: 0, start: 0, end: 1 },
    { what: "add", value: 1, answer: 1, start: 2, end: 3 },
    { what: "read", value: 0, answer: 5, start: 4, end: 5 },
  ];
  const needy = { ...register, needs: (later: Access, earlier: Access) => later.answer > earlier.answer };
  const excerpt = shortestExcerpt(needy, history);
  t.same(
    excerpt.map(({ answer }) => answer),
    [0, 1, 5],
    "the read needs both additions",
  );
});

t.test("operations that touch overlap; those with time between them do not", async (t) => {
  const write: Access = { what: "write", value: 1, answer: 0, start: 0, end: 10 };
  const read = (start: number): Access => ({ what: "read", value: 0, answer: 0, start, end: 20 });
  t.equal(checkHistory(register, [write, read(10)]).outcome, "linearizable");
  t.equal(checkHistory(register, [write, read(11)]).outcome, "violation");
});

t.test("the culprit is the earliest end that nothing explains", async (t) => {
  const bad = (start: number): Access => ({ what: "read", value: 0, answer: 9, start, end: start + 1 });
  const verdict = checkHistory(register, [bad(50), bad(10), bad(30)]);
  t.match(verdict, { outcome: "violation", culprit: { start: 10 } });
});

t.test("a check with too much overlap says that it knows nothing", async (t) => {
  const history = Array.from(
    { length: 14 },
    (_, i): Access => ({ what: "write", value: i, answer: 0, start: 0, end: 100 }),
  );
  t.equal(checkHistory(register, history, { configurations: 50 }).outcome, "gave-up");
});

t.test("an operation that ends before it begins is refused", async (t) => {
  const history: Access[] = [{ what: "read", value: 0, answer: 0, start: 2, end: 1 }];
  t.throws(() => checkHistory(register, history), RangeError);
});

t.test("a long history with little overlap is judged in time that grows with its length", async (t) => {
  let steps = 0;
  const counted: Specification<number, Access> = {
    ...register,
    step(state, access) {
      steps++;
      return register.step(state, access);
    },
  };
  const stepsFor = (length: number): number => {
    steps = 0;
    const history = Array.from(
      { length },
      (_, i): Access => ({ what: "write", value: i, answer: 0, start: 10 * i, end: 10 * i + 25 }),
    );
    t.equal(checkHistory(counted, history).outcome, "linearizable");
    return steps;
  };
  const few = stepsFor(1000);
  t.ok(stepsFor(4000) < 5 * few, "four times the length, about four times the steps");
});

t.test("a partition keeps every operation, each under its key, in order", async (t) => {
  const parts = partition([5, 1, 8, 3, 4], (value) => value % 2);
  t.same(
    [...parts],
    [
      [1, [5, 1, 3]],
      [0, [8, 4]],
    ],
  );
});
