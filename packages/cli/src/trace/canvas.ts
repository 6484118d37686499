/**
 * Where one machine's tracks are drawn: its part of the file's numbers for processes and threads, from a time on.
 *
 * Pid 1 has a track a core; each capos process has pid 100 and its number. The next machine's begin a million
 * above.
 */
import type { FlowPoint, TraceFile } from "./trace-file.js";

const PIDS_OF_A_MACHINE = 1_000_000;
const CORES_PID = 1;
const FIRST_PROCESS_PID = 100;

/** Something with a begin and an end on a track. */
export interface Span {
  readonly startNs: number;
  /** Infinity while it lasts. */
  endNs: number;
  readonly name: string;
  readonly category: string;
}

export class Canvas {
  /** Nothing before is drawn. */
  sinceNs = 0;
  readonly #base: number;
  readonly #prefix: string;

  /** @param machine from 1 on */
  constructor(
    private readonly file: TraceFile,
    private readonly machine: number,
  ) {
    this.#base = (machine - 1) * PIDS_OF_A_MACHINE;
    this.#prefix = machine === 1 ? "" : `machine ${machine}: `;
  }

  get coresPid(): number {
    return this.#base + CORES_PID;
  }

  processPid(process: number): number {
    return this.#base + FIRST_PROCESS_PID + process;
  }

  nameProcess(pid: number, name: string): void {
    this.file.name("process_name", pid, 0, "name", this.#prefix + name);
    this.file.name("process_sort_index", pid, 0, "sort_index", pid);
  }

  nameThread(pid: number, tid: number, name: string): void {
    this.file.name("thread_name", pid, tid, "name", name);
    this.file.name("thread_sort_index", pid, tid, "sort_index", tid);
  }

  slice(pid: number, tid: number, span: Span, args: string): void {
    const { startNs, endNs, name, category } = span;
    if (endNs < this.sinceNs) return;
    this.file.slice(pid, tid, Math.max(startNs, this.sinceNs), endNs, name, category, args);
  }

  instant(pid: number, tid: number, timeNs: number, name: string, category: string, args = ""): void {
    if (timeNs >= this.sinceNs) this.file.instant(pid, tid, timeNs, name, category, args);
  }

  counter(timeNs: number, name: string, series: string, value: number): void {
    if (timeNs >= this.sinceNs) this.file.counter(this.coresPid, timeNs, name, series, value);
  }

  /** Draws arrows unless one begins before what is drawn. */
  flow(id: number, name: string, points: readonly FlowPoint[]): void {
    if (points.some(({ timeNs }) => timeNs < this.sinceNs)) return;
    this.file.flow(`${this.machine}.${id.toString(16)}`, name, points);
  }
}
