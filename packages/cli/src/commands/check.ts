/** `capos-smp check`: every schedule of the kernel's own code, or of a program of one's own, within stated bounds. */

import { existsSync } from "node:fs";
import inspector from "node:inspector";
import { availableParallelism } from "node:os";
import process from "node:process";
import { visibleJson, visibleLines } from "@capos/abi";
import type { Strategy } from "@capos/explorer";
import {
  type Catalogue,
  type CheckResult,
  type CounterExample,
  check,
  describeStrategy,
  FileError,
  nameOf,
  replayFile,
  type SimplestCounterExample,
  type Subject,
  WorkerError,
  writeReplayFile,
} from "@capos/explorer/campaign";
import { ExitStatus, UsageError } from "@capos/machine/errors";
import { KERNEL } from "@capos/model";
import { perSecond, progressText, Report, totalOf, totalText } from "../check/report.js";
import { ALL, isFile, type Selection, selectJobs } from "../check/selection.js";
import { renderCounterExample } from "../check/table.js";
import { checkOutput } from "../output-file.js";
import { NO_PROGRESS } from "../progress.js";
import type { Output, Session } from "../session.js";
import { namedLines } from "./listing.js";

export interface CheckFlags extends Omit<Selection, "names"> {
  readonly list?: boolean;
  readonly mutants?: boolean;
  readonly schedules?: number;
  readonly seconds?: number;
  readonly workers?: number;
  readonly replay?: string;
  /** An address, or true for the usual one. */
  readonly inspectBrk?: string | true;
  readonly resume?: string;
  readonly save?: string;
  readonly force?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const MINIMISE_SECONDS = 20;
/** Where standard output is no terminal. */
const USUAL_WIDTH = 120;

/** What goes wrong for a reason that lies in what is checked: its message is all there is to say. */
const TOLD: ReadonlySet<string> = new Set([
  "CheckFileError",
  "FileError",
  // A mutant that no longer fits the code that it changes.
  "EditError",
  "TransformError",
  "DeterminismError",
]);

/** Where scenarios come from, and how a command line says so. */
interface Source {
  readonly catalogue: Catalogue;
  /** The file of one's own; null for the kernel's. */
  readonly file: string | null;
}

/** Checks, lists or replays; answers the exit status: 1 if there is a counter-example. */
export async function checkCommand(
  names: readonly string[],
  flags: CheckFlags,
  session: Session,
): Promise<number> {
  try {
    const file = names.find(isFile) ?? null;
    if (file === null) return await checkFrom({ catalogue: KERNEL, file }, names, flags, session);
    if (names.length > 1) throw new UsageError(`check: ${file} is a file of your own: name nothing else`);
    const { catalogueOf } = await import("@capos/explorer/scenario");
    return await checkFrom({ catalogue: await catalogueOf(file), file }, [], flags, session);
  } catch (error) {
    const cause = error instanceof WorkerError ? error.thrown : error;
    if (TOLD.has((cause as Error).name)) throw new UsageError((cause as Error).message);
    throw error;
  }
}

async function checkFrom(
  source: Source,
  names: readonly string[],
  flags: CheckFlags,
  session: Session,
): Promise<number> {
  const { catalogue } = source;
  if (flags.list === true)
    return await list(
      catalogue.scenarios,
      flags,
      session.stdout,
      ({ plan, holds }) => `${boundOf(plan).padEnd(BOUND_WIDTH)}  ${holds}`,
    );
  if (flags.mutants === true)
    return await list(catalogue.mutants, flags, session.stdout, ({ breaks }) => breaks);
  if (flags.inspectBrk !== undefined && flags.replay === undefined)
    throw new UsageError("--inspect-brk is for --replay FILE: it stops at a schedule's first step");
  return flags.replay === undefined
    ? await explore(names, flags, session, source)
    : await replay(flags.replay, names, flags, catalogue, session.stdout);
}

/** Room for the longest bound. */
const BOUND_WIDTH = "up to 2 preemptions".length;

/** How far a scenario is explored if its plan ends. */
function boundOf(plan: Strategy): string {
  return plan.kind === "dpor" || plan.kind === "dfs" ? "exhaustive" : describeStrategy(plan);
}

async function list<Item extends { readonly name: string }>(
  items: readonly Item[],
  { json }: CheckFlags,
  stdout: Output,
  about: (item: Item) => string,
): Promise<number> {
  await print(stdout, json === true ? `${visibleJson(items)}\n` : namedLines(items, about));
  return ExitStatus.OK;
}

async function explore(
  names: readonly string[],
  flags: CheckFlags,
  { stdout, progress: shown, signal }: Session,
  { catalogue, file }: Source,
): Promise<number> {
  const wanted = file !== null && flags.mutant === undefined ? [ALL] : names;
  const jobs = selectJobs(catalogue, { ...flags, names: wanted });
  if (flags.save !== undefined && jobs.length > 1)
    throw new UsageError(`--save: one file for ${jobs.length} scenarios; name one of them`);
  if (flags.force === true && flags.save === undefined) throw new UsageError("--force is for --save FILE");
  if (flags.save !== undefined) checkOutput(flags.save, flags.force === true);
  const isText = flags.json !== true;
  const progress = flags.quiet === true || flags.json === true ? NO_PROGRESS : shown;
  const report = new Report(jobs.map(({ scenario }) => scenario));
  const { mutant } = jobs[0];
  if (isText) {
    const rule = catalogue.mutants.find(({ name }) => name === mutant)?.breaks;
    await print(stdout, `${mutant === null ? "" : `mutant ${mutant}: ${rule}\n`}${report.head()}\n`);
  }
  const workers = flags.workers ?? availableParallelism();
  let results: CheckResult[];
  try {
    results = await check({
      ...{ catalogue, jobs, workers, signal, minimiseSeconds: MINIMISE_SECONDS, resume: flags.resume },
      limits: {
        schedules: flags.schedules ?? Number.POSITIVE_INFINITY,
        seconds: flags.seconds ?? Number.POSITIVE_INFINITY,
      },
      onProgress: (now) => progress.show(progressText(now), now.fraction),
      onResult: (result) => {
        progress.clear();
        if (isText) void print(stdout, `${report.result(result)}\n`);
      },
    });
  } finally {
    progress.clear();
  }
  const failed = results.filter(({ counterExample }) => counterExample !== null);
  if (isText) await print(stdout, `${totalText(results, jobs.length)}\n`);
  const saved = new Map<CheckResult, string>();
  let unsaved: FileError | null = null;
  for (const result of failed) {
    if (isText)
      await print(stdout, `\n${describe(result, result.counterExample!, catalogue, flags, stdout)}\n`);
    let saving: string;
    try {
      saving = save(result, flags.save);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // A full disk takes no result from the screen.
      unsaved ??= error;
      continue;
    }
    saved.set(result, saving);
    const which = file === null ? "" : `${file} `;
    if (isText)
      await print(stdout, `saved in ${saving}; see it again: capos-smp check ${which}--replay ${saving}\n`);
  }
  const advice = howToGoOn(results, flags.resume);
  if (!isText) await print(stdout, `${visibleJson(documentOf(results, workers, saved))}\n`);
  else if (advice !== "") await print(stdout, `${advice}\n`);
  if (unsaved !== null) throw unsaved;
  if (failed.length > 0) return ExitStatus.FAILED;
  signal.throwIfAborted();
  return ExitStatus.OK;
}

function save(result: CheckResult, file = freeName(`capos-check-${result.scenario}`)): string {
  const { finding, choices } = result.counterExample!;
  const { scenario, mutant, fingerprint } = result;
  writeReplayFile(file, { scenario, mutant, fingerprint, finding, choices });
  return file;
}

/** The name of a file that is not there: with a number if it must be. */
function freeName(name: string): string {
  for (let number = 1; ; number++) {
    const file = number === 1 ? `${name}.json` : `${name}-${number}.json`;
    if (!existsSync(file)) return file;
  }
}

function howToGoOn(results: readonly CheckResult[], resume: string | undefined): string {
  const unfinished = results.filter(
    ({ outcome, strategy }) =>
      outcome === "interrupted" ||
      (outcome === "limit" && strategy.kind !== "pct" && strategy.kind !== "random"),
  );
  if (unfinished.length === 0) return "";
  const which = unfinished.map(nameOf).join(", ");
  return resume === undefined
    ? `not all of ${which} was explored: with --resume FILE what is left is kept, and the next run goes on`
    : `not all of ${which} was explored: the same command goes on (what is left is in ${resume})`;
}

async function replay(
  file: string,
  names: readonly string[],
  flags: CheckFlags,
  catalogue: Catalogue,
  stdout: Output,
): Promise<number> {
  if (names.length > 0) throw new UsageError("--replay: the file says which scenario; name none");
  const beforeRun = flags.inspectBrk === undefined ? undefined : openInspector(flags.inspectBrk);
  const { document, counterExample } = await replayFile({ catalogue, file, beforeRun });
  if (flags.json === true) {
    const { scenario, mutant } = document;
    await print(stdout, `${visibleJson({ scenario, mutant, finding: document.finding, counterExample })}\n`);
  } else if (counterExample === null) {
    await print(
      stdout,
      `${nameOf(document)}: does not fail any more (it did: ${document.finding.kind}: ${document.finding.message})\n`,
    );
  } else await print(stdout, `${describe(document, counterExample, catalogue, flags, stdout)}\n`);
  return counterExample === null ? ExitStatus.OK : ExitStatus.FAILED;
}

/** Opens the inspector at once, so that a mistake is told at once; answers what waits for a debugger. */
function openInspector(address: string | true): () => void {
  const { host, port } = parseAddress(address);
  inspector.open(port, host);
  if (inspector.url() === undefined)
    throw new UsageError(`--inspect-brk: nothing can listen at ${host ?? "127.0.0.1"}:${port ?? 9229}`);
  return () => {
    // A handler in JavaScript would never get to run while this waits.
    process.removeAllListeners("SIGINT").removeAllListeners("SIGTERM");
    inspector.waitForDebugger();
  };
}

function parseAddress(address: string | true): { host?: string; port?: number } {
  if (address === true) return {};
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(address);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535)
    throw new UsageError(`--inspect-brk: a port, or host:port, is needed, not ${address}`);
  return { port, ...(match[1] !== undefined && { host: match[1] }) };
}

