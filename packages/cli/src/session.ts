/**
 * Whom a command talks to: its output, its progress, its log, and who looks at the machines that it boots.
 *
 * The process has one. A command that runs another inside of it (commands/inner.ts) makes one of its own for
 * that, and so has what the other prints and sees its machines.
 */
import process from "node:process";
import type { BootOptions, WatchedMachine } from "@capos/machine";
import type { DestinationStream } from "pino";
import { type Progress, terminalProgress } from "./progress.js";

/** Where text goes. */
export interface Output {
  /** True if a person reads it on a terminal. */
  readonly isTTY?: boolean;
  /** True if it is kept now, and written to a terminal later. */
  readonly endsOnTerminal?: boolean;
  /** Calls `done` when the text has left. */
  write(text: string, done?: () => void): unknown;
}

/** What a command is given besides its arguments. */
export interface Session {
  /** What guests read; null if they read nothing. A command that took it destroys it at its end. */
  readonly stdin: NodeJS.ReadStream | null;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly progress: Progress;
  /** Where log records go, if not where a machine's go by itself. */
  readonly log?: () => DestinationStream;
  /** Aborts when the command is to end. */
  readonly signal: AbortSignal;
  /** Takes each machine that the command boots, when it has power and before a core of it runs. */
  readonly onMachine?: (machine: WatchedMachine) => void;
  /** How the machines are traced, whatever the command's own options say. */
  readonly trace?: Pick<BootOptions, "traceKiB" | "traceGroups" | "traceMode">;
}

/** The session of this process. */
export async function processSession(signal: AbortSignal): Promise<Session> {
  const progress = await terminalProgress();
  return {
    // To look at it is to open it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    progress,
    signal,
  };
}
