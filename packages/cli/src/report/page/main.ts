/**
 * The page's script: draws every plot from the data in the page, and again when the width, the colour scheme or
 * the medium changes.
 */

import "./sharpness.js";
import "uplot/dist/uPlot.min.css";
import "./page.css";
import { visibleTexts } from "@capos/abi";
import type { BenchmarkDocument, MeasuredResult } from "@capos/bench";
import { formatDuration } from "@capos/bench/quantity";
import type uPlot from "uplot";
import { drawCurves } from "./curves.js";
import { drawDistribution } from "./distribution.js";
import { drawDots } from "./dots.js";
import type { Plot, Plots } from "./figure.js";
import { drawTimeline } from "./timeline.js";

/** What is between the tags of a script of JSON. */
function dataOf<T>(id: string): T {
  return shownOf(document.getElementById(id)!.textContent!);
}

/** A value of JSON. Its texts are drawn and told: the canvas would obey marks of direction. */
function shownOf<T>(json: string): T {
  return visibleTexts(JSON.parse(json) as T);
}

const data = dataOf<BenchmarkDocument>("document");
const plots: Record<string, Plot> = { ...dataOf<Plots>("plots") };
const rows = new Map(
  data.results
    .filter((result): result is MeasuredResult => !("refused" in result))
    .map((row) => [row.name, row]),
);
const drawn = new Map<string, uPlot>();

function draw(id: string): void {
  const element = document.getElementById(id)!;
  const plot = plots[id];
  drawn.get(id)?.destroy();
  drawn.set(id, drawnIn(element, plot));
}

function drawnIn(element: HTMLElement, plot: Plot): uPlot {
  switch (plot.kind) {
    case "distribution":
      tell(element, plot.rows.map(({ name }) => percentilesOf(rows.get(name)!)).join(" · "));
      return drawDistribution(element, plot, (name) => rows.get(name)!);
    case "dots":
      return drawDots(element, plot);
    case "curves":
      return drawCurves(element, plot);
    case "timeline":
      return drawTimeline(element, plot, data, (text) => tell(element, text));
  }
}

/** In the line beside a plot, if it has one. */
function tell({ id }: HTMLElement, text: string): void {
  const readout = document.querySelector(`output[for="${id}"]`);
  if (readout !== null) readout.textContent = text;
}

function percentilesOf({ name, p50, p90, p99 }: MeasuredResult): string {
  return `${name} ${[p50, p90, p99].map(formatDuration).join(" / ")}`;
}

function drawAll(): void {
  for (const id of Object.keys(plots)) draw(id);
}

// A choice is a plot of its own: the option holds it.
for (const select of document.querySelectorAll<HTMLSelectElement>("select[data-plot]")) {
  const id = select.dataset.plot!;
  select.addEventListener("change", () => {
    plots[id] = shownOf(select.value);
    draw(id);
  });
}

drawAll();

let width = document.documentElement.clientWidth;
addEventListener("resize", () => {
  if (document.documentElement.clientWidth === width) return;
  width = document.documentElement.clientWidth;
  drawAll();
});
// When these change, the style sheet for the dark or for paper holds already: its colours, and its width.
for (const query of ["(prefers-color-scheme: dark)", "print"])
  matchMedia(query).addEventListener("change", drawAll);
