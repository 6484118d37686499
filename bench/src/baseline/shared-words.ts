/**
 * The two words over which workers play ping-pong. Word PING is written by the driver only, word
 * PONG by its peer only, both with `Atomics.store`; each has two cache lines to itself, because x86
 * fetches lines in pairs.
 */
const WORDS_BETWEEN = 32;

export const PING = 0;
export const PONG = WORDS_BETWEEN;

/** What is thrown: numbers within this mask. And what tells a peer that spins to rest. */
export const BALLS = 0x3fff_ffff;
export const REST = -1;

/** What a worker gets as its data. */
export interface SharedWords {
  readonly memory: WebAssembly.Memory;
}

export function allocateSharedWords(): SharedWords {
  return { memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) };
}

/** A view made as capos makes its own: without a prototype that `lockdown()` could freeze. */
export function viewSharedWords({ memory }: SharedWords): Int32Array {
  return Object.setPrototypeOf(new Int32Array(memory.buffer), null) as Int32Array;
}
