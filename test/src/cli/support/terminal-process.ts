/**
 * The command line in a pseudo-terminal, and what stands on its screen.
 *
 * A shell runs it, and says afterwards how it found the terminal.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type IPty, spawn } from "@lydell/node-pty";
import headless from "@xterm/headless";
import type { Test } from "tap";
import { BIN, ROOT } from "../../support/cli-process.js";

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly term?: string;
  /** The root of the clone unless told. */
  readonly cwd?: string;
  /** Environment variables beside those of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How it was when the command had ended. */
export interface Aftermath {
  readonly status: number;
  /** What the shell's `stty -a` said. */
  readonly settings: string;
  /** All that stands in the ordinary buffer. */
  readonly text: string;
  readonly isAlternate: boolean;
  readonly cursorShown: boolean;
}

/**
 * Says its number, and is the command from then on; after it, what the terminal is like.
 *
 * It ends when it has been told that all was read: what a terminal holds is lost soon after its last process ends.
 * The trap is there for a Ctrl-C that the terminal turns into a signal to the shell too.
 */
const SCRIPT =
  'trap : INT; sh -c \'echo $$ >"$0"; exec "$@"\' "$0" "$@"; echo "status $?"; stty -a; echo over; read -r _';

export class TerminalProcess {
  readonly #terminal: headless.Terminal;
  readonly #pty: IPty;
  readonly #pidFile: string;
  #raw = "";
  #seen: () => void = () => {};
  #ended: () => void = () => {};

  /** Runs `capos-smp` with arguments; it is killed when the test is over. */
  constructor(t: Test, args: readonly string[], options: TerminalOptions = {}) {
    const { columns: cols = 100, rows = 30, term = "xterm-256color", cwd = ROOT } = options;
    this.#terminal = new headless.Terminal({ cols, rows, scrollback: 5000, allowProposedApi: true });
    this.#pidFile = join(t.testdir({}), "pid");
    this.#pty = spawn("/bin/sh", ["-c", SCRIPT, this.#pidFile, process.execPath, BIN, ...args], {
      ...{ cols, rows, cwd, name: term, env: { ...process.env, ...options.env, TERM: term } },
    });
    this.#pty.onData((text) => {
      // When it is on the screen: a piece of it may be, and its end only be on its way.
      this.#terminal.write(text, () => {
        this.#raw += text;
        this.#seen();
      });
    });
    this.#pty.onExit(() => this.#ended());
    t.teardown(() => this.#pty.kill("SIGKILL"));
  }

  /** Resolves to the screen as soon as it matches; rejects if it never does. */
  until(expected: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#ended = () =>
        reject(new Error(`it ended, and ${expected} was not on the screen:\n${this.screen}`));
      this.#seen = () => {
        const screen = this.screen;
        if (!this.#isHalfDrawn && expected.test(screen)) resolve(screen);
      };
      this.#seen();
    });
  }

  /** What a person sees now. */
  get screen(): string {
    const { active } = this.#terminal.buffer;
    return this.#linesOf(active, active.viewportY, active.viewportY + this.#terminal.rows);
  }

  /** True between the begin and the end of a drawing. */
  get #isHalfDrawn(): boolean {
    return this.#raw.lastIndexOf("\u001b[?2026h") > this.#raw.lastIndexOf("\u001b[?2026l");
  }

  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === "alternate";
  }

  press(keys: string): void {
    this.#pty.write(keys);
  }

  signal(name: NodeJS.Signals): void {
    process.kill(Number(readFileSync(this.#pidFile, "utf8")), name);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Waits for the command's end. */
  async end(): Promise<Aftermath> {
    const over = /^status (\d+)\r?\n([\s\S]*)\nover/m;
    await new Promise<void>((resolve, reject) => {
      this.#ended = () => reject(new Error(`the shell ended and did not say how:\n${this.#raw}`));
      this.#seen = () => over.test(this.#raw) && resolve();
      this.#seen();
    });
    this.press("\n");
    const [, status, settings] = over.exec(this.#raw)!;
    const { normal } = this.#terminal.buffer;
    return {
      status: Number(status),
      settings: settings!,
      text: this.#linesOf(normal, 0, normal.length),
      isAlternate: this.isAlternate,
      cursorShown: this.#raw.lastIndexOf("\u001b[?25h") >= this.#raw.lastIndexOf("\u001b[?25l"),
    };
  }

  #linesOf(buffer: headless.IBuffer, from: number, to: number): string {
    const lines: string[] = [];
    for (let i = from; i < to; i++) lines.push(buffer.getLine(i)?.translateToString(true) ?? "");
    return lines.join("\n");
  }
}

/** Fails unless the terminal is as a shell needs it. */
export function checkRestored(t: Test, { isAlternate, cursorShown, settings }: Aftermath): void {
  t.notOk(isAlternate, "the ordinary buffer is back");
  t.ok(cursorShown, "and the cursor");
  t.match(settings, /(^|\s)icanon\b/, "lines are edited");
  t.match(settings, /(^|\s)echo\b/, "and echoed");
  t.match(settings, /(^|\s)isig\b/, "and Ctrl-C is a signal");
}
