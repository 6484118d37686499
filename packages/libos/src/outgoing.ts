/**
 * Capabilities on their way out: those of the message that is being encoded, and how each travels.
 *
 * Filled by `encodeFields`, used up by the trap that follows, settled when that came back. One message
 * is encoded at a time, so a thread needs only one.
 */
import { handleIndex, MAX_MESSAGE_CAPABILITIES, Right, type Sys } from "@capos/abi";
import type { Slots } from "./slots.js";
import type { Steps } from "./steps.js";

/** How a capability leaves. */
export const enum Departure {
  COPIED = 0,
  /** The kernel empties the slot. */
  MOVED = 1,
  /** Copied, and the sender's own is deleted when it has gone. */
  GIVEN = 2,
}

export class Outgoing {
  readonly handles: number[] = [0, 0, 0, 0];
  readonly #rights: number[] = [0, 0, 0, 0];
  readonly #departures: Departure[] = [0, 0, 0, 0];
  /** How many of the message's capabilities are not copied with all their rights; nearly always 0. */
  #special = 0;
  /** Whether a slot of the sender's is to be given back when the message has gone. */
  leaves = false;

  clear(): void {
    this.#special = 0;
    this.leaves = false;
  }

  /** Puts the i-th capability. */
  put(i: number, handle: number, rights: number, departure: Departure): void {
    if (i >= MAX_MESSAGE_CAPABILITIES) return;
    this.handles[i] = handle;
    this.#rights[i] = rights;
    this.#departures[i] = departure;
    if (rights !== Right.ALL || departure !== Departure.COPIED) this.#special++;
    if (departure !== Departure.COPIED) this.leaves = true;
  }

  rightsOf(i: number): number {
    return this.#rights[i]!;
  }

  isMoved(i: number): boolean {
    return this.#departures[i] === Departure.MOVED;
  }

  /** Says on the trap that was just built how its capabilities travel. */
  mark(sys: Sys, trap: number, carried: number): number {
    if (this.#special === 0) return trap;
    for (let i = 0; i < carried; i++) {
      if (this.#rights[i] !== Right.ALL) trap = sys.narrowed(trap, i, this.#rights[i]);
      if (this.#departures[i] === Departure.MOVED) trap = sys.moved(trap, i);
    }
    return trap;
  }

  /** Handles of those that the sender has no more once the message has gone. A list: settling traps. */
  leaving(carried: number): number[] {
    return this.handles.slice(0, carried).filter((_, i) => this.#departures[i] !== Departure.COPIED);
  }
}

/**
 * Empties the slots of what has left, and gives those back that were taken from `slots`. What was moved
 * but not taken by its receiver goes too: whoever gives something away has it no more.
 */
export function* settle(sys: Sys, slots: Slots | undefined, handles: readonly number[]): Steps<void> {
  if (slots === undefined) return;
  for (const handle of handles) if (slots.isTaken(handleIndex(handle))) yield* slots.drop(sys, handle);
}
