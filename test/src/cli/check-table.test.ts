/** What people see of a counter-example, and what a command line selects. */
import type { Access, CounterExample } from "@capos/explorer/campaign";
import { renderCounterExample, type Selection, selectJobs } from "capos";
import fc from "fast-check";
import t from "tap";
import { toyCatalogue } from "../explorer/support/toy-scenarios.js";

const place = {
  file: "packages/kernel/src/capability/transfer.ts",
  line: 120,
  column: 5,
  function: "commit",
};

function access(core: number, step: number, more: Partial<Access> = {}): Access {
  return {
    ...{ core, step, operation: "load", place, word: "core 1 attention", read: 5, written: null },
    ...{ isStep: true, isPreemption: false, isRacing: false },
    ...more,
  };
}

const EXAMPLE: CounterExample = {
  finding: { kind: "assertion", message: "wrong" },
  cores: 2,
  choices: "001",
  preemptions: 1,
  accesses: [
    access(0, 1),
    access(0, 1, { isStep: false, operation: "read", word: "slot 3 word 2" }),
    access(0, 2, { operation: "store", read: null, written: 0x12345 }),
    access(1, 3, { operation: "compareExchange", read: -2147483648, written: 6, isPreemption: true }),
  ],
};

t.test("a wide table has a line for each step, in its core's column", (t) => {
  t.same(renderCounterExample(EXAMPLE, { width: 160, verbose: false }).split("\n"), [
    "step  core 0                                                                        core 1",
    "   1  capability/transfer.ts:120  load  core 1 attention  5",
    "   2  capability/transfer.ts:120  store  core 1 attention  → 0x12345",
    "      ~~ preempted ~~",
    "   3                                                                                capability/transfer.ts:120  compareExchange  core 1 attention",
    "                                                                                      0x80000000 → 6",
  ]);
  t.end();
});

t.test("plain accesses are shown when asked for, and where they are what the finding is about", (t) => {
  const shown = (verbose: boolean, isRacing: boolean) =>
    renderCounterExample(
      { ...EXAMPLE, accesses: EXAMPLE.accesses.map((it) => (it.isStep ? it : { ...it, isRacing })) },
      { width: 160, verbose },
    ).includes("slot 3 word 2");
  t.same([shown(false, false), shown(true, false), shown(false, true)], [false, true, true]);
  t.end();
});

t.test("no line is wider than the terminal, and nothing is lost", (t) => {
  const squeezed = (text: string) => text.replace(/\s/g, "");
  fc.assert(
    fc.property(
      fc.integer({ min: 60, max: 200 }),
      fc.array(fc.tuple(fc.nat(2), fc.string({ unit: fc.constantFrom("a", "b", " "), maxLength: 60 }))),
      (width, words) => {
        const accesses = words.map(([core, word], i) => access(core, i + 1, { word: `x${word}x` }));
        const text = renderCounterExample({ ...EXAMPLE, cores: 3, accesses }, { width, verbose: true });
        const isNarrow = text.split("\n").every((line) => line.length <= Math.max(width, 66));
        return (
          isNarrow && words.every(([, word]) => word.length > 8 || squeezed(text).includes(squeezed(word)))
        );
      },
    ),
  );
  t.end();
});

const CATALOGUE = toyCatalogue();

t.test("a selection names scenarios, and its strategy goes before a scenario's own", (t) => {
  const strategies = (selection: Selection) =>
    selectJobs(CATALOGUE, selection).map(({ strategy }) => strategy);
  const names = ["counting"];
  t.same(strategies({ names }), [{ kind: "dpor" }]);
  t.same(strategies({ names, quick: true }), [{ kind: "bounded", preemptions: 1 }]);
  t.same(strategies({ names, strategy: "dfs" }), [{ kind: "dfs" }]);
  t.same(strategies({ names, strategy: "bounded" }), [{ kind: "bounded", preemptions: 2 }]);
  t.same(strategies({ names, preemptions: 0 }), [{ kind: "bounded", preemptions: 0 }]);
  t.same(strategies({ names, depth: 4 }), [{ kind: "pct", depth: 4, seed: 1 }]);
  t.same(strategies({ names, strategy: "pct", seed: 9 }), [{ kind: "pct", depth: 3, seed: 9 }]);
  t.same(strategies({ names, strategy: "random" }), [{ kind: "random", seed: 1 }]);
  t.same(strategies({ names: ["by-chance"], seed: 8 }), [{ kind: "random", seed: 8 }]);
  t.equal(selectJobs(CATALOGUE, { names: ["all"] }).length, CATALOGUE.scenarios.length);
  t.equal(selectJobs(CATALOGUE, { names: ["counting", "counting"] }).length, 1, "once is enough");
  t.same(selectJobs(CATALOGUE, { names: [], mutant: "split-addition" }), [
    { scenario: "counting", mutant: "split-addition", strategy: { kind: "dpor" } },
  ]);
  t.end();
});

t.test("what cannot be selected is refused with one line that helps", (t) => {
  const names = ["counting"];
  const wrong: readonly (readonly [Selection, RegExp])[] = [
    [{ names: [] }, /^check: which scenario\? A name that check --list shows, or all$/],
    [{ names: ["countin"] }, /^scenario: there is no countin; did you mean counting\?/],
    [{ names: ["weather-forecast"] }, /^scenario: there is no weather-forecast; check --list names them$/],
    [{ names: ["all", "weather-forecast"] }, /there is no weather-forecast/],
    [
      { names: [], mutant: "split-adition" },
      /^mutant: .* did you mean split-addition\? check --mutants names all$/,
    ],
    [{ names, strategy: "dpor", preemptions: 1 }, /--preemptions is for --strategy bounded, not dpor/],
    [{ names, strategy: "random", depth: 1 }, /--depth is for --strategy pct, not random/],
    [{ names, preemptions: 1, depth: 1 }, /--depth is for --strategy pct, not bounded/],
    [{ names, strategy: "dfs", seed: 1 }, /--seed is for --strategy pct and random, not dfs/],
  ];
  for (const [selection, message] of wrong)
    t.throws(() => selectJobs(CATALOGUE, selection), { name: "UsageError", message });
  t.end();
});
