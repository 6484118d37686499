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

  /** Takes what was read in one go; gives the rounds that are complete now, and what came too late or makes no sense. */
  add(events: readonly StressEvent[]): {
    readonly complete: StressEvent[][];
    readonly unusable: Finding[];
  } {
    const endedBefore = this.#ended;
    this.#ended = [];
    const unusable: Finding[] = [];
    for (const event of events) {
      if (!isSound(event)) {
        // A kernel that writes where it must not may hit a history too.
        unusable.push({ rule: "a history holds what guests recorded", excerpt: [event] });
        continue;
      }
      if (event.round <= (this.#over.get(guestOf(event.round)) ?? -1)) {
        unusable.push({ rule: "when a round has ended, nothing of it happens any more", excerpt: [event] });
        continue;
      }
      const known = this.#open.get(event.round);
      if (known === undefined) this.#open.set(event.round, [event]);
      else known.push(event);
      if (event.kind === Kind.ROUND_END) this.#ended.push(event.round);
    }
    return { complete: endedBefore.map((round) => this.#close(round)), unusable };
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

function isSound({ start, end, round, id }: StressEvent): boolean {
  return (
    start <= end &&
    Number.isFinite(start) &&
    Number.isFinite(end) &&
    round >= 0 &&
    Number.isInteger(round) &&
    Number.isInteger(id)
  );
}

function guestOf(round: number): number {
  return Math.floor(round / ROUNDS_PER_GUEST);
}
