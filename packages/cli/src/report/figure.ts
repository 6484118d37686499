/** A figure of the report: plots that belong together, and what a reader needs to read them. */

import { type BenchmarkDocument, isRefused, type MeasuredResult } from "@capos/bench";
import type { Html } from "./html.js";
import type { Plot } from "./page/figure.js";

export interface Figure {
  /** Begins its plots' ids. */
  readonly id: string;
  readonly title: string;
  /** How to read it, a sentence or two. */
  readonly caption: string;
  /** Beside each other where there is room, or one under the other. */
  readonly layout: "pair" | "single";
  readonly panels: readonly Panel[];
}

export interface Panel {
  /** Above the plot. */
  readonly head: Html;
  /** In place of the plot for who does not see it. */
  readonly description: string;
  readonly plot: Plot;
  /** Other plots that the reader may have in this panel, by what the choice is called. */
  readonly choices?: readonly Choice[];
  /** A line under the plot in which it tells what the pointer is at. */
  readonly readout?: boolean;
}

export interface Choice {
  readonly group: string;
  readonly name: string;
  readonly plot: Plot;
}

/** The measured rows of a document by name. */
export function measuredRows({ results }: BenchmarkDocument): ReadonlyMap<string, MeasuredResult> {
  const measured = results.filter((result): result is MeasuredResult => !isRefused(result));
  return new Map(measured.map((row) => [row.name, row]));
}

/** The measured rows of a family, `boot.1`, `boot.2`, ..., by size. */
export function familyOf(
  document: BenchmarkDocument,
  family: string,
): readonly { readonly size: number; readonly row: MeasuredResult }[] {
  return [...measuredRows(document).values()]
    .flatMap((row) => {
      const size = row.name.startsWith(`${family}.`) ? Number(row.name.slice(family.length + 1)) : Number.NaN;
      return Number.isInteger(size) ? [{ size, row }] : [];
    })
    .sort((a, b) => a.size - b.size);
}
