/**
 * The machine's clock: nanoseconds since power-on of the process, the same on every core.
 *
 * performance.now() of all worker threads counts from one origin; it is taken here before any guest
 * or `lockdown()` could touch it.
 */
const performanceNow = performance.now.bind(performance);

/** Nanoseconds, monotonic, resolution below a microsecond; costs about 45 ns. */
export function nowNs(): number {
  return Math.round(performanceNow() * 1e6);
}
