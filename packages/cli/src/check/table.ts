/** A counter-example as a table with a column for each core. */
import { type Access, type CounterExample, shortPlace } from "@capos/explorer/campaign";
import Table from "cli-table3";

const BORDERS = [
  ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
  ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
];
const GAP = "  ";
const PREEMPTED = "~~ preempted ~~";
/** A core's column is never narrower: a longer line is better than one letter a line. */
const LEAST_WIDTH = 18;
/** From here on a number is a word of bits rather than a count. */
const HEX_FROM = 0x10000;

export interface TableOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** With the accesses that say nothing: to words that one core alone touches, and reads of the same again. */
  readonly verbose: boolean;
}

/** The accesses in order, a row each; where a core was preempted a row says so. */
export function renderCounterExample(example: CounterExample, { width, verbose }: TableOptions): string {
  const { cores } = example;
  const shown = verbose ? example.accesses : telling(example.accesses);
  const stepWidth = Math.max("step".length, String(shown.at(-1)?.step ?? 0).length);
  const free = width - stepWidth - cores * GAP.length;
  const cellWidth = Math.max(LEAST_WIDTH, Math.floor(free / cores));
  const rows: string[][] = [];
  const add = (step: string, core: number, cell: string) =>
    rows.push([step, ...Array.from({ length: cores }, (_, column) => (column === core ? cell : ""))]);
  let last: Access | undefined;
  for (const access of shown) {
    if (access.isPreemption && last !== undefined) add("", last.core, PREEMPTED);
    add(access.isStep ? String(access.step) : "", access.core, cellOf(access, cellWidth));
    last = access;
  }
  const table = new Table({
    head: ["step", ...Array.from({ length: cores }, (_, core) => `core ${core}`)],
    chars: Object.fromEntries(BORDERS.map((border) => [border, border === "middle" ? GAP : ""])),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colWidths: [stepWidth, ...Array.from({ length: cores }, () => cellWidth)],
    colAligns: ["right", ...Array.from({ length: cores }, () => "left" as const)],
  });
  table.push(...rows);
  const lines = table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
  const left =
    example.accesses.filter(({ isStep }) => isStep).length - shown.filter(({ isStep }) => isStep).length;
  if (left > 0)
    lines.push(`(${left} steps that say nothing by themselves are left out; --verbose shows all)`);
  return lines.join("\n");
}

/** Steps at words that several cores touch, but for what a core reads once more and finds the same. */
function telling(accesses: readonly Access[]): readonly Access[] {
  const coresOf = new Map<string, Set<number>>();
  for (const { word, core } of accesses) {
    if (word === null) continue;
    const cores = coresOf.get(word) ?? new Set();
    coresOf.set(word, cores.add(core));
  }
  const latest = new Map<number, Access>();
  return accesses.filter((access) => {
    const { word, core, isStep, isRacing, isPreemption } = access;
    if (!isStep && !isRacing) return false;
    if (isRacing || isPreemption) return true;
    if (word === null || coresOf.get(word)!.size < 2) return false;
    const before = latest.get(core);
    latest.set(core, access);
    const isAgain =
      before?.word === word &&
      before.read === access.read &&
      access.written === null &&
      READS.has(access.operation);
    return !isAgain;
  });
}

const READS: ReadonlySet<string> = new Set(["load", "read"]);

/** What was done, in as few lines as fit. */
function cellOf(access: Access, width: number): string {
  const { place, operation, word, read, written } = access;
  const parts = [
    place === null ? "" : shortPlace(place),
    operation,
    word ?? "",
    [read === null ? "" : valueText(read), written === null ? "" : `→ ${valueText(written)}`]
      .join(" ")
      .trim(),
  ];
  const lines: string[] = [];
  let line = "";
  for (const part of parts.filter((part) => part !== "")) {
    if (line !== "" && line.length + GAP.length + part.length > width) {
      lines.push(line);
      line = `${GAP}${part}`;
    } else line = line === "" ? part : `${line}${GAP}${part}`;
  }
  return [...lines, line].flatMap((text) => pieces(text, width)).join("\n");
}

function pieces(text: string, width: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += width) parts.push(text.slice(at, at + width));
  return parts;
}

function valueText(value: number | string): string {
  if (typeof value === "string" || !Number.isInteger(value) || Math.abs(value) < HEX_FROM)
    return String(value);
  // A word of 32 bits whose highest is set is no negative number here.
  return `0x${(value < 0 && value >= -0x8000_0000 ? value + 0x1_0000_0000 : value).toString(16)}`;
}
