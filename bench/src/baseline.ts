/**
 * Suite `baseline`: what this host's own ways of switching and messaging cost, measured in the same
 * run as the kernel's, so that a ratio compares like with like. Nothing here knows of capos.
 */
import { availableParallelism } from "node:os";
import { MessageChannel } from "node:worker_threads";
import { type Crew, type CrewOptions, CrewTurns, runCrew } from "./baseline/crew.js";
import { emptyWorkerTurns, measureEmptyWorkers } from "./baseline/empty-workers.js";
import { allocateSharedWords } from "./baseline/shared-words.js";
import { timed } from "./series.js";
import type { Measurement } from "./statistics.js";
import { createTrial, type RowName, type Trial, type Unit } from "./trial.js";
import type { TurnTaker } from "./turns.js";

export const BASELINE_SUITE = "baseline";

/** Time budget of a row, warm-up included. */
export const DEFAULT_SECONDS = 0.5;
export const DEFAULT_WORKER_COUNTS: readonly number[] = [1, 2, 4, 8];

export interface BaselineOptions {
  /** Of `baselineNames`; all of them if absent. */
  readonly names?: readonly string[];
  /** Time budget of each row, above 0. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
  /** `fraction` is of the named row, 0 when it starts and 1 when it is done. */
  readonly onProgress?: (name: string, fraction: number) => void;
  /** Numbers of empty workers, a row `workers-empty.N` each. */
  readonly workerCounts?: readonly number[];
}

interface Baseline {
  readonly unit: Unit;
  /** Made anew for each run: it owns ports and memory. */
  readonly crew: () => Crew;
  /** Threads that spin at the same time. */
  readonly spinners?: number;
}

const BASELINES: Readonly<Record<string, Baseline>> = {
  "generator-switch": { unit: "ns/round trip", crew: () => alone("generator-switch") },
  await: { unit: "ns/await", crew: () => alone("await") },
  "atomics-load": { unit: "ns/load", crew: () => alone("atomics-load") },
  "sab-spin": { unit: "ns/round trip", crew: () => overSharedWords("spin"), spinners: 2 },
  "atomics-wait": { unit: "ns/round trip", crew: () => overSharedWords("wait") },
  "message-port": { unit: "ns/round trip", crew: () => overPorts("port") },
  comlink: { unit: "ns/round trip", crew: () => overPorts("comlink") },
  piscina: { unit: "ns/round trip", crew: () => alone("piscina-driver") },
};

const WORKERS_EMPTY = "workers-empty";

export const baselineNames: readonly string[] = [...Object.keys(BASELINES), WORKERS_EMPTY];

/** Whether a row of that name is one of the suite's. */
export function isBaselineRow(name: string): boolean {
  return Object.hasOwn(BASELINES, name) || countOf(name) !== undefined;
}

/** Of `workers-empty.N`, N. */
function countOf(name: string): number | undefined {
  const digits = new RegExp(`^${WORKERS_EMPTY}\\.(\\d+)$`).exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Measures the named baselines one after another.
 *
 * @throws RangeError for an unknown name or a number out of range; BaselineError when a row's workers
 * fail or hang; the signal's reason when it aborts. No worker is left in any case.
 */
export async function runBaseline(options: BaselineOptions = {}): Promise<Trial[]> {
  const { names = baselineNames, seconds = DEFAULT_SECONDS, signal, onProgress } = options;
  const workerCounts = options.workerCounts ?? DEFAULT_WORKER_COUNTS;
  checkOptions(names, seconds, workerCounts);
  const trials: Trial[] = [];
  for (const row of selectRows(names, workerCounts)) {
    onProgress?.(row.name, 0);
    const crewOptions: CrewOptions = {
      seconds,
      signal,
      onProgress: (fraction) => onProgress?.(row.name, fraction),
    };
    const { measure, ...rowName } = row;
    const { value, span } = await timed(() => measure(crewOptions));
    trials.push(createTrial({ suite: BASELINE_SUITE, ...rowName }, value, span));
    onProgress?.(row.name, 1);
  }
  return trials;
}

/**
 * A baseline that takes turns with a row of another suite.
 *
 * @param name of a row of this suite @throws RangeError for another
 */
export function baselineTurns(name: string, options: Pick<CrewOptions, "seconds" | "signal">): TurnTaker {
  const count = countOf(name);
  if (count !== undefined) return emptyWorkerTurns(name, count, options);
  if (!Object.hasOwn(BASELINES, name)) throw new RangeError(`no baseline is called ${JSON.stringify(name)}`);
  return new CrewTurns(name, BASELINES[name]!.crew, options);
}

interface Row extends Omit<RowName, "suite"> {
  readonly measure: (options: CrewOptions) => Promise<Measurement>;
}

/** The rows of the named baselines, always in the order of `baselineNames`. */
function selectRows(names: readonly string[], workerCounts: readonly number[]): Row[] {
  const cpus = availableParallelism();
  const rows: Row[] = [];
  for (const [name, { unit, crew, spinners = 1 }] of Object.entries(BASELINES)) {
    if (!names.includes(name)) continue;
    const notes = spinners > cpus ? [`${spinners} workers spin on ${cpus} hardware thread`] : undefined;
    rows.push({
      name,
      unit,
      ...(notes && { notes }),
      measure: (options) => runCrew(name, crew(), options),
    });
  }
  if (!names.includes(WORKERS_EMPTY)) return rows;
  for (const count of workerCounts) {
    const name = `${WORKERS_EMPTY}.${count}`;
    rows.push({ name, unit: "ns/start", measure: (options) => measureEmptyWorkers(name, count, options) });
  }
  return rows;
}

function checkOptions(names: readonly string[], seconds: number, workerCounts: readonly number[]): void {
  for (const name of names) {
    if (!baselineNames.includes(name)) {
      throw new RangeError(
        `no baseline is called ${JSON.stringify(name)}; there are ${baselineNames.join(", ")}`,
      );
    }
  }
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new RangeError(`seconds is ${seconds}; it must be above 0 and at most 3600`);
  }
  for (const count of workerCounts) {
    if (!(Number.isInteger(count) && count >= 1 && count <= 64)) {
      throw new RangeError(`a worker count is ${count}; it must be a whole number from 1 to 64`);
    }
  }
}

function workerFile(name: string): URL {
  return new URL(`./baseline/workers/${name}.js`, import.meta.url);
}

function alone(driver: string): Crew {
  return [{ file: workerFile(driver) }];
}

function overSharedWords(kind: string): Crew {
  const data = { ...allocateSharedWords() };
  return [
    { file: workerFile(`${kind}-driver`), data },
    { file: workerFile(`${kind}-peer`), data },
  ];
}

function overPorts(kind: string): Crew {
  const { port1, port2 } = new MessageChannel();
  return [
    { file: workerFile(`${kind}-driver`), data: { port: port1 }, transfer: [port1] },
    { file: workerFile(`${kind}-peer`), data: { port: port2 }, transfer: [port2] },
  ];
}
