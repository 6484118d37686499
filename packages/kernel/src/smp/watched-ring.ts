/**
 * The ring that this core watches: the one that its messages mostly come by. Its producer rings no bell for a line, so
 * a message costs the transfer of that line and nothing more (a bell is a read-modify-write of a word that the
 * core reads all the time: two more transfers). How the two sides miss no line: hal/cpu/ring.ts.
 *
 * Whoever watches looks at the next line at each safe point, while it polls, and when it takes part in a grace period,
 * after it has read the period's number: for what was sent before the period was asked for there is no bell. A
 * core that halts, or says that it is quiescent, watches none: such a one is counted by others as passed.
 */
import { LAP_OF_LINE } from "@capos/hal";
import type { Core } from "../state/core.js";

/** Messages in a row by a bell from one core, without a halt or a long run of a guest in between, after which its ring is watched: if none is, and in place of another. */
const WATCH_AFTER = 4;
const CHANGE_AFTER = 16;

/** True if the next line of the watched ring has come. Read plainly: a value that is a turn old only means that it is seen a turn later. */
export function isCalledByLine(k: Core): boolean {
  return k.watched >= 0 && (k.i32[k.watchedLine] & LAP_OF_LINE) === k.watchedLap;
}

/** Watches the ring from a core. Answers the one that was watched before, -1 for none: the caller looks at it once more. */
export function watchRing(k: Core, from: number): number {
  const before = k.watched;
  k.ring.watch(from);
  k.watched = from;
  aimAtLine(k);
  return before;
}

/** The watched ring's line was given back: the next one is another. */
export function aimAtLine(k: Core): void {
  k.watchedLine = k.ring.nextLine(k.watched);
  k.watchedLap = k.ring.nextLap(k.watched);
}

/** Messages have come by a bell from a core whose ring is not watched: whether it is to be, from now on. */
export function isWorthWatching(k: Core, from: number): boolean {
  if (k.lastBellFrom !== from) {
    k.lastBellFrom = from;
    k.bellsInRow = 0;
  }
  k.bellsInRow++;
  return k.bellsInRow >= (k.watched < 0 ? WATCH_AFTER : CHANGE_AFTER);
}
