/**
 * A reference: a capability that the host holds. It lies in the bridge's CSpace on the machine; here is a number that
 * stands for it, which is good for this machine alone, and as long as its bridge lives.
 */
import { Err } from "@capos/abi";
import { IpcError } from "@capos/libos";
import { Frame } from "@capos/servers";
import type { Session } from "./session.js";

interface Held {
  readonly session: Session;
  readonly number: number;
}

/** Gives up what nobody in this process can name any more. */
const forgotten = new FinalizationRegistry<Held>(({ session, number }) => session.send([Frame.DROP, number]));

export class Reference {
  #isClosed = false;

  /** @internal They come in replies and requests. */
  constructor(
    readonly session: Session,
    /** What messages name it by. */
    readonly handle: number,
  ) {
    forgotten.register(this, { session, number: handle }, this);
  }

  /** @throws IpcError (`BAD_CAP`) if it was closed, or ended with the bridge */
  check(): void {
    if (this.#isClosed || this.session.isOver) throw new IpcError(Err.BAD_CAP, "reference");
  }

  /** Gives the capability up, and ends the calls that go through it. More than once is fine. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    forgotten.unregister(this);
    this.session.send([Frame.DROP, this.handle]);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
