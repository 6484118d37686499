/** A machine's state as tables for a terminal. */
import { visible } from "@capos/abi";
import { formatDuration } from "@capos/bench/quantity";
import { headLines, leftOutLine, type MachineState, type Part, partsOf } from "@capos/inspect";
import type { LabelledMachine } from "@capos/machine";
import Table from "cli-table3";

const BORDERS = [
  ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
  ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
];
const COLUMN_GAP = "  ";
const INDENT = "  ";
const NS_PER_MS = 1e6;

/** The sections that a state has, as text that ends with a line end. */
export function renderTables(state: Partial<MachineState>): string {
  const blocks = state.machine === undefined ? [] : [headLines(state.machine)];
  for (const part of partsOf(state)) {
    const lines = part.columns.length === 0 ? part.rows.map((row) => INDENT + row[0]) : tableLines(part);
    blocks.push([part.title, ...lines, ...leftOutLine(part)]);
  }
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** Machines that run, one a line; what is to be said where there are none. */
export function renderMachines(machines: readonly LabelledMachine[], nowMs: number): string {
  if (machines.length === 0) return "no machine is running\n";
  const rows = machines.map(({ name, label }) =>
    label === null
      ? [name, "", "", "", "(does not say)"]
      : [
          ...[name, String(label.cores), `${label.memoryMiB} MiB`],
          ...[
            formatDuration(Math.max(0, nowMs - label.bootedMs) * NS_PER_MS),
            visible(label.command.join(" ")),
          ],
        ],
  );
  return `${tableLines({ columns: ["process", "cores", "memory", "up for", "command"], rows }, "").join("\n")}\n`;
}

/** Rows under their heads; columns in which nothing stands are left out. */
export function tableLines({ columns, rows }: Pick<Part, "columns" | "rows">, indent = INDENT): string[] {
  if (rows.length === 0) return [];
  const used = columns.map((_, i) => i).filter((i) => rows.some((row) => row[i] !== ""));
  const table = new Table({
    chars: Object.fromEntries(BORDERS.map((border) => [border, border === "middle" ? COLUMN_GAP : ""])),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: used.map((i) => (rows.every((row) => isFigure(row[i])) ? "right" : "left")),
  });
  table.push(
    used.map((i) => columns[i]),
    ...rows.map((row) => used.map((i) => row[i])),
  );
  return table
    .toString()
    .split("\n")
    .map((line) => indent + line.trimEnd());
}

/** True for what is compared by its digits: a number, or nothing. */
function isFigure(cell: string): boolean {
  return /^(-|\d*)$/.test(cell);
}
