/** A comparison of two runs as a terminal table, and below it what it comes to. */
import { stripVTControlCharacters } from "node:util";
import { visibleTexts } from "@capos/abi";
import { BASELINE_SUITE } from "./baseline.js";
import type { ComparedRow, ComparedRun, Comparison } from "./compare.js";
import { formatChange, formatDuration, formatMoment } from "./quantity.js";
import type { TableOptions } from "./table.js";
import { columns, type Palette, paletteOf, plural, TABLE_WIDTH, widest, wrap } from "./text.js";

const HEADS = ["per", "then", "now", "change", "95 % interval", "relative to", "verdict"];
const ALIGNS = ["left", "left", "right", "right", "right", "right", "left", "left"] as const;
/** Of a row whose times are compared. */
const BY_TIME = "(time)";

export function renderComparison(comparison: Comparison, options: TableOptions = {}): string {
  const palette = paletteOf(options.color);
  const { before, after, warnings, rows, uncompared } = visibleTexts(comparison);
  const parts = [
    [
      palette.bold("capos comparison"),
      `then  ${describeRun(before)}`,
      `now   ${describeRun(after)}`,
      ...warnings.flatMap((warning) => wrap(warning, TABLE_WIDTH).map(palette.warn)),
      palette.dim(
        "Times are medians. A change is of the row's ratio to the baseline that is named, so not of its time.",
      ),
    ].join("\n"),
  ];
  for (const suite of new Set(rows.map((row) => row.suite))) {
    const inSuite = rows.filter((row) => row.suite === suite);
    const [head, ...lines] = columns(
      [[suite, ...HEADS].map(palette.bold), ...inSuite.map((row) => cells(row, palette))],
      ALIGNS,
    );
    const width = widest([head!, ...lines].map(stripVTControlCharacters));
    parts.push([head, palette.dim("─".repeat(width)), ...lines].join("\n"));
  }
  if (uncompared.length > 0) {
    parts.push(
      ["not compared", ...uncompared.map(({ suite, name, why }) => `  ${suite} ${name}: ${why}`)].join("\n"),
    );
  }
  parts.push(wrap(conclusion(comparison), TABLE_WIDTH).join("\n"));
  return `${parts.join("\n\n")}\n`;
}

function describeRun({ machine, run }: ComparedRun): string {
  return `${formatMoment(run.started)} · capos ${run.capos} · Node ${machine.node} · ${plural(run.repetitions, "repetition")}`;
}

function cells(row: ComparedRow, palette: Palette): string[] {
  const { name, unit, before, after, changePercent, lowPercent, highPercent, relativeTo } = row;
  return [
    name,
    unit.replace(/^ns\//, ""),
    formatDuration(before),
    formatDuration(after),
    palette.bold(formatChange(changePercent)),
    `${formatChange(lowPercent)} … ${formatChange(highPercent)}`,
    relativeTo ?? BY_TIME,
    verdictOf(row, palette),
  ];
}

function verdictOf({ verdict, isSlowdown }: ComparedRow, palette: Palette): string {
  if (isSlowdown) return palette.warn(palette.bold("slower: past the threshold"));
  if (verdict === "faster") return palette.good(verdict);
  return verdict === "slower" ? palette.warn(verdict) : palette.dim(verdict);
}

function conclusion({ rows, thresholdPercent }: Comparison): string {
  const count = (verdict: string) => rows.filter((row) => row.verdict === verdict).length;
  const slowdowns = rows.filter(({ isSlowdown }) => isSlowdown);
  const total = `${plural(rows.length, "row")}: ${count("faster")} faster, ${count("slower")} slower, ${count("no difference")} without a difference.`;
  if (rows.every(({ suite }) => suite === BASELINE_SUITE))
    return `${total} No row of capos could be compared.`;
  const found =
    slowdowns.length === 0
      ? `No slowdown of capos by more than ${thresholdPercent} % was found.`
      : `Slower by more than ${thresholdPercent} %: ${slowdowns.map(({ name }) => name).join(", ")}.`;
  return `${total} ${found}`;
}
