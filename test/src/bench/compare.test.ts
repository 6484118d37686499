/** Comparing runs whose repetitions are made up, so that it is known what differs. */
import {
  type CompareOptions,
  ComparisonError,
  checkEarlier,
  compareDocuments,
  type Result,
  renderComparison,
  TABLE_WIDTH,
} from "@capos/bench";
import fc from "fast-check";
import t from "tap";
import { documentOf, machine, REPETITIONS, rowOfTrials, trials } from "./support/document.js";

function compare(before: readonly Result[], after: readonly Result[], options: CompareOptions = {}) {
  const { rows } = compareDocuments(documentOf(before), documentOf(after), options);
  return Object.fromEntries(rows.map((row) => [row.name, row]));
}

t.test("a run is no different from itself", async (t) => {
  const rows = [
    rowOfTrials("ipc", "call.same-core", trials(80), { "generator-switch": trials(4) }),
    rowOfTrials("baseline", "generator-switch", trials(20, 3)),
  ];
  const compared = compare(rows, rows);
  t.match(compared["call.same-core"], { verdict: "no difference", changePercent: 0, isSlowdown: false });
  t.match(compared["generator-switch"], { verdict: "no difference", changePercent: 0 });
});

t.test("a fifth more on a quiet host is slower, and past the threshold", async (t) => {
  const compared = compare(
    [rowOfTrials("ipc", "yield", trials(50)), rowOfTrials("ipc", "null-trap", trials(20))],
    [rowOfTrials("ipc", "yield", trials(60, 4)), rowOfTrials("ipc", "null-trap", trials(20, 4))],
  );
  const { yield: slow, "null-trap": same } = compared;
  t.match(slow, { verdict: "slower", isSlowdown: true, relativeTo: null });
  t.ok(Math.abs(slow!.changePercent - 20) < 1, `${slow!.changePercent}`);
  t.ok(slow!.lowPercent <= slow!.changePercent && slow!.changePercent <= slow!.highPercent);
  t.match(same, { verdict: "no difference", isSlowdown: false });
});

t.test("a slowdown counts past the threshold only, a speed-up never", async (t) => {
  const before = [rowOfTrials("ipc", "yield", trials(50)), rowOfTrials("ipc", "move", trials(50))];
  const after = [rowOfTrials("ipc", "yield", trials(54, 4)), rowOfTrials("ipc", "move", trials(40, 4))];
  const at = (thresholdPercent: number) => compare(before, after, { thresholdPercent });
  t.match(at(5), { yield: { verdict: "slower", isSlowdown: true } });
  t.match(at(10), { yield: { verdict: "slower", isSlowdown: false } });
  t.match(at(0), { move: { verdict: "faster", isSlowdown: false } });
});

t.test("swapping the runs turns faster into slower", async (t) => {
  const medians = fc.array(fc.double({ min: 10, max: 20, noNaN: true }), {
    minLength: REPETITIONS,
    maxLength: REPETITIONS,
  });
  const opposite = { faster: "slower", slower: "faster", "no difference": "no difference" } as const;
  fc.assert(
    fc.property(medians, medians, fc.double({ min: 0.5, max: 2, noNaN: true }), (one, other, factor) => {
      const before = [rowOfTrials("ipc", "yield", one)];
      const after = [
        rowOfTrials(
          "ipc",
          "yield",
          other.map((ns) => ns * factor),
        ),
      ];
      const there = compare(before, after).yield!;
      const back = compare(after, before).yield!;
      const product = (1 + there.changePercent / 100) * (1 + back.changePercent / 100);
      return back.verdict === opposite[there.verdict] && Math.abs(product - 1) < 1e-6;
    }),
    { numRuns: 50 },
  );
  t.pass();
});

