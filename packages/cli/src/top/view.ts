/** What the screen shows: the state that keys change, and the lines that come of it. */
import { styleText } from "node:util";
import { wantsColor } from "@capos/machine/color";
import { cell, cutOff } from "./cells.js";
import type { Reading } from "./reading.js";
import { SORT_KEYS, type SortKey } from "./sort-keys.js";
import { coreLines, MIN_WIDTH, processLines, threadLines } from "./tables.js";

/** What is to be shown. */
export interface Scene {
  /** The inner command, as it was typed. */
  readonly command: string;
  /** Which of the command's machines this is, from 1; 0 while there was none. */
  readonly machine: number;
  readonly reading: Reading | null;
  /** How far the command is; empty if it does not say. */
  readonly progress: string;
  /** The last lines that it printed. */
  readonly tail: readonly string[];
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What the lower table is of; "cores" leaves all of the screen to the upper one. */
const SUBJECTS = ["threads", "processes", "cores"] as const;

const SORT_BY_KEY: Readonly<Record<string, SortKey>> = Object.freeze({
  c: "cpu",
  l: "calls",
  n: "name",
  o: "core",
  t: "state",
});

const KEYS = "q quit  p pause  s order  v view  ↑↓ scroll  ? help";
const HELP = [
  "q quit   p, space pause   v next view   ? no help",
  "order: s next, c CPU, l calls, n name, o core, t state",
  "scroll: ↑ ↓ PageUp PageDown Home End",
];

/** Lines of the inner command's output, on a screen that has the rows for it. */
export const TAIL_LINES = 3;
const ROWS_FOR_TAIL = 18;

export class View {
  #sort: SortKey;
  #subject: (typeof SUBJECTS)[number] = "threads";
  #paused = false;
  #helps = false;
  #scroll = 0;
  /** Rows of the table that scrolls, as drawn last: what a page is. */
  #page = 1;

  constructor(sort: SortKey) {
    this.#sort = sort;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Takes a key; "quit" if that is what it says. */
  press(key: string): "quit" | "draw" {
    if (key === "q") return "quit";
    if (key === "p" || key === "space") this.#paused = !this.#paused;
    else if (key === "?" || key === "h") this.#helps = !this.#helps;
    else if (key === "s") this.#sort = next(SORT_KEYS, this.#sort);
    else if (key === "v") {
      this.#subject = next(SUBJECTS, this.#subject);
      this.#scroll = 0;
    } else if (key === "up") this.#scroll--;
    else if (key === "down") this.#scroll++;
    else if (key === "pageup") this.#scroll -= this.#page;
    else if (key === "pagedown") this.#scroll += this.#page;
    else if (key === "home") this.#scroll = 0;
    else if (key === "end") this.#scroll = Number.MAX_SAFE_INTEGER;
    else this.#sort = SORT_BY_KEY[key] ?? this.#sort;
    return "draw";
  }

  /** The lines of a screen of that size: at most as many as it has rows, none wider. */
  lines(scene: Scene, { columns, rows }: Size): string[] {
    if (columns < MIN_WIDTH) return [cutOff(`${MIN_WIDTH} columns are needed; q quits`, columns)];
    const foot = this.#foot(scene, columns, rows);
    const body = this.#body(scene.reading, columns, Math.max(rows - 1 - foot.length, 0));
    return [bar(this.#title(scene), columns), ...body, ...foot].slice(0, rows);
  }

  #title({ command, machine, reading }: Scene): string {
    const parts = [`capos-smp top -- ${command}`];
    if (reading !== null) {
      const { cores, memoryMiB, looks, seconds, ended } = reading;
      parts.push(
        `machine ${machine}${ended ? " (over)" : ""}: ${cores.length} cores, ${memoryMiB} MiB`,
        `${looks} looks in ${seconds.toFixed(1)} s`,
      );
    }
    if (this.#paused) parts.unshift("PAUSED");
    return parts.join("   ");
  }

  #body(reading: Reading | null, columns: number, rows: number): string[] {
    if (reading === null) return pad(["", "No machine runs yet."], rows);
    const [coreHead, ...cores] = coreLines(reading, columns);
    if (this.#subject === "cores") return [bold(coreHead!), ...this.#window(cores, rows - 1)];
    const most = Math.max(Math.floor(rows / 2) - 2, 1);
    const shown =
      cores.length <= most ? cores : [...cores.slice(0, most - 1), moreCores(cores.length - most + 1)];
    const table = this.#subject === "threads" ? threadLines : processLines;
    const [head, ...lines] = table(reading, columns, this.#sort);
    const left = rows - shown.length - 3;
    return [bold(coreHead!), ...shown, "", bold(head!), ...this.#window(lines, left)].slice(
      0,
      Math.max(rows, 0),
    );
  }

  /** As many lines as there is room for, from where it is scrolled to. */
  #window(lines: readonly string[], room: number): string[] {
    this.#page = Math.max(room, 1);
    this.#scroll = Math.max(Math.min(this.#scroll, lines.length - this.#page), 0);
    return pad(lines.slice(this.#scroll, this.#scroll + this.#page), room);
  }

  #foot({ progress, tail }: Scene, columns: number, rows: number): string[] {
    const keys = this.#helps ? HELP : [KEYS];
    if (rows < ROWS_FOR_TAIL) return keys;
    const last = tail.slice(-TAIL_LINES).map((line) => cutOff(line, columns));
    return ["─".repeat(columns), cutOff(progress, columns), ...pad(last, TAIL_LINES), ...keys];
  }
}

function moreCores(count: number): string {
  return `... ${count} more cores; v shows them`;
}

function next<Value>(values: readonly Value[], value: Value): Value {
  return values[(values.indexOf(value) + 1) % values.length];
}

function pad(lines: readonly string[], count: number): string[] {
  return [...lines, ...Array<string>(Math.max(count - lines.length, 0)).fill("")].slice(
    0,
    Math.max(count, 0),
  );
}

function bar(text: string, columns: number): string {
  return styled("inverse", cell(text, columns, true));
}

function bold(text: string): string {
  return styled("bold", text);
}

function styled(style: "bold" | "inverse", text: string): string {
  return wantsColor(true) ? styleText(style, text, { validateStream: false }) : text;
}
