/** The table of docs/checking.md: what was found of each mutant, by whom and how soon. */
import { describeStrategy } from "../campaign/check.js";
import type { Hunt } from "./hunt.js";

const BEGIN = "<!-- mutants:start -->";
const END = "<!-- mutants:end -->";

const HEADS = [
  "mutant",
  "what it breaks",
  "found by",
  "as",
  "schedules until found",
  "steps of the simplest",
];

/** Rows of Markdown, a line each, in the order of the hunts. */
export function mutantTable(hunts: readonly Hunt[]): string {
  const rows = hunts.map((hunt) => {
    const { mutant, schedules, redundant, failure, minimal } = hunt;
    const { name, breaks, scenario, strategy } = mutant;
    const simplest = minimal?.failure ?? failure;
    const found =
      simplest === null
        ? ["nothing", "", ""]
        : [simplest.kind, grouped(schedules + redundant), `${simplest.choices.length}`];
    return [`\`${name}\``, breaks, `\`${scenario}\`, ${describeStrategy(strategy)}`, ...found];
  });
  return [HEADS, ["---", "---", "---", "---", "---:", "---:"], ...rows].map(row).join("\n");
}

/** A document with the table between its two marks replaced. Throws Error for one without the marks. */
export function withMutantTable(document: string, table: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the document has no lines ${BEGIN} and ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n${table}\n${document.slice(end)}`;
}

/** The cells of a document's rows between the marks, heads left out, however wide they are. */
export function mutantRows(document: string): string[][] {
  const between = document.slice(document.indexOf(BEGIN), document.indexOf(END));
  const rows = between.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(" | ")
      .map((cell) => cell.trim()),
  );
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
