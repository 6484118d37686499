/** How processes and threads stand. */

/** How a process or thread stands, as `PROCESS_STATUS` and `THREAD_STATUS` answer it. */
export const enum LifeState {
  /** Made, not started. */
  NEW = 0,
  RUNNING = 1,
  /** Ended by itself; the status is its exit status. */
  EXITED = 2,
  /** Threw, broke a rule, or its core died. */
  FAULTED = 3,
  /** Destroyed by somebody. */
  KILLED = 4,
}

const LIFE_NAMES: readonly string[] = Object.freeze(["new", "running", "exited", "faulted", "killed"]);

/** The name of a life state. */
export function lifeName(state: number): string {
  return LIFE_NAMES[state] ?? `life ${state}`;
}
