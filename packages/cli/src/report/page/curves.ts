/** Curves over a size, on log axes: points with their ranges, joined, each named at its end. */

import uPlot from "uplot";
import { axis, BARE, pen, plotArea, position } from "./canvas.js";
import type { Curve, CurvePlot } from "./figure.js";
import { FONT, readTheme, type Theme, textWidth } from "./theme.js";
import { countTick, durationTick, logTicks } from "./ticks.js";

const HEIGHT = 250;
const LINE = 14;

export function drawCurves(element: HTMLElement, spec: CurvePlot): uPlot {
  const theme = readTheme();
  const { curves, hardwareThreads } = spec;
  const sizes = [...new Set(curves.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const all = curves.flatMap(({ points }) => points.flatMap(({ low, high }) => [low, high]));
  const range: [number, number] = [Math.min(...all) / 1.25, Math.max(...all) * 1.25];
  const format = spec.quantity === "duration" ? durationTick : countTick;
  const labels = curves.map(({ label }) => textWidth(label, FONT));
  const options: uPlot.Options = {
    ...BARE,
    width: element.clientWidth,
    height: HEIGHT,
    padding: [18, Math.max(...labels) + 12, 0, 0],
    scales: {
      x: { time: false, distr: 3, range: () => [sizes[0] / 1.12, sizes.at(-1)! * 1.12] },
      y: { distr: 3, range: () => range },
    },
    axes: [
      axis(theme, { scale: "x", side: 2, size: 22, ticks: sizes, format: countTick, label: spec.x }),
      axis(theme, { scale: "y", side: 3, size: 46, ticks: logTicks(...range, 7), format, label: spec.y }),
    ],
    series: [
      {},
      ...curves.map(({ role, ideal }) => ({
        scale: "y",
        stroke: ideal ? theme.muted : theme.role[role],
        width: ideal ? 1 : 2,
        spanGaps: true,
        ...(ideal && { dash: [10, 8] }),
        points: { show: !ideal, size: 7, width: 0, fill: theme.role[role] },
      })),
    ],
    hooks: {
      drawAxes: [(plot) => markHardwareThreads(plot, hardwareThreads, theme)],
      draw: [(plot) => nameCurves(plot, curves, theme)],
    },
  };
  const columns = curves.map(({ points }) =>
    sizes.map((size) => points.find(({ x }) => x === size)?.y ?? null),
  );
  return new uPlot(options, [sizes, ...columns], element);
}

function markHardwareThreads(plot: uPlot, hardwareThreads: number | undefined, theme: Theme): void {
  const { min, max } = plot.scales.x!;
  if (hardwareThreads === undefined || hardwareThreads > max! || hardwareThreads < min!) return;
  const { line, text } = pen(plot);
  const { top, bottom, right } = plotArea(plot);
  const x = position(plot, hardwareThreads, "x");
  line({ x, y: top }, { x, y: bottom }, theme.ink, 1, [2, 3]);
  const label = `${hardwareThreads} hardware thread${hardwareThreads === 1 ? "" : "s"}`;
  const fits = x + 4 + textWidth(label, FONT) <= right;
  text(label, { x: fits ? x - 1 : right, y: top - 8 }, theme.ink, fits ? "left" : "right");
}

function nameCurves(plot: uPlot, curves: readonly Curve[], theme: Theme): void {
  const { line, text } = pen(plot);
  const { right } = plotArea(plot);
  for (const { points, role, ideal } of curves) {
    if (ideal) continue;
    for (const { x, low, high } of points) {
      const at = position(plot, x, "x");
      line(
        { x: at, y: position(plot, low, "y") },
        { x: at, y: position(plot, high, "y") },
        theme.role[role],
        1.25,
      );
    }
  }
  const names = curves
    .map(({ label, role, ideal, points }) => ({
      label,
      color: ideal ? theme.muted : theme.role[role],
      y: position(plot, points.at(-1)!.y, "y"),
    }))
    .sort((a, b) => a.y - b.y);
  let free = Number.NEGATIVE_INFINITY;
  for (const { label, color, y } of names) {
    const placed = Math.max(y, free);
    text(label, { x: right + 6, y: placed }, color);
    free = placed + LINE;
  }
}
