/**
 * Puts events together into rounds, and says which rounds are complete.
 *
 * A round is complete when everything was read that was written before its ROUND_END: one look at all
 * histories after that was seen. So memory holds the rounds that are being played and no more.
 */
import type { StressEvent } from "./event.js";
import type { Finding } from "./finding.js";
import { Kind, ROUNDS_PER_GUEST } from "./guests/vocabulary.js";

export class Rounds {
  readonly #open = new Map<number, StressEvent[]>();
  /** Rounds whose end was in the events added last. */
  #ended: number[] = [];
  /** By guest: the last round that was given away. */
  readonly #over = new Map<number, number>();

  /** Takes what was read in one go; gives the rounds that are complete now, and what came too late. */
  add(events: readonly StressEvent[]): { readonly complete: StressEvent[][]; readonly late: Finding[] } {
    const endedBefore = this.#ended;
    this.#ended = [];
    const late: Finding[] = [];
    for (const event of events) {
      if (event.round <= (this.#over.get(guestOf(event.round)) ?? -1)) {
        late.push({ rule: "when a round has ended, nothing of it happens any more", excerpt: [event] });
        continue;
      }
      const known = this.#open.get(event.round);
      if (known === undefined) this.#open.set(event.round, [event]);
      else known.push(event);
      if (event.kind === Kind.ROUND_END) this.#ended.push(event.round);
    }
    return { complete: endedBefore.map((round) => this.#close(round)), late };
  }

  #close(round: number): StressEvent[] {
    const events = this.#open.get(round)!;
    this.#open.delete(round);
    this.#over.set(guestOf(round), round);
    return events;
  }

  /** Rounds that have not ended, for instance because their guest failed. */
  open(): StressEvent[][] {
    return [...this.#open.values()];
  }
}

function guestOf(round: number): number {
  return Math.floor(round / ROUNDS_PER_GUEST);
}
