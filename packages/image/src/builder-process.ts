/**
 * The process that esbuild works in, shared by all builds of this one.
 *
 * It is given our standard error, and fills that with stacks of its own when the host gives it no thread or no memory.
 * So it is started while `spawn` is ours: what it writes comes here, and makes one line.
 */
import childProcess, { type ChildProcess, type SpawnOptions } from "node:child_process";
import type { Socket } from "node:net";
import { stop } from "esbuild";
import { GuestBuildError, type Place } from "./build-error.js";
import { TOO_DEEP } from "./nesting.js";

/** Characters that are kept of what it writes: the begin, which says what is wrong. */
const MOST_KEPT = 4096;

/** Why it ended, by what it wrote. */
const ENDS: readonly (readonly [RegExp, string])[] = [
  [
    /newosproc|failed to create new OS thread|pthread_create|EAGAIN/,
    "the host gives the image builder no more threads or processes: raise its limit (ulimit -u)",
  ],
  [
    /out of memory|cannot allocate|failed to (?:reserve|map)|ENOMEM|mmap/,
    "the host gives the image builder too little memory: raise its limit (ulimit -v)",
  ],
  [
    /EMFILE|ENFILE|too many open files/,
    "too many files are open for the image builder: raise the limit (ulimit -n)",
  ],
];

export class BuilderProcess {
  #words = "";
  /** Without open files or processes there is none, and esbuild stumbles over that. */
  #hasStarted = true;
  /** Resolves when it has ended and all its words are here. Nothing else keeps this process alive for that. */
  #closed = async (): Promise<void> => {};
  #users = 0;

  /**
   * Has esbuild do something, which starts its process if there is none.
   * @param signal whose abort is not waited for; the process ends with it, unless something else is done there
   * @throws the signal's reason
   */
  async use<T>(start: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    this.#users++;
    const doing = this.#start(start).finally(() => {
      this.#users--;
    });
    if (signal === undefined) return doing;
    return new Promise((resolve, reject) => {
      const abandon = (): void => {
        reject(signal.reason);
        if (this.#users === 1) void stop();
      };
      signal.addEventListener("abort", abandon);
      const settle = (): void => signal.removeEventListener("abort", abandon);
      doing.finally(settle).then(resolve, reject);
    });
  }

  /** The mistake or limit that it ended by; null if it did not end. `place` is what it was given. */
  async whyEnded(error: unknown, place: Place): Promise<GuestBuildError | null> {
    const told = error instanceof Error ? error.message : "";
    if (this.#hasStarted && !told.startsWith("The service ")) return null;
    await this.#closed();
    const found = ENDS.find(([pattern]) => pattern.test(`${told}\n${this.#words}`));
    if (found !== undefined) return new GuestBuildError(found[1]);
    // Given a file that it can read, there is one end left: that of its stack.
    return new GuestBuildError(TOO_DEEP, place);
  }

  #start<T>(start: () => Promise<T>): Promise<T> {
    const { spawn } = childProcess;
    const spawnOurs = (file: string, args: readonly string[], options: SpawnOptions): ChildProcess => {
      const child = spawn(file, args, { ...options, stdio: "pipe" });
      this.#listen(child);
      return child;
    };
    // Nobody else runs meanwhile: esbuild starts its process before it answers.
    childProcess.spawn = spawnOurs as typeof spawn;
    try {
      return start();
    } finally {
      childProcess.spawn = spawn;
    }
  }

  #listen(child: ChildProcess): void {
    this.#words = "";
    this.#hasStarted = child.pid !== undefined;
    // One that cannot be started may never close.
    const closed = new Promise<void>((resolve) => {
      child.once("close", () => resolve());
      child.once("error", (error) => {
        this.#words += error.message;
        resolve();
      });
    });
    const stderr = child.stderr as Socket | null | undefined;
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#words = (this.#words + text).slice(0, MOST_KEPT);
    });
    // As its other pipes: none keeps an idle process alive.
    stderr?.unref();
    this.#closed = () => {
      child.ref();
      stderr?.ref();
      return closed;
    };
  }
}
