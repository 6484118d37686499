/**
 * How long N workers take to start that do nothing but say so: the floor under the boot of N cores.
 * They are started by the thread that calls, as a machine's host starts its cores.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Measurement } from "../statistics.js";
import { SingleOperations, type TurnTaker } from "../turns.js";
import { BaselineError, type CrewOptions, defaultHangSeconds } from "./crew.js";

const EMPTY_WORKER = new URL("./workers/empty.js", import.meta.url);
const MIN_SAMPLES = 3;
/** The first start reads the file and compiles the loader. */
const WARM_UPS = 1;

/**
 * Starts `count` workers again and again for `seconds`. A sample is the time from the first
 * `new Worker` until the last one's first message has arrived.
 *
 * @throws BaselineError when a worker fails or says nothing; the signal's reason when it aborts.
 */
export async function measureEmptyWorkers(
  row: string,
  count: number,
  { seconds, hangSeconds = defaultHangSeconds(seconds), signal, onProgress }: CrewOptions,
): Promise<Measurement> {
  const samples: number[] = [];
  const startMs = performance.now();
  for (let round = 0; ; round++) {
    const elapsedNs = await startOnce(row, count, hangSeconds, signal);
    if (round < WARM_UPS) continue;
    samples.push(elapsedNs);
    const used = (performance.now() - startMs) / (seconds * 1000);
    onProgress?.(Math.min(1, used, samples.length / MIN_SAMPLES));
    if (used >= 1 && samples.length >= MIN_SAMPLES) return { samples, operationsPerSample: 1 };
  }
}

/** The same in turns: each a slice of starts, one at least. */
export function emptyWorkerTurns(
  row: string,
  count: number,
  options: Pick<CrewOptions, "seconds" | "signal">,
): TurnTaker {
  const hangSeconds = defaultHangSeconds(options.seconds);
  return new SingleOperations(options.seconds, () => startOnce(row, count, hangSeconds, options.signal));
}

async function startOnce(
  row: string,
  count: number,
  hangSeconds: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  signal?.throwIfAborted();
  const workers: Worker[] = [];
  const stop = new AbortController();
  const cancel = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  try {
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i++) workers.push(new Worker(EMPTY_WORKER, { execArgv: [] }));
    const spoken = workers.map((worker) => once(worker, "message"));
    const hang = sleep(hangSeconds * 1000, undefined, { signal: cancel }).then(() => {
      throw new BaselineError(row, `a worker said nothing within ${hangSeconds} s`);
    });
    await Promise.race([Promise.all(spoken), hang]);
    return Number(process.hrtime.bigint() - start);
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof BaselineError
      ? error
      : new BaselineError(row, `a worker did not start: ${error}`, error);
  } finally {
    stop.abort();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
