/**
 * The control port: lines of JSON to and from the host.
 *
 * Nothing here blocks. What the device does not take is kept and goes on when the device interrupts;
 * until then no more requests are read. So what is kept is bounded: answers to the requests of one
 * read, one exit for each process that can run, and service events up to `MAX_PENDING_BYTES`.
 */
import { utf8Decode, utf8Encode } from "@capos/abi";
import { port, type Steps } from "@capos/libos";
import { type ControlEvent, MAX_REQUEST_BYTES } from "../control-protocol.js";
import type { Authority } from "./authority.js";

const LF = 10;
/** Bytes waiting to go out at which events that nobody asked for are dropped. */
const MAX_PENDING_BYTES = 65536;

/** What came in: a line, or the beginning of one that is too long. */
export type Incoming = { readonly line: string } | { readonly tooLong: string };

export class ControlPort {
  #pending: number[] = [];
  #sent = 0;
  /** The line that is coming in. */
  #line: number[] = [];
  #skipping = false;

  constructor(
    private readonly init: Authority,
    private readonly handle: number,
  ) {}

  /** Says something to the host; it leaves with the next `flush`. */
  send(event: ControlEvent): void {
    for (const byte of utf8Encode(`${JSON.stringify(event)}\n`)) this.#pending.push(byte);
  }

  /** True if the host is so far behind that what it did not ask for is better left unsaid. */
  get isBehind(): boolean {
    return this.#pending.length - this.#sent > MAX_PENDING_BYTES;
  }

  /** Passes on what waits, as far as the device takes it. True if nothing waits any more. */
  *flush(): Steps<boolean> {
    while (this.#sent < this.#pending.length) {
      const taken = yield* port.write(this.init.sys, this.handle, this.#pending, this.#sent);
      if (taken === 0) return false;
      this.#sent += taken;
    }
    this.#pending = [];
    this.#sent = 0;
    return true;
  }

  /** The lines that one read of the device completes; null if there is nothing to read now. */
  *read(): Steps<Incoming[] | null> {
    const bytes = yield* port.read(this.init.sys, this.handle);
    if (bytes === null || bytes.length === 0) return null;
    const lines: Incoming[] = [];
    for (const byte of bytes) {
      if (byte !== LF) this.#add(byte);
      else {
        const text = utf8Decode(this.#line);
        lines.push(this.#skipping ? { tooLong: text } : { line: text });
        this.#line = [];
        this.#skipping = false;
      }
    }
    return lines;
  }

  #add(byte: number): void {
    if (this.#line.length < MAX_REQUEST_BYTES) this.#line.push(byte);
    else this.#skipping = true;
  }
}
