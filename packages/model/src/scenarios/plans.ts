/** How scenarios are explored: to exhaustion where that ends, else up to so many preemptions, or by chance. */
import type { Strategy } from "@capos/explorer";

export const EXHAUSTIVE: Strategy = { kind: "dpor" };

export function preemptions(most: number): Strategy {
  return { kind: "bounded", preemptions: most };
}

/** Finds what needs `depth` orderings to come about, in one of many schedules. */
export function byChance(depth: number, seed = 1): Strategy {
  return { kind: "pct", depth, seed };
}
