/**
 * The benchmark's document as terminal tables, one per suite, no line wider than `TABLE_WIDTH`
 * unless a name is. Under a row stands what its numbers mean: how it compares, what it allocates, or
 * why it was refused.
 */
import { visibleTexts } from "@capos/abi";
import { slicesDisagree } from "./paired.js";
import { formatBytes, formatCount, formatDuration, formatInterval, formatRatio } from "./quantity.js";
import {
  type BenchmarkDocument,
  comparedWith,
  type Machine,
  type MeasuredResult,
  type Result,
} from "./result.js";
import {
  COLUMN_GAP,
  columns,
  joinWithin,
  type Palette,
  paletteOf,
  plural,
  TABLE_WIDTH,
  widest,
  wrap,
} from "./text.js";
import { isRefused } from "./trial.js";

export interface TableOptions {
  /** Emphasis by terminal escapes; off by default. */
  readonly color?: boolean;
}

/** Of the two columns that hold words, the same in all tables. */
interface LabelWidths {
  readonly name: number;
  readonly operation: number;
}

const FIGURES = ["n", "min", "p50", "p90", "p99", "max", "mean", "ops/s"] as const;
/** Ratios shown; the document has them all. */
const MAX_RATIOS = 3;
/** The widest that quantity.ts makes: "1.23 ms". */
const FIGURE_WIDTH = 7;
const READING =
  "Below 20 µs a sample is the mean of a batch, so p99 and max are of batches. A ratio with an interval is the median of " +
  "slices that took turns; one with ~ is of medians of the whole run.";
/** Indents what belongs to the row above. */
const REMARK_INDENT = "  ";

/** The whole document: the machine, a warning where cores outnumber hardware threads, the tables. */
export function renderDocument(given: BenchmarkDocument, options: TableOptions = {}): string {
  const document = visibleTexts(given);
  const palette = paletteOf(options.color);
  const suites = new Map<string, Result[]>();
  for (const result of document.results) {
    const rows = suites.get(result.suite);
    if (rows === undefined) suites.set(result.suite, [result]);
    else rows.push(result);
  }
  const widths: LabelWidths = {
    name: widest(document.results.flatMap(({ suite, name }) => [suite, name])),
    operation: widest(["per", ...document.results.map(operationOf)]),
  };
  const parts = [renderMachine(document, palette)];
  for (const [suite, rows] of suites) parts.push(renderSuite(suite, rows, widths, palette));
  return `${parts.join("\n\n")}\n`;
}

/**
 * Rows that depend on more CPUs at once than the host has, so that their time is partly a wait for
 * its scheduler. Between two cores every row is touched as soon as cores outnumber hardware threads:
 * the spin bound adapts, and a receiver halts sooner. A refused row has no time to wait with.
 */
export function rowsShortOfCpus(machine: Machine, results: readonly Result[]): string[] {
  const { cores, hostCpus } = machine;
  return results
    .filter((result) => !isRefused(result))
    .map(({ name }) => name)
    .filter((name) => {
      if (/\.cross-core(\.|$)|^grace-period\.(?:guests|traps)$/.test(name)) return cores > hostCpus;
      if (name === "sab-spin") return hostCpus < 2;
      const size = /^(?:(?:top\.)?call\.pairs|boot|workers-empty|revoke\.by-holders)\.(\d+)$/.exec(name)?.[1];
      return size !== undefined && Number(size) > hostCpus;
    });
}

function renderMachine({ machine, run, results }: BenchmarkDocument, palette: Palette): string {
  const { node, hostCpus, cores, memoryMiB } = machine;
  const lines = [
    `${palette.bold("capos benchmark")}   Node ${node} · ${plural(hostCpus, "hardware thread")}` +
      ` · ${plural(cores, "core")} · ${memoryMiB.toLocaleString("en-US")} MiB` +
      (run.repetitions > 1 ? ` · ${run.repetitions} repetitions` : ""),
  ];
  const short = rowsShortOfCpus(machine, results);
  if (short.length > 0) {
    const why =
      cores > hostCpus
        ? `${plural(cores, "core")} share ${plural(hostCpus, "hardware thread")}`
        : `The host has ${plural(hostCpus, "hardware thread")}`;
    const text = `${why}, so these rows wait for the host's scheduler too: ${short.join(", ")}`;
    lines.push(...wrap(text, TABLE_WIDTH).map(palette.warn));
  }
  lines.push(...wrap(READING, TABLE_WIDTH).map(palette.dim));
  return lines.join("\n");
}

