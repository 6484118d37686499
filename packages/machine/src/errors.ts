/**
 * What a user is told when something does not work: one line each, and the exit status that goes with it.
 */

/** Exit statuses of `capos-smp`. A guest's own status, 0 to 255, is passed on. */
export const enum ExitStatus {
  OK = 0,
  /** The guest failed, a benchmark could not be measured, or a stress run found a violation. */
  FAILED = 1,
  /** The command line, or a file it names, is wrong. */
  USAGE = 2,
  /** The kernel panicked. */
  PANIC = 70,
  /** The guest was ended because it ran longer than it was to. */
  TIMEOUT = 124,
  /** Stopped by a signal, as a shell says it: the terminal hung up, Ctrl-C, SIGTERM. */
  HUNG_UP = 129,
  INTERRUPTED = 130,
  TERMINATED = 143,
  /** Stopped because it went on printing and nobody read it: what a shell says of a SIGPIPE. */
  UNREAD = 141,
}

/** A mistake of the caller's: an option out of range, a file that is no guest. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The machine did not come up, or stopped under what ran on it. */
export class MachineError extends Error {
  override readonly name = "MachineError";

  constructor(
    message: string,
    /** The status that the process should end with. */
    readonly status: number,
    /** What the kernel, or the process that ran the machine, said last: after a panic its dump. Often empty. */
    readonly dump = "",
  ) {
    super(message);
  }
}
