/** The prompt of a shell on a terminal: lines that are edited, with history and completion, and text that comes above it. */
import process from "node:process";
import readline from "node:readline";
import { History } from "./history.js";
import { Keys } from "./keys.js";

const PROMPT = "capos> ";

/** What happens at the prompt. */
export interface PromptEvents {
  /** What may go on at the cursor, and what of the line before it that replaces. */
  complete(line: string, rest: string): Promise<[string[], string]>;
  /** Ctrl-C while no line is asked for. */
  onInterrupt(): void;
}

export class Prompt {
  #events: PromptEvents = { complete: async () => [[], ""], onInterrupt() {} };
  #isShown = false;
  readonly #lines: string[] = [];
  #take: ((line: string | null) => void) | null = null;
  #isOver = false;
  readonly #keys = new Keys();
  readonly #history = new History((why) => this.write(`capos-smp: ${why}\n`));
  readonly #interface: readline.Interface;

  constructor() {
    this.#interface = readline.createInterface({
      ...{ input: this.#keys, output: process.stdout, terminal: true },
      ...{ prompt: PROMPT, history: this.#history.read(), removeHistoryDuplicates: true },
      completer: (line: string, done: (error: null, found: [string[], string]) => void) =>
        void this.#events.complete(line, this.#interface.line.slice(line.length)).then(
          (found) => done(null, found),
          () => done(null, [[], ""]),
        ),
    });
    this.#interface.on("line", (line) => {
      this.#isShown = false;
      if (line.trim() !== "" && !line.startsWith(" ")) this.#history.add(line);
      this.#lines.push(line);
      this.#give();
    });
    this.#interface.on("close", () => {
      this.#keys.close();
      if (this.#isShown) process.stdout.write("\n");
      this.#isShown = false;
      this.#isOver = true;
      this.#give();
    });
    this.#interface.on("SIGINT", () => {
      if (this.#isShown) {
        // What was typed is given up.
        process.stdout.write("^C\n");
        Object.assign(this.#interface, { line: "", cursor: 0 });
        this.#promptBelow();
        return;
      }
      process.stdout.write("^C\n");
      this.#lines.length = 0;
      this.#events.onInterrupt();
    });
  }

  /** Who is told from now on. */
  listen(events: PromptEvents): void {
    this.#events = events;
  }

  /** Writes text, above the prompt if it is shown. */
  write(text: string): void {
    if (!this.#isShown) {
      process.stdout.write(text);
      return;
    }
    readline.moveCursor(process.stdout, 0, -this.#interface.getCursorPos().rows);
    readline.cursorTo(process.stdout, 0);
    readline.clearScreenDown(process.stdout);
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    this.#promptBelow();
  }

  /** Shows the prompt, and what is typed there, in a row that is empty: readline would wipe out those of a longer line above. */
  #promptBelow(): void {
    Object.assign(this.#interface, { prevRows: 0 });
    this.#interface.prompt(true);
  }

  /** The next line that is typed; null at the end. */
  ask(): Promise<string | null> {
    return new Promise((resolve) => {
      this.#take = resolve;
      this.#give();
      if (this.#take === null) return;
      this.#isShown = true;
      // What was typed ahead stands there, and the cursor behind it.
      this.#interface.prompt(true);
    });
  }

  /** Gives the terminal back. More than once is fine. */
  close(): void {
    this.#interface.close();
  }

  #give(): void {
    if (this.#take === null || (this.#lines.length === 0 && !this.#isOver)) return;
    const take = this.#take;
    this.#take = null;
    take(this.#lines.shift() ?? null);
  }
}
