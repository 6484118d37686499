/**
 * A driver's way out: bytes to its port, all of them, in order.
 *
 * A full device is waited for by its interrupt. The notification that brings it brings other signals
 * too; those met while waiting are kept in `missed`, for the driver to attend to when it has finished
 * what it is at.
 */
import { type Sys, utf8Encode } from "@capos/abi";
import { IpcError, port, type Steps } from "@capos/libos";

export class Output {
  /** Bits of the notification that were taken here. */
  #missed = 0;

  constructor(
    private readonly sys: Sys,
    private readonly port: number,
    private readonly notification: number,
  ) {}

  /** Comes back when the device has taken the whole text. */
  *write(text: string): Steps<void> {
    const { sys } = this;
    const bytes = utf8Encode(text);
    let sent = 0;
    for (;;) {
      const taken = yield* port.write(sys, this.port, bytes, sent);
      sent += taken;
      if (sent === bytes.length) return;
      if (taken > 0) continue;
      // Full. The host takes what is there and interrupts then, perhaps already: the bit waits for us.
      const answer = yield sys.wait(this.notification);
      if (answer < 0) throw new IpcError(answer, "wait for the device");
      this.#missed |= sys.badge();
    }
  }

  /** The signals that came while something was written, once. */
  takeMissed(): number {
    const bits = this.#missed;
    this.#missed = 0;
    return bits;
  }
}
