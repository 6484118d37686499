/**
 * The machine's clock: nanoseconds since power-on of the process, the same on every core.
 *
 * performance.now() of all worker threads counts from one origin; it is taken here before any guest
 * or `lockdown()` could touch it.
 */
const performanceNow = performance.now.bind(performance);

/** A few of a host's turns. Back earlier, this thread would be put before those that it gave way to. */
const GIVE_WAY_MS = 10;

/** Lets the host run other threads: sleeps while a word has a value, until it is notified, or for a while. */
export function giveWay(i32: Int32Array, word: number, value: number): void {
  Atomics.wait(i32, word, value, GIVE_WAY_MS);
}

/** Nanoseconds, monotonic, resolution below a microsecond; costs about 45 ns. */
export function nowNs(): number {
  return Math.round(performanceNow() * 1e6);
}
