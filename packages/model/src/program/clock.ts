/** In place of hal/cpu/clock.ts: a clock that stands still but for timers. */
export function nowNs(): number {
  return $host.nowNs();
}

/** Whoever is explored next is chosen by the explorer. */
export function giveWay(_i32: Int32Array, _word: number, _value: number): void {}
