/** The console of several programs: each line begins with the name of the program that wrote it. */
import { ConsoleText } from "@capos/machine";
import { consoleLabel } from "@capos/servers";

/** One after the other, for the names of programs on a terminal. */
const COLOURS = [36, 33, 35, 32, 34, 31];

/** A program's own lines, told from those of the others. */
export class LabelledConsole {
  readonly #programs: readonly {
    readonly name: string;
    readonly label: string;
    readonly text: ConsoleText;
  }[];

  constructor(names: readonly string[]) {
    this.#programs = names.map((name) => ({ name, label: consoleLabel(name), text: new ConsoleText() }));
  }

  /** Whose line it is, and what it wrote. Undefined for a line that is nobody's. */
  parse(line: string): { readonly name: string; readonly text: string } | undefined {
    const found = this.#programs.find(({ label }) => line.startsWith(label));
    return found === undefined ? undefined : { name: found.name, text: line.slice(found.label.length) };
  }

  /** A line fit for a terminal: a colour that a program leaves on goes on in its own lines alone. */
  forTerminal(line: string, hasColors: boolean): string {
    const index = this.#programs.findIndex(({ label }) => line.startsWith(label));
    const found = this.#programs[index];
    if (found === undefined) return new ConsoleText().line(line);
    const name = new ConsoleText().line(found.label.trimEnd());
    const colour = COLOURS[index % COLOURS.length];
    const shown = hasColors ? `\x1b[${colour}m${name}\x1b[0m` : name;
    return `${shown} ${found.text.line(line.slice(found.label.length))}`;
  }
}
