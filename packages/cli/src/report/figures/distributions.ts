/** How the samples of the most telling rows are spread, each with what it is compared with; any other by choice. */

import { type BenchmarkDocument, comparedWith, type MeasuredResult } from "@capos/bench";
import { formatDuration } from "@capos/bench/quantity";
import { type Figure, measuredRows, type Panel } from "../figure.js";
import { type Html, html } from "../html.js";
import type { DistributionPlot, Role } from "../page/figure.js";

const TELLING = [
  "call.same-core",
  "call.cross-core",
  "call.cross-core.parked",
  "notify.cross-core",
  "null-trap",
  "transfer.window",
  "revoke.by-descendants.1000",
  "grace-period.idle",
];
const MOST = 7;

export function distributionsFigure(document: BenchmarkDocument): Figure | undefined {
  const rows = measuredRows(document);
  if (rows.size === 0) return undefined;
  const telling = TELLING.flatMap((name) => rows.get(name) ?? []);
  const shown = (telling.length === 0 ? [...rows.values()] : telling).slice(0, MOST);
  const others = [...rows.values()];
  // The choice begins with a row that has no panel of its own.
  const first = others.find((row) => !shown.includes(row));
  return {
    id: "latency",
    title: "How latencies are spread",
    caption:
      "Histograms on a logarithmic time axis, 40 bins a decade; coloured: the row, grey: what it is compared with. The height is the " +
      "square root of the share, so that the one sample in a hundred that is slow is seen beside the many that are not. Lines: p50 " +
      "(solid), p90 (dashed) and p99 (dotted). At either end one sample in a thousand may lie outside.",
    layout: "pair",
    panels: [
      ...shown.map((row) => panelOf(row, rows)),
      ...(first === undefined ? [] : [choicePanel(first, others, rows)]),
    ],
  };
}

function panelOf(row: MeasuredResult, rows: ReadonlyMap<string, MeasuredResult>): Panel {
  const plot = plotOf(row, rows);
  const parts = plot.rows.map(({ name, role }) => ({ row: rows.get(name)!, role }));
  return {
    head: html`${parts.map(({ row, role }) => keyOf(row, role))}`,
    description: parts.map(({ row }) => `${row.name}: ${percentilesOf(row)}`).join("; "),
    plot,
  };
}

function choicePanel(
  first: MeasuredResult,
  others: readonly MeasuredResult[],
  rows: ReadonlyMap<string, MeasuredResult>,
): Panel {
  return {
    head: html``,
    description: "The distribution of a row of your choice",
    plot: plotOf(first, rows),
    readout: true,
    choices: others.map((row) => ({ group: row.suite, name: row.name, plot: plotOf(row, rows) })),
  };
}

function plotOf(row: MeasuredResult, rows: ReadonlyMap<string, MeasuredResult>): DistributionPlot {
  const other = comparedWith(row.name).find((name) => rows.has(name));
  return {
    kind: "distribution",
    rows: [
      { name: row.name, role: "capos" },
      ...(other === undefined ? [] : [{ name: other, role: "baseline" as const }]),
    ],
  };
}

function keyOf(row: MeasuredResult, role: Role): Html {
  return html`<p class="key"><i class="${role}"></i><b>${row.name}</b> <span>${percentilesOf(row)}</span></p>`;
}

function percentilesOf({ p50, p90, p99 }: MeasuredResult): string {
  return [p50, p90, p99].map(formatDuration).join(" / ");
}
