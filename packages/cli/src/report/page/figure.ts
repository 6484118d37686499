/**
 * What a plot shows, as the generator describes it and the page draws it.
 *
 * A description names rows; their samples are in the benchmark's document, which the page holds too. So no
 * figure is in the page twice, and whoever reads the page's source finds the document as `--save` writes it.
 */

/** What a mark stands for. Each has one colour in all plots: page.css. */
export type Role = "capos" | "second" | "third" | "baseline" | "faster" | "slower";

/** One row, or one row in front of others: how its samples are spread. */
export interface DistributionPlot {
  readonly kind: "distribution";
  readonly rows: readonly { readonly name: string; readonly role: Role }[];
  /** As tall as the curves beside it. */
  readonly tall?: boolean;
}

/** Lines under each other on one axis: a mark, and a range around it. */
export interface DotPlot {
  readonly kind: "dots";
  readonly axis: string;
  /** Nanoseconds on a log scale; or parts of one, and how far from 0 in the middle the axis reaches. */
  readonly scale: "duration" | { readonly reach: number };
  readonly lines: readonly DotLine[];
  /** Room is kept for these too, so that plots under each other have their axes in line. */
  readonly widest?: { readonly label: string; readonly text: string };
  /** Dotted lines through all of them. */
  readonly marks: readonly number[];
}

export interface DotLine {
  readonly label: string;
  readonly role: Role;
  /** At the right edge. */
  readonly text: string;
  readonly at: number;
  readonly low: number;
  readonly high: number;
  /** Begins a group: a gap is before it. */
  readonly first: boolean;
}

/** Curves over a size, which doubles or grows tenfold from point to point: both axes are logarithmic. */
export interface CurvePlot {
  readonly kind: "curves";
  readonly x: string;
  readonly y: string;
  readonly quantity: "duration" | "rate";
  readonly curves: readonly Curve[];
  /** A line at this x: sizes to the right of it have more cores than the host has hardware threads. */
  readonly hardwareThreads?: number;
}

export interface Curve {
  readonly label: string;
  readonly role: Role;
  /** What would be, not what was measured: a thin line without points. */
  readonly ideal: boolean;
  readonly points: readonly CurvePoint[];
}

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/** All slices of all rows of some suites in the order of time, each relative to its row's median. */
export interface TimelinePlot {
  readonly kind: "timeline";
  /** In this order; one only, where the reader has chosen it. */
  readonly suites: readonly { readonly name: string; readonly role: Role }[];
}

export type Plot = DistributionPlot | DotPlot | CurvePlot | TimelinePlot;

/** By the id of the element that the plot is drawn in. */
export type Plots = Readonly<Record<string, Plot>>;
