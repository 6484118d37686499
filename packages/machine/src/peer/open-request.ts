/** A guest's request that the host has not answered yet: whether its answer is still wanted, and who is to be told if not. */
import { Err } from "@capos/abi";
import { IpcError } from "@capos/libos";

/** What a handler of the host's knows of the request at hand. */
export interface PeerContext {
  /** The name of the method. */
  readonly method: string;
  /**
   * Aborts when nobody waits for the answer any more, within about 50 ms. Its reason says why: an IpcError `PEER_DIED` (the caller
   * has ended, or the bridge) or `REVOKED` (`close` was called; who waits still gets an answer), or the MachineError of a
   * machine that has ended. What the handler answers to nobody goes nowhere, and so does what it throws because of
   * this: the reason itself, or an AbortError.
   */
  readonly signal: AbortSignal;
}

export class OpenRequest {
  #abort: AbortController | null = null;
  /** Why its answer is not wanted any more; null while it is. */
  #reason: unknown = null;

  /** @param onWatched the handler has asked for the signal: it wants to know when nobody waits any more */
  constructor(
    private readonly title: string,
    private readonly onWatched: () => void,
  ) {}

  get isOver(): boolean {
    return this.#reason !== null;
  }

  /** What whoever still waits is answered with when it is over. */
  get code(): number {
    return this.#reason instanceof IpcError ? this.#reason.code : Err.PEER_DIED;
  }

  /** Its caller has ended, or was made to give up. */
  lose(): void {
    this.end(new IpcError(Err.PEER_DIED, this.title, "its caller is gone"));
  }

  /** Its answer is not wanted any more. */
  end(reason: unknown): void {
    this.#reason ??= reason;
    this.#abort?.abort(this.#reason);
  }

  /** Whether a handler threw this because it was told that it is over. */
  isReason(error: unknown): boolean {
    return this.isOver && (error === this.#reason || (error as Error | null)?.name === "AbortError");
  }

  /** What its handler is given. Own properties: who passes it on may spread it. */
  context(method: string): PeerContext {
    const signal = (): AbortSignal => this.#signal();
    return {
      method,
      get signal() {
        return signal();
      },
    };
  }

  /** Made when it is first asked for: to look whether callers are there costs something, and most handlers do not want to know. */
  #signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.isOver) this.#abort.abort(this.#reason);
      else this.onWatched();
    }
    return this.#abort.signal;
  }
}
