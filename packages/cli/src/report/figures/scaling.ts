/** What more cores bring: calls on all of them at once, and what it takes to have them. */

import type { BenchmarkDocument, MeasuredResult } from "@capos/bench";
import { type Figure, familyOf, type Panel } from "../figure.js";
import { html } from "../html.js";
import type { Curve, CurvePoint } from "../page/figure.js";

const NS_PER_SECOND = 1e9;

export function scalingFigure(document: BenchmarkDocument): Figure | undefined {
  const panels = [callsPanel(document), bootPanel(document)].filter((panel) => panel !== undefined);
  if (panels.length === 0) return undefined;
  return {
    id: "scaling",
    title: "Scaling over cores",
    caption:
      "Both axes are logarithmic, so proportional growth is a straight line. Right of the dotted vertical line there are more cores " +
      "than hardware threads: cores take turns there, and nothing can grow any more. Bars at the points reach from the fastest to the " +
      "slowest repetition.",
    layout: "pair",
    panels,
  };
}

/** Where a row's repetitions lie, and their common median; a rate is the other way round. */
function pointOf(size: number, { p50, trials }: MeasuredResult, rate: boolean): CurvePoint {
  const fastest = Math.min(p50, ...trials);
  const slowest = Math.max(p50, ...trials);
  if (!rate) return { x: size, y: p50, low: fastest, high: slowest };
  return { x: size, y: NS_PER_SECOND / p50, low: NS_PER_SECOND / slowest, high: NS_PER_SECOND / fastest };
}

export function curveOf(
  document: BenchmarkDocument,
  family: string,
  options: Pick<Curve, "label" | "role"> & { readonly rate?: boolean },
): Curve | undefined {
  const { rate = false, ...rest } = options;
  const points = familyOf(document, family).map(({ size, row }) => pointOf(size, row, rate));
  return points.length < 2 ? undefined : { ...rest, ideal: false, points };
}

function callsPanel(document: BenchmarkDocument): Panel | undefined {
  const calls = curveOf(document, "call.pairs", { label: "call.pairs", role: "capos", rate: true });
  if (calls === undefined) return undefined;
  const { x, y } = calls.points[0];
  const ideal: Curve = {
    label: "ideal",
    role: "baseline",
    ideal: true,
    points: calls.points.map((point) => {
      const most = (y * point.x) / x;
      return { x: point.x, y: most, low: most, high: most };
    }),
  };
  return {
    head: html`<p class="key"><b>Calls a second of all pairs together</b></p>`,
    description: calls.points
      .map((point) => `cores ${point.x}: ${Math.round(point.y).toLocaleString("en-US")} calls a second`)
      .join("; "),
    plot: {
      kind: "curves",
      x: "cores, a pair of threads on each",
      y: "calls a second",
      quantity: "rate",
      curves: [ideal, calls],
      hardwareThreads: document.machine.hostCpus,
    },
  };
}

function bootPanel(document: BenchmarkDocument): Panel | undefined {
  const boot = curveOf(document, "boot", { label: "boot", role: "capos" });
  if (boot === undefined) return undefined;
  const empty = curveOf(document, "workers-empty", { label: "workers-empty", role: "baseline" });
  return {
    head: html`<p class="key"><b>From power-on to init</b>${empty === undefined ? "" : ", beside the start of as many empty workers"}</p>`,
    description: boot.points.map(({ x, y }) => `cores ${x}: ${(y / 1e6).toFixed(0)} ms`).join("; "),
    plot: {
      kind: "curves",
      x: "cores",
      y: "time",
      quantity: "duration",
      curves: empty === undefined ? [boot] : [boot, empty],
      hardwareThreads: document.machine.hostCpus,
    },
  };
}
