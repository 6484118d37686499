/** What capos does beside what the host's own ways of doing the like cost. */

import { BASELINE_SUITE, type BenchmarkDocument, comparedWith, type MeasuredResult } from "@capos/bench";
import { formatDuration } from "@capos/bench/quantity";
import { type Figure, measuredRows } from "../figure.js";
import { html } from "../html.js";
import type { DotLine } from "../page/figure.js";
import { quantile } from "../quantile.js";

const SUBJECTS = [
  "call.same-core",
  "call.cross-core",
  "call.cross-core.parked",
  "notify.same-core",
  "notify.cross-core",
  "yield",
  "null-trap",
  "lookup",
  "copy",
  "thread.create-destroy",
  "process.create-kill",
];
const MOST_BASELINES = 4;

export function baselinesFigure(document: BenchmarkDocument): Figure | undefined {
  const rows = measuredRows(document);
  const lines = SUBJECTS.flatMap((name) => {
    const subject = rows.get(name);
    if (subject === undefined) return [];
    const baselines = comparedWith(name)
      .flatMap((other) => rows.get(other) ?? [])
      .filter(({ suite }) => suite === BASELINE_SUITE)
      .slice(0, MOST_BASELINES);
    return baselines.length === 0 ? [] : linesOf(subject, baselines);
  });
  if (lines.length === 0) return undefined;
  return {
    id: "baselines",
    title: "capos beside its baselines",
    caption:
      "In each group capos comes first (coloured), then what the host offers for the like (grey). The mark is the median, the line " +
      "reaches from p1 to p99. At the right: the median, and for a baseline how many times slower (×) or faster (÷) it " +
      "is than capos.",
    layout: "single",
    panels: [
      {
        head: html``,
        description: lines.map(({ label, text }) => `${label} ${text}`).join(", "),
        plot: { kind: "dots", axis: "time per operation", scale: "duration", lines, marks: [] },
      },
    ],
  };
}

function linesOf(subject: MeasuredResult, baselines: readonly MeasuredResult[]): DotLine[] {
  const inOrder = [...baselines].sort((a, b) => a.p50 - b.p50);
  return [subject, ...inOrder].map((row) => ({
    label: row.name,
    role: row === subject ? "capos" : "baseline",
    text: row === subject ? formatDuration(row.p50) : timesOf(row.p50 / subject.p50),
    at: row.p50,
    low: quantile(row.distribution, 0.01),
    high: row.p99,
    first: row === subject,
  }));
}

function timesOf(factor: number): string {
  const times = factor >= 1 ? factor : 1 / factor;
  const digits = times >= 9.95 ? 0 : 1;
  const text = times.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${factor >= 1 ? "×" : "÷"} ${text}`;
}
