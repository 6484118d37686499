/**
 * Lines from parts: what writers send in several messages, put together by writer.
 *
 * A writer is a badge and a thread; parts of two writers are never mixed. What is kept is bounded: a
 * line that grows over `MAX_LINE_LENGTH` is passed on as far as it has come, and so is one that has to
 * make room for another writer. Nothing is lost then, a line is only broken. Room is made by the
 * process with the most unfinished lines, so one that opens many breaks its own.
 */

/** Length of an unfinished line at which it is broken, in UTF-16 units. */
export const MAX_LINE_LENGTH = 16384;
/** Unfinished lines at one time. */
export const MAX_UNFINISHED = 64;

export interface Line {
  readonly badge: number;
  readonly thread: number;
  readonly text: string;
  /** What came with its first part. */
  readonly level: number;
  /** True for a line that goes on, or was to. */
  readonly broken: boolean;
}

interface Unfinished {
  readonly badge: number;
  readonly thread: number;
  readonly level: number;
  text: string;
}

export class LineJoiner {
  /** By writer, oldest first. */
  readonly #unfinished = new Map<string, Unfinished>();

  /** Takes a part (`more` follow, or it is the last); gives the lines to pass on now, mostly none or one. */
  add(badge: number, thread: number, text: string, more: boolean, level = 0): Line[] {
    const key = `${badge}/${thread}`;
    const before = this.#unfinished.get(key);
    const joined = before === undefined ? text : before.text + text;
    if (!more || joined.length >= MAX_LINE_LENGTH) {
      this.#unfinished.delete(key);
      return [{ badge, thread, text: joined, level: before?.level ?? level, broken: more }];
    }
    if (before !== undefined) {
      before.text = joined;
      return [];
    }
    const displaced = this.#unfinished.size < MAX_UNFINISHED ? [] : [this.#makeRoom()];
    this.#unfinished.set(key, { badge, thread, level, text });
    return displaced;
  }

  /** The badges that have unfinished lines. */
  badges(): Set<number> {
    return new Set([...this.#unfinished.values()].map((one) => one.badge));
  }

  /** Gives up waiting for the rest of what these badges began. */
  end(badges: ReadonlySet<number>): Line[] {
    const lines: Line[] = [];
    for (const [key, one] of [...this.#unfinished]) {
      if (badges.has(one.badge)) lines.push(this.#take(key, one));
    }
    return lines;
  }

  #makeRoom(): Line {
    const counts = new Map<number, number>();
    for (const { badge } of this.#unfinished.values()) counts.set(badge, (counts.get(badge) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const [key, one] of this.#unfinished) {
      if (counts.get(one.badge) === most) return this.#take(key, one);
    }
    throw new Error("no unfinished line to make room");
  }

  #take(key: string, one: Unfinished): Line {
    this.#unfinished.delete(key);
    return { ...one, broken: true };
  }
}
