/** Writes what machines do into one trace file: while they run, or at their end what was last. */
import { nowNs, traceRings } from "@capos/hal";
import { TRACE_EVENTS } from "@capos/kernel/trace-events";
import type { WatchedMachine } from "@capos/machine";
import { TraceMerger } from "@capos/trace";
import { type MachineSummary, MachineTrace } from "./machine-trace.js";
import type { Protocols } from "./protocols.js";
import type { TraceFile } from "./trace-file.js";

export interface RecorderOptions {
  /** Events that are shown as instants. */
  readonly events: ReadonlySet<number>;
  readonly protocols: Protocols;
  /** Only so many milliseconds before the last event of each machine; all if null. */
  readonly lastMs: number | null;
  /** Takes what keeps the file from being written. Nothing is written after that. */
  readonly onError: (error: unknown) => void;
}

/** How often the rings are emptied. */
const READ_MS = 4;
/** Events are kept for so long, so that those of all cores come in the order of their times. */
const KEEP_NS = 50e6;

/** One machine that is recorded. */
interface Recording {
  readonly merger: TraceMerger;
  readonly trace: MachineTrace;
  readonly timer: NodeJS.Timeout | undefined;
}

export class Recorder {
  readonly #running = new Set<Recording>();
  readonly #ends: Promise<void>[] = [];
  readonly machines: MachineSummary[] = [];
  #count = 0;
  #failed = false;

  constructor(
    private readonly file: TraceFile,
    private readonly options: RecorderOptions,
  ) {}

  /** Records a machine from its power-on to its end. */
  readonly onMachine = ({ memory, cores, ended }: WatchedMachine): void => {
    const { events, protocols, lastMs } = this.options;
    const trace = new MachineTrace(this.file, { memory, cores, machine: ++this.#count, events, protocols });
    const merger = new TraceMerger(memory, traceRings(memory), TRACE_EVENTS, trace);
    const read = (): void =>
      this.#try(() => {
        merger.read(false);
        merger.give(nowNs() - KEEP_NS);
      });
    const recording = { merger, trace, timer: lastMs === null ? setInterval(read, READ_MS) : undefined };
    this.#running.add(recording);
    this.#ends.push(ended.then(() => this.#finish(recording, true)));
  };

  /** Resolves when all that the machines did is in the file. */
  async settled(): Promise<void> {
    await Promise.all(this.#ends);
  }

  /** Writes what there is of machines that still run. */
  stop(): void {
    for (const recording of this.#running) this.#finish(recording, false);
  }

  #finish(recording: Recording, ended: boolean): void {
    if (!this.#running.delete(recording)) return;
    const { merger, trace, timer } = recording;
    clearInterval(timer);
    this.#try(() => {
      merger.read(ended);
      merger.end();
      if (this.options.lastMs !== null) trace.drawSince(merger.latestNs - this.options.lastMs * 1e6);
      merger.give(Number.POSITIVE_INFINITY);
      this.machines.push(trace.end());
    });
  }

  #try(write: () => void): void {
    if (this.#failed) return;
    try {
      write();
    } catch (error) {
      this.#failed = true;
      this.options.onError(error);
    }
  }
}
