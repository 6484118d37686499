/**
 * Looks at what each core does, over and over, and counts: a statistical profiler.
 *
 * It reads three words of a core's area, with plain loads from the host's thread, and writes nothing: no core
 * notices. Of n looks a share of p is found with a standard error of sqrt(p (1 - p) / n).
 */
import { Attention, CoreArea, CoreState, coreArea, type PhysicalMemory } from "@capos/hal";
import { isInGuest, readyCount, tablesOf } from "@capos/inspect";
import { KernelCore } from "@capos/kernel/layout";

/** How many looks found a core at what. */
export interface CoreLooks {
  /** It ran a guest. */
  readonly guest: number;
  /** It was in the kernel for a thread. */
  readonly kernel: number;
  /** It was awake and had no thread: it polls for work, or chooses what to run. */
  readonly polling: number;
  readonly halted: number;
  /** It was not online. */
  readonly off: number;
  /** Mean length of its run queue. */
  readonly ready: number;
}

/** What a number of looks found. */
export interface Looks {
  /** Looks at each core. */
  readonly count: number;
  readonly cores: readonly CoreLooks[];
  /** Looks that found a thread running, by its address in bytes. */
  readonly threads: ReadonlyMap<number, number>;
}

export class Sampler {
  #count = 0;
  #cores: { -readonly [field in keyof CoreLooks]: number }[] = [];
  #threads = new Map<number, number>();

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly cores: number,
  ) {
    this.#reset();
  }

  /** Looks once at each core. */
  look(): void {
    const { i32 } = this.memory;
    const tables = tablesOf(this.memory);
    this.#count++;
    for (let core = 0; core < this.cores; core++) {
      const area = coreArea(this.memory, core);
      const found = this.#cores[core];
      const thread = i32[area + KernelCore.CURRENT_THREAD];
      found.ready += readyCount(this.memory, tables, core);
      if (i32[area + CoreArea.STATE] !== CoreState.ONLINE) found.off++;
      else if ((i32[area + CoreArea.ATTENTION] & Attention.HALTED) !== 0) found.halted++;
      else if (thread === 0) found.polling++;
      else {
        if (isInGuest(this.memory, core)) found.guest++;
        else found.kernel++;
        this.#threads.set(thread * 4, (this.#threads.get(thread * 4) ?? 0) + 1);
      }
    }
  }

  /** What was found since the last time; looks once if nobody did. */
  take(): Looks {
    if (this.#count === 0) this.look();
    const looks = {
      count: this.#count,
      cores: this.#cores.map((found) => ({ ...found, ready: found.ready / this.#count })),
      threads: this.#threads,
    };
    this.#reset();
    return looks;
  }

  #reset(): void {
    this.#count = 0;
    this.#cores = Array.from({ length: this.cores }, () => ({
      ...{ guest: 0, kernel: 0, polling: 0, halted: 0, off: 0, ready: 0 },
    }));
    this.#threads = new Map();
  }
}
