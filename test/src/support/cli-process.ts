/**
 * Runs the built command line as its user does, and collects what it prints.
 */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The root of the clone. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../../..");
/** The built command line. */
export const BIN = join(ROOT, "packages/cli/dist/bin.js");

export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly input?: string;
  /** Environment variables beside those of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** What a shell does before it becomes the process: sets limits. */
  readonly before?: string;
  /** Options of Node's. */
  readonly node?: readonly string[];
  /** The root of the clone unless told. */
  readonly cwd?: string;
  /** Called with all of standard output so far, each time more comes; may end the process by `kill`. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void, pid: number) => void;
  /** The same for standard error. */
  readonly onError?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs `capos-smp` to its end. */
export function caposSmp(args: readonly string[], options: ProcessOptions = {}): Promise<Finished> {
  return node([BIN, ...args], options);
}

/** Runs Node with arguments to its end. */
export function node(args: readonly string[], options: ProcessOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const words = [process.execPath, ...(options.node ?? []), ...args];
    const [file, ...rest] =
      options.before === undefined ? words : ["bash", "-c", `${options.before}; exec "$@"`, "bash", ...words];
    const child = spawn(file!, rest, {
      cwd: options.cwd ?? ROOT,
      stdio: "pipe",
      env: { ...process.env, ...options.env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      options.onOutput?.(stdout, (signal) => child.kill(signal), child.pid!);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      options.onError?.(stderr, (signal) => child.kill(signal));
    });
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
    child.stdin.end(options.input ?? "");
  });
}
