/**
 * Whom a command talks to: its output, its progress, its log, and who looks at the machines that it boots.
 *
 * The process has one. A command that runs another inside of it (commands/inner.ts) makes one of its own for
 * that, and so has what the other prints and sees its machines.
 */
import type { BootOptions, WatchedMachine } from "@capos/machine";
import type { DestinationStream } from "pino";
import type { Progress } from "./progress.js";

/** Where text goes. */
export interface Output {
  /** True if a person reads it on a terminal. */
  readonly isTTY?: boolean;
  /** True if it is kept now, and written to a terminal later. */
  readonly endsOnTerminal?: boolean;
  /** True if text may have colours. */
  readonly hasColors?: boolean;
  /** Columns of the terminal, if it is one and says. */
  readonly columns?: number | undefined;
  /** Calls `done` when the text has left. A promise asks who writes much to wait until it is settled. */
  write(text: string, done?: () => void): unknown;
}

/** Where bytes come from. */
export interface Input {
  /** Waits for bytes; null at the end. Not to be called again before it has answered. */
  read(): Promise<Uint8Array | null>;
  /** What is read after that is at its end. */
  close(): void;
}

/** What a command is given besides its arguments. */
export interface Session {
  /** What guests read; null if they read nothing. A command that took it closes it at its end. */
  readonly stdin: Input | null;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly progress: Progress;
  /** Where log records go, if not where a machine's go by itself. */
  readonly log?: () => DestinationStream;
  /** Aborts when the command is to end. */
  readonly signal: AbortSignal;
  /** Aborts when nobody reads standard output any more. */
  readonly unread: AbortSignal;
  /** Takes each machine that the command boots, when it has power and before a core of it runs. */
  readonly onMachine?: (machine: WatchedMachine) => void;
  /** How the machines are traced, whatever the command's own options say. */
  readonly trace?: Pick<BootOptions, "traceKiB" | "traceGroups" | "traceMode">;
}
