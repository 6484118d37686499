/**
 * The slices in which a row and what it is compared with take turns: how long they are, and how a guest is told that
 * one of its own begins.
 *
 * A guest that takes turns has a number. It says `{"turn":N}` when it rests and reads a line: `N go` begins a slice,
 * `N end` is the last it is told. Lines are given to whoever reads first, and one that rests may not have come to read
 * when another has: that one says `{"misled":"N go"}`, and is told again.
 */
import type { Os, Steps } from "@capos/libos";

/** Nanoseconds of a slice, about: long beside what waking somebody up disturbs, short beside what a host's moods last. */
const SLICE_NS = 12e6;
/** With fewer than six an interval says little; more than this, and a long run's slices are longer. */
const MIN_SLICES = 8;
const MAX_SLICES = 200;
/** What warm-up and rehearsal leave of a row's time. */
const SLICED_PART = 0.7;

/** How many slices a row has, and how long each is. */
export interface Slices {
  readonly count: number;
  readonly ns: number;
}

/** @param budgetNs a row's time */
export function slicesOf(budgetNs: number): Slices {
  const ns = SLICED_PART * budgetNs;
  const count = Math.min(MAX_SLICES, Math.max(MIN_SLICES, Math.round(ns / SLICE_NS)));
  return { count, ns: ns / count };
}

const PREFIX = "turn=";

/** The argument that makes a guest take turns under a number from 1 on. */
export function turnArgument(number: number): string {
  return `${PREFIX}${number}`;
}

/** The number under which this guest takes turns, 0 if it is measured alone. */
export function turnNumber(os: Os): number {
  const argument = os.args.find((one) => one.startsWith(PREFIX));
  return argument === undefined ? 0 : Number(argument.slice(PREFIX.length));
}

/** What is told to a guest that rests. */
export function turnLine(number: number, goesOn: boolean): string {
  return `${number} ${goesOn ? "go" : "end"}`;
}

/** What a guest says that was told a line which is not for it. */
function misledLine(line: string): string {
  return JSON.stringify({ misled: line });
}

/** The line that is to be told again, if that is what a guest has said; null if it is anything else. */
export function misledBy(said: string): string | null {
  return /^\{"misled":"(\d+ (?:go|end))"\}$/.exec(said)?.[1] ?? null;
}

/** Rests until it is this guest's turn; false when there is none any more, or never was. */
export function* awaitTurn(os: Os): Steps<boolean> {
  const number = turnNumber(os);
  if (number === 0) return false;
  yield* os.print(JSON.stringify({ turn: number }));
  for (;;) {
    const line = yield* os.readLine();
    if (line === null) throw new Error(`turn ${number}: the input ended`);
    if (line === turnLine(number, true)) return true;
    if (line === turnLine(number, false)) return false;
    yield* os.print(misledLine(line));
  }
}
