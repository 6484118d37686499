/** What all plots have in common: axes, sizes, and drawing on top of uPlot in pixels of the page. */

import uPlot from "uplot";
import { canvasFont, FONT, type Theme } from "./theme.js";

export interface Pen {
  line(from: Point, to: Point, color: string, width?: number, dash?: readonly number[]): void;
  text(text: string, at: Point, color: string, align?: CanvasTextAlign, font?: string): void;
}

/** Pixels of the page from the upper left corner of the canvas. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The area between the axes, in pixels of the page. */
export function plotArea(plot: uPlot) {
  const { left, top, width, height } = plot.bbox;
  const scaled = (dots: number) => dots / uPlot.pxRatio;
  return {
    left: scaled(left),
    top: scaled(top),
    right: scaled(left + width),
    bottom: scaled(top + height),
  };
}

/** Where a value of a scale is, in pixels of the page from the edge of the canvas. */
export function position(plot: uPlot, value: number, scale: string): number {
  return plot.valToPos(value, scale, true) / uPlot.pxRatio;
}

/** Draws on the canvas of a plot, in one of its hooks. */
export function pen(plot: uPlot): Pen {
  const { ctx } = plot;
  const ratio = uPlot.pxRatio;
  return {
    line(from, to, color, width = 1, dash = []) {
      ctx.save();
      ctx.strokeStyle = color;
      ctx.lineWidth = width * ratio;
      ctx.setLineDash(dash.map((part) => part * ratio));
      ctx.beginPath();
      ctx.moveTo(from.x * ratio, from.y * ratio);
      ctx.lineTo(to.x * ratio, to.y * ratio);
      ctx.stroke();
      ctx.restore();
    },
    text(text, at, color, align = "left", font = FONT) {
      ctx.save();
      ctx.fillStyle = color;
      ctx.font = canvasFont(font);
      ctx.textAlign = align;
      ctx.textBaseline = "middle";
      ctx.fillText(text, at.x * ratio, at.y * ratio);
      ctx.restore();
    },
  };
}

/** An axis with these ticks and no others. */
export function axis(
  theme: Theme,
  options: {
    readonly scale: string;
    readonly side: uPlot.Axis.Side;
    readonly ticks: readonly number[];
    readonly format: (value: number) => string;
    readonly size: number;
    readonly label?: string;
  },
): uPlot.Axis {
  const { scale, side, ticks, format, size, label } = options;
  return {
    scale,
    side,
    size,
    stroke: theme.muted,
    font: FONT,
    gap: 4,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { show: false },
    splits: () => [...ticks],
    filter: (_plot, splits) => splits,
    values: (_plot, splits) => splits.map((value) => (value === null ? "" : format(value))),
    ...(label !== undefined && { label, labelFont: FONT, labelSize: 18, labelGap: 0 }),
  };
}

/** What no plot of a report has: a legend of uPlot's, and zooming by a drag, which would hinder scrolling. */
export const BARE = {
  legend: { show: false },
  cursor: { show: false, drag: { x: false, y: false } },
} satisfies Partial<uPlot.Options>;
