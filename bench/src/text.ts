/** What the tables for terminals are made of: emphasis, wrapped lines, columns without borders. */
import Table from "cli-table3";

export const TABLE_WIDTH = 120;

type Paint = (text: string) => string;
export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly warn: Paint;
  readonly good: Paint;
}

const PLAIN: Palette = {
  bold: (text) => text,
  dim: (text) => text,
  warn: (text) => text,
  good: (text) => text,
};
const COLORED: Palette = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
  warn: (text) => `\u001b[33m${text}\u001b[39m`,
  good: (text) => `\u001b[32m${text}\u001b[39m`,
};

export function paletteOf(color: boolean | undefined): Palette {
  return color === true ? COLORED : PLAIN;
}

export const COLUMN_GAP = "  ";
const BORDERS = [
  ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
  ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
];

/** Lines of a table without borders, a gap between columns. */
export function columns(rows: readonly string[][], aligns: readonly ("left" | "right")[]): string[] {
  const table = new Table({
    chars: Object.fromEntries(BORDERS.map((border) => [border, border === "middle" ? COLUMN_GAP : ""])),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: [...aligns],
  });
  table.push(...rows);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

/** As many lines as the parts need, none wider than `width` unless one part is. */
export function joinWithin(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} · ${part}`.length <= width)
      lines[lines.length - 1] = `${last} · ${part}`;
    else lines.push(part);
  }
  return lines;
}

/** Words in lines of at most `width` characters, unless one word is longer. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
