/**
 * Running the rows of a suite that guests measure: one machine serves all of them, one after the other, so
 * that no two disturb each other. What its cores' collectors noted is known when it has halted, so trials
 * are made then. Machines are known by `SuiteContext` alone: whoever can boot one passes it in.
 */
import type { Image } from "@capos/abi";
import { type Collection, labelOf, listOf, measurementOf, RowError, readFigures } from "./figures.js";
import type { Figures } from "./guests/report.js";
import { misledBy, turnArgument, turnLine } from "./guests/slices.js";
import { type GuestName, loadBenchImages } from "./images.js";
import type { GuestRow, RowBase } from "./rows.js";
import type { RowName, Trial } from "./trial.js";
import type { SlicedMeasurement, TurnTaker } from "./turns.js";

/** How a guest is run. */
export interface GuestOptions {
  readonly cores?: readonly number[];
  readonly args?: readonly string[];
  readonly debug?: boolean;
  /** Bytes. */
  readonly untyped?: number;
  readonly priority?: number;
}

/** A running machine, as much of it as a suite needs. */
export interface GuestRunner {
  readonly cores: number;
  /** Runs an image to its end; gives its exit status. Throws if it faults. */
  runImage(image: Image, options: GuestOptions): Promise<number>;
  /** From now on each line that a guest prints goes to `listener`, and to no other. */
  listen(listener: (line: string) => void): void;
  /** One call of this process's to a guest and back, with a word each way. */
  call(): Promise<void>;
  /** A line for the guest that reads first. */
  feed(line: string): void;
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

/** Runs the benchmark's guests on the suite's machine. */
export interface Guests {
  /** Runs one for a row to its end; gives the figures that it printed. */
  run(guest: GuestName, args: readonly number[]): Promise<Figures>;
  /** The same row's own guest, or another row's, in turns with others; each under a number of its own from 1 on. */
  turns(row: GuestRow, number: number): TurnTaker;
}

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
  measure: (row: Row, guests: Guests) => Promise<Finish>,
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
      const guests = guestsOf(context, suite, row, machine, images);
      made.push(await withProgress(context, row.name, () => measure(row, guests)));
    }
    return made;
  });
  finishers.forEach((finish, i) => {
    trials.set(runnable[i].name, finish(collections));
  });
  return trials;
}

function guestsOf(
  context: SuiteContext,
  suite: string,
  row: GuestRow,
  machine: GuestRunner,
  images: Readonly<Record<GuestName, Image>>,
): Guests {
  const label = labelOf(suite, row.name);
  const start = ({ core, memoryBits }: GuestRow, guest: GuestName, args: readonly string[]) =>
    untilAborted(
      machine.runImage(images[guest], {
        cores: [core],
        untyped: 2 ** memoryBits,
        args,
        debug: true,
        priority: GUEST_PRIORITY,
      }),
      context.signal,
    );
  const fault = faultOfAny();
  return {
    async run(guest, args) {
      const lines: string[] = [];
      machine.listen((line) => lines.push(line));
      return figuresOf(label, await start(row, guest, args.map(String)), lines);
    },
    turns: (one, number) =>
      new GuestTurns(label, number, machine, fault, () =>
        start(one, one.guest, [...argumentsOf(context, one).map(String), turnArgument(number)]),
      ),
  };
}

/** @throws RowError if the guest failed, or printed anything else */
function figuresOf(label: string, status: number, lines: readonly string[]): Figures {
  if (status !== 0) throw new RowError(label, `its guest ended with status ${status}: ${lines.join(" ")}`);
  return readFigures(label, lines);
}

/** Of all guests of a row: one that fails while another has its turn ends the row. */
interface AnyFault {
  readonly happened: Promise<never>;
  happen(error: unknown): void;
}

function faultOfAny(): AnyFault {
  let happen!: (error: unknown) => void;
  const happened = new Promise<never>((_, reject) => {
    happen = reject;
  });
  happened.catch(() => {});
  return { happened, happen };
}

/** A guest that takes turns: see `guests/slices.ts`. Nobody else prints, or is fed, while it has its turn. */
class GuestTurns implements TurnTaker {
  #ended: Promise<number> | null = null;

  constructor(
    private readonly label: string,
    private readonly number: number,
    private readonly machine: GuestRunner,
    private readonly fault: AnyFault,
    private readonly start: () => Promise<number>,
  ) {}

  async prepare(): Promise<void> {
    await this.#untilItRests(() => {
      this.#ended = this.start();
      this.#ended.catch(this.fault.happen);
    });
  }

  async takeTurn(): Promise<void> {
    await this.#untilItRests(() => this.machine.feed(turnLine(this.number, true)));
  }

  async end(): Promise<SlicedMeasurement> {
    const lines: string[] = [];
    this.#listen((line) => lines.push(line));
    this.machine.feed(turnLine(this.number, false));
    const status = await Promise.race([this.#ended!, this.fault.happened]);
    const figures = figuresOf(this.label, status, lines);
    return { ...measurementOf(this.label, figures), sliceEnds: listOf(this.label, figures, "sliceEnds") };
  }

  /** Its machine's end is its own. */
  async stop(): Promise<void> {}

  async #untilItRests(act: () => void): Promise<void> {
    const lines: string[] = [];
    const rests = new Promise<void>((resolve) => {
      this.#listen((line) => {
        if (line === JSON.stringify({ turn: this.number })) resolve();
        else lines.push(line);
      });
    });
    act();
    const ended = this.#ended!.then((status) => {
      throw new RowError(this.label, `its guest ended early with status ${status}: ${lines.join(" ")}`);
    });
    await Promise.race([rests, ended, this.fault.happened]);
  }

  #listen(listener: (line: string) => void): void {
    this.machine.listen((line) => {
      const again = misledBy(line);
      if (again === null) listener(line);
      else this.machine.feed(again);
    });
  }
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
