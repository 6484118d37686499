/** In place of hal/cpu/clock.ts: a clock that stands still but for timers. */
export function nowNs(): number {
  return $host.nowNs();
}
