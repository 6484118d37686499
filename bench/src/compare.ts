/**
 * Two runs row by row: what became faster, what slower, and where no difference can be told.
 *
 * The unit of comparison is a repetition's median, not a sample: samples of one repetition share its
 * machine, its compiled code and the host's mood. A host's speed drifts between runs, so a row is compared by
 * its ratio to a baseline that took turns with it wherever both runs have that, else by its time.
 *
 * Rows of suite `baseline` know nothing of capos: they tell how the host changed, and never count as a
 * slowdown.
 */
import { median } from "simple-statistics";
import { BASELINE_SUITE, isBaselineRow } from "./baseline.js";
import { DEFAULT_THRESHOLD_PERCENT, MIN_TRIALS } from "./limits.js";
import { holm, leastP, rankSumTest, shiftOf } from "./rank-test.js";
import {
  type BenchmarkDocument,
  comparedWith,
  type Machine,
  type MeasuredResult,
  type Result,
} from "./result.js";
import { isNamed } from "./rows.js";
import type { RunFacts } from "./run-facts.js";
import { plural } from "./text.js";
import { isRefused, type RowName } from "./trial.js";

export const COMPARISON_SCHEMA = "capos-comparison/1";
/** A difference is one that chance makes, in any row at all, less often than this. */
export const SIGNIFICANCE = 0.05;
const CONFIDENCE = 0.95;

export interface CompareOptions {
  /** A slowdown counts from here on, 0 or above; 5 unless told. */
  readonly thresholdPercent?: number;
}

export type Verdict = "faster" | "slower" | "no difference";

export interface ComparedRow extends Omit<RowName, "notes"> {
  /** Medians of the repetitions' medians, in nanoseconds. */
  readonly before: number;
  readonly after: number;
  /** The baseline to which ratios are compared, of a repetition each; null where times are. */
  readonly relativeTo: string | null;
  /** Of what is compared: above 0 is slower. */
  readonly changePercent: number;
  /** Holds the true change in 95 of 100 cases, for this row alone. */
  readonly lowPercent: number;
  readonly highPercent: number;
  /** Of the rank-sum test, adjusted for the number of capos's rows, or of the baselines'. */
  readonly p: number;
  readonly verdict: Verdict;
  /** Whether it is slower, by more than the threshold, and no baseline. */
  readonly isSlowdown: boolean;
}

/** A row that only one run has, or has well enough. */
export interface UncomparedRow extends Pick<RowName, "suite" | "name"> {
  readonly why: string;
}

export interface ComparedRun {
  readonly machine: Machine;
  readonly run: RunFacts;
}

export interface Comparison {
  readonly schema: typeof COMPARISON_SCHEMA;
  readonly thresholdPercent: number;
  readonly before: ComparedRun;
  readonly after: ComparedRun;
  /** Why the two may differ for other reasons than capos, or not be told apart, a sentence each. */
  readonly warnings: readonly string[];
  readonly rows: readonly ComparedRow[];
  readonly uncompared: readonly UncomparedRow[];
}

/** Two runs cannot be compared: the message says what to do. */
export class ComparisonError extends Error {
  override readonly name = "ComparisonError";

  constructor(
    /** Which of the two is to blame. */
    readonly which: "before" | "after",
    message: string,
  ) {
    super(message);
  }
}

/** Compares a run with an earlier one. @throws ComparisonError for too few repetitions, or nothing in common. */
export function compareDocuments(
  before: BenchmarkDocument,
  after: BenchmarkDocument,
  { thresholdPercent = DEFAULT_THRESHOLD_PERCENT }: CompareOptions = {},
): Comparison {
  checkRepetitions("before", before);
  checkRepetitions("after", after);
  const { pairs, uncompared } = pairUp(before, after);
  if (pairs.length === 0) throw nothingInCommon();
  const isBaseline = ({ after: { suite } }: Pair) => suite === BASELINE_SUITE;
  const family = pairs.filter((pair) => !isBaseline(pair));
  const measured = new Map(pairs.map((pair) => [pair, measure(pair, before, after)]));
  const adjusted = new Map<Pair, number>();
  for (const rows of [family, pairs.filter(isBaseline)]) {
    const pValues = holm(rows.map((pair) => measured.get(pair)!.p));
    rows.forEach((pair, i) => {
      adjusted.set(pair, pValues[i]);
    });
  }
  const rows = pairs.map((pair): ComparedRow => {
    const { suite, name, unit } = pair.after;
    const row = measured.get(pair)!;
    const p = adjusted.get(pair)!;
    const verdict = judge(p, row.changePercent);
    const isSlowdown = !isBaseline(pair) && verdict === "slower" && row.changePercent > thresholdPercent;
    return { suite, name, unit, ...row, p, verdict, isSlowdown };
  });
  return {
    schema: COMPARISON_SCHEMA,
    thresholdPercent,
    before: { machine: before.machine, run: before.run },
    after: { machine: after.machine, run: after.run },
    warnings: [...differingHosts(before, after), ...tooFewToTell(family)],
    rows,
    uncompared,
  };
}

/**
 * What can be known before the later run is measured.
 * @param suites of the later run; those of the earlier one if there are none
 * @throws ComparisonError if the earlier run has too few repetitions, or no row of these suites that could be compared
 */
export function checkEarlier(before: BenchmarkDocument, names: readonly string[] = []): void {
  checkRepetitions("before", before);
  const isOf = (row: RowName) => names.length === 0 || isNamed(row, names);
  const comparable = (row: Result) => !isRefused(row) && tooSeldom(row, before, "earlier") === undefined;
  if (before.results.some((row) => isOf(row) && comparable(row))) return;
  throw nothingInCommon();
}

