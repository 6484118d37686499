/** The other scenarios, and all of them in turn: see support/scenario. */
import type { StressDocument } from "capos";
import t from "tap";
import { caposSmp } from "../support/cli-process.js";
import { checkScenario } from "./support/scenario.js";

for (const name of ["delete-last-two", "slot-reuse", "queue-cancel", "queue-order", "core-storm"]) {
  t.test(`${name} finds no violation`, async (t) => checkScenario(t, name));
}

t.test("all runs each scenario in turn and sums up", async (t) => {
  const run = await caposSmp(["stress", "all", "--cores", "2", "--seconds", "0.05", "--json"]);
  t.equal(run.status, 0, run.stderr + run.stdout.slice(0, 4000));
  const { results, total } = JSON.parse(run.stdout) as StressDocument & { total: { operations: number } };
  const list = await caposSmp(["stress", "--list", "--json"]);
  t.same(
    results.map(({ scenario }) => scenario),
    (JSON.parse(list.stdout) as { name: string }[]).map(({ name }) => name),
  );
  t.equal(
    total.operations,
    results.reduce((sum, { operations }) => sum + operations, 0),
  );
});
