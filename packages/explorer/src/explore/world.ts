/**
 * A program under test as the explorer sees it: shared memory, a coroutine for each core, and what must
 * hold. Made once in a worker and brought back to its first state before each schedule.
 */
import type { Coroutine } from "./runtime.js";

/** Kinds of findings. */
export type FailureKind =
  | "assertion"
  | "invariant"
  | "history"
  | "deadlock"
  | "lost wake-up"
  | "data race"
  | "exception"
  | "livelock"
  | "leak";

export interface Finding {
  readonly kind: FailureKind;
  /** One sentence. */
  readonly message: string;
  /** Where it happened, as sites of the program: of a data race both places. */
  readonly sites?: readonly number[];
}

export interface World {
  /** 1 to 4. */
  readonly cores: number;
  /** Views of one shared buffer; accesses to any other array are a core's own. */
  readonly views: { readonly i32: Int32Array; readonly f64: Float64Array; readonly u8: Uint8Array };
  /** What the program has in place of the views, where it is to have something else: each stands for one. */
  readonly handles?: { readonly i32: unknown; readonly f64: unknown; readonly u8: unknown };
  /** What orders the plain accesses of a word (an index of i32) that race by design; null if they must not race. */
  orderedBy(word: number): string | null;
  /** True for one of these whose plain read gets to know what came before the atomic write that it sees. */
  publishes(word: number): boolean;
  /**
   * Words whose value steers nothing that a property could depend on (statistics, hints how long to poll):
   * accesses to them are no scheduling points.
   */
  isIndifferent(word: number): boolean;
  /** Brings all state outside shared memory back to the first state; memory was brought back before. */
  reset(): void;
  /** A new coroutine of a core's program, not begun. */
  start(core: number): Coroutine;
  /** Words of which each write is followed by `atRest`. */
  readonly watched: readonly number[];
  /** Something that must hold whenever a watched word was written by a core. May read memory; must not change anything. */
  atRest(core: number, word: number): Finding | null;
  /**
   * A core waits with a time limit and nothing else can go on: true if a timer of it is due then, whose time
   * becomes the machine's time. False makes it a lost wake-up.
   */
  timerDue(core: number, timeoutMs: number): boolean;
  /** Nothing can go on. `waiting` has the bit of each core whose program waits for ever instead of having ended. */
  finish(waiting: number): Finding | null;
  /** A word in the words of the program: `core 1 attention`. */
  describe(word: number): string;
}
