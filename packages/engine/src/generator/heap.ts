/**
 * The memory that the guests of one core may use, and who pays when they use more.
 *
 * V8 has a limit for a worker's heap, but ends the whole process when one large allocation meets it, so
 * that limit is far away (hal/src/host/core-pool.ts) and this budget is held here. The heap is looked at by time, in
 * the loop, where a turn ended after the chipset's last pulse; and by the guest's own checks, in a turn that
 * lasts. When it is used up, whoever holds most of it is ended, which need not be who asks; the core and its other
 * threads go on.
 *
 * V8 tells how much is in use, not by whom. So what was added between two looks counts for the thread that ran, as _fresh_; what
 * a collection took away is taken from what was fresh first, since most of what V8 finds dead is young, and only
 * then from what the threads _kept_ of former collections.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BootInfo, CoreArea } from "@capos/hal";
import type { EngineCore } from "../engine.js";

/** Bytes of a core's JavaScript heap at which garbage is collected on the guest's time. */
const HEAP_BUDGET = 256 * 2 ** 20;
/** What of it the system's threads have for themselves, on the core where they live. */
const RESERVE = 64 * 2 ** 20;
/** What must be free after a collection. The distance is what a guest can make before it has to pay again. */
const MARGIN = 32 * 2 ** 20;
/** Who holds less is not to blame. */
const MIN_BLAMED = 8 * 2 ** 20;

/** What a thread is accounted for, in bytes of the heap. */
export interface HeapHolder {
  freshBytes: number;
  keptBytes: number;
  readonly isSystem: boolean;
}

/** The heap of one worker. */
export class GuestHeap {
  /** V8's collector, which costs a context to get. */
  #collector: (() => void) | null = null;
  /** Where the chipset counts its looks at the core, and that count when the heap was looked at. Its own: it is looked at in each turn. */
  readonly #i32: Int32Array;
  readonly #pulseAt: number;
  #pulse = 0;
  /** Bytes in use when it was last looked at, and those at which garbage is collected. */
  #used = 0;
  #next: number;
  /** What was added while guests ran, so far as it is in use; more than these hold if some of them are gone. */
  #total = 0;
  /** Number of the thread that is to be ended, 0 for none. */
  #holder = 0;

  constructor(private readonly core: EngineCore) {
    this.#i32 = core.i32;
    this.#pulseAt = core.area + CoreArea.PULSE;
    this.#next = this.#budget();
  }

  /** What all but the system's threads may use. */
  #budget(): number {
    const { i32, id } = this.core;
    return i32[BootInfo.BOOT_CORE] === id ? HEAP_BUDGET - RESERVE : HEAP_BUDGET;
  }

  /**
   * Takes V8's collector, once. Costs a millisecond. Runs JavaScript of Node's, which ends the process where the
   * stack ends, so not on a guest's stack; the collector itself is native code, and fits behind its end.
   */
  takeCollector(): void {
    if (this.#collector === null) this.#used = heapBytes();
    // V8 gives it to contexts that are made while the flag is set. The flag is the process's: another core may
    // have taken it back meanwhile.
    while (this.#collector === null) {
      setFlagsFromString("--expose-gc");
      this.#collector = runInNewContext("globalThis.gc ?? null") as (() => void) | null;
      setFlagsFromString("--no-expose-gc");
    }
  }

  /** True if the chipset's pulse has come since the heap was looked at. */
  isDue(): boolean {
    // Plain: late is soon enough.
    return this.#i32[this.#pulseAt] !== this.#pulse;
  }

  /**
   * Looks at the heap. Answers the number of the thread that is to be ended because all of it is used up, 0 for none,
   * and the same until it is taken. May run on a guest's stack.
   */
  look(): number {
    this.#pulse = this.#i32[this.#pulseAt]!;
    this.#account();
    if (this.#used < this.#next) return this.#holder;
    // The last text that a regular expression was matched with is V8's to hold, whoever made it.
    /(?:)/.test("");
    // Up to 200 ms for a full heap.
    this.#collector?.();
    this.#account();
    const budget = this.#budget();
    if (this.#used < budget - MARGIN) {
      this.#next = budget;
      this.#holder = 0;
    } else {
      this.#holder = this.#largest();
      this.#next = this.#used + MARGIN;
    }
    return this.#holder;
  }

  /** The number of the thread that is to be ended now, 0 for none. For the loop. */
  take(): number {
    const holder = this.isDue() ? this.look() : this.#holder;
    this.#holder = 0;
    return holder;
  }

  /** The number of the thread to blame. */
  #largest(): number {
    const { contexts } = this.core;
    let number = 0;
    let most = MIN_BLAMED;
    for (const isSystem of [false, true]) {
      // The system's own have all of the budget.
      if (isSystem && this.#used < HEAP_BUDGET - MARGIN) break;
      for (let i = 0; i < contexts.length && (!isSystem || number === 0); i++) {
        const holder = contexts[i] as unknown as HeapHolder | null;
        if (holder === null || holder.isSystem !== isSystem) continue;
        const bytes = holder.freshBytes + holder.keptBytes;
        if (bytes <= most) continue;
        most = bytes;
        number = i;
      }
    }
    return number;
  }

  /** Adds what is new to who runs, or takes what is gone from all. */
  #account(): void {
    const used = heapBytes();
    const added = used - this.#used;
    this.#used = used;
    if (added < 0) {
      this.#release(-added);
      return;
    }
    this.#total += added;
    const runs = this.core.context as unknown as HeapHolder | null;
    if (runs !== null) runs.freshBytes += added;
  }

  #release(bytes: number): void {
    let fresh = 0;
    let kept = 0;
    const { contexts } = this.core;
    for (const context of contexts) {
      const holder = context as unknown as HeapHolder | null;
      if (holder === null) continue;
      fresh += holder.freshBytes;
      kept += holder.keptBytes;
    }
    // What those left that are gone comes before all.
    const left = Math.max(bytes - Math.max(this.#total - fresh - kept, 0), 0);
    const ofFresh = fresh > left ? 1 - left / fresh : 0;
    const rest = Math.max(left - fresh, 0);
    const ofKept = kept > rest ? 1 - rest / kept : 0;
    this.#total = Math.max(this.#total - bytes, 0);
    for (const context of contexts) {
      const holder = context as unknown as HeapHolder | null;
      if (holder !== null) settle(holder, ofFresh, ofKept);
    }
  }
}

/** After a collection: what is left of a holder's, all of which it kept. */
function settle(holder: HeapHolder, ofFresh: number, ofKept: number): void {
  holder.keptBytes = holder.keptBytes * ofKept + holder.freshBytes * ofFresh;
  holder.freshBytes = 0;
}

/** Bytes in use on this worker's JavaScript heap. */
export function heapBytes(): number {
  return getHeapStatistics().used_heap_size;
}