t.test("a host that became twice as slow is no slowdown of a row with a baseline", async (t) => {
  const rows = (factor: number, turn: number) => [
    rowOfTrials("ipc", "call.same-core", trials(80 * factor, turn), { "generator-switch": trials(4, turn) }),
    rowOfTrials("capability", "revoke.chain.1000", trials(3e4 * factor, turn)),
    rowOfTrials("baseline", "generator-switch", trials(20 * factor, turn + 3)),
  ];
  const compared = compare(rows(1, 0), rows(2, 5));
  t.match(compared["call.same-core"], { relativeTo: "generator-switch", verdict: "no difference" });
  t.match(compared["call.same-core"], { before: /^80/, after: /^160/ }, "times are shown as they are");
  t.match(compared["revoke.chain.1000"], { relativeTo: null, verdict: "slower", isSlowdown: true });
  t.match(compared["generator-switch"], { verdict: "slower", isSlowdown: false }, "a baseline is the host's");
});

t.test("what did not take turns with a row in every repetition of both runs is no yardstick", async (t) => {
  const call = (paired: Record<string, number[]>) => rowOfTrials("ipc", "call.same-core", trials(80), paired);
  const whole = call({ "generator-switch": trials(4) });
  const partly = call({ "generator-switch": trials(4, 0, REPETITIONS - 1) });
  const alone = [call({}), rowOfTrials("baseline", "generator-switch", trials(20))];
  t.match(compare([whole], [whole]), { "call.same-core": { relativeTo: "generator-switch" } });
  t.match(compare([whole], [partly]), { "call.same-core": { relativeTo: null } });
  t.match(compare(alone, alone), { "call.same-core": { relativeTo: null } });
});

t.test("another row of capos is no yardstick: it may be what has changed", async (t) => {
  const notify = rowOfTrials("ipc", "notify.same-core", trials(90), { "call.same-core": trials(1.1) });
  t.match(compare([notify], [notify]), { "notify.same-core": { relativeTo: null } });
});

t.test("what chance makes of one row in twenty is no difference among sixty", async (t) => {
  const uneven = [60, 51, 52, 53, 54, 55, 56, 57, 58, 59];
  const later = uneven.map((ns) => ns + 4.5);
  const one = rowOfTrials("ipc", "yield", uneven);
  const one2 = rowOfTrials("ipc", "yield", later);
  const others = Array.from({ length: 59 }, (_, i) => rowOfTrials("ipc", `call.words.${i}`, trials(100, i)));
  t.match(compare([one], [one2]), { yield: { verdict: "slower" } });
  t.match(compare([one, ...others], [one2, ...others]), { yield: { verdict: "no difference" } });
});

t.test("rows that only one run has, or has well enough, are named with the reason", async (t) => {
  const refused = { suite: "ipc", name: "move", unit: "ns/move", refused: "unstable", ratios: {} } as const;
  const { rows, uncompared } = compareDocuments(
    documentOf([
      rowOfTrials("ipc", "yield", trials(50)),
      rowOfTrials("ipc", "boot.4", trials(1e8)),
      rowOfTrials("ipc", "move", trials(50)),
      rowOfTrials("ipc", "copy", trials(50, 0, 3)),
    ]),
    documentOf([
      rowOfTrials("ipc", "yield", trials(50)),
      refused,
      rowOfTrials("ipc", "copy", trials(50)),
      rowOfTrials("ipc", "boot.8", trials(1e8)),
    ]),
  );
  t.strictSame(
    rows.map(({ name }) => name),
    ["yield"],
  );
  t.strictSame(
    uncompared.map(({ name, why }) => `${name}: ${why}`),
    [
      "move: refused in the later run",
      "copy: measured in 3 of 10 repetitions of the earlier run, at least 4 are needed",
      "boot.8: only in the later run",
      "boot.4: only in the earlier run",
    ],
  );
});

t.test("too few repetitions, and nothing in common, are refused with what to do", async (t) => {
  const row = rowOfTrials("ipc", "yield", trials(50));
  const whole = documentOf([row]);
  const few = documentOf([row], 3);
  t.throws(
    () => compareDocuments(few, whole),
    new ComparisonError(
      "before",
      "has 3 repetitions, a comparison needs at least 4: make it with --repeat 10",
    ),
  );
  t.match(
    t.throws(() => compareDocuments(whole, few)),
    { which: "after" },
  );
  const other = documentOf([rowOfTrials("ipc", "null-trap", trials(20))]);
  t.throws(() => compareDocuments(whole, other), /no row that can be compared/);
});

