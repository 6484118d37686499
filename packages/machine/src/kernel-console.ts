/**
 * What comes from the kernel's console: text for people, passed on as it comes, and between it lines that tell of faults.
 */
import { FAULT_MARK, type FaultRecord } from "@capos/abi";

export class KernelConsole {
  readonly #decoder = new TextDecoder();
  /** The beginning of a line that tells of a fault; null outside of one. */
  #record: string | null = null;
  #atLineStart = true;

  constructor(
    private readonly onText: (text: string) => void,
    private readonly onFault: (fault: FaultRecord) => void,
  ) {}

  push(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    let plain = "";
    for (const part of text.split(/(?<=\n)/)) {
      if (this.#record === null && !(this.#atLineStart && part.startsWith(FAULT_MARK))) plain += part;
      else this.#record = (this.#record ?? "") + part;
      this.#atLineStart = part.endsWith("\n");
      if (this.#record === null || !this.#atLineStart) continue;
      const fault = parse(this.#record.slice(FAULT_MARK.length));
      // Of a line that the device had no room for a part is missing.
      if (fault === null) plain += this.#record;
      this.#record = null;
      if (fault === null) continue;
      if (plain !== "") this.onText(plain);
      plain = "";
      this.onFault(fault);
    }
    if (plain !== "") this.onText(plain);
  }
}

function parse(line: string): FaultRecord | null {
  try {
    const { process, image, fault, places } = JSON.parse(line) as FaultRecord;
    const isWhole = typeof process === "string" && typeof image === "number" && typeof fault === "string";
    return isWhole && Array.isArray(places) && places.every(Number.isInteger)
      ? { process, image, fault, places }
      : null;
  } catch {
    return null;
  }
}
