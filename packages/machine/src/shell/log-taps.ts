/** Those who read along what a machine logs. */
import { call } from "../callbacks.js";

export class LogTaps {
  readonly #taps = new Set<(line: string) => void>();

  /** @param sink takes the lines in any case */
  constructor(private readonly sink: (line: string) => unknown) {}

  readonly write = (line: string): unknown => {
    for (const tap of this.#taps) call(tap, line);
    return this.sink(line);
  };

  add(tap: (line: string) => void): void {
    this.#taps.add(tap);
  }

  remove(tap: (line: string) => void): void {
    this.#taps.delete(tap);
  }
}