t.test("what cannot be compared with any run is known before the later one is measured", async (t) => {
  const ipc = rowOfTrials("ipc", "yield", trials(50));
  const refused = { suite: "ipc", name: "yield", unit: "ns/yield", refused: "unstable", ratios: {} } as const;
  t.doesNotThrow(() => checkEarlier(documentOf([ipc])));
  t.doesNotThrow(() => checkEarlier(documentOf([ipc]), ["baseline", "ipc"]));
  t.throws(() => checkEarlier(documentOf([ipc], 3)), /has 3 repetitions/);
  for (const [results, suites] of [
    [[ipc], ["baseline"]],
    [[], []],
    [[refused], []],
    [[rowOfTrials("ipc", "yield", trials(50, 0, 3))], []],
  ] as const)
    t.throws(() => checkEarlier(documentOf(results), suites), /no row that can be compared/);
});

t.test("runs of different hosts are compared, with a warning for each difference", async (t) => {
  const rows = [rowOfTrials("ipc", "yield", trials(50))];
  const there = documentOf(rows);
  const here = {
    ...there,
    machine: { ...machine, node: "22.1.0", cores: 4 },
    run: { ...there.run, cpu: "Another CPU" },
  };
  t.strictSame(compareDocuments(there, there).warnings, []);
  t.strictSame(compareDocuments(there, here).warnings, [
    "The runs differ in cores: 8 then, 4 now.",
    "The runs differ in Node: 20.20.2 then, 22.1.0 now.",
    "The runs differ in the host's CPU: A CPU then, Another CPU now.",
  ]);
});

t.test("repetitions too few for so many rows are told, with how many are enough", async (t) => {
  const rows = Array.from({ length: 20 }, (_, i) => rowOfTrials("ipc", `call.words.${i}`, trials(100, i, 4)));
  const { warnings } = compareDocuments(documentOf(rows, 4), documentOf(rows, 4));
  // 20 * 2 / 924 is below a twentieth, 20 * 2 / 252 is not.
  t.match(warnings, [/cannot show a difference among 20 rows: 6 of both runs are needed/]);
});

t.test("a comparison of baselines alone does not say that capos became no slower", async (t) => {
  const baseline = documentOf([rowOfTrials("baseline", "comlink", trials(8e4))]);
  const text = renderComparison(compareDocuments(baseline, baseline));
  t.match(text, /1 row: .* No row of capos could be compared\.\n$/);
});

t.test("the table names what is compared, and ends with the rows past the threshold", async (t) => {
  const rows = (factor: number, turn: number) => [
    rowOfTrials("baseline", "generator-switch", trials(20, turn + 3)),
    rowOfTrials("ipc", "call.same-core", trials(80 * factor, turn), {
      "generator-switch": trials(4 * factor, turn),
    }),
    rowOfTrials("ipc", "yield", trials(50 / factor, turn), { "generator-switch": trials(2 / factor, turn) }),
  ];
  const before = documentOf([...rows(1, 0), rowOfTrials("ipc", "boot.64", trials(1e9))]);
  const text = renderComparison(compareDocuments(before, documentOf(rows(1.5, 5))));
  t.match(
    text,
    /^call\.same-core +round trip +80\.\d ns +120 ns +\+50\.\d % .* generator-switch +slower: past the threshold$/m,
  );
  t.match(text, /^yield .* generator-switch +faster$/m);
  t.match(text, /^ {2}ipc boot\.64: only in the earlier run$/m);
  t.match(
    text,
    /3 rows: 1 faster, 1 slower, 1 without a difference\. Slower by more than 5 %: call\.same-core\.\n$/,
  );
  for (const line of text.split("\n")) t.ok(line.length <= TABLE_WIDTH, line);
});
