/** In place of hal/clock.ts: a clock that stands still but for timers. */
export function nowNs(): number {
  return $host.nowNs();
}
