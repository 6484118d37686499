/** Mutants as edits: each fits the kernel as it is compiled now, and leaves a program. */
import { readFileSync } from "node:fs";
import { MUTANTS, type Mutant } from "@capos/model/kernel";
import { parse } from "acorn";
import t, { type Test } from "tap";

const PACKAGES = new URL("../../../packages/", import.meta.url);

/** The modules that a mutant edits, after its edits; fails the test where one does not fit. */
function edited(t: Test, mutant: Mutant): Map<string, string> {
  const modules = new Map<string, string>();
  for (const { module, find, replace } of mutant.edits) {
    const before = modules.get(module) ?? readFileSync(new URL(module, PACKAGES), "utf8");
    t.equal(before.split(find).length - 1, 1, `${module} has this once:\n${find}`);
    modules.set(
      module,
      before.replace(find, () => replace),
    );
  }
  return modules;
}

t.test("every mutant's edits fit the compiled kernel, and what they make is a module", (t) => {
  for (const mutant of MUTANTS)
    t.test(mutant.name, (t) => {
      for (const code of edited(t, mutant).values())
        t.doesNotThrow(() => parse(code, { ecmaVersion: "latest", sourceType: "module" }));
      t.end();
    });
  t.end();
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
