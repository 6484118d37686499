/**
 * What the things in a round do when operations come one at a time: the contract that histories are judged by.
 *
 * Each capability is a thing of its own. A revoke of what it came from is one operation on each of them, at
 * any instant of the revoke: revoke works through its subtree bit by bit, and promises only that it is
 * done when it comes back.
 */
import type { Specification, Timed } from "@capos/explorer/history";
import type { StressEvent } from "./event.js";

/** An operation on one thing, with the events that it was read from. */
export interface Deed<Act> extends Timed {
  readonly act: Act;
  readonly events: readonly StressEvent[];
}

/** What can happen to a capability. */
export const enum Authority {
  /** It came to be: a copy was made, a message arrived with it. */
  MADE = 0,
  /** Something was done through it. */
  USED = 1,
  /** It was said to be no capability (any more). */
  REFUSED = 2,
  /** Something that it was derived from was revoked, its direct source. */
  SOURCE_REVOKED = 3,
  /** Something that its source was derived from was revoked: afterwards nothing can be made from that. */
  ANCESTOR_REVOKED = 4,
  /** A revoke of something above gave up, for its own capability had been revoked; how far it came nobody knows. */
  REVOKE_GAVE_UP = 5,
  DELETED = 6,
  /** It was used to be moved away. */
  MOVED = 7,
}

const enum Life {
  /** Not made yet. */
  ABSENT = 0,
  LIVE = 1,
  DEAD = 2,
  /** Not made, and what it would be made from is dead. */
  BARRED = 3,
}

const NOWHERE: readonly number[] = Object.freeze([]);
const TO: readonly (readonly number[])[] = Object.freeze(
  [Life.ABSENT, Life.LIVE, Life.DEAD, Life.BARRED].map((life) => Object.freeze([life])),
);
const LIVE_OR_DEAD: readonly number[] = Object.freeze([Life.LIVE, Life.DEAD]);
const ABSENT_OR_BARRED: readonly number[] = Object.freeze([Life.ABSENT, Life.BARRED]);

function stepOfCapability(state: number, { act }: Deed<Authority>): readonly number[] {
  switch (act) {
    case Authority.MADE:
      return state === Life.ABSENT ? TO[Life.LIVE] : NOWHERE;
    case Authority.USED:
      return state === Life.LIVE ? TO[Life.LIVE] : NOWHERE;
    case Authority.MOVED:
      return state === Life.LIVE ? TO[Life.DEAD] : NOWHERE;
    case Authority.REFUSED:
      return state === Life.LIVE ? NOWHERE : TO[state];
    case Authority.SOURCE_REVOKED:
    case Authority.DELETED:
      return state === Life.LIVE ? TO[Life.DEAD] : TO[state];
    case Authority.ANCESTOR_REVOKED:
      if (state === Life.LIVE) return TO[Life.DEAD];
      return state === Life.ABSENT ? TO[Life.BARRED] : TO[state];
    case Authority.REVOKE_GAVE_UP:
      if (state === Life.LIVE) return LIVE_OR_DEAD;
      return state === Life.ABSENT ? ABSENT_OR_BARRED : TO[state];
  }
}

/** A capability that has to be made. */
export const capability: Specification<number, Deed<Authority>> = {
  initial: Life.ABSENT,
  step: stepOfCapability,
  key: (state) => state,
  needs: (_later, earlier) => earlier.act === Authority.MADE,
};

/** One that was there before. */
export const givenCapability: Specification<number, Deed<Authority>> = {
  initial: Life.LIVE,
  step: stepOfCapability,
  key: (state) => state,
};

/** What can happen to a thread or process. */
export const enum Doing {
  ACTED = 0,
  ENDED = 1,
}

/** A thread or process does nothing after its end. */
export const living: Specification<number, Deed<Doing>> = {
  initial: Life.LIVE,
  step(state, { act }) {
    if (act === Doing.ENDED) return TO[Life.DEAD];
    return state === Life.LIVE ? TO[Life.LIVE] : NOWHERE;
  },
  key: (state) => state,
};

/** What can happen to a minted badge. */
export const enum Descent {
  GAINED = 0,
  LOST = 1,
  /** Its endpoint said that it has no descendants left. */
  HEARD = 2,
  /** Nothing will be said any more. */
  OVER = 3,
}

/** How many descendants there are, and whether it has still to be said that there are none. */
interface Descendants {
  readonly count: number;
  readonly untold: boolean;
}

/** It is said once, each time the last descendant has gone. */
export const descendants: Specification<Descendants, Deed<Descent>> = {
  initial: { count: 0, untold: false },
  step({ count, untold }, { act }) {
    switch (act) {
      case Descent.GAINED:
        return [{ count: count + 1, untold }];
      case Descent.LOST:
        return count === 0 ? [] : [{ count: count - 1, untold: untold || count === 1 }];
      case Descent.HEARD:
        return count === 0 && untold ? [{ count, untold: false }] : [];
      case Descent.OVER:
        return untold ? [] : [{ count, untold }];
    }
  },
  key: ({ count, untold }) => (untold ? -1 - count : count),
  // A copy takes its deletion along, and a deletion what was said afterwards: without it, that would be a lie.
  needs: (later, earlier) =>
    (earlier.act === Descent.GAINED &&
      later.act === Descent.LOST &&
      earlier.events[0].id === later.events[0].id) ||
    (earlier.act === Descent.LOST && later.act === Descent.HEARD),
};
