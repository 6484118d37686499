/**
 * Bytes in, whole lines out. The last one may lack its line break: `rest` has it.
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(private readonly onLine: (line: string) => void) {}

  push(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.onLine(line);
  }

  /** What came after the last line break. */
  get rest(): string {
    return this.#rest;
  }
}
