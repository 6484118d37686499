/**
 * How the samples of rows are spread: a histogram with logarithmic bins, on a log axis. The height of a bin is
 * the square root of its share (a rootogram), so that one sample in a hundred is still seen beside the peak.
 */

import type { MeasuredResult } from "@capos/bench";
import uPlot from "uplot";
import { axis, BARE, pen, plotArea, position } from "./canvas.js";
import type { DistributionPlot, Role } from "./figure.js";
import { FONT, readTheme, type Theme, textWidth } from "./theme.js";
import { durationTick, logTicks } from "./ticks.js";

const HEIGHT = 150;
const TALL = 250;
const PIXELS_A_TICK = 62;
/** Shares that the axis may name. */
const SHARES = [0.01, 0.1, 0.25, 0.5, 1];
/** The part of the samples at each end that the axis need not reach. */
const OUTSIDE = 0.001;
const PERCENTILES = [
  { name: "p50", dash: [] },
  { name: "p90", dash: [5, 3] },
  { name: "p99", dash: [1.5, 2.5] },
] as const;
/** Between two names; nearer ones are written as one. */
const NAME_GAP = 5;

interface Shares {
  /** Bins since 1 ns, the same grid for every row. */
  readonly firstBin: number;
  readonly shares: readonly number[];
  readonly row: MeasuredResult;
  readonly role: Role;
}

/** Draws into an element the distributions of rows that were measured. */
export function drawDistribution(
  element: HTMLElement,
  spec: DistributionPlot,
  rowOf: (name: string) => MeasuredResult,
): uPlot {
  const theme = readTheme();
  const rows = spec.rows.map(({ name, role }) => sharesOf(rowOf(name), role));
  const { binsPerDecade } = rows[0].row.distribution;
  const ends = rows.map(({ firstBin, shares }) => {
    const [low, high] = endsOf(shares);
    return [firstBin + low, firstBin + high] as const;
  });
  const low = Math.min(...ends.map(([first]) => first)) - 1;
  const high = Math.max(...ends.map(([, last]) => last)) + 2;
  const edges = Array.from({ length: high - low + 1 }, (_, i) => 10 ** ((low + i) / binsPerDecade));
  const columns = rows.map(({ firstBin, shares }) => edges.map((_, i) => shares[low + i - firstBin] ?? 0));
  const highest = Math.max(...columns.flat());
  const width = element.clientWidth;
  const range: [number, number] = [edges[0], edges.at(-1)!];
  // The row that the figure is about is drawn last, on top of those that it is compared with.
  const order = rows.map((_, i) => i).reverse();
  const options: uPlot.Options = {
    ...BARE,
    width,
    height: spec.tall === true ? TALL : HEIGHT,
    padding: [14, 18, 0, 0],
    scales: {
      x: { time: false, distr: 3, range: () => range },
      y: { distr: 100, fwd: Math.sqrt, bwd: (root) => root * root, range: () => [0, highest * 1.08] },
    },
    axes: [
      axis(theme, {
        scale: "x",
        side: 2,
        size: 22,
        ticks: logTicks(...range, Math.max(2, Math.floor((width - 50) / PIXELS_A_TICK))),
        format: durationTick,
      }),
      axis(theme, {
        scale: "y",
        side: 3,
        size: 40,
        ticks: SHARES.filter((share) => share <= highest * 1.08),
        format: (share) => `${Math.round(share * 100)} %`,
      }),
    ],
    series: [
      {},
      ...order.map((i) => ({
        scale: "y",
        stroke: theme.role[rows[i].role],
        fill: `${theme.role[rows[i].role]}${i === 0 ? "55" : "33"}`,
        width: 1,
        points: { show: false },
        paths: uPlot.paths.stepped!({ align: 1 }),
      })),
    ],
    hooks: { draw: [(plot) => markPercentiles(plot, rows, range, theme)] },
  };
  return new uPlot(options, [edges, ...order.map((i) => columns[i])], element);
}

function sharesOf(row: MeasuredResult, role: Role): Shares {
  const { binsPerDecade, lowestNs, counts } = row.distribution;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return {
    firstBin: Math.round(Math.log10(lowestNs) * binsPerDecade),
    shares: counts.map((count) => count / total),
    row,
    role,
  };
}

/** The first and the last bin with more than a few samples before it and behind it. */
function endsOf(shares: readonly number[]): [number, number] {
  const past = (list: readonly number[]) => {
    let sum = 0;
    return list.findIndex((share) => {
      sum += share;
      return sum > OUTSIDE;
    });
  };
  return [past(shares), shares.length - 1 - past([...shares].reverse())];
}

function markPercentiles(plot: uPlot, rows: readonly Shares[], range: readonly number[], theme: Theme): void {
  const { line, text } = pen(plot);
  const { top, bottom } = plotArea(plot);
  for (const [index, { row, role }] of rows.entries()) {
    const marks = PERCENTILES.map(({ name, dash }) => ({ name, dash, ns: row[name] })).filter(
      ({ ns }) => ns >= range[0] && ns <= range[1],
    );
    const names: { left: number; right: number; text: string }[] = [];
    for (const { name, dash, ns } of marks) {
      const x = position(plot, ns, "x");
      line({ x, y: top }, { x, y: bottom }, theme.role[role], index === 0 ? 1.25 : 1, dash);
      const last = names.at(-1);
      const half = textWidth(name, FONT) / 2;
      if (last !== undefined && x - half < last.right + NAME_GAP) {
        last.text += ` ${name}`;
        last.right = last.left + textWidth(last.text, FONT);
      } else names.push({ left: x - half, right: x + half, text: name });
    }
    if (index === 0)
      for (const name of names) text(name.text, { x: name.left, y: top - 7 }, theme.role[role]);
  }
}