/** A counter-example as text: the table, then what is wrong. */
function describe(
  subject: Subject,
  example: CounterExample | SimplestCounterExample,
  catalogue: Catalogue,
  flags: CheckFlags,
  { columns }: Output,
): string {
  const { finding, preemptions, choices } = example;
  const width = columns ?? USUAL_WIDTH;
  const isFewest = "isFewest" in example && example.isFewest;
  const few = isFewest ? " (with fewer it does not fail)" : "";
  const holds = catalogue.scenarios.find(({ name }) => name === subject.scenario)?.holds;
  return [
    `${nameOf(subject)}:`,
    renderCounterExample(example, { width, verbose: flags.verbose === true }),
    `${finding.kind}: ${finding.message}`,
    `must hold: ${holds}`,
    `${choices.length} steps, ${preemptions} preemption${preemptions === 1 ? "" : "s"}${few}`,
  ].join("\n");
}

function documentOf(
  results: readonly CheckResult[],
  workers: number,
  saved: ReadonlyMap<CheckResult, string>,
) {
  return {
    workers,
    results: results.map((result) => ({
      ...result,
      stepsPerSecond: perSecond(result.counts.steps, result.counts.seconds),
      saved: saved.get(result) ?? null,
    })),
    total: totalOf(results),
  };
}

/** What a program of one's own, or a file of somebody else's, calls things is not for the terminal to obey. */
function print(stdout: Output, text: string): Promise<void> {
  return new Promise((resolve) => stdout.write(visibleLines(text), resolve));
}
