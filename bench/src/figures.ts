/**
 * What guests print, read back: see `guests/report.ts`. A guest is measured code, not trusted code, but
 * a line that is none of its own must not become a number in a table.
 */
import type { Figures } from "./guests/report.js";
import type { Measurement } from "./statistics.js";
import { nearestRank } from "./statistics.js";

/** A row could not be measured: names it, with its suite, and says why. */
export class RowError extends Error {
  override readonly name = "RowError";

  /** @param row as `labelOf` gives it */
  constructor(row: string, what: string) {
    super(`${row}: ${what}`);
  }
}

/** What a row is called in errors: "ipc row yield". */
export function labelOf(suite: string, name: string): string {
  return `${suite} row ${name}`;
}

/** Joins the lines that one guest printed. Throws RowError for a line that is no figures. */
export function readFigures(row: string, lines: readonly string[]): Figures {
  const figures: Record<string, number | number[]> = {};
  for (const line of lines) {
    for (const [name, value] of Object.entries(parseLine(row, line))) {
      const before = figures[name];
      if (typeof value === "number") figures[name] = value;
      else if (Array.isArray(before)) before.push(...value);
      else figures[name] = [...value];
    }
  }
  return figures;
}

function parseLine(row: string, line: string): Figures {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Falls through: undefined is no figures.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const isFigure = (one: unknown) =>
      typeof one === "number" || (Array.isArray(one) && one.every(Number.isFinite));
    if (Object.values(value).every(isFigure)) return value as Figures;
  }
  throw new RowError(row, `its guest printed ${JSON.stringify(line.slice(0, 80))}, which is no figures`);
}

/** Throws RowError if there is no such number. */
export function numberOf(row: string, figures: Figures, name: string): number {
  const value = figures[name];
  if (typeof value === "number") return value;
  throw new RowError(row, `its guest did not tell ${name}`);
}

/** Throws RowError if there is no such list. */
export function listOf(row: string, figures: Figures, name: string): readonly number[] {
  const value = figures[name];
  if (typeof value === "object") return value;
  throw new RowError(row, `its guest did not tell ${name}`);
}

/** What a guest's samples are as a measurement. */
export function measurementOf(row: string, figures: Figures): Measurement {
  return {
    samples: listOf(row, figures, "samples"),
    ...(figures.overhead !== undefined && { overhead: listOf(row, figures, "overhead") }),
    ...(figures.control !== undefined && { control: listOf(row, figures, "control") }),
    operationsPerSample: numberOf(row, figures, "operationsPerSample"),
  };
}

/**
 * Bytes that one call allocates: how much more the heap grows over a batch of calls than over none. A
 * batch with a scavenge in it shrinks the heap and is left out.
 */
export function bytesPerCall(row: string, figures: Figures): number {
  const growth =
    medianGrowth(listOf(row, figures, "growth")) - medianGrowth(listOf(row, figures, "emptyGrowth"));
  return Math.max(0, growth / numberOf(row, figures, "batchCalls"));
}

function medianGrowth(growths: readonly number[]): number {
  const grown = Float64Array.from(growths.filter((growth) => growth >= 0)).sort();
  return grown.length === 0 ? 0 : nearestRank(grown, 0.5);
}

/** A garbage collection of a core's worker. */
export interface Collection {
  readonly core: number;
  readonly startNs: number;
  readonly durationNs: number;
}

/** The longest collection of that core with any part of it between two times; 0 if there was none. */
export function longestCollection(
  collections: readonly Collection[],
  core: number,
  fromNs: number,
  toNs: number,
): number {
  let longest = 0;
  for (const { core: of, startNs, durationNs } of collections) {
    if (of === core && startNs < toNs && startNs + durationNs > fromNs)
      longest = Math.max(longest, durationNs);
  }
  return longest;
}
