/**
 * Running the rows of a suite that guests measure: one machine serves all of them, one after the other, so
 * that no two disturb each other. What its cores' collectors noted is known when it has halted, so trials
 * are made then. Machines are known by `SuiteContext` alone: whoever can boot one passes it in.
 */
import type { Image } from "@capos/abi";
import { type Collection, labelOf, RowError, readFigures } from "./figures.js";
import type { Figures } from "./guests/report.js";
import { type GuestName, loadBenchImages } from "./images.js";
import type { GuestRow, RowBase } from "./rows.js";
import type { RowName, Trial } from "./trial.js";

/** How a guest is run. */
export interface GuestOptions {
  readonly core?: number;
  readonly args?: readonly string[];
  readonly debug?: boolean;
  readonly memoryBits?: number;
  readonly priority?: number;
}

/** A running machine, as much of it as a suite needs. */
export interface GuestRunner {
  readonly cores: number;
  /** Runs an image to its end; gives its exit status and the lines it printed. Throws if it faults. */
  runImage(image: Image, options: GuestOptions): Promise<{ status: number; lines: string[] }>;
}

/** What a suite runs on, and for how long. */
export interface SuiteContext {
  /** Cores of the machine, 1 to 64. */
  readonly cores: number;
  readonly hardwareThreads: number;
  /** Time budget of a row, above 0. */
  readonly seconds: number;
  /** Rows to run, by name, or what rows of several sizes are called together ("call.pairs"); all if absent. */
  readonly names?: readonly string[];
  readonly signal?: AbortSignal;
  /** `fraction` is of the named row, 0 when it starts and 1 when it is done. */
  onProgress?(name: string, fraction: number): void;
  /** Boots a machine with `cores` cores, runs `use` on it, halts it; gives what each core's collector noted. */
  withMachine<T>(
    cores: number,
    use: (machine: GuestRunner) => Promise<T>,
  ): Promise<{ value: T; collections: readonly Collection[]; powerToInitNs: number }>;
}

/** Runs one of the benchmark's guests for a row; gives the figures that it printed. */
export type RunGuest = (guest: GuestName, args: readonly number[]) => Promise<Figures>;

/** Makes a row's trial once the collections are known. */
export type Finish = (collections: readonly Collection[]) => Trial;

/** What guests run at: below the services, so that a line is printed when it is written. */
const GUEST_PRIORITY = 100;
const PROGRESS_MS = 250;

/** Throws RangeError for a number out of range, the signal's reason if it has aborted. */
export function checkContext({ cores, seconds, signal }: SuiteContext): void {
  if (!(Number.isInteger(cores) && cores >= 1 && cores <= 64)) {
    throw new RangeError(`cores is ${cores}; it must be a whole number from 1 to 64`);
  }
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new RangeError(`seconds is ${seconds}; it must be above 0 and at most 3600`);
  }
  signal?.throwIfAborted();
}

/**
 * Measures the rows that the machine has cores enough for, refuses the others; trials by name. No machine
 * is booted where there is nothing to run.
 *
 * @throws RowError when a guest fails to measure; what the context throws; the signal's reason when it aborts.
 */
export async function measureGuestRows<Row extends GuestRow>(
  context: SuiteContext,
  suite: string,
  rows: readonly Row[],
  measure: (row: Row, run: RunGuest) => Promise<Finish>,
): Promise<Map<string, Trial>> {
  const { cores } = context;
  const trials = new Map<string, Trial>();
  for (const row of rows) if (row.minCores > cores) trials.set(row.name, refuse(suite, row, cores));
  const runnable = rows.filter((row) => row.minCores <= cores);
  if (runnable.length === 0) return trials;
  const images = loadBenchImages();
  const { value: finishers, collections } = await context.withMachine(cores, async (machine) => {
    const made: Finish[] = [];
    for (const row of runnable) {
      const run = runnerOf(context, suite, row, machine, images);
      made.push(await withProgress(context, row.name, () => measure(row, run)));
    }
    return made;
  });
  finishers.forEach((finish, i) => {
    trials.set(runnable[i].name, finish(collections));
  });
  return trials;
}

function runnerOf(
  context: SuiteContext,
  suite: string,
  row: GuestRow,
  machine: GuestRunner,
  images: Readonly<Record<GuestName, Image>>,
): RunGuest {
  return async (guest, args) => {
    const { core, memoryBits } = row;
    const options = { core, memoryBits, args: args.map(String), debug: true, priority: GUEST_PRIORITY };
    const { status, lines } = await untilAborted(machine.runImage(images[guest], options), context.signal);
    const label = labelOf(suite, row.name);
    if (status !== 0) throw new RowError(label, `its guest ended with status ${status}: ${lines.join(" ")}`);
    return readFigures(label, lines);
  };
}

/** The arguments of a row's own guest: its time in nanoseconds, then what the row says. */
export function argumentsOf(context: SuiteContext, row: GuestRow): number[] {
  return [Math.round(context.seconds * 1e9), ...row.args];
}

function refuse(suite: string, row: GuestRow, cores: number): Trial {
  const refused = `it needs ${row.minCores} cores, the machine has ${cores}`;
  return { ...nameOf(suite, row), refused };
}

/** A row as its trial names it. */
export function nameOf(suite: string, { name, unit, notes }: RowBase): RowName {
  return { suite, name, unit, ...(notes !== undefined && { notes }) };
}

/** A guest that measures says nothing before it is done: progress is the part of its budget that is over. */
export async function withProgress<T>(
  context: SuiteContext,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const startMs = performance.now();
  const passed = () => (performance.now() - startMs) / (context.seconds * 1000);
  context.onProgress?.(name, 0);
  const timer = setInterval(() => context.onProgress?.(name, Math.min(0.95, passed())), PROGRESS_MS);
  try {
    const value = await work();
    context.onProgress?.(name, 1);
    return value;
  } finally {
    clearInterval(timer);
  }
}

/** Rejects with the signal's reason as soon as it aborts; what was waited for then ends with its machine. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const done = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { signal: done.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done.abort();
  }
}

/** Runs a suite; a machine that is halted under its guest has its own words for an abort, which is the signal's to tell. */
export async function orAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
