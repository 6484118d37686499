/**
 * Suite `ipc`: what the kernel's own operations cost, measured by guests from inside a machine.
 *
 * One machine serves all rows but `boot`, one row after the other, so that no two disturb each other;
 * what its cores' collectors noted is known when it has halted, so results are made then. This file
 * knows machines by `IpcContext` alone: whoever can boot one passes it in.
 */
import type { Image } from "@capos/abi";
import type { Figures } from "./guests/report.js";
import { type GuestName, loadBenchImages } from "./images.js";
import {
  bytesPerCall,
  type Collection,
  IpcRowError,
  longestCollection,
  measurementOf,
  numberOf,
  readFigures,
} from "./ipc/figures.js";
import { type BootRow, type GuestRow, type Row, rowsFor, selectRows } from "./ipc/rows.js";
import { createResult, type Result } from "./result.js";

export const IPC_SUITE = "ipc";

/** A running machine, as much of it as the suite needs. */
export interface GuestRunner {
  readonly cores: number;
  /** Runs an image to its end; gives its exit status and the lines it printed. Throws if it faults. */
  runImage(
    image: Image,
    options: {
      core?: number;
      args?: readonly string[];
      debug?: boolean;
      memoryBits?: number;
      priority?: number;
    },
  ): Promise<{ status: number; lines: string[] }>;
}

export interface IpcContext {
  /** Cores of the machine, 1 to 64. */
  readonly cores: number;
  readonly hardwareThreads: number;
  /** Time budget of a row, above 0. */
  readonly seconds: number;
  /** Rows to run, of `ipcNames`, or what rows of several sizes are called together ("call.pairs"); all if absent. */
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

/** The rows that there are on so many cores. */
export function ipcNames(cores: number): string[] {
  return rowsFor(cores).map(({ name }) => name);
}

/** What guests run at: below the services, so that a line is printed when it is written. */
const GUEST_PRIORITY = 100;
/** The long run of calls that collections are looked for in, and the budget from which on it is that long. */
const LONG_RUN_CALLS = 10_000_000;
const LONG_RUN_SECONDS = 0.1;
const MIN_BOOTS = 3;
const MAX_BOOTS = 20;
const PROGRESS_MS = 250;

/**
 * Measures the named rows. A row that needs more cores than the machine has is refused.
 *
 * @throws RangeError for an unknown name or a number out of range; IpcRowError when a guest fails to
 * measure; what the context throws; the signal's reason when it aborts.
 */
export async function runIpc(context: IpcContext): Promise<Result[]> {
  const { cores, seconds, names, signal } = context;
  if (!(Number.isInteger(cores) && cores >= 1 && cores <= 64)) {
    throw new RangeError(`cores is ${cores}; it must be a whole number from 1 to 64`);
  }
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new RangeError(`seconds is ${seconds}; it must be above 0 and at most 3600`);
  }
  const rows = selectRows(cores, names);
  signal?.throwIfAborted();
  try {
    const results = new Map<string, Result>();
    const runnable = rows.filter((row) => row.kind === "guest" && row.minCores <= cores) as GuestRow[];
    if (runnable.length > 0) await runGuests(context, runnable, results);
    for (const row of rows) {
      if (row.kind === "boot") results.set(row.name, await measureBoot(context, row));
      else if (row.minCores > cores) results.set(row.name, refuse(row, cores));
    }
    return rows.map(({ name }) => results.get(name)!);
  } catch (error) {
    // A machine that is halted under its guest has its own words for it.
    signal?.throwIfAborted();
    throw error;
  }
}

async function runGuests(
  context: IpcContext,
  rows: readonly GuestRow[],
  results: Map<string, Result>,
): Promise<void> {
  const images = loadBenchImages();
  const { value: finishers, collections } = await context.withMachine(context.cores, async (machine) => {
    const made: ((collections: readonly Collection[]) => Result)[] = [];
    for (const row of rows)
      made.push(await withProgress(context, row.name, () => runGuest(context, row, machine, images)));
    return made;
  });
  finishers.forEach((finish, i) => {
    results.set(rows[i]!.name, finish(collections));
  });
}

/** Runs a row's guests; gives what makes its result once the collections are known. */
async function runGuest(
  context: IpcContext,
  row: GuestRow,
  machine: GuestRunner,
  images: Readonly<Record<GuestName, Image>>,
): Promise<(collections: readonly Collection[]) => Result> {
  const run = async (guest: GuestName, args: readonly number[]): Promise<Figures> => {
    const { core, memoryBits } = row;
    const options = { core, memoryBits, args: args.map(String), debug: true, priority: GUEST_PRIORITY };
    const { status, lines } = await untilAborted(machine.runImage(images[guest], options), context.signal);
    if (status !== 0)
      throw new IpcRowError(row.name, `its guest ended with status ${status}: ${lines.join(" ")}`);
    return readFigures(row.name, lines);
  };
  const measurement = measurementOf(
    row.name,
    await run(row.guest, [Math.round(context.seconds * 1e9), ...row.args]),
  );
  if (row.garbage !== true) return () => createResult(nameOf(row), measurement);

  const calls = Math.round(LONG_RUN_CALLS * Math.min(1, context.seconds / LONG_RUN_SECONDS));
  const figures = await run("garbage", [calls]);
  const bytesPerOperation = bytesPerCall(row.name, figures);
  const fromNs = numberOf(row.name, figures, "startNs");
  const toNs = numberOf(row.name, figures, "endNs");
  const shorter = `The longest collection is that of ${calls} calls, for want of time, not of ${LONG_RUN_CALLS}.`;
  const notes = [...(row.notes ?? []), ...(calls < LONG_RUN_CALLS ? [shorter] : [])];
  return (collections) => {
    const longestCollectionNs = longestCollection(collections, row.core, fromNs, toNs);
    return createResult(
      { ...nameOf(row), ...(notes.length > 0 && { notes }) },
      { ...measurement, bytesPerOperation, longestCollectionNs },
    );
  };
}

/** Boots machines that do nothing. The first is a warm-up: it reads files and compiles them. */
async function measureBoot(context: IpcContext, row: BootRow): Promise<Result> {
  return withProgress(context, row.name, async () => {
    const samples: number[] = [];
    const startMs = performance.now();
    for (let boot = 0; ; boot++) {
      context.signal?.throwIfAborted();
      const { powerToInitNs } = await context.withMachine(row.cores, async () => {});
      if (boot > 0) samples.push(powerToInitNs);
      const isLong = performance.now() - startMs >= context.seconds * 1000;
      if (samples.length >= MAX_BOOTS || (isLong && samples.length >= MIN_BOOTS)) break;
    }
    return createResult(nameOf(row), { samples, operationsPerSample: 1 });
  });
}

function refuse(row: GuestRow, cores: number): Result {
  const refused = `it needs ${row.minCores} cores, the machine has ${cores}`;
  return { ...nameOf(row), refused, ratios: {} };
}

function nameOf({ name, unit, notes }: Row) {
  return { suite: IPC_SUITE, name, unit, ...(notes !== undefined && { notes }) };
}

/** A guest that measures says nothing before it is done: progress is the part of its budget that is over. */
async function withProgress<T>(context: IpcContext, name: string, work: () => Promise<T>): Promise<T> {
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
