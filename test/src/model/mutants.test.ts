/** Mutants as edits: each fits the kernel as it is compiled now, and leaves a program. */
import { modulesOf } from "@capos/explorer/transform";
import { KERNEL_PROGRAM, MUTANTS } from "@capos/model/kernel";
import t from "tap";

t.test("every mutant's edits fit the compiled kernel, and what they make is a module", async (t) => {
  const modules = await modulesOf(KERNEL_PROGRAM);
  for (const { name, edits } of MUTANTS) t.doesNotThrow(() => modules.edited(edits), name);
});

t.test("mutants have names of their own, and each says what it breaks", (t) => {
  t.equal(new Set(MUTANTS.map((mutant) => mutant.name)).size, MUTANTS.length);
  for (const mutant of MUTANTS) {
    t.match(mutant.name, /^[a-z]+(-[a-z]+)*$/);
    t.match(mutant.breaks, /^[A-Z].*\.$/, mutant.name);
    t.ok(mutant.edits.every((edit) => edit.find !== edit.replace));
  }
  t.end();
});

t.test("there are at least as many mutants as were asked for", (t) => {
  t.ok(MUTANTS.length >= 24, `${MUTANTS.length} mutants`);
  t.end();
});
