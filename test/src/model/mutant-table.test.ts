/** The table of mutants: how it is made from hunts, and that the document has it of the mutants that there are. */
import { readFileSync } from "node:fs";
import { huntMutants, mutantRows, mutantTable, withMutantTable } from "@capos/explorer/campaign";
import { KERNEL } from "@capos/model";
import t from "tap";
import { toyCatalogue } from "../explorer/support/toy-scenarios.js";

const DOCUMENT = readFileSync(new URL("../../../docs/checking.md", import.meta.url), "utf8");
const MARKED = "before\n<!-- mutants:start -->\nold\n<!-- mutants:end -->\nbehind\n";

const toys = toyCatalogue();
const limits = { workers: 1, schedules: 1000, minimiseSeconds: 60 };
const only = (name: string) => ({ ...toys, mutants: toys.mutants.filter((mutant) => mutant.name === name) });

t.test("a mutant is found in the same schedules by any number of workers, and made simple", async (t) => {
  const [one] = await huntMutants(only("split-addition"), limits);
  const [other] = await huntMutants(only("split-addition"), { ...limits, workers: 3, minimiseSeconds: 0 });
  t.equal(one!.failure!.kind, "assertion");
  t.same(other!.failure, one!.failure);
  t.equal(other!.schedules, one!.schedules);
  t.equal(other!.minimal, null, "left as it was found");
  t.ok(one!.minimal!.isFewest);
  t.ok(one!.minimal!.failure.choices.length <= one!.failure!.choices.length);
});

t.test("a mutant whose edit does not fit fails the hunt", async (t) => {
  await t.rejects(huntMutants(only("unfitting"), limits));
});

t.test("the table has what a hunt came to, and replaces the one before", async (t) => {
  const [hunt] = await huntMutants(only("split-addition"), limits);
  const missed = { ...hunt!, failure: null, minimal: null };
  const document = withMutantTable(MARKED, mutantTable([hunt!, missed]));
  t.match(document, /^before\n/);
  t.match(document, /\nbehind\n$/);
  t.notMatch(document, /old/);
  const { schedules, redundant, minimal } = hunt!;
  const about = ["`split-addition`", "An addition is one access.", "`counting`, dpor"];
  t.same(mutantRows(document), [
    [...about, "assertion", `${schedules + redundant}`, `${minimal!.failure.choices.length}`],
    [...about, "nothing", "", ""],
  ]);
  t.same(withMutantTable(document, mutantTable([hunt!, missed])), document);
  t.throws(() => withMutantTable("no marks", ""), /no lines/);
});

t.test(
  "docs/checking.md has every mutant as it is now, found (`node scripts/mutants.mjs` writes it)",
  (t) => {
    const rows = mutantRows(DOCUMENT);
    t.same(
      rows.map(([name, breaks, found]) => [name, breaks, found?.split(",")[0]]),
      KERNEL.mutants.map(({ name, breaks, scenario }) => [`\`${name}\``, breaks, `\`${scenario}\``]),
    );
    for (const [name, , , kind, schedules, steps] of rows) {
      t.not(kind, "nothing", name);
      t.match(schedules, /^[1-9][\d,]*$/, name);
      t.match(steps, /^[1-9]\d*$/, name);
    }
    t.end();
  },
);
