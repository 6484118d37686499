/**
 * `node scripts/mutants.mjs [WORKERS]`: hunts every mutant of the kernel, makes the counter-examples as simple as they
 * get, and writes the table of docs/checking.md. Takes some minutes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Extent, ensureReady, ROOT } from "./setup.mjs";

const DOCUMENT = join(ROOT, "docs/checking.md");

await ensureReady(Extent.COMMAND);
const { HUNT_SCHEDULES, KERNEL } = await import(join(ROOT, "packages/model/dist/catalogue.js"));
const { huntMutants, mutantTable, withMutantTable } = await import(
  join(ROOT, "packages/explorer/dist/campaigns.js")
);

const hunts = await huntMutants(KERNEL, {
  workers: Number(process.argv[2] ?? availableParallelism()),
  schedules: HUNT_SCHEDULES,
  minimiseSeconds: 60,
  onHunt: ({ mutant, failure, schedules, searchMs }) => {
    const result = failure === null ? "NOT FOUND" : failure.kind;
    process.stdout.write(`${mutant.name}: ${result}, ${schedules} schedules, ${Math.round(searchMs)} ms\n`);
  },
});
writeFileSync(DOCUMENT, withMutantTable(readFileSync(DOCUMENT, "utf8"), mutantTable(hunts)));
const missed = hunts.filter(({ failure }) => failure === null);
if (missed.length > 0) {
  process.stderr.write(`capos: not found: ${missed.map(({ mutant }) => mutant.name).join(", ")}\n`);
  process.exitCode = 1;
}
