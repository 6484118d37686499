/** What the host has left with init, by way of the bridge, for programs that it is about to have started. */
import { Err } from "@capos/abi";
import { IpcError, type Steps } from "@capos/libos";
import type { Authority } from "./authority.js";

/** At one time. A slot of init's each, which it needs for other things. */
const MAX_DEPOSITS = 256;

export class Deposits {
  /** Handles by number. */
  readonly #kept = new Map<number, number>();

  constructor(private readonly init: Authority) {}

  /** Why nothing can be left under a number; `Err.OK` if it can. */
  objection(number: number): Err {
    if (number === 0) return Err.RANGE;
    if (this.#kept.has(number)) return Err.BUSY;
    return this.#kept.size >= MAX_DEPOSITS ? Err.NO_RESOURCE : Err.OK;
  }

  put(number: number, handle: number): void {
    this.#kept.set(number, handle);
  }

  /** The handle that was left under a number. Throws `IpcError`: `NOT_FOUND`. */
  handleOf(number: number): number {
    const handle = this.#kept.get(number);
    if (handle === undefined) throw new IpcError(Err.NOT_FOUND, `deposit ${number}`);
    return handle;
  }

  *drop(number: number): Steps<void> {
    const handle = this.#kept.get(number);
    if (handle === undefined) return;
    this.#kept.delete(number);
    yield* this.init.drop(handle);
  }

  /** Whoever left them has ended. */
  *dropAll(): Steps<void> {
    for (const number of [...this.#kept.keys()]) yield* this.drop(number);
  }
}
