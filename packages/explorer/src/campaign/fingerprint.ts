/**
 * The code that a schedule belongs to, as one short text: choices mean something only to the program in
 * which they were made.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Catalogue } from "./catalogue.js";

const DIGITS = 24;
/** What explores, and what transforms: they too decide what a schedule does. */
const OWN = Object.freeze(
  ["../explore/", "../transform/"].map((path) => fileURLToPath(new URL(path, import.meta.url))),
);

/** `program` is the fingerprint of the program's own source; a mutant's edits are not in it. */
export function fingerprintOf(catalogue: Catalogue, mutant: string | null, program: string): string {
  const hash = createHash("sha256").update(program);
  const edits = catalogue.mutants.find(({ name }) => name === mutant)?.edits ?? [];
  hash.update(`\n${JSON.stringify(edits)}\n`);
  for (const folder of [...OWN, ...catalogue.sources]) {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    for (const name of names.filter((name) => name.endsWith(".js")).sort())
      hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  }
  return hash.digest("hex").slice(0, DIGITS);
}
