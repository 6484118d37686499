/** What reduction leaves out makes no difference: on small scenarios it is held against each schedule by itself. */
import { mutantNamed, type Scenario, transformKernel } from "@capos/model/kernel";
import t from "tap";
import { CROSSING, endStatesOf, LOOKING, WAKING } from "./support/small-scenarios.js";

/** The kernel as it is, and broken where rings and doorbells are. */
const MUTANTS = [null, "notify-before-store", "payload-before-tail", "halt-without-look"];
/** More than any of their schedules has. */
const UNBOUNDED = { kind: "bounded", preemptions: 100 } as const;
/** Of the schedules of dfs, for a scenario with little in common to its cores. */
const MOST_PERCENT = 5;

const SMALL: readonly Scenario[] = [LOOKING, CROSSING, WAKING];

for (const name of MUTANTS)
  t.test(`dfs, dpor and bounded reach the same ends, with ${name ?? "no mutant"}`, async (t) => {
    const edits = name === null ? [] : mutantNamed(name)!.edits;
    const program = await transformKernel(edits);
    for (const scenario of SMALL) {
      const all = endStatesOf(scenario, program, { kind: "dfs" });
      t.ok(all.isComplete);
      for (const strategy of [{ kind: "dpor" } as const, UNBOUNDED]) {
        const reduced = endStatesOf(scenario, program, strategy);
        t.ok(reduced.isComplete);
        t.same([...reduced.ends].sort(), [...all.ends].sort(), `${scenario.name}, ${strategy.kind}`);
        t.ok(reduced.schedules < all.schedules);
        t.comment(`${scenario.name}: ${strategy.kind} ${reduced.schedules}, dfs ${all.schedules} schedules`);
      }
    }
  });

t.test("what is judged is more than one end: orders that differ are told from each other", async (t) => {
  const program = await transformKernel();
  t.ok(endStatesOf(LOOKING, program, { kind: "dpor" }).ends.size > 3);
  const broken = await transformKernel(mutantNamed("notify-before-store")!.edits);
  const { ends } = endStatesOf(WAKING, broken, { kind: "dpor" });
  t.ok([...ends].some((end) => end.startsWith("assertion: the core did not wake up to a message")));
});

t.test(`dpor needs at most ${MOST_PERCENT} % of the schedules that dfs needs`, async (t) => {
  const program = await transformKernel();
  for (const scenario of [CROSSING, WAKING]) {
    const { schedules } = endStatesOf(scenario, program, { kind: "dfs" });
    const reduced = endStatesOf(scenario, program, { kind: "dpor" });
    t.ok(
      (reduced.schedules / schedules) * 100 <= MOST_PERCENT,
      `${scenario.name}: ${reduced.schedules} of ${schedules}`,
    );
  }
});
