/**
 * A shell from its first command to its last: typed at a prompt, given with `-c`, or read from a pipe. At a prompt a command
 * that fails is told; a script goes on behind one, and its status is that of the first that failed.
 */
import process from "node:process";
import { isatty } from "node:tty";
import { visibleLines } from "@capos/abi";
import { LineSplitter, type Shell, type ShellEvents } from "@capos/machine";
import { ExitStatus, MachineError, UsageError } from "@capos/machine/errors";
import type { Session } from "../session.js";
import { Commands, type Screen } from "./commands.js";
import { complete } from "./completion.js";
import { Prompt } from "./prompt.js";
import { parseScript } from "./words.js";

export interface ShellRun {
  readonly session: Session;
  /** Commands that were given with `-c`; they are all, then. */
  readonly script: string | undefined;
  readonly json: boolean;
  /** Said at a prompt first. */
  readonly greeting: string;
  open(events: ShellEvents): Promise<Shell>;
}

/** Where a shell's text goes, and its lines come from. */
export interface Place {
  /** Null if nobody types. */
  readonly prompt: Prompt | null;
  readonly screen: Screen;
}

/** The place of a session: a prompt if a person sits at a terminal, and gave no script. */
export function placeOf({ stdout, stderr }: Session, script: string | undefined): Place {
  const isTyped = script === undefined && stdout.isTTY === true && isatty(0) && process.env.TERM !== "dumb";
  if (!isTyped)
    return {
      prompt: null,
      screen: { out: (text) => stdout.write(text), err: (text) => stderr.write(`capos-smp: ${text}`) },
    };
  const prompt = new Prompt();
  const write = (text: string): void => prompt.write(text);
  return { prompt, screen: { out: write, err: write } };
}

/** Runs it; answers its exit status. */
export async function runShell(run: ShellRun, place: Place): Promise<number> {
  const { session } = run;
  const { prompt, screen } = place;
  let commands: Commands | null = null;
  const shell = await run.open({
    console: (line) => screen.out(`${visibleLines(line)}\n`),
    log: (line) => commands?.tellLog(line),
    ended: (end) => commands?.onEnd(end),
  });
  commands = new Commands(shell, screen, run.json, prompt !== null);
  const lost = new AbortController();
  void shell.lost.then((why) =>
    lost.abort(new MachineError(why || "the machine has ended", ExitStatus.FAILED)),
  );
  const over = AbortSignal.any([session.signal, lost.signal]);
  const script = new Script(commands, screen, over);
  try {
    if (prompt !== null) await atPrompt(prompt, script, commands, run.greeting, over);
    else if (run.script !== undefined) await script.run(run.script);
    else await piped(session, script);
    session.signal.throwIfAborted();
    lost.signal.throwIfAborted();
    return script.status;
  } finally {
    await shell.close();
  }
}

/** Commands one after the other. */
class Script {
  /** That of the first command that failed. */
  status: number = ExitStatus.OK;
  #isOver = false;
  #current: AbortController | null = null;
  /** Whether the next line is given up: Ctrl-C came right behind it. */
  #isInterrupted = false;

  constructor(
    private readonly commands: Commands,
    private readonly screen: Screen,
    private readonly signal: AbortSignal,
  ) {}

  get isOver(): boolean {
    return this.#isOver || this.signal.aborted;
  }

  /** Gives up the command that is under way, or about to be. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#current?.abort(new MachineError("interrupted", ExitStatus.INTERRUPTED));
  }

  async run(text: string): Promise<void> {
    try {
      for (const words of parseScript(text)) {
        // What stands behind a command that was given up is given up too.
        if (this.isOver || this.#isInterrupted) break;
        await this.#guarded(words);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#isInterrupted = false;
  }

  async #guarded(words: readonly string[]): Promise<void> {
    const current = new AbortController();
    this.#current = current;
    try {
      this.#isOver = await this.commands.run(words, AbortSignal.any([current.signal, this.signal]));
    } catch (error) {
      // Told by whoever ends the shell.
      if (!this.signal.aborted && !current.signal.aborted) this.#fail(error);
    } finally {
      this.#current = null;
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof UsageError || error instanceof MachineError)) throw error;
    const status = error instanceof UsageError ? ExitStatus.USAGE : ExitStatus.FAILED;
    if (this.status === ExitStatus.OK) this.status = status;
    this.screen.err(`${visibleLines(error.message)}\n`);
  }
}

async function atPrompt(
  prompt: Prompt,
  script: Script,
  commands: Commands,
  greeting: string,
  over: AbortSignal,
): Promise<void> {
  prompt.listen({
    complete: (line, rest) => complete(commands, line, rest),
    onInterrupt: () => script.interrupt(),
  });
  over.addEventListener("abort", () => prompt.close());
  prompt.write(greeting);
  try {
    while (!script.isOver) {
      const line = await prompt.ask();
      if (line === null) return;
      await script.run(line);
    }
  } finally {
    prompt.close();
    // A command that failed was told; leaving is none.
    script.status = ExitStatus.OK;
  }
}

async function piped({ stdin, signal }: Session, script: Script): Promise<void> {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const stop = (): void => stdin?.close();
  signal.addEventListener("abort", stop);
  try {
    while (!script.isOver) {
      const bytes = (await stdin?.read()) ?? null;
      if (bytes !== null) splitter.push(bytes);
      for (const line of lines.splice(0)) await script.run(line);
      if (bytes !== null) continue;
      await script.run(splitter.rest);
      return;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stdin?.close();
  }
}
