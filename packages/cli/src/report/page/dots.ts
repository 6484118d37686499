/** Lines under each other on one axis: labels on the left, a mark with its range, a text on the right. */

import uPlot from "uplot";
import { axis, BARE, pen, plotArea, position } from "./canvas.js";
import type { DotPlot } from "./figure.js";
import { BOLD, FONT, readTheme, type Theme, textWidth } from "./theme.js";
import { durationTick, linearTicks, logTicks } from "./ticks.js";

const LINE = 18;
const GAP = 0.55;
const AXIS = 42;
const PIXELS_A_TICK = 58;

export function drawDots(element: HTMLElement, spec: DotPlot): uPlot {
  const theme = readTheme();
  const width = element.clientWidth;
  const { lines, scale } = spec;
  const heights = heightsOf(spec);
  const tallest = heights.at(-1)! + 0.6;
  const texts = [...lines, ...(spec.widest === undefined ? [] : [spec.widest])];
  const left = Math.max(...texts.map(({ label }) => textWidth(label, BOLD))) + 8;
  const right = Math.max(...texts.map(({ text }) => textWidth(text, FONT))) + 8;
  const range = rangeOf(spec);
  const clamp = (value: number) => Math.min(Math.max(value, range[0]), range[1]);
  const most = Math.max(2, Math.floor((width - left - right) / PIXELS_A_TICK));
  // uPlot wants its x in rising order: lines are counted from the bottom.
  const ups = [...heights].reverse().map((height) => tallest - height);
  const options: uPlot.Options = {
    ...BARE,
    width,
    height: Math.round((tallest + 0.6) * LINE) + AXIS,
    padding: [0, right, 0, 0],
    scales: {
      x: { time: false, ori: 1, range: () => [0, tallest + 0.6] },
      y: { ori: 0, distr: scale === "duration" ? 3 : 1, range: () => range },
    },
    axes: [
      { scale: "x", side: 3, size: left, values: () => [], grid: { show: false }, ticks: { show: false } },
      axis(theme, {
        scale: "y",
        side: 2,
        size: 22,
        ticks: scale === "duration" ? logTicks(...range, most) : linearTicks(...range, Math.min(most, 9)),
        format: scale === "duration" ? durationTick : changeTick,
        label: spec.axis,
      }),
    ],
    series: [
      {},
      ...Object.entries(theme.role).map(([role, color]) => ({
        scale: "y",
        paths: () => null,
        points: { show: true, size: role === "baseline" ? 7 : 8.5, width: 0, fill: color, stroke: color },
      })),
    ],
    hooks: { drawAxes: [(plot) => drawLines(plot, spec, heights, tallest, clamp, theme)] },
  };
  const columns = Object.keys(theme.role).map((role) =>
    [...lines].reverse().map((line) => (line.role === role ? clamp(line.at) : null)),
  );
  return new uPlot(options, [ups, ...columns], element);
}

/** How far each line is from the top, in lines. */
function heightsOf({ lines }: DotPlot): number[] {
  let height = 0;
  return lines.map(({ first }, i) => {
    if (i > 0) height += first ? 1 + GAP : 1;
    return height;
  });
}

function rangeOf({ lines, scale, marks }: DotPlot): [number, number] {
  const lows = [...lines.map(({ low }) => low), ...marks];
  const highs = [...lines.map(({ high }) => high), ...marks];
  if (scale === "duration") {
    // Not further than a decade below the marks: small differences of large times have samples about 0.
    const least = Math.min(...lines.map(({ at }) => at)) / 10;
    return [Math.max(least, Math.min(...lows)) / 1.3, Math.max(...highs) * 1.3];
  }
  return [-scale.reach, scale.reach];
}

function changeTick(part: number): string {
  const percent = Math.round(part * 100);
  return `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent)} %`;
}

function drawLines(
  plot: uPlot,
  { lines, marks }: DotPlot,
  heights: readonly number[],
  tallest: number,
  clamp: (value: number) => number,
  theme: Theme,
): void {
  const { line, text } = pen(plot);
  const { left, right, top, bottom } = plotArea(plot);
  for (const mark of marks) {
    const x = position(plot, mark, "y");
    line({ x, y: top }, { x, y: bottom }, theme.muted, 1, mark === 0 ? [] : [3, 3]);
  }
  for (const [index, one] of lines.entries()) {
    const y = position(plot, tallest - heights[index], "x");
    const { role } = one;
    const isBaseline = role === "baseline";
    const color = theme.role[role];
    const xOf = (value: number) => position(plot, clamp(value), "y");
    line({ x: xOf(one.low), y }, { x: xOf(one.high), y }, color, isBaseline ? 1.5 : 2);
    text(
      one.label,
      { x: left - 8, y },
      isBaseline ? theme.muted : theme.ink,
      "right",
      isBaseline ? FONT : BOLD,
    );
    text(one.text, { x: right + 8, y }, isBaseline ? theme.muted : theme.ink);
  }
}
