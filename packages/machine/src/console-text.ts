/**
 * What a guest writes to the console, fit for a terminal that somebody looks at: its text and its colours.
 *
 * Everything else that a terminal obeys is dropped: titles, links, the clipboard, the cursor's place, marks that turn
 * the order of text around. A colour that a line leaves on goes on in the next, and never into what others write.
 */

/**
 * A sequence for a terminal: a colour (its group), another control sequence, one that carries a text to its end, or a
 * short one. One that is cut off by the line's end is one too.
 */
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /(\x1b\[[0-9;:]*m)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x9c|\x1b\\|$)?|\x1b[ -/]*[0-~]?/g;
/** Controls but the tab, marks of direction, separators of lines and paragraphs. */
const STEERING = /(?!\t)[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const RESET = "\x1b[0m";
/** Colours that are kept from line to line; a program with more of them gets none of them kept. */
const MAX_KEPT = 256;

/** Makes a function that writes lines of the console: as they are, or fit for a terminal. */
export function consoleWriter(
  write: (text: string) => unknown,
  toTerminal: boolean,
): (line: string) => unknown {
  const forTerminal = toTerminal ? new ConsoleText() : null;
  return (line) => write(`${forTerminal?.line(line) ?? line}\n`);
}

/** Makes one guest's or one machine's lines fit for a terminal, one after the other. */
export class ConsoleText {
  /** The colours that are on. */
  #on = "";

  /** A line without its end. */
  line(text: string): string {
    const before = this.#on;
    let out = "";
    let from = 0;
    for (const { 0: sequence, 1: colour, index } of text.matchAll(SEQUENCE)) {
      out += text.slice(from, index).replace(STEERING, "");
      from = index + sequence.length;
      if (colour === undefined) continue;
      out += colour;
      this.#on = colour === RESET || colour === "\x1b[m" ? "" : this.#on + colour;
    }
    out += text.slice(from).replace(STEERING, "");
    if (this.#on.length > MAX_KEPT) {
      this.#on = "";
      return `${before}${out}${RESET}`;
    }
    return `${before}${out}${this.#on === "" ? "" : RESET}`;
  }
}
