/**
 * A terminal as a full screen: the alternate buffer, no cursor, single keys. Whoever opened it closes it, on a signal
 * too; of a process that ends all the same it hears, so that the terminal is given back after all but a SIGKILL.
 */
import process from "node:process";
import { emitKeypressEvents, type Key } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import ansi from "ansi-escapes";

/** What happens on the terminal. */
export interface TerminalEvents {
  /** A key, by its name, or by its text if it has none. Ctrl-C is none: it interrupts the process, as ever. */
  onKey(key: string): void;
  onResize(): void;
  /** The process ends now: the terminal is to be closed, and what has to be said to be said. */
  onEnd(): void;
}

const USUAL_COLUMNS = 80;
const USUAL_ROWS = 24;

export class Terminal {
  #open = false;
  #wasRaw = false;
  readonly #onKeypress = (text: string | undefined, key: Key): void => {
    if (key.ctrl === true && key.name === "c") process.kill(process.pid, "SIGINT");
    else if (key.ctrl !== true && key.meta !== true) this.events.onKey(key.name ?? text ?? "");
  };
  readonly #onResize = (): void => this.events.onResize();
  readonly #onExit = (): void => this.events.onEnd();

  constructor(
    private readonly input: ReadStream,
    private readonly output: WriteStream,
    private readonly events: TerminalEvents,
  ) {}

  /** Columns and rows, now. */
  get size(): { readonly columns: number; readonly rows: number } {
    // Some terminals say that they have none.
    return { columns: this.output.columns || USUAL_COLUMNS, rows: this.output.rows || USUAL_ROWS };
  }

  /** Takes the terminal over. */
  open(): void {
    if (this.#open) return;
    this.#open = true;
    process.on("exit", this.#onExit);
    this.#wasRaw = this.input.isRaw;
    this.input.setRawMode(true);
    emitKeypressEvents(this.input);
    this.input.on("keypress", this.#onKeypress);
    this.input.resume();
    this.output.on("resize", this.#onResize);
    this.output.write(ansi.enterAlternativeScreen + ansi.cursorHide + ansi.clearTerminal);
  }

  /** Puts lines on the screen, in the place of what was there. No more than it has rows, none wider than it. */
  draw(lines: readonly string[]): void {
    if (!this.#open) return;
    const text = lines.map((line) => line + ansi.eraseEndLine).join("\r\n");
    // In one piece, where the terminal can do that: nobody sees half of a drawing.
    this.output.write(ansi.synchronizedOutput(ansi.cursorTo(0, 0) + text + ansi.eraseDown));
  }

  /** Gives the terminal back. Closing twice is fine. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off("exit", this.#onExit);
    this.output.off("resize", this.#onResize);
    this.input.off("keypress", this.#onKeypress);
    this.output.write(ansi.cursorShow + ansi.exitAlternativeScreen);
    this.input.setRawMode(this.#wasRaw);
    // Or it would keep the process alive.
    this.input.pause();
  }
}
