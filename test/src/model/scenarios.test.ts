/** Every scenario says what must hold, holds in its quick plan, and is able to fail. */

import type { Strategy } from "@capos/explorer";
import { Survey } from "@capos/explorer/campaign";
import { KERNEL } from "@capos/model";
import t from "tap";

const WORKERS = 2;
/** Schedules of a plan by chance, which has no end of its own. */
const BY_CHANCE = 500;
/** Schedules in which a scenario finds a mutant. */
const MOST = 2000;
const { scenarios, mutants, opener } = KERNEL;

/** Scenarios that no mutant names, and a mutant that they find as well. */
const FIND_TOO: Readonly<Record<string, string>> = {
  "ring-wrap": "drop-pending-bit",
  "two-producers": "notify-before-store",
  "grace-idle": "halt-without-look",
  "grace-two-at-once": "halt-without-look",
  "grace-waking": "halt-without-look",
  "grace-offline": "halt-without-look",
  "mint-vs-revoke": "kill-without-dead",
  "move-vs-revoke": "kill-without-dead",
  "delete-vs-refill": "kill-without-dead",
  "revoke-vs-revoke": "kill-without-dead",
  "revoke-vs-revoke-nested": "kill-without-dead",
  "revoke-vs-refill": "kill-without-dead",
  "retype-vs-delete": "retype-without-recheck",
  "signal-vs-wait-vs-destruction": "halt-without-look",
  "poll-vs-wait": "raise-without-notify",
  "bound-notification-vs-call": "notify-before-store",
  "ring-full-nested-call": "want-space-quietly",
  "thread-destroy-running": "halt-without-look",
  "wait-vs-wait": "home-moves-for-ever",
  "message-vs-memory-reuse": "reuse-after-one-grace-period",
  "remap-vs-store": "walk-before-bit",
};

t.test("scenarios have names of their own, and each says in a sentence what must hold", (t) => {
  t.equal(new Set(scenarios.map(({ name }) => name)).size, scenarios.length);
  for (const { name, holds, cores } of scenarios) {
    t.match(name, /^[a-z]+(-[a-z]+)*$/);
    t.match(holds, /^[A-Z][^\n]*\.$/, name);
    t.ok(cores === 2 || cores === 3, `${name} has ${cores} cores`);
  }
  t.end();
});

function most({ kind }: Strategy): number {
  return kind === "pct" || kind === "random" ? BY_CHANCE : Number.POSITIVE_INFINITY;
}

t.test("every scenario holds in its quick plan", async (t) => {
  const survey = new Survey(opener, WORKERS);
  t.teardown(() => survey.destroy());
  await Promise.all(
    scenarios.map(async ({ name, quick }) => {
      const limits = { schedules: most(quick), minimiseSeconds: 0 };
      const result = await survey.run({ scenario: name, mutant: null, strategy: quick, ...limits });
      const { failure, schedules, redundant, steps, searchMs, isComplete } = result;
      t.equal(failure, null, `${name}: ${failure?.kind}, ${failure?.message}`);
      if (failure === null) t.ok(isComplete, `${name} was explored up to its bound`);
      t.comment(`${name}: ${schedules + redundant} schedules, ${steps} steps, ${Math.round(searchMs)} ms`);
    }),
  );
});

t.test("every scenario finds a mutant: one that names it, or one that is listed here", async (t) => {
  const named = new Set(mutants.map(({ scenario }) => scenario));
  const unable = scenarios.filter(({ name }) => !named.has(name) && FIND_TOO[name] === undefined);
  t.same(
    unable.map(({ name }) => name),
    [],
  );
  const survey = new Survey(opener, WORKERS);
  t.teardown(() => survey.destroy());
  // Mutant by mutant: a worker keeps the last program that it made.
  const pairs = Object.entries(FIND_TOO).sort(([, a], [, b]) => (a < b ? -1 : 1));
  await Promise.all(
    pairs.map(async ([scenario, mutant]) => {
      const { quick } = scenarios.find(({ name }) => name === scenario)!;
      // Of a mutant that goes on for ever a schedule is long: to reduce many of them takes minutes.
      const strategy =
        quick.kind === "bounded" ? quick : mutants.find(({ name }) => name === mutant)!.strategy;
      const limits = { schedules: MOST, minimiseSeconds: 0 };
      const { failure } = await survey.run({ scenario, mutant, strategy, ...limits });
      t.not(failure, null, `${scenario} does not find ${mutant}`);
    }),
  );
});
