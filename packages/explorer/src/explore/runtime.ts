/**
 * What transformed code calls: its accesses, announced before they happen.
 *
 * `Atomics.add(v, i, 1)` became `($.op(site, Op.ADD, v, i, 1) && (yield), $.run())`, a plain `v[i]` became
 * `($.peek(site, v, i) && (yield), $.take())`, `v[i] = x` became `($.poke(site, v, i, x) && (yield), $.put())`.
 * The first call says whether the access is a scheduling point; the second performs it.
 */
export interface Runtime {
  /** Announces an atomic operation. `op` is an `Op`, with UNUSED added where the result is dropped. */
  op(site: number, op: number, view: unknown, index: number, a?: number, b?: number, c?: number): boolean;
  /** Performs it; answers what `Atomics` would. */
  run(): unknown;
  /** Announces a computed read of anything, shared or not. */
  peek(site: number, view: unknown, index: unknown): boolean;
  take(): unknown;
  /** Announces a computed write of anything, shared or not. */
  poke(site: number, view: unknown, index: unknown, value: unknown): boolean;
  /** Performs it; answers the value written. */
  put(): unknown;
  /** Stands before a loop that holds an access. */
  enter(): void;
  /** Stands first in its body: `loop` tells the program's loops apart, from 1. */
  turn(loop: number): void;
}

/** A function of the program under test after the transformation: yields at scheduling points. */
export type Coroutine<Result = unknown> = Generator<void, Result, void>;

/** A place in the program under test. */
export interface Site {
  /** Source file as its source map says, for people: `packages/kernel/src/loop/loop.ts`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly function: string;
}
