/** `capos-smp report`: a run, measured now or saved before, as one HTML page. */
import { visibleJson } from "@capos/abi";
import { type BenchmarkDocument, compareDocuments } from "@capos/bench";
import { MIN_TRIALS } from "@capos/bench/limits";
import { ExitStatus, UsageError } from "@capos/machine/errors";
import { readDocument } from "../bench-file.js";
import { checkOutput, writeOutput } from "../output-file.js";
import { renderReport } from "../report/report.js";
import type { Session } from "../session.js";
import { measure, naming, readEarlier } from "./bench.js";
import type { MachineFlags } from "./options.js";

export interface ReportFlags extends MachineFlags {
  readonly out: string;
  readonly from?: string;
  readonly compare?: string;
  readonly seconds?: number;
  readonly repeat?: number;
  readonly force?: boolean;
}

/** Writes the page and says where; answers the exit status. */
export async function reportCommand(
  names: readonly string[],
  flags: ReportFlags,
  session: Session,
): Promise<number> {
  const { out, from, compare, repeat, force = false } = flags;
  // Whatever is wrong with the files is told before anything is measured.
  if (compare !== undefined && repeat !== undefined && repeat < MIN_TRIALS)
    throw new UsageError(`--repeat: a comparison needs at least ${MIN_TRIALS} repetitions, not ${repeat}`);
  const saved = from === undefined ? undefined : suitesOf(readDocument(from), names);
  const earlier = compare === undefined ? undefined : readEarlier(compare, names);
  checkOutput(out, force);
  // Measured as a run that is saved is: the page keeps it.
  const document = saved ?? (await measure(names, { ...flags, save: out }, earlier, session));
  const comparison = earlier && naming(flags, () => compareDocuments(earlier, document));
  writeOutput(out, renderReport(document, comparison), force);
  session.stdout.write(flags.json === true ? `${visibleJson(document)}\n` : `wrote ${out}\n`);
  return ExitStatus.OK;
}

/** The rows of these suites of a saved run, all without names. @throws UsageError */
function suitesOf(document: BenchmarkDocument, names: readonly string[]): BenchmarkDocument {
  if (names.length === 0) return document;
  const known = [...new Set(document.results.map(({ suite }) => suite))];
  for (const name of names) {
    if (!known.includes(name))
      throw new UsageError(`suite: the saved run has no ${name}, its suites are ${known.join(", ")}`);
  }
  return { ...document, results: document.results.filter(({ suite }) => names.includes(suite)) };
}
