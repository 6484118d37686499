/**
 * What a command prints while the screen is somebody else's: kept until the screen is free, then printed as it
 * would have been.
 */
import { stripVTControlCharacters } from "node:util";
import type { Output } from "../session.js";

/** Characters that are kept: the latest, for a command's result comes last. A guest may print for hours. */
const MAX_KEPT = 2 ** 26;
/** Lines that `tail` can give. */
const MAX_TAIL = 20;

interface Piece {
  readonly to: Output;
  readonly text: string;
}

export class Captured {
  readonly stdout: Output;
  readonly stderr: Output;
  #pieces: Piece[] = [];
  #kept = 0;
  #left = 0;
  #tail: string[] = [];
  #rest = "";
  #released = false;

  constructor(
    realStdout: Output,
    private readonly realStderr: Output,
    private readonly most = MAX_KEPT,
  ) {
    const endsOnTerminal = (real: Output) => real.isTTY === true || real.endsOnTerminal === true;
    this.stdout = {
      endsOnTerminal: endsOnTerminal(realStdout),
      write: (text, done) => this.#take(realStdout, text, done),
    };
    this.stderr = {
      endsOnTerminal: endsOnTerminal(realStderr),
      write: (text, done) => this.#take(realStderr, text, done),
    };
  }

  /** The last lines, without what a terminal would obey. */
  tail(count: number): string[] {
    return (this.#rest === "" ? this.#tail : [...this.#tail, clean(this.#rest)]).slice(-count);
  }

  /** Prints what was kept, and from now on what comes. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#left > 0) this.realStderr.write(`... ${this.#left} earlier pieces of output were left out\n`);
    for (const { to, text } of this.#pieces) to.write(text);
    this.#pieces = [];
  }

  /** Leaves out the oldest pieces: half of all, so that it is seldom done. */
  #shorten(): void {
    let count = 0;
    while (this.#kept > this.most / 2 && count < this.#pieces.length - 1)
      this.#kept -= this.#pieces[count++].text.length;
    this.#pieces.splice(0, count);
    this.#left += count;
  }

  #take(to: Output, text: string, done?: () => void): void {
    if (this.#released) {
      to.write(text, done);
      return;
    }
    this.#pieces.push({ to, text });
    this.#kept += text.length;
    if (this.#kept > this.most) this.#shorten();
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    this.#tail = [...this.#tail, ...lines.map(clean)].slice(-MAX_TAIL);
    if (done !== undefined) queueMicrotask(done);
  }
}

function clean(line: string): string {
  return stripVTControlCharacters(line).replace(/\p{Cc}/gu, " ");
}
