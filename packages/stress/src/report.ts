/** What a stress run came to, for people. */
import { describeEvent, type StressEvent } from "./event.js";
import type { ScenarioResult, Violation } from "./run.js";

/** A violation: the rule, the excerpt with cores and times since its begin, and how to see it again. */
export function describeViolation({ rule, scenario, seed, excerpt, details }: Violation): string[] {
  const lines = [`${scenario}: violated: ${rule} (seed ${seed})`];
  if (excerpt.length > 0) lines.push(...describeExcerpt(excerpt));
  for (const detail of details ?? []) lines.push(`  ${detail}`);
  return lines;
}

function describeExcerpt(excerpt: readonly StressEvent[]): string[] {
  const inOrder = [...excerpt].sort((a, b) => a.start - b.start || a.end - b.end);
  const first = inOrder[0].start;
  const us = (ns: number) => ((ns - first) / 1000).toFixed(3);
  const rows = inOrder.map((event) => ({ from: us(event.start), to: us(event.end), event }));
  const width = Math.max(2, ...rows.map(({ from, to }) => Math.max(from.length, to.length)));
  const head = `  ${"from µs".padStart(Math.max(width, 7))} ${"to µs".padStart(Math.max(width, 7))}  core thread  what`;
  return [
    head,
    ...rows.map(({ from, to, event }) => {
      const times = [from, to].map((text) => text.padStart(Math.max(width, 7))).join(" ");
      const where = `${String(event.core).padStart(4)} ${String(event.thread).padStart(6)}`;
      return `  ${times}  ${where}  ${describeEvent(event)}`;
    }),
  ];
}

/** All scenarios together. */
export function totalOf(results: readonly ScenarioResult[]) {
  const sum = (of: (result: ScenarioResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const seconds = sum((result) => result.seconds);
  const operations = sum((result) => result.operations);
  return {
    seconds,
    rounds: sum((result) => result.rounds),
    operations,
    operationsPerMinute: seconds === 0 ? 0 : Math.round((operations / seconds) * 60),
    revokes: sum((result) => result.revokes),
    violations: sum((result) => result.violations.length),
  };
}
