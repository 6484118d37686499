/** Strategies that choose by chance: the same seed and number choose the same. */

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Strategy } from "./types.js";

/** Chooses the next core among `enabled`; `last` is the core of the step before, -1 for none. */
export type Picker = (enabled: number, last: number, depth: number) => number;

/**
 * The choices of one schedule. PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte 2010): the cores have
 * priorities by chance, the one with the highest goes on, and at `depth - 1` steps by chance the core that would
 * have gone on falls below all others.
 */
export function chancePicker(
  strategy: Extract<Strategy, { kind: "pct" | "random" }>,
  cores: number,
  schedule: number,
  expectedSteps: number,
): Picker {
  const random = xoroshiro128plus((strategy.seed ^ Math.imul(schedule + 1, 0x9e3779b1)) | 0);
  const below = (limit: number): number => uniformInt(random, 0, limit - 1);
  if (strategy.kind === "random") {
    return (enabled) => {
      let left = below(bits(enabled));
      let core = 0;
      for (; ; core++) if ((enabled & (1 << core)) !== 0 && left-- === 0) return core;
    };
  }
  const priorities = Array.from({ length: cores }, (_, core) => strategy.depth + core);
  for (let i = cores - 1; i > 0; i--) {
    const j = below(i + 1);
    [priorities[i], priorities[j]] = [priorities[j], priorities[i]];
  }
  const changes = Array.from({ length: strategy.depth - 1 }, () => below(expectedSteps));
  return (enabled, _last, depth) => {
    let core = highest(enabled, priorities);
    const change = changes.indexOf(depth);
    if (change >= 0) {
      priorities[core] = change;
      core = highest(enabled, priorities);
    }
    return core;
  };
}

function bits(mask: number): number {
  let count = 0;
  for (; mask !== 0; mask &= mask - 1) count++;
  return count;
}

function highest(enabled: number, priorities: readonly number[]): number {
  let best = -1;
  for (let core = 0; core < priorities.length; core++)
    if ((enabled & (1 << core)) !== 0 && (best < 0 || priorities[core] > priorities[best])) best = core;
  return best;
}
