/**
 * Whether a machine can still be asked for something, and how it ended. Its end is a state that is looked at: what
 * waits is told, and so is whoever comes later.
 */
import { MachineError } from "./errors.js";

export class Lifetime {
  readonly #waiting = new Set<(error: MachineError) => void>();
  #failure: MachineError | null = null;
  #isOver = false;

  /** Nothing new is begun from now on; what was begun may yet be answered. The first reason stays. */
  close(reason: MachineError): void {
    this.#failure ??= reason;
  }

  /** It has ended: nothing is answered any more. */
  end(reason: MachineError): void {
    this.#failure = reason;
    this.#isOver = true;
    for (const reject of this.#waiting) reject(copyOf(reason));
    this.#waiting.clear();
  }

  /** @throws MachineError if it has ended, or is about to */
  check(): void {
    if (this.#failure !== null) throw copyOf(this.#failure);
  }

  /** Comes back at once if nothing has ended. @throws MachineError when it has, if it is about to */
  async open(): Promise<void> {
    if (this.#failure !== null) await this.over();
  }

  /** Waits for the end. @throws MachineError then */
  async over(): Promise<never> {
    if (this.#isOver) throw copyOf(this.#failure!);
    return new Promise((_, reject) => void this.#waiting.add(reject));
  }

  /**
   * Begins something and waits for it, or for the end.
   * @throws MachineError if the machine has ended, or ends meanwhile
   */
  async during<T>(begin: () => T | PromiseLike<T>): Promise<T> {
    await this.open();
    let reject!: (error: MachineError) => void;
    const ended = new Promise<never>((_, refuse) => {
      reject = refuse;
    });
    this.#waiting.add(reject);
    try {
      return await Promise.race([begin(), ended]);
    } finally {
      this.#waiting.delete(reject);
    }
  }
}

/** Each who is told has an error with a stack of its own. */
function copyOf({ message, status, dump }: MachineError): MachineError {
  return new MachineError(message, status, dump);
}
