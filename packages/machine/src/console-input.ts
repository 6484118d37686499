/** The console's input, taken from whoever gives it when a guest asks, and no further. */
import { call, report } from "./callbacks.js";
import type { BootOptions } from "./options.js";

export class ConsoleInput {
  #isAsking = false;
  #isOver = false;

  constructor(
    private readonly give: NonNullable<BootOptions["onInput"]>,
    private readonly feed: (bytes: Uint8Array) => void,
    private readonly close: () => void,
  ) {}

  /** A guest asks. */
  readonly want = (): void => {
    if (this.#isAsking || this.#isOver) return;
    this.#isAsking = true;
    void this.#take();
  };

  async #take(): Promise<void> {
    // One that fails has no more to give.
    const bytes = (await call(this.give)) ?? null;
    this.#isAsking = false;
    if (bytes instanceof Uint8Array) {
      if (bytes.length > 0) this.feed(bytes);
      // Nothing is no end. Whoever has nothing yet should wait until there is some.
      else setImmediate(this.want);
      return;
    }
    if (bytes !== null) report(new TypeError("onInput must answer a Uint8Array or null"));
    this.#isOver = true;
    this.close();
  }
}
