/** `capos-smp top -- COMMAND`: runs a command and shows what its machines do meanwhile. */
import process from "node:process";
import { isatty } from "node:tty";
import { ExitStatus, MachineError } from "@capos/machine/errors";
import type { Command } from "commander";
import type { Session } from "../session.js";
import type { Display } from "../top/display.js";
import { Follower } from "../top/follower.js";
import { PlainDisplay } from "../top/plain-display.js";
import { ScreenDisplay } from "../top/screen-display.js";
import type { SortKey } from "../top/sort-keys.js";
import { MIN_WIDTH } from "../top/tables.js";
import { checkInner, runInner } from "./inner.js";

export interface TopFlags {
  readonly interval?: number;
  readonly once?: boolean;
  readonly json?: boolean;
  readonly sort?: SortKey;
}

const DEFAULT_SECONDS = 1;
/** Where standard output is no terminal. */
const USUAL_WIDTH = 120;

/** Runs the inner command under the eyes of its user; answers its exit status, 0 if it was quit. */
export async function topCommand(
  words: readonly string[],
  flags: TopFlags,
  command: Command,
  session: Session,
): Promise<number> {
  checkInner(command, words);
  const quit = new AbortController();
  const display = makeDisplay(words, flags, session, () => quit.abort());
  const follower = new Follower(display, {
    seconds: flags.interval ?? DEFAULT_SECONDS,
    once: flags.once === true,
    onDone: () => quit.abort(),
  });
  const signal = AbortSignal.any([session.signal, quit.signal]);
  const close = (): void => {
    follower.stop();
    display.close();
  };
  // A machine may take its time to halt: the terminal is not kept for that.
  signal.addEventListener("abort", close);
  // It would go on as long as its command.
  const unread = (): void => quit.abort();
  session.unread.addEventListener("abort", unread);
  try {
    const status = await runInner(words, {
      ...display.inner,
      ...{ signal, unread: session.unread, onMachine: follower.onMachine },
    });
    if (quit.signal.aborted) return ExitStatus.OK;
    if (flags.once === true && follower.shown === 0)
      throw new MachineError(
        `top: ${words.join(" ")} ended before its machine could be seen`,
        ExitStatus.FAILED,
      );
    return status;
  } catch (error) {
    // A command that is quit has its own words for that.
    if (!quit.signal.aborted || session.signal.aborted) throw error;
    return ExitStatus.OK;
  } finally {
    session.unread.removeEventListener("abort", unread);
    close();
  }
}

function makeDisplay(
  words: readonly string[],
  flags: TopFlags,
  session: Session,
  onQuit: () => void,
): Display {
  const sort = flags.sort ?? "cpu";
  const { stdout } = process;
  const alone = flags.once === true || flags.json === true;
  const obstacle = alone ? null : whyPlain();
  if (!alone && obstacle === null)
    return new ScreenDisplay({
      ...{ stdin: process.stdin, stdout, shown: session },
      ...{ command: words.join(" "), sort, onQuit },
    });
  const width = Math.max(stdout.columns || USUAL_WIDTH, MIN_WIDTH);
  return new PlainDisplay({ session, words, json: flags.json === true, sort, width, obstacle });
}

/** Why there can be no full screen; null if there can. */
function whyPlain(): string | null {
  const { stdout, env } = process;
  if (stdout.isTTY !== true) return "standard output is no terminal";
  // To look at the stream is to open it.
  if (!isatty(0)) return "standard input is no terminal, so there are no keys";
  if (env.TERM === "dumb") return "the terminal (TERM is dumb) cannot move its cursor";
  if (stdout.columns > 0 && stdout.columns < MIN_WIDTH)
    return `the terminal has ${stdout.columns} columns and ${MIN_WIDTH} are needed`;
  return null;
}
