/** What checking came to, for people: a line for each scenario as it ends, then all of them together. */
import { type CheckResult, describeStrategy, nameOf, type Progress } from "@capos/explorer/campaign";

const number = (value: number): string => Math.round(value).toLocaleString("en-US");

/** Heads and widths of the columns behind the scenario's name. */
const COLUMNS = [
  ["schedules", 11],
  ["steps", 13],
  ["steps/s", 9],
  ["s", 7],
] as const;
const EXPLORED_WIDTH = 24;
const GAP = "  ";

export class Report {
  private readonly nameWidth: number;

  constructor(names: readonly string[]) {
    this.nameWidth = Math.max("scenario".length, ...names.map((name) => name.length));
  }

  head(): string {
    return this.line(
      "scenario",
      "explored",
      COLUMNS.map(([head]) => head),
      "result",
    );
  }

  result(result: CheckResult): string {
    const { schedules, steps, seconds } = result.counts;
    const figures = [number(schedules), number(steps), number(perSecond(steps, seconds)), seconds.toFixed(1)];
    return this.line(result.scenario, exploredText(result), figures, resultText(result));
  }

  private line(name: string, explored: string, figures: readonly string[], result: string): string {
    const right = figures.map((figure, i) => figure.padStart(COLUMNS[i][1]));
    return [name.padEnd(this.nameWidth), explored.padEnd(EXPLORED_WIDTH), ...right, result].join(GAP);
  }
}

export function perSecond(count: number, seconds: number): number {
  return seconds === 0 ? 0 : count / seconds;
}

/** How much of all schedules a result speaks for. */
export function exploredText({ strategy, outcome }: CheckResult): string {
  if (strategy.kind === "bounded" || outcome !== "complete") return describeStrategy(strategy);
  return "exhaustive";
}

function resultText({ outcome, counterExample, strategy }: CheckResult): string {
  switch (outcome) {
    case "complete":
      return "holds";
    case "failed":
      return `FAILS: ${counterExample?.finding.kind}`;
    case "limit":
      return strategy.kind === "pct" || strategy.kind === "random"
        ? "no failure found"
        : "no failure found up to the limit";
    case "interrupted":
      return "interrupted, no failure found";
  }
}

/** All results together. */
export function totalOf(results: readonly CheckResult[]) {
  const sum = (of: (counts: CheckResult["counts"]) => number) =>
    results.reduce((total, { counts }) => total + of(counts), 0);
  const seconds = sum((counts) => counts.seconds);
  const steps = sum((counts) => counts.steps);
  return {
    scenarios: results.length,
    failed: results.filter(({ outcome }) => outcome === "failed").length,
    complete: results.filter(({ outcome }) => outcome === "complete").length,
    schedules: sum((counts) => counts.schedules),
    redundant: sum((counts) => counts.redundant),
    steps,
    seconds,
    stepsPerSecond: perSecond(steps, seconds),
  };
}

export function totalText(results: readonly CheckResult[], asked: number): string {
  const { failed, schedules, steps, stepsPerSecond, seconds } = totalOf(results);
  const of = results.length < asked ? `${results.length} of ${asked}` : `${asked}`;
  const verdict = failed > 0 ? `${failed} fail${failed === 1 ? "s" : ""}` : "none fails";
  return (
    `${of} scenario${asked === 1 ? "" : "s"}, ${number(schedules)} schedules, ${number(steps)} steps ` +
    `(${number(stepsPerSecond)}/s), ${seconds.toFixed(1)} s: ${verdict}`
  );
}

/** One line while a scenario is explored. */
export function progressText({ counts, schedulesPerSecond, fraction, ...subject }: Progress): string {
  const rest = subject.open === 0 ? "" : `, ${number(subject.open)} parts open`;
  const whole = fraction > 0 ? `, about ${number(fraction * 100)} %` : "";
  return (
    `${nameOf(subject)}: ${number(counts.schedules)} schedules (${number(schedulesPerSecond)}/s), ` +
    `${number(perSecond(counts.steps, counts.seconds))} steps/s, depth ${counts.deepest}${rest}${whole}`
  );
}
