/**
 * The host's thread behind a worker, and what the host tells of it. Linux does, under /proc; elsewhere nothing is known.
 *
 * Never on a hot path: a look costs tens of microseconds.
 */
import { readFileSync, readlinkSync } from "node:fs";

/** Milliseconds of the clock ticks that Linux counts a thread's time in, on every machine that Node runs on. */
const TICK_MS = 10;

/** What the host tells of a thread. */
export interface ThreadTime {
  /** CPU time that it has used since it began, in milliseconds, in steps of 10. */
  readonly cpuMs: number;
  /** It runs, or waits for nothing but a CPU. */
  readonly isRunnable: boolean;
}

/** The host's number of the calling thread; 0 where the host does not tell. */
export function hostThread(): number {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").pop());
  } catch {
    return 0;
  }
}

/** What the host tells of a thread of this process; null if it tells nothing, or there is no such thread any more. */
export function threadTime(thread: number): ThreadTime | null {
  if (thread === 0) return null;
  try {
    const text = readFileSync(`/proc/self/task/${thread}/stat`, "latin1");
    // The second field, a name in parentheses, may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    return Number.isFinite(cpuMs) ? { cpuMs, isRunnable: fields[0] === "R" } : null;
  } catch {
    return null;
  }
}
