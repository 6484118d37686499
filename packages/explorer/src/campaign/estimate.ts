/**
 * How much of a search is done, for people: each unit has a share of the whole, a place's share is divided evenly
 * among what is to be explored there. What the search learns to need later makes that too much, so it
 * is an estimate, and a number that may fall.
 */
import type { FrameState, SliceResult, Unit } from "../explore/types.js";

export class Estimate {
  private done: number;
  private open: number;
  private readonly shares = new Map<string, number>();
  /** What a unit gets that nothing is known of. */
  private usual: number;

  /** `fraction` was done before, and the rest is in so many units. */
  constructor(fraction = 0, units = 1) {
    this.done = fraction;
    this.open = 1 - fraction;
    this.usual = units === 0 ? 0 : this.open / units;
  }

  /** From 0 to 1. */
  get fraction(): number {
    const all = this.done + this.open;
    return all === 0 ? 1 : Math.min(1, this.done / all);
  }

  /** A unit came back. */
  give(unit: Unit, { frames }: SliceResult): void {
    const key = keyOf(unit.path, unit.take);
    const share = this.shares.get(key) ?? this.usual;
    this.shares.delete(key);
    this.open -= share;
    // The part of the share below the frame that is looked at.
    let below = share;
    let left = 0;
    for (const frame of frames) {
      const each = below / bits(frame.backtrack | frame.done);
      for (const take of openAt(frame)) {
        this.shares.set(keyOf(frame.path, take), each);
        left += each;
        this.usual = each;
      }
      below = each;
    }
    this.open = Math.max(0, this.open + left);
    this.done += share - left;
  }
}

function openAt({ backtrack, done, asleep }: FrameState): number[] {
  const mask = backtrack & ~done & ~asleep;
  return [0, 1, 2, 3].filter((core) => (mask & (1 << core)) !== 0);
}

function keyOf(path: string, take: number): string {
  return `${path}:${take}`;
}

function bits(mask: number): number {
  let count = 0;
  for (; mask !== 0; mask &= mask - 1) count++;
  return count;
}
