/** A program that an application has started on a machine: how it does, and its end. */
import { report } from "./callbacks.js";
import { MachineError } from "./errors.js";
import type { RunResult } from "./options.js";
import type { ConsoleStreams } from "./peer/console-streams.js";

export class Program {
  readonly #status: Promise<RunResult>;
  #isAwaited = false;

  /** @internal Use `CaposMachine.spawn`. */
  constructor(
    /** Its number: no other program of this machine ever has it. */
    readonly pid: number,
    status: Promise<RunResult>,
    private readonly end: () => void,
    /** What it prints and reads, if its console is its own; null if that is the machine's. */
    readonly console: ConsoleStreams | null,
  ) {
    this.#status = status;
    status.catch((error: unknown) => {
      // Nobody would learn of a file that is no guest. That the machine has ended is known to whoever ended it.
      if (!this.#isAwaited && !(error instanceof MachineError)) report(error);
    });
  }

  /**
   * How it ended, when nothing of it runs any more. Rejects as `CaposMachine.run` does. An error of one that nobody has
   * asked for reaches the process's `uncaughtException`, unless it is the machine's end.
   */
  get status(): Promise<RunResult> {
    this.#isAwaited = true;
    return this.#status;
  }

  /** Ends it, wherever it stands, and waits until nothing of it runs. Does nothing to one that has ended. */
  async kill(): Promise<void> {
    this.end();
    await this.status.catch(() => {});
  }

  /** Ends it: `await using program = machine.spawn(file)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