function renderSuite(suite: string, rows: readonly Result[], widths: LabelWidths, palette: Palette): string {
  // The heads are as wide as the widest cells, so that the tables of all suites stand in the same columns.
  const heads = FIGURES.map((head) => head.padStart(FIGURE_WIDTH));
  const [head, ...lines] = columns(
    [
      [suite.padEnd(widths.name), "per".padEnd(widths.operation), ...heads].map(palette.bold),
      ...rows.map((row) => cells(row, palette)),
    ],
    ["left", "left", ...FIGURES.map(() => "right" as const)],
  );
  const columnWidths = [widths.name, widths.operation, ...FIGURES.map(() => FIGURE_WIDTH)];
  const width = columnWidths.reduce((sum, column) => sum + COLUMN_GAP.length + column);
  const out = [head, palette.dim("─".repeat(width))];
  for (const [index, row] of rows.entries()) {
    const paint = isRefused(row) ? palette.warn : palette.dim;
    out.push(lines[index], ...remarks(row).map((remark) => REMARK_INDENT + paint(remark)));
  }
  return out.join("\n");
}

/** One line of the table: a cell for each column, or as many as a refused row can fill. */
function cells(row: Result, palette: Palette): string[] {
  const labels = [row.name, operationOf(row)];
  if (isRefused(row)) return [...labels, palette.warn("refused"), ...FIGURES.slice(1).map(() => "")];
  const { n, min, p50, p90, p99, max, mean, opsPerSecond } = row;
  return [
    ...labels,
    n < 1e6 ? n.toLocaleString("en-US") : formatCount(n),
    formatDuration(min),
    palette.bold(formatDuration(p50)),
    ...[p90, p99, max, mean].map(formatDuration),
    formatCount(opsPerSecond),
  ];
}

/** The part of the unit that the cells do not say: what was timed. */
export function operationOf({ unit }: Result): string {
  return unit.replace(/^ns\//, "");
}

/** The lines under a row, each narrow enough for the table. */
function remarks(row: Result): string[] {
  const width = TABLE_WIDTH - REMARK_INDENT.length;
  const lines = isRefused(row)
    ? wrap(row.refused, width)
    : [...rowWords(row).flatMap((words) => joinWithin(words, width))];
  for (const note of row.notes ?? []) lines.push(...wrap(note, width));
  return lines;
}

/** What a row's numbers mean, in parts: how it compares, and what it takes from memory. */
export function rowWords(row: MeasuredResult): readonly (readonly string[])[] {
  return [[...ratioWords(row), ...revocationWords(row)], memoryWords(row)];
}

/** The most telling first. */
function ratioWords({ name, ratios, paired = {} }: MeasuredResult): string[] {
  const telling = [...new Set([...Object.keys(paired), ...comparedWith(name)])].filter(
    (other) => other in ratios,
  );
  return telling.slice(0, MAX_RATIOS).map((other) => {
    const pair = paired[other];
    if (pair === undefined) return `~${formatRatio(ratios[other]!, other)}`;
    const doubt = slicesDisagree(pair) ? ", slices disagree" : "";
    return `${formatRatio(pair.ratio, other)} (${formatInterval(pair)}${doubt})`;
  });
}

function memoryWords(row: MeasuredResult): string[] {
  const { bytesPerOperation, longestCollectionNs } = row;
  const words: string[] = [];
  if (bytesPerOperation !== undefined)
    words.push(`${formatBytes(bytesPerOperation)} allocated per ${operationOf(row)}`);
  if (longestCollectionNs !== undefined) {
    words.push(
      longestCollectionNs === 0
        ? "no collection"
        : `longest collection ${formatDuration(longestCollectionNs)}`,
    );
  }
  return words;
}

function revocationWords({ beside, perDescendantNs, keptThroughput }: MeasuredResult): string[] {
  const words = Object.entries(beside ?? {}).map(([name, ns]) => `${name} ${formatDuration(ns)}`);
  if (perDescendantNs !== undefined) words.push(`${formatDuration(perDescendantNs)} a descendant`);
  if (keptThroughput !== undefined)
    words.push(`the others keep ${(100 * keptThroughput).toFixed(1)} % of their throughput`);
  return words;
}
