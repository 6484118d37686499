/** One titled piece of a rendered state. */
import type { SectionName } from "./state.js";

/** One table, or a list of lines where there are no columns. */
export interface Part {
  readonly section: SectionName;
  readonly title: string;
  /** Heads of the columns; empty for a part whose rows are one line each. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Rows that were left out, after those that are here. */
  readonly leftOut: number;
}

/** How much is shown. */
export interface Limits {
  /** Rows of one part. */
  readonly rows: number;
  /** Children of one node of the tree. */
  readonly children: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({ rows: 400, children: 32 });

/** Makes a table of as many rows as the limits allow. */
export function part(
  section: SectionName,
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  limits: Limits,
): Part {
  const leftOut = Math.max(rows.length - limits.rows, 0);
  return { section, title, columns, rows: leftOut === 0 ? rows : rows.slice(0, limits.rows), leftOut };
}
