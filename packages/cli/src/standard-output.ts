/**
 * Standard output and standard error, whatever becomes of who reads them. All that the command line writes goes
 * through here, or to a stream that is watched here.
 *
 * A reader that goes (`| head -1`) is no error: what comes after it is thrown away, and the command ends as it would
 * have, unless it goes on and on. Anything else that keeps text from being written is one, and ends the command.
 */
import type { WriteStream } from "node:tty";
import { wantsColor } from "@capos/machine/color";
import type { Output } from "./session.js";

/** Errors that say that nobody reads any more: a pipe, a socket or a terminal that was closed. */
const CLOSED: ReadonlySet<string> = new Set(["EPIPE", "EIO", "ECONNRESET", "ERR_STREAM_DESTROYED"]);
/** Characters written to nobody after which a command need not go on: most have ended by themselves before. */
const MAX_UNREAD = 2 ** 21;

/** What happens to an output. Each is told at most once. */
export interface OutputEvents {
  /** Nobody reads any more. */
  onClosed(): void;
  /** Much has been written since. */
  onUnread(): void;
  onError(error: Error): void;
}

export class StandardOutput implements Output {
  readonly isTTY: boolean;
  readonly hasColors: boolean;
  #isOver = false;
  #unread = 0;
  #room: Promise<void> | undefined;
  #makeRoom = (): void => {};

  constructor(
    private readonly stream: WriteStream,
    private readonly events: OutputEvents,
  ) {
    this.isTTY = stream.isTTY === true;
    this.hasColors = wantsColor(this.isTTY);
    stream.on("error", (error: NodeJS.ErrnoException) => this.#fail(error));
    stream.on("drain", () => this.#makeRoom());
  }

  /** Columns of the terminal; undefined if it is none, or does not say. */
  get columns(): number | undefined {
    return this.stream.columns;
  }

  write(text: string, done?: () => void): Promise<void> | undefined {
    if (this.#isOver) {
      this.#waste(text.length);
      if (done !== undefined) queueMicrotask(done);
      return undefined;
    }
    if (this.stream.write(text, () => done?.()) || this.#isOver) return undefined;
    this.#room ??= new Promise((resolve) => {
      this.#makeRoom = () => {
        this.#room = undefined;
        resolve();
      };
    });
    return this.#room;
  }

  #waste(characters: number): void {
    const before = this.#unread;
    this.#unread += characters;
    if (before <= MAX_UNREAD && this.#unread > MAX_UNREAD) this.events.onUnread();
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#makeRoom();
    if (CLOSED.has(error.code ?? "")) this.events.onClosed();
    else this.events.onError(error);
  }
}
