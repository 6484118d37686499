/**
 * The run as it went: a dot for each slice of successive samples, its median relative to that of all samples of
 * its row. What disturbs the host moves the dots of all rows that were measured at that time.
 */

import type { BenchmarkDocument, MeasuredResult } from "@capos/bench";
import uPlot from "uplot";
import { axis, BARE, pen, plotArea, position } from "./canvas.js";
import type { Role, TimelinePlot } from "./figure.js";
import { FONT, readTheme, type Theme } from "./theme.js";
import { linearTicks, logTicks } from "./ticks.js";

const HEIGHT = 280;
const PIXELS_A_TICK = 60;
/** Windows of the run whose median the line shows. */
const WINDOWS = 80;
/** With fewer, the line would tell of a row, not of the host. */
const FEWEST_ROWS = 3;
/** The axis shows at least this, and what all but a few dots need. */
const LEAST_RANGE = [0.5, 2] as const;
const BEYOND = 0.01;
/** With more, drawing takes seconds: slices that follow each other share a dot then. */
const MOST_DOTS = 40_000;

interface Dot {
  readonly seconds: number;
  readonly factor: number;
  readonly row: string;
  readonly role: Role;
}

/** Draws into an element; `tell` is called with what is under the pointer. */
export function drawTimeline(
  element: HTMLElement,
  spec: TimelinePlot,
  document: BenchmarkDocument,
  tell: (text: string) => void,
): uPlot {
  const theme = readTheme();
  const rows = document.results.filter((result): result is MeasuredResult => !("refused" in result));
  const slices = rows.reduce(
    (sum, { series }) => sum + series.reduce((all, { medians }) => all + medians.length, 0),
    0,
  );
  const slicesADot = Math.ceil(slices / MOST_DOTS);
  const dots = spec.suites
    .flatMap(({ name, role }) =>
      rows.flatMap((row) => (row.suite === name ? dotsOf(row, role, slicesADot) : [])),
    )
    .sort((a, b) => a.seconds - b.seconds);
  const range = rangeOf(dots);
  // Not Math.max: a long run has more dots than a call may have arguments.
  const end = dots.at(-1)!.seconds;
  const width = element.clientWidth;
  const clamped = dots.map(({ factor }) => Math.min(Math.max(factor, range[0]), range[1]));
  const roles = spec.suites.map(({ role }) => role);
  const line = medians(dots, end);
  const options: uPlot.Options = {
    ...BARE,
    cursor: { ...BARE.cursor, show: true, x: false, y: false, points: { show: false } },
    width,
    height: HEIGHT,
    padding: [18, 8, 0, 0],
    scales: {
      x: { time: false, range: () => [0, end] },
      y: { distr: 3, range: () => range },
    },
    axes: [
      axis(theme, {
        scale: "x",
        side: 2,
        size: 22,
        ticks: linearTicks(0, end, Math.max(3, Math.min(10, Math.floor(width / PIXELS_A_TICK)))),
        format: (seconds) => `${Number(seconds.toPrecision(3))} s`,
        label: "time since the start of the run",
      }),
      axis(theme, {
        scale: "y",
        side: 3,
        size: 40,
        ticks: logTicks(...range, 9),
        format: (factor) => `${Number(factor.toPrecision(2))}×`,
        label: "median of a slice / of its row",
      }),
    ],
    series: [
      {},
      ...roles.map((role) => ({
        scale: "y",
        paths: () => null,
        points: { show: true, size: 3, width: 0, fill: `${theme.role[role]}b0`, space: 0 },
      })),
    ],
    hooks: {
      drawAxes: [(plot) => markRepetitions(plot, document, theme)],
      draw: [(plot) => drawMedians(plot, line, range, theme)],
      setCursor: [(plot) => tellNearest(plot, dots, clamped, tell)],
    },
  };
  const columns = roles.map((role) => dots.map((dot, i) => (dot.role === role ? clamped[i] : null)));
  return new uPlot(options, [dots.map(({ seconds }) => seconds), ...columns], element);
}

