/**
 * How long a thread has been at one thing, by the work it did: what watchdogs go by.
 *
 * On a busy host, or under a limit of CPU time, a thread may be kept from running for seconds, which says nothing of
 * it. So what counts is the CPU time that it used. What it slept counts little, for it may wait for the host; and
 * where the host tells no CPU time, the clock's time counts little, but for what its own watcher did not run.
 */
import type { ThreadTime } from "./host-thread.js";

/** Before this the host is not asked at all: most things are over by then. */
const UNASKED_MS = 20;
/** Clock time that counts as one millisecond of work, of a thread that sleeps. */
const ASLEEP = 15;
/** The same where the host tells nothing. */
export const UNTOLD = 4;
/** Longer than this between two looks, where the host tells nothing, and the watcher itself was kept from running. */
const LOOK_MS = 40;

export class Patience {
  #countedMs = 0;
  #lookedNs = 0;
  /** When the limit can be reached at the earliest. */
  #nextNs = 0;
  /** CPU time at the last look, -1 before the first. */
  #cpuMs = -1;

  /** @param look asks the host about the thread */
  constructor(private readonly look: () => ThreadTime | null) {}

  /** The thread has begun something new. Cheap. */
  begin(nowNs: number): void {
    this.#countedMs = 0;
    this.#lookedNs = nowNs;
    this.#nextNs = nowNs + UNASKED_MS * 1e6;
    this.#cpuMs = -1;
  }

  /**
   * Whether what it has been at counts as more than `limitMs` milliseconds. Asks the host only when that is possible
   * by the clock; so is to be called often, every 20 ms or so.
   */
  isOver(nowNs: number, limitMs: number): boolean {
    if (nowNs >= this.#nextNs) this.#count(nowNs, limitMs);
    return this.#countedMs > limitMs;
  }

  #count(nowNs: number, limitMs: number): void {
    const time = this.look();
    const elapsedMs = (nowNs - this.#lookedNs) / 1e6;
    this.#lookedNs = nowNs;
    if (time === null) {
      this.#countedMs += Math.min(elapsedMs, LOOK_MS) / UNTOLD;
      this.#cpuMs = -1;
      this.#nextNs = nowNs;
      return;
    }
    if (this.#cpuMs >= 0) {
      const usedMs = time.cpuMs - this.#cpuMs;
      this.#countedMs += usedMs === 0 && !time.isRunnable ? elapsedMs / ASLEEP : usedMs;
    }
    this.#cpuMs = time.cpuMs;
    this.#nextNs = nowNs + Math.max(0, limitMs - this.#countedMs) * 1e6;
  }
}
