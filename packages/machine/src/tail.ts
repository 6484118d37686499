/** The end of a text that may grow for ever. */
const MAX_CHARACTERS = 1 << 20;

export class Tail {
  #text = "";

  push(text: string): void {
    this.#text += text;
    // Seldom, so that it costs little.
    if (this.#text.length > 2 * MAX_CHARACTERS) this.#text = this.#text.slice(-MAX_CHARACTERS);
  }

  /** At least the last 2^20 characters, if there were so many. */
  get text(): string {
    return this.#text;
  }
}
