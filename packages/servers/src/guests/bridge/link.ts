/** The bridge's end of its device: frames in, and out as the host takes them. */
import type { Sys } from "@capos/abi";
import { IpcError, port, type Steps } from "@capos/libos";
import { encodeFrame, FrameReader, MARK } from "./frame.js";

export class Link {
  readonly #reader = new FrameReader();
  /** Whether the notification was taken while something was sent. */
  #isMissed = false;

  constructor(
    private readonly sys: Sys,
    private readonly device: number,
    private readonly notification: number,
  ) {}

  /** Sends a frame, the first of all behind the mark. Comes back when the device has taken it. */
  *send(frame: readonly number[], isFirst = false): Steps<void> {
    const { sys } = this;
    const bytes = isFirst ? [...MARK] : [];
    encodeFrame(frame, bytes);
    let sent = 0;
    while (sent < bytes.length) {
      const taken = yield* port.write(sys, this.device, bytes, sent);
      sent += taken;
      if (taken > 0) continue;
      // Full. The host takes what is there and interrupts then, perhaps already: the bit waits for us.
      const answer = yield sys.wait(this.notification);
      if (answer < 0) throw new IpcError(answer, "wait for the host");
      this.#isMissed = true;
    }
  }

  /** The next frame of the host's, or null if none has come. */
  *next(): Steps<number[] | null> {
    for (;;) {
      const frame = this.#reader.next();
      if (frame !== null) return frame;
      const bytes = yield* port.read(this.sys, this.device);
      if (bytes === null || bytes.length === 0) return null;
      this.#reader.push(bytes);
    }
  }

  /** Whether there may be frames that nobody was told of; once. */
  takeMissed(): boolean {
    const isMissed = this.#isMissed;
    this.#isMissed = false;
    return isMissed;
  }
}
