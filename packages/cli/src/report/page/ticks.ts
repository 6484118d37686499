/** Where axes have their lines, and what is written there. */

import { formatCount, formatDuration } from "@capos/bench/quantity";

const FINE = [1, 2, 5];

/**
 * Round values from `low` to `high`, both above 0, for a log axis: 1, 2 and 5 of each decade if that makes no
 * more than `most`, else powers of ten, or every so many of them.
 */
export function logTicks(low: number, high: number, most: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const decades = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const within = (ticks: number[]) => ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  for (const steps of [[1, 2, 3, 4, 5, 6, 7, 8, 9], FINE, [1, 3], [1]]) {
    const ticks = within(decades.flatMap((decade) => steps.map((step) => Number(`${step}e${decade}`))));
    if (ticks.length <= most) return ticks;
  }
  for (let every = 2; ; every++) {
    const ticks = within(decades.filter((decade) => decade % every === 0).map((decade) => 10 ** decade));
    if (ticks.length <= most) return ticks;
  }
}

/** About `most` round values from `low` to `high` for a linear axis, 0 among them if it is between. */
export function linearTicks(low: number, high: number, most: number): number[] {
  const rough = (high - low) / most;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * ([...FINE, 10].find((factor) => factor * decade >= rough) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high * 1.0001; i++) ticks.push(i * step);
  return ticks;
}

/** As tables have it, without digits that say nothing: "1 µs". */
export function durationTick(ns: number): string {
  return trimmed(formatDuration(ns));
}

/** A rate or a count: "10 M". */
export function countTick(count: number): string {
  return trimmed(formatCount(count));
}

function trimmed(text: string): string {
  return text.replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");
}
