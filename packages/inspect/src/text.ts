/** A state as lines of text: what a panic prints, and whoever has no tables. */
import type { PhysicalMemory } from "@capos/hal";
import { type InspectOptions, inspect } from "./inspect.js";
import { DEFAULT_LIMITS, type Limits, type Part } from "./part.js";
import { partsOf } from "./parts.js";
import { duration } from "./phrases.js";
import type { MachineInfo, MachineState } from "./state.js";

/** What a dump shows: it goes through a serial line. */
const DUMP_LIMITS: Limits = Object.freeze({ rows: 120, children: 16 });

/** The machine in general, and what was found wrong with its links: lines that stand above all parts. */
export function headLines({ cores, memoryMiB, power, takenNs, consistent, damage }: MachineInfo): string[] {
  const how = consistent
    ? "the derivation tree is of one instant"
    : "read without the tree lock, so what was changing may be half old, half new";
  return [
    `machine: ${cores} cores, ${memoryMiB} MiB, power ${power}, at ${duration(takenNs)}; ${how}`,
    ...damage.map((text) => `  damaged: ${text}`),
  ];
}

/** A line in the place of rows that are not shown; none if all are. */
export function leftOutLine({ leftOut }: Part): string[] {
  return leftOut === 0 ? [] : [`  ... and ${leftOut} more`];
}

/** All of a state, or the sections of it that there are, as lines. */
export function render(state: Partial<MachineState>, limits: Limits = DEFAULT_LIMITS): string[] {
  const lines = state.machine === undefined ? [] : headLines(state.machine);
  for (const part of partsOf(state, limits)) {
    lines.push(
      part.title,
      ...part.rows.map((row) => `  ${rowText(part.columns, row)}`),
      ...leftOutLine(part),
    );
  }
  return lines;
}

/** `core 1: online, attention halted, thread 7`: what is empty is left out. */
function rowText(columns: readonly string[], row: readonly string[]): string {
  if (columns.length === 0) return row[0];
  const cells = row.map((cell, i) => (cell === "" || columns[i] === "" ? cell : `${columns[i]} ${cell}`));
  return `${cells[0]}: ${cells
    .slice(1)
    .filter((cell) => cell !== "")
    .join(", ")}`;
}

/**
 * What a machine looks like, in lines for people. Reads only, never throws: it is what is left to look at
 * when everything else has failed. Without the tree lock unless told otherwise: a core that panics may hold it.
 */
export function dump(memory: PhysicalMemory, options: InspectOptions = { lock: false }): string[] {
  try {
    return render(inspect(memory, options), DUMP_LIMITS);
  } catch (error) {
    return [`the dump failed: ${String(error)}`];
  }
}
