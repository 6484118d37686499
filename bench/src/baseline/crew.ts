/**
 * The workers of one baseline row: a driver that measures and peers that answer it.
 *
 * The host's thread only waits, so it hears at once of a worker that throws or ends early, even while
 * the driver spins and hears nothing. Whatever happens, every worker has ended when the promise settles.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Transferable, Worker } from "node:worker_threads";
import type { Measurement } from "../statistics.js";

export interface CrewMember {
  readonly file: URL;
  /** Becomes the worker's `workerData`, with `seconds` added. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly transfer?: readonly Transferable[];
}

/** The driver comes first; its `DriverMessage` of kind "done" ends the row. */
export type Crew = readonly [driver: CrewMember, ...peers: CrewMember[]];

/** What a driver tells the host. */
export type DriverMessage =
  | { readonly kind: "progress"; readonly fraction: number }
  | { readonly kind: "done"; readonly measurement: Measurement };

export interface CrewOptions {
  /** Time budget of the driver's samples. */
  readonly seconds: number;
  /** A crew that has not finished by then hangs. */
  readonly hangSeconds?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** A baseline row could not be measured: names the row and says what its workers did. */
export class BaselineError extends Error {
  override readonly name = "BaselineError";

  constructor(row: string, what: string, cause?: unknown) {
    super(`baseline ${row}: ${what}`, { cause });
  }
}

/** Start-up of a crew on a busy host, on top of its samples' budget. */
const START_SECONDS = 20;
/** Warm-up, the last batch of a row with long operations, and a host that others use. */
const BUDGET_FACTOR = 10;

export function defaultHangSeconds(seconds: number): number {
  return START_SECONDS + BUDGET_FACTOR * seconds;
}

/**
 * Runs a crew until its driver has reported.
 *
 * @throws BaselineError when a worker throws, ends early, or the crew hangs; the signal's reason when
 * it aborts.
 */
export async function runCrew(row: string, crew: Crew, options: CrewOptions): Promise<Measurement> {
  const { seconds, signal, onProgress } = options;
  const hangSeconds = options.hangSeconds ?? defaultHangSeconds(seconds);
  signal?.throwIfAborted();
  const workers: Worker[] = [];
  const stopHangTimer = new AbortController();
  try {
    return await new Promise<Measurement>((resolve, reject) => {
      for (const [index, member] of crew.entries()) {
        const role = index === 0 ? "driver" : `peer ${index}`;
        const worker = startWorker(member, seconds);
        workers.push(worker);
        worker.once("error", (error) => reject(new BaselineError(row, `its ${role} threw: ${error}`, error)));
        worker.once("exit", (code) =>
          reject(new BaselineError(row, `its ${role} ended with status ${code} before the row was done`)),
        );
        if (index > 0) continue;
        worker.on("message", (message: DriverMessage) => {
          if (message.kind === "done") resolve(message.measurement);
          else onProgress?.(message.fraction);
        });
      }
      signal?.addEventListener("abort", () => reject(signal.reason), { signal: stopHangTimer.signal });
      sleep(hangSeconds * 1000, undefined, { signal: stopHangTimer.signal }).then(
        () => reject(new BaselineError(row, `its workers hang: no result within ${hangSeconds} s`)),
        () => {},
      );
    });
  } finally {
    stopHangTimer.abort();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function startWorker(member: CrewMember, seconds: number): Worker {
  return new Worker(member.file, {
    workerData: { ...member.data, seconds },
    transferList: [...(member.transfer ?? [])],
    // A loader that the host was started with (tap's, say) is no part of what is measured.
    execArgv: [],
  });
}
