/**
 * Who waits for a line: readers in the order they came.
 *
 * Whoever was given a part of a line is given the rest, however many came before it; the others wait
 * until then. The table is bounded, as a whole and for each process.
 */

/** Readers in all, and of one process. */
const MAX_READERS = 128;
const MAX_READERS_OF_PROCESS = 16;

/** A thread that reads. */
export interface Reader {
  readonly badge: number;
  readonly thread: number;
}

export class Readers<R extends Reader> {
  #waiting: R[] = [];
  /** The reader whose line is not at its end. */
  #owner: { readonly badge: number; readonly thread: number } | null = null;

  /** True if one more reader of this process would be too many. */
  isFullFor(badge: number): boolean {
    if (this.#waiting.length >= MAX_READERS) return true;
    return this.#waiting.filter((reader) => reader.badge === badge).length >= MAX_READERS_OF_PROCESS;
  }

  add(reader: R): void {
    this.#waiting.push(reader);
  }

  /** The reader that the next piece belongs to, or undefined if it has not come yet. */
  next(): R | undefined {
    const owner = this.#owner;
    if (owner === null) return this.#waiting[0];
    return this.#waiting.find((one) => one.badge === owner.badge && one.thread === owner.thread);
  }

  /** The reader waits no more; if its line `goesOn`, the rest is its own. */
  served(reader: R, goesOn: boolean): void {
    this.#waiting = this.#waiting.filter((one) => one !== reader);
    this.#owner = goesOn ? reader : null;
  }

  /** Whoever waits or has a line. */
  badges(): number[] {
    const badges = this.#waiting.map((reader) => reader.badge);
    return this.#owner === null ? badges : [...badges, this.#owner.badge];
  }

  /** Forgets these processes; gives their readers, who are not answered. The rest of a line becomes anyone's. */
  end(badges: ReadonlySet<number>): R[] {
    const gone = this.#waiting.filter((reader) => badges.has(reader.badge));
    this.#waiting = this.#waiting.filter((reader) => !badges.has(reader.badge));
    if (this.#owner !== null && badges.has(this.#owner.badge)) this.#owner = null;
    return gone;
  }
}