/** @throws ComparisonError if a run has too few repetitions to be compared with any other. */
function checkRepetitions(which: "before" | "after", { run }: BenchmarkDocument): void {
  if (run.repetitions >= MIN_TRIALS) return;
  throw new ComparisonError(
    which,
    `has ${plural(run.repetitions, "repetition")}, a comparison needs at least ${MIN_TRIALS}: make it with --repeat 10`,
  );
}

function nothingInCommon(): ComparisonError {
  return new ComparisonError("before", "has no row that can be compared: measure the same suites");
}

interface Pair {
  readonly before: MeasuredResult;
  readonly after: MeasuredResult;
}

/** Rows of the later run in its order, each with the earlier one's. */
function pairUp(before: BenchmarkDocument, after: BenchmarkDocument) {
  const pairs: Pair[] = [];
  const uncompared: UncomparedRow[] = [];
  const earlier = new Map(before.results.map((result) => [`${result.suite} ${result.name}`, result]));
  for (const now of after.results) {
    const { suite, name } = now;
    const key = `${suite} ${name}`;
    const then = earlier.get(key);
    earlier.delete(key);
    if (then === undefined) uncompared.push({ suite, name, why: "only in the later run" });
    else if (isRefused(then)) uncompared.push({ suite, name, why: `refused in the earlier run` });
    else if (isRefused(now)) uncompared.push({ suite, name, why: `refused in the later run` });
    else {
      const why = tooSeldom(then, before, "earlier") ?? tooSeldom(now, after, "later");
      if (why === undefined) pairs.push({ before: then, after: now });
      else uncompared.push({ suite, name, why });
    }
  }
  for (const { suite, name } of earlier.values())
    uncompared.push({ suite, name, why: "only in the earlier run" });
  return { pairs, uncompared };
}

/** Why a row was refused too often to be compared; undefined if it was not. */
function tooSeldom(
  { trials }: MeasuredResult,
  { run }: BenchmarkDocument,
  which: "earlier" | "later",
): string | undefined {
  if (trials.length >= MIN_TRIALS) return undefined;
  return `measured in ${trials.length} of ${plural(run.repetitions, "repetition")} of the ${which} run, at least ${MIN_TRIALS} are needed`;
}

function measure(pair: Pair, before: BenchmarkDocument, after: BenchmarkDocument) {
  const relativeTo = yardstick(pair, before, after);
  // Logarithms: a change is a factor, and a shift of logarithms is one.
  const then = logarithms(pair.before, relativeTo);
  const now = logarithms(pair.after, relativeTo);
  const { estimate, low, high } = shiftOf(then, now, CONFIDENCE);
  const percent = (shift: number) => 100 * Math.expm1(shift);
  return {
    before: median([...pair.before.trials]),
    after: median([...pair.after.trials]),
    relativeTo,
    changePercent: percent(estimate),
    lowPercent: percent(low),
    highPercent: percent(high),
    p: rankSumTest(then, now),
  };
}

/** The row's most telling baseline, if it took turns with the row in every repetition of both runs. */
function yardstick(pair: Pair, before: BenchmarkDocument, after: BenchmarkDocument): string | null {
  // No other row of capos: it may be what has changed.
  const name = comparedWith(pair.after.name).find(isBaselineRow);
  if (name === undefined) return null;
  const isIn = (row: MeasuredResult, { run }: BenchmarkDocument) =>
    row.paired?.[name]?.trials.length === run.repetitions;
  return isIn(pair.before, before) && isIn(pair.after, after) ? name : null;
}

function logarithms(row: MeasuredResult, relativeTo: string | null): readonly number[] {
  return (relativeTo === null ? row.trials : row.paired![relativeTo]!.trials).map(Math.log);
}

function judge(p: number, changePercent: number): Verdict {
  if (p >= SIGNIFICANCE || changePercent === 0) return "no difference";
  return changePercent > 0 ? "slower" : "faster";
}

/** What else than capos differs between the two. */
function differingHosts(before: BenchmarkDocument, after: BenchmarkDocument): string[] {
  const facts = (document: BenchmarkDocument): Record<string, string | number> => ({
    cores: document.machine.cores,
    "memory in MiB": document.machine.memoryMiB,
    "hardware threads": document.machine.hostCpus,
    Node: document.machine.node,
    "the host's CPU": document.run.cpu,
    platform: `${document.run.platform} ${document.run.arch}`,
    "seconds a row": document.run.secondsPerRow,
  });
  const then = facts(before);
  const now = facts(after);
  return Object.keys(now)
    .filter((fact) => then[fact] !== now[fact])
    .map((fact) => `The runs differ in ${fact}: ${then[fact]} then, ${now[fact]} now.`);
}

/** Whether so many rows were measured so seldom that not even the clearest difference would count. */
function tooFewToTell(family: readonly Pair[]): string[] {
  const canTell = (before: number, after: number) => family.length * leastP(before, after) < SIGNIFICANCE;
  if (family.some((pair) => canTell(pair.before.trials.length, pair.after.trials.length))) return [];
  if (family.length === 0) return [];
  let enough = MIN_TRIALS;
  while (!canTell(enough, enough)) enough++;
  return [
    `So few repetitions cannot show a difference among ${family.length} rows: ${enough} of both runs are needed.`,
  ];
}