function dotsOf({ name, p50, series }: MeasuredResult, role: Role, slicesADot: number): Dot[] {
  return series.flatMap(({ startMs, endMs, medians }) => {
    const count = Math.ceil(medians.length / slicesADot);
    return Array.from({ length: count }, (_, i) => ({
      seconds: (startMs + ((endMs - startMs) * (i + 0.5)) / count) / 1000,
      factor: medianOf(medians.slice(i * slicesADot, (i + 1) * slicesADot)) / p50,
      row: name,
      role,
    }));
  });
}

function rangeOf(dots: readonly Dot[]): [number, number] {
  const sorted = dots.map(({ factor }) => factor).sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return [Math.min(LEAST_RANGE[0], at(BEYOND)), Math.max(LEAST_RANGE[1], at(1 - BEYOND))];
}

/**
 * The median in each window of the run, of what each row has there in the median: a row has one voice, however many
 * samples. Windows with few rows are left out.
 */
function medians(dots: readonly Dot[], end: number): { seconds: number; factor: number }[] {
  const windows = Array.from({ length: WINDOWS }, () => new Map<string, number[]>());
  for (const { seconds, factor, row } of dots) {
    const window = windows[Math.min(WINDOWS - 1, Math.floor((seconds / end) * WINDOWS))];
    const factors = window.get(row);
    if (factors === undefined) window.set(row, [factor]);
    else factors.push(factor);
  }
  return windows.flatMap((rows, i) => {
    if (rows.size < FEWEST_ROWS) return [];
    return [{ seconds: ((i + 0.5) * end) / WINDOWS, factor: medianOf([...rows.values()].map(medianOf)) }];
  });
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function drawMedians(
  plot: uPlot,
  line: readonly { seconds: number; factor: number }[],
  range: readonly [number, number],
  theme: Theme,
): void {
  const draw = pen(plot);
  const points = line.map(({ seconds, factor }) => ({
    x: position(plot, seconds, "x"),
    y: position(plot, Math.min(Math.max(factor, range[0]), range[1]), "y"),
  }));
  for (let i = 1; i < points.length; i++) draw.line(points[i - 1], points[i], theme.paper, 4);
  for (let i = 1; i < points.length; i++) draw.line(points[i - 1], points[i], theme.ink, 1.5);
}

/**
 * A line where a repetition begins, with its number: each, if there is room for that. It is told by the first row that
 * was refused in none.
 */
function markRepetitions(plot: uPlot, { results, run }: BenchmarkDocument, theme: Theme): void {
  if (run.repetitions < 2) return;
  const { line, text } = pen(plot);
  const { top, bottom } = plotArea(plot);
  const measured = results.filter((result): result is MeasuredResult => !("refused" in result));
  const starts = Array.from({ length: run.repetitions }, (_, i) =>
    Math.min(
      ...measured.flatMap(({ series }) => (series.length === run.repetitions ? [series[i].startMs] : [])),
    ),
  ).filter(Number.isFinite);
  let free = Number.NEGATIVE_INFINITY;
  for (const [i, start] of starts.entries()) {
    const x = position(plot, start / 1000, "x");
    if (x < free) continue;
    line({ x, y: top }, { x, y: bottom }, theme.grid, 1.5);
    const name = i === 0 ? "repetition 1" : String(i + 1);
    text(name, { x, y: top - 8 }, theme.muted, "left", FONT);
    free = x + 8 + name.length * 6;
  }
}

function tellNearest(
  plot: uPlot,
  dots: readonly Dot[],
  shown: readonly number[],
  tell: (text: string) => void,
): void {
  const { left = -1, top = -1 } = plot.cursor;
  let nearest: Dot | undefined;
  let distance = 20 ** 2;
  for (const [i, dot] of dots.entries()) {
    const dx = plot.valToPos(dot.seconds, "x") - left;
    const dy = plot.valToPos(shown[i], "y") - top;
    if (dx * dx + dy * dy < distance) {
      distance = dx * dx + dy * dy;
      nearest = dot;
    }
  }
  tell(
    left < 0 || nearest === undefined
      ? ""
      : `${nearest.row}, ${nearest.seconds.toFixed(1)} s: ${nearest.factor.toFixed(2)}×`,
  );
}
