/** `capos-smp bench`: measures, or takes what was measured; prints, saves, compares. */
import { visibleJson } from "@capos/abi";
import {
  type BenchmarkDocument,
  ComparisonError,
  checkEarlier,
  compareDocuments,
  renderComparison,
  renderDocument,
} from "@capos/bench";
import { MIN_TRIALS, SAVED_REPETITIONS, SAVED_SECONDS } from "@capos/bench/limits";
import { defaultCores } from "@capos/machine/defaults";
import { ExitStatus, UsageError } from "@capos/machine/errors";
import { type BenchOptions, bench, suites } from "../bench.js";
import { readDocument, writeDocument } from "../bench-file.js";
import { checkOutput } from "../output-file.js";
import { NO_PROGRESS } from "../progress.js";
import type { Output, Session } from "../session.js";
import { bootOptions } from "./boot-options.js";
import type { MachineFlags } from "./options.js";

export interface BenchFlags extends MachineFlags {
  readonly list?: boolean;
  readonly seconds?: number;
  /** True: until interrupted. */
  readonly repeat?: number | true;
  readonly save?: string;
  readonly compare?: string;
  /** Percent. */
  readonly threshold?: number;
  readonly from?: string;
  readonly force?: boolean;
}

/** Prints the suites and their rows. */
function listSuites(flags: BenchFlags, stdout: Output): number {
  const all = suites(flags.cores ?? defaultCores());
  if (flags.json === true) stdout.write(`${visibleJson(all)}\n`);
  else
    for (const [suite, rows] of Object.entries(all))
      stdout.write(`${suite}\n${rows.map((row) => `  ${row}\n`).join("")}`);
  return ExitStatus.OK;
}

/** Runs suites; answers the exit status: 1 if a comparison found a slowdown past the threshold. */
export async function benchCommand(
  names: readonly string[],
  flags: BenchFlags,
  session: Session,
): Promise<number> {
  if (flags.list === true) return listSuites(flags, session.stdout);
  checkFlags(names, flags);
  // Whatever is wrong with the files is told before anything is measured.
  const earlier = flags.compare === undefined ? undefined : readEarlier(flags.compare, names);
  if (flags.save !== undefined) checkOutput(flags.save, flags.force === true);
  const document =
    flags.from === undefined ? await measure(names, flags, earlier, session) : readDocument(flags.from);
  try {
    return show(flags, document, earlier, session.stdout);
  } finally {
    // Last: a disk that is full meanwhile takes no result from the screen.
    if (flags.save !== undefined) writeDocument(flags.save, document, { force: flags.force === true });
  }
}

/** Prints a run, or how it compares; answers the exit status. */
function show(
  flags: BenchFlags,
  document: BenchmarkDocument,
  earlier: BenchmarkDocument | undefined,
  stdout: Output,
): number {
  if (earlier === undefined) {
    print(flags, document, renderDocument, stdout);
    return ExitStatus.OK;
  }
  const { threshold } = flags;
  const comparison = naming(flags, () =>
    compareDocuments(earlier, document, threshold === undefined ? {} : { thresholdPercent: threshold }),
  );
  print(flags, comparison, renderComparison, stdout);
  return comparison.rows.some(({ isSlowdown }) => isSlowdown) ? ExitStatus.FAILED : ExitStatus.OK;
}

function checkFlags(
  names: readonly string[],
  { from, save, compare, force, threshold, repeat }: BenchFlags,
): void {
  if (from !== undefined && names.length > 0)
    throw new UsageError(`--from: the file says what was measured; name no suite`);
  if (force === true && save === undefined) throw new UsageError("--force is for --save FILE");
  if (threshold !== undefined && compare === undefined)
    throw new UsageError("--threshold is for --compare FILE");
  if (compare !== undefined && typeof repeat === "number" && repeat < MIN_TRIALS)
    throw new UsageError(`--repeat: a comparison needs at least ${MIN_TRIALS} repetitions, not ${repeat}`);
}

/** A saved run that one of these suites, of all of its own without names, can be compared with. @throws UsageError */
export function readEarlier(file: string, names: readonly string[]): BenchmarkDocument {
  const document = readDocument(file);
  naming({ compare: file }, () => checkEarlier(document, names));
  return document;
}

/** Says which file it is that cannot be compared. */
export function naming<T>({ compare, from }: Pick<BenchFlags, "compare" | "from">, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ComparisonError)) throw error;
    const file = error.which === "before" ? compare : from;
    throw new UsageError(`${file ?? "this run"} ${error.message}`);
  }
}

/** Boot phases are shown for the first machine only. */
export async function measure(
  names: readonly string[],
  flags: BenchFlags,
  earlier: BenchmarkDocument | undefined,
  session: Session,
): Promise<BenchmarkDocument> {
  const { signal } = session;
  const progress = flags.quiet === true || flags.json === true ? NO_PROGRESS : session.progress;
  const { onKernel, ...options } = await bootOptions(flags, session, 0);
  const phases = firstMachine(onKernel, () => progress.clear());
  const plan = planOf(names, flags, earlier);
  const { repetitions = 1 } = plan;
  const of = repetitions === Number.POSITIVE_INFINITY ? "" : ` of ${repetitions}`;
  try {
    return await bench({
      ...plan,
      ...options,
      ...(onKernel !== undefined && { onKernel: phases }),
      signal,
      onProgress: (suite, row, fraction, repetition) => {
        const which = repetitions === 1 ? "" : `repetition ${repetition}${of}: `;
        progress.show(`${which}${suite} ${row}`, fraction);
      },
    });
  } finally {
    progress.clear();
  }
}

/** What to measure: as the flags say; else as the run to compare with was; else as usual. */
function planOf(
  names: readonly string[],
  { seconds, repeat, save }: BenchFlags,
  earlier: BenchmarkDocument | undefined,
): BenchOptions {
  const asked: BenchOptions = {
    ...(names.length > 0 && { suites: names }),
    ...(seconds !== undefined && { seconds }),
    ...(repeat !== undefined && { repetitions: repeat === true ? Number.POSITIVE_INFINITY : repeat }),
  };
  if (earlier !== undefined) {
    const { machine, run, results } = earlier;
    return {
      suites: [...new Set(results.map(({ suite }) => suite))],
      seconds: run.secondsPerRow,
      repetitions: run.repetitions,
      cores: machine.cores,
      memoryMiB: machine.memoryMiB,
      ...asked,
    };
  }
  if (save === undefined) return asked;
  return { repetitions: SAVED_REPETITIONS, seconds: SAVED_SECONDS, ...asked };
}

function print<T>(
  { json }: BenchFlags,
  value: T,
  render: (value: T, options: { color: boolean }) => string,
  stdout: Output,
): void {
  const text = json === true ? visibleJson(value) : render(value, { color: stdout.hasColors === true });
  stdout.write(`${text}\n`);
}

/** Passes the kernel's text on until the first machine is alive; after that only what is no boot phase. */
function firstMachine(
  write: ((text: string) => void) | undefined,
  before: () => void,
): (text: string) => void {
  let booted = false;
  return (text) => {
    if (booted && /^(\[ *[\d.]+ ms\] phase .*\n?)+$/.test(text)) return;
    before();
    write?.(text);
    if (text.includes("phase 5")) booted = true;
  };
}
