/** A shell on a machine, as the terminal's side sees it: the machine may be of another process. All values are plain. */
import type { Image } from "@capos/abi";
import type { MachineState } from "@capos/inspect";
import type { Values } from "@capos/libos/wire";

/** What a shell is given. */
export interface ShellOptions {
  /** Whether it gets neither memory to start programs from nor capabilities to those that run. */
  readonly readOnly: boolean;
  /** log2 of the bytes of its memory, 16 to 30; null: an eighth of the machine's. */
  readonly memoryBits: number | null;
}

export interface ShellStart {
  readonly image: Image;
  readonly args: readonly string[];
  /** Null: one that init does not run on, in turn. */
  readonly core: number | null;
  /** 0 to 149. */
  readonly priority: number;
  /** log2 of the bytes of its untyped memory. */
  readonly memoryBits: number;
}

/** How a program ended. */
export interface ShellEnd {
  readonly pid: number;
  readonly name: string;
  readonly state: "exited" | "faulted" | "killed";
  readonly status: number;
  /** What a fault said, and where in the image: line and column, then those of its callers. */
  readonly fault: string;
  readonly places: readonly number[];
}

/** What a look at the machine shows. */
export interface ShellView {
  readonly state: MachineState;
  /** Numbers of the processes that the shell may end, and of those that it has started. */
  readonly mayEnd: readonly number[];
  readonly started: readonly number[];
}

/** What a shell tells by itself. */
export interface ShellEvents {
  /** A line that a program of the shell's has printed. A promise holds the program until it is settled. */
  console(line: string): unknown;
  /** A record of the log server's, in JSON. */
  log(line: string): void;
  /** A program of the shell's has ended. */
  ended(end: ShellEnd): void;
}

/**
 * A shell. What cannot be done is a MachineError, for a mistake in what was asked a UsageError; both are for people.
 * After its end everything fails with a MachineError that says why.
 */
export interface Shell {
  /** Registered names. */
  names(): Promise<readonly string[]>;
  /** What is served under a name: see `parseDescription`. */
  describe(name: string, signal?: AbortSignal): Promise<string>;
  /**
   * Calls a method. A capability is given as the name that it is registered under; what comes is only told to be one.
   * Numbers that JSON has not are texts.
   */
  call(name: string, method: string, values: Values, signal?: AbortSignal): Promise<Values>;
  /** Starts a program; gives its number. */
  start(start: ShellStart): Promise<number>;
  /** Ends a program, and waits until nothing of it runs. */
  end(pid: number): Promise<void>;
  /** Waits for the end of a program. */
  wait(pid: number): Promise<ShellEnd>;
  look(): Promise<ShellView>;
  /** Whether `log` is told. */
  watchLog(on: boolean): Promise<void>;
  /** Ends it, and with it what it has started. */
  close(): Promise<void>;
  /** Resolves when it has ended without `close`, with why. */
  readonly lost: Promise<string>;
}
