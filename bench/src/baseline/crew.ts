/**
 * The workers of one baseline row: a driver that measures and peers that answer it.
 *
 * The host's thread only waits, so it hears at once of a worker that throws or ends early, even while
 * the driver spins and hears nothing. Whatever happens, every worker has ended when the promise settles.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Transferable, Worker } from "node:worker_threads";
import type { Measurement } from "../statistics.js";
import type { SlicedMeasurement, TurnTaker } from "../turns.js";

export interface CrewMember {
  readonly file: URL;
  /** Becomes the worker's `workerData`, with `seconds` and `takesTurns` added. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly transfer?: readonly Transferable[];
}

/** The driver comes first; its `DriverMessage` of kind "done" ends the row. */
export type Crew = readonly [driver: CrewMember, ...peers: CrewMember[]];

/** What a driver tells the host. */
export type DriverMessage =
  | { readonly kind: "progress"; readonly fraction: number }
  /** It waits for an order. */
  | { readonly kind: "rests" }
  | { readonly kind: "done"; readonly measurement: Measurement };

/** What the host tells a driver that takes turns and rests: to run a slice, or to report. */
export type HostOrder = "go" | "end";

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
const START_SECONDS = 120;
/** Warm-up, the last batch of a row with long operations, and a host that others use. */
const BUDGET_FACTOR = 10;

export function defaultHangSeconds(seconds: number): number {
  return START_SECONDS + BUDGET_FACTOR * seconds;
}

/** Workers of a crew while they run: the first thing that goes wrong with any of them fails whoever waits. */
class RunningCrew {
  readonly #workers: Worker[] = [];
  readonly #broken: Promise<never>;
  readonly #done = new AbortController();

  constructor(
    private readonly row: string,
    crew: Crew,
    data: { readonly seconds: number; readonly takesTurns: boolean },
    private readonly hangSeconds: number,
    signal: AbortSignal | undefined,
  ) {
    this.#broken = new Promise((_, reject) => {
      for (const [index, member] of crew.entries()) {
        const role = index === 0 ? "driver" : `peer ${index}`;
        const worker = startWorker(member, data);
        this.#workers.push(worker);
        worker.once("error", (error) => reject(new BaselineError(row, `its ${role} threw: ${error}`, error)));
        worker.once("exit", (code) =>
          reject(new BaselineError(row, `its ${role} ended with status ${code} before the row was done`)),
        );
      }
      signal?.addEventListener("abort", () => reject(signal.reason), { signal: this.#done.signal });
    });
    // Heard by whoever waits next.
    this.#broken.catch(() => {});
  }

  /** The driver's next message of a kind; `order` goes to it first. */
  async hear<Kind extends DriverMessage["kind"]>(
    kind: Kind,
    order?: HostOrder,
    onProgress: (fraction: number) => void = () => {},
  ): Promise<Extract<DriverMessage, { kind: Kind }>> {
    const [driver] = this.#workers as [Worker];
    const over = new AbortController();
    try {
      const heard = new Promise<DriverMessage>((resolve) => {
        const take = (message: DriverMessage) => {
          if (message.kind === "progress") onProgress(message.fraction);
          else resolve(message);
        };
        driver.on("message", take);
        over.signal.addEventListener("abort", () => driver.off("message", take));
      });
      if (order !== undefined) driver.postMessage(order);
      const hangs = sleep(this.hangSeconds * 1000, undefined, { signal: over.signal }).then(() => {
        throw new BaselineError(this.row, `its workers hang: no result within ${this.hangSeconds} s`);
      });
      hangs.catch(() => {});
      const message = await Promise.race([heard, hangs, this.#broken]);
      if (message.kind !== kind)
        throw new BaselineError(this.row, `its driver says ${message.kind}, not ${kind}`);
      return message as Extract<DriverMessage, { kind: Kind }>;
    } finally {
      over.abort();
    }
  }

  async stop(): Promise<void> {
    this.#done.abort();
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/**
 * Runs a crew until its driver has reported.
 *
 * @throws BaselineError when a worker throws, ends early, or the crew hangs; the signal's reason when
 * it aborts.
 */
export async function runCrew(row: string, crew: Crew, options: CrewOptions): Promise<Measurement> {
  const { seconds, signal, onProgress } = options;
  signal?.throwIfAborted();
  const hangSeconds = options.hangSeconds ?? defaultHangSeconds(seconds);
  const running = new RunningCrew(row, crew, { seconds, takesTurns: false }, hangSeconds, signal);
  try {
    return (await running.hear("done", undefined, onProgress)).measurement;
  } finally {
    await running.stop();
  }
}

/** A crew that takes turns. Whoever makes one stops it, whatever happens. */
export class CrewTurns implements TurnTaker {
  #running: RunningCrew | null = null;

  constructor(
    private readonly row: string,
    private readonly makeCrew: () => Crew,
    private readonly options: Pick<CrewOptions, "seconds" | "signal">,
  ) {}

  async prepare(): Promise<void> {
    const { seconds, signal } = this.options;
    signal?.throwIfAborted();
    const data = { seconds, takesTurns: true };
    this.#running = new RunningCrew(this.row, this.makeCrew(), data, defaultHangSeconds(seconds), signal);
    await this.#running.hear("rests");
  }

  async takeTurn(): Promise<void> {
    await this.#running!.hear("rests", "go");
  }

  async end(): Promise<SlicedMeasurement> {
    const { measurement } = await this.#running!.hear("done", "end");
    await this.stop();
    return measurement as SlicedMeasurement;
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }
}

function startWorker(
  member: CrewMember,
  data: { readonly seconds: number; readonly takesTurns: boolean },
): Worker {
  return new Worker(member.file, {
    workerData: { ...member.data, ...data },
    transferList: [...(member.transfer ?? [])],
    // A loader that the host was started with (tap's, say) is no part of what is measured.
    execArgv: [],
  });
}
