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
const USUAL_WORKER_COUNTS: readonly number[] = [1, 2, 4, 8];
/** Most empty workers of a row. */
const MAX_WORKERS = 64;

export interface BaselineOptions {
  /** Of `baselineRows`, for any numbers of workers; its usual ones if absent. */
  readonly names?: readonly string[];
  /** Time budget of each row, above 0. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
  /** `fraction` is of the named row, 0 when it starts and 1 when it is done. */
  readonly onProgress?: (name: string, fraction: number) => void;
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

/** The rows, in their order: with one for each of these numbers of empty workers. */
export function baselineRows(workerCounts: readonly number[] = USUAL_WORKER_COUNTS): string[] {
  return [...Object.keys(BASELINES), ...workerCounts.map((count) => `${WORKERS_EMPTY}.${count}`)];
}

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
  const { names = baselineRows(), seconds = DEFAULT_SECONDS, signal, onProgress } = options;
  checkOptions(names, seconds);
  const trials: Trial[] = [];
  for (const row of selectRows(names)) {
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

/** The named rows, always in the order of `baselineRows`. */
function selectRows(names: readonly string[]): Row[] {
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
  for (const name of names) {
    const count = countOf(name);
    if (count !== undefined)
      rows.push({ name, unit: "ns/start", measure: (options) => measureEmptyWorkers(name, count, options) });
  }
  return rows;
}

function checkOptions(names: readonly string[], seconds: number): void {
  for (const name of names) {
    if (!isBaselineRow(name))
      throw new RangeError(
        `no baseline is called ${JSON.stringify(name)}; there are ${baselineRows().join(", ")}`,
      );
    const count = countOf(name) ?? 1;
    if (!(count >= 1 && count <= MAX_WORKERS))
      throw new RangeError(`${name}: there are 1 to ${MAX_WORKERS} empty workers`);
  }
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new RangeError(`seconds is ${seconds}; it must be above 0 and at most 3600`);
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
