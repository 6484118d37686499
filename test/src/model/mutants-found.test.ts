/** Every mutant of the kernel is found, and what finds it does not find the kernel itself. */
import { isDeepStrictEqual } from "node:util";
import { type Hunt, huntMutants, Survey, type Surveyed } from "@capos/explorer/campaign";
import { HUNT_SCHEDULES, KERNEL } from "@capos/model";
import t, { type Test } from "tap";

/** All mutants take about two minutes of two threads. */
const WORKERS = 2;

const schedulesOf = ({ schedules, redundant }: Surveyed): number => schedules + redundant;

/** For each pair of scenario and strategy the hunt that took longest; none where it is the quick plan, which is tested. */
function searches(hunts: readonly Hunt[]): Map<string, Hunt> {
  const longest = new Map<string, Hunt>();
  for (const hunt of hunts) {
    const { scenario, strategy } = hunt.mutant;
    const quick = KERNEL.scenarios.find(({ name }) => name === scenario)?.quick;
    if (hunt.failure === null || isDeepStrictEqual(quick, strategy)) continue;
    const key = JSON.stringify([scenario, strategy]);
    const before = longest.get(key);
    if (before === undefined || schedulesOf(hunt) > schedulesOf(before)) longest.set(key, hunt);
  }
  return longest;
}

async function notFound(t: Test, survey: Survey, hunt: Hunt): Promise<void> {
  const { scenario, strategy } = hunt.mutant;
  const limits = { schedules: schedulesOf(hunt), minimiseSeconds: 0 };
  const { failure } = await survey.run({ scenario, mutant: null, strategy, ...limits });
  t.equal(failure, null, `${scenario} fails without a mutant: ${failure?.kind}, ${failure?.message}`);
}

t.test("every mutant is found by the scenario that it names, in so many schedules", async (t) => {
  const onHunt = (hunt: Hunt): void => {
    const { mutant, failure, prepareMs, searchMs } = hunt;
    const times = `${Math.round(prepareMs)} ms to make, ${Math.round(searchMs)} ms to search`;
    t.not(failure, null, `${mutant.name} is not found by ${mutant.scenario}`);
    if (failure === null) return;
    const { kind, choices, preemptions } = failure;
    t.comment(
      `${mutant.name}: ${kind} after ${schedulesOf(hunt)} schedules, ${choices.length} steps, ${preemptions} preemptions; ${times}`,
    );
  };
  const limits = { workers: WORKERS, schedules: HUNT_SCHEDULES, minimiseSeconds: 0 };
  const hunts = await huntMutants(KERNEL, { ...limits, onHunt });
  t.test("and in as many schedules that scenario finds nothing in the kernel as it is", async (t) => {
    const survey = new Survey(KERNEL.opener, WORKERS);
    t.teardown(() => survey.destroy());
    await Promise.all([...searches(hunts).values()].map((hunt) => notFound(t, survey, hunt)));
  });
});
