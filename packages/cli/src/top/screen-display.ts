/** The full screen: see terminal.ts for the terminal, view.ts for what is on it. */
import type { ReadStream, WriteStream } from "node:tty";
import { PRETTY } from "@capos/machine";
import { prettyFactory } from "pino-pretty";
import { progressLine } from "../progress.js";
import type { Session } from "../session.js";
import { Captured } from "./captured.js";
import type { Display } from "./display.js";
import type { Reading } from "./reading.js";
import type { SortKey } from "./sort-keys.js";
import { Terminal } from "./terminal.js";
import { TAIL_LINES, View } from "./view.js";

export interface ScreenOptions {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  /** Where what the inner command prints goes when the screen is free. */
  readonly shown: Pick<Session, "stdout" | "stderr">;
  /** The inner command, as it was typed. */
  readonly command: string;
  readonly sort: SortKey;
  readonly onQuit: () => void;
}

/** Takes the terminal over with the first interval that it shows. */
export class ScreenDisplay implements Display {
  readonly inner: Display["inner"];
  readonly #view: View;
  readonly #captured: Captured;
  readonly #terminal: Terminal;
  #reading: Reading | null = null;
  #machine = 0;
  #progress = "";
  #closed = false;

  constructor(private readonly options: ScreenOptions) {
    this.#view = new View(options.sort);
    this.#captured = new Captured(options.shown.stdout, options.shown.stderr);
    this.#terminal = new Terminal(options.stdin, options.stdout, {
      onKey: (key) => this.#press(key),
      onResize: () => this.#draw(),
      onEnd: () => this.close(),
    });
    const { stdout, stderr } = this.#captured;
    const pretty = prettyFactory({ ...PRETTY, colorize: false });
    this.inner = {
      // The keys are ours.
      stdin: null,
      stdout,
      stderr,
      progress: {
        show: (what, fraction) => {
          this.#progress = progressLine(what, fraction);
        },
        clear: () => {
          this.#progress = "";
        },
      },
      log: () => ({ write: (record: string) => void stderr.write(pretty(record)) }),
    };
  }

  show(reading: Reading | null, machine: number): void {
    if (this.#closed) return;
    this.#terminal.open();
    if (!this.#view.paused) {
      this.#reading = reading;
      this.#machine = machine;
    }
    this.#draw();
  }

  close(): void {
    this.#closed = true;
    this.#terminal.close();
    this.#captured.release();
  }

  #press(key: string): void {
    if (this.#view.press(key) === "quit") this.options.onQuit();
    else this.#draw();
  }

  #draw(): void {
    const scene = {
      command: this.options.command,
      machine: this.#machine,
      reading: this.#reading,
      progress: this.#progress,
      tail: this.#captured.tail(TAIL_LINES),
    };
    this.#terminal.draw(this.#view.lines(scene, this.#terminal.size));
  }
}
