/** What it costs to take authority back: over the number of capabilities, of their holders, and under load. */

import type { BenchmarkDocument } from "@capos/bench";
import { formatDuration } from "@capos/bench/quantity";
import { type Figure, familyOf, measuredRows, type Panel } from "../figure.js";
import { html } from "../html.js";
import type { Curve } from "../page/figure.js";
import { curveOf } from "./scaling.js";

const IDLE = "revoke.by-descendants.1000";
const LOADED = "revoke.under-load";

export function revokeFigure(document: BenchmarkDocument): Figure | undefined {
  const panels = [
    descendantsPanel(document),
    eachPanel(document),
    holdersPanel(document),
    loadPanel(document),
  ].filter((panel) => panel !== undefined);
  if (panels.length === 0) return undefined;
  return {
    id: "revoke",
    title: "Revoke",
    caption:
      "The time of one revoke: over the number of capabilities that it ends, and what that is for each of them; for 1,000 capabilities over the " +
      "number of processes that hold them, each busy on a core of its own; and alone beside under the load of calls on other cores " +
      "(rootograms as in the figure of latencies). Bars at the points reach from the fastest to the slowest repetition.",
    layout: "pair",
    panels,
  };
}

function descendantsPanel(document: BenchmarkDocument): Panel | undefined {
  const curve = curveOf(document, "revoke.by-descendants", { label: "revoke", role: "capos" });
  if (curve === undefined) return undefined;
  return {
    head: html`<p class="key"><b>By descendants</b></p>`,
    description: curve.points.map(({ x, y }) => `descendants ${x}: ${formatDuration(y)}`).join("; "),
    plot: { kind: "curves", x: "descendants", y: "time of a revoke", quantity: "duration", curves: [curve] },
  };
}

function eachPanel(document: BenchmarkDocument): Panel | undefined {
  const rows = familyOf(document, "revoke.by-descendants");
  if (rows.length < 2) return undefined;
  const curve: Curve = {
    label: "each",
    role: "capos",
    ideal: false,
    points: rows.map(({ size, row: { p50, trials } }) => ({
      x: size,
      y: p50 / size,
      low: Math.min(p50, ...trials) / size,
      high: Math.max(p50, ...trials) / size,
    })),
  };
  return {
    head: html`<p class="key"><b>For each descendant</b></p>`,
    description: curve.points.map(({ x, y }) => `descendants ${x}: for each ${formatDuration(y)}`).join("; "),
    plot: {
      kind: "curves",
      x: "descendants",
      y: "time / descendants",
      quantity: "duration",
      curves: [curve],
    },
  };
}

function holdersPanel(document: BenchmarkDocument): Panel | undefined {
  const curve = curveOf(document, "revoke.by-holders", { label: "revoke", role: "capos" });
  if (curve === undefined) return undefined;
  return {
    head: html`<p class="key"><b>By holders</b>, 1,000 descendants</p>`,
    description: curve.points.map(({ x, y }) => `holders ${x}: ${formatDuration(y)}`).join("; "),
    plot: {
      kind: "curves",
      x: "holders, each on a core of its own",
      y: "time of a revoke",
      quantity: "duration",
      curves: [curve],
      hardwareThreads: document.machine.hostCpus,
    },
  };
}

function loadPanel(document: BenchmarkDocument): Panel | undefined {
  const rows = measuredRows(document);
  const loaded = rows.get(LOADED);
  if (loaded === undefined) return undefined;
  const idle = rows.get(IDLE);
  const kept =
    loaded.keptThroughput === undefined
      ? ""
      : `; the others keep ${(100 * loaded.keptThroughput).toFixed(0)} % of their throughput`;
  const idleKey =
    idle && html`<p class="key"><i class="baseline"></i><b>Alone</b> ${formatDuration(idle.p50)}</p>`;
  return {
    head: html`<p class="key"><i class="capos"></i><b>Under load</b> ${formatDuration(loaded.p50)}${kept}</p>${idleKey}`,
    description: `under load ${formatDuration(loaded.p50)}${kept}`,
    plot: {
      kind: "distribution",
      tall: true,
      rows: [
        { name: LOADED, role: "capos" },
        ...(idle === undefined ? [] : [{ name: IDLE, role: "baseline" as const }]),
      ],
    },
  };
}
