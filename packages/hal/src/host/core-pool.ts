/**
 * The workers behind the cores: each core is one long task, of a piscina pool of its own. Of a pool for all a worker
 * that cannot start would leave a task behind for the next one to take.
 *
 * A task ends when the machine is off. One that ends otherwise is a core's death: reported once, after
 * the worker has exited, because until then it may still touch memory.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { nowNs } from "../cpu/clock.js";
import { threadTime } from "../cpu/host-thread.js";
import { Patience } from "../cpu/patience.js";
import { BootInfo, CoreArea, CoreDeath, CoreState, coreArea, Power } from "../memory/machine-map.js";
import type { PhysicalMemory, SharedMemory } from "../memory/physical-memory.js";
import { SEALED, setFlags } from "./workers.js";

/** A worker has this long to exit once it was terminated, in milliseconds of its work: see `Patience`. */
const EXIT_TIMEOUT_MS = 1000;
/** Between two looks at what a worker has worked since then, in milliseconds. */
const LOOK_MS = 20;
/**
 * V8's own limit of a core's JavaScript heap. Far above the budget that guests are held to
 * (engine/src/generator/heap.ts), because V8 ends the whole process, not the worker, when one large allocation
 * meets this limit: a Map that doubles its table is enough. What a guest can allocate between two checks
 * must fit. It is address space, not memory.
 */
const HEAP_MIB = 4096;
const YOUNG_MIB = 32;
const STACK_MIB = 2;

/** How the pool tells its machine what happens to cores. */
export interface CorePoolEvents {
  /** A core's task came to its regular end. */
  onReport(core: number, report: unknown): void;
  /** A core's worker has exited though the machine is on. */
  onDeath(core: number, death: CoreDeath, error: unknown): void;
  /** A core's worker does not exit. */
  onImmortal(core: number): void;
  /** A core's worker could not start, or ended before it was one of the machine's. The core is without power again. */
  onStillborn(core: number, error: unknown): void;
}

export class CorePool {
  readonly #pools = new Set<Piscina>();
  readonly #aborts = new Map<number, AbortController>();
  readonly #tasks = new Set<Promise<void>>();
  /** By thread number: the pool forgets a worker when it begins to end, which is not when it has ended. */
  readonly #workers = new Map<number, Worker>();

  constructor(
    private readonly program: URL,
    private readonly memory: PhysicalMemory,
    private readonly wasmMemory: SharedMemory,
    private readonly events: CorePoolEvents,
  ) {
    setFlags();
  }

  /** Powers a core: its worker starts and runs the core program until the machine is off. */
  start(core: number, recovers: boolean): void {
    Atomics.store(this.memory.i32, coreArea(this.memory, core) + CoreArea.WORKER, 0);
    const abort = new AbortController();
    this.#aborts.set(core, abort);
    const task = this.#run(core, recovers, abort)
      .then((report: unknown) => this.events.onReport(core, report))
      .catch((error: unknown) => this.#died(core, error));
    this.#rememberWorkers();
    this.#tasks.add(task);
    void task.finally(() => this.#tasks.delete(task));
  }

  /** Async: the pool throws at once where the host refuses it a thread, and is nobody's then. */
  async #run(core: number, recovers: boolean, abort: AbortController): Promise<unknown> {
    const pool = new Piscina({
      filename: this.program.href,
      minThreads: 0,
      maxThreads: 1,
      // A core never is idle as far as the pool can see, and a pool that waited on Atomics would not see its worker end.
      atomics: "disabled",
      ...SEALED,
      recordTiming: false,
      resourceLimits: {
        maxOldGenerationSizeMb: HEAP_MIB,
        maxYoungGenerationSizeMb: YOUNG_MIB,
        stackSizeMb: STACK_MIB,
      },
    });
    let failure: unknown;
    // Said of a worker that has no task: it failed before it took the core's, or after that was aborted.
    pool.on("error", (error) => {
      failure = error;
      abort.abort();
    });
    try {
      const task: Promise<unknown> = pool.run(
        { core, memory: this.wasmMemory, recovers },
        { signal: abort.signal },
      );
      this.#pools.add(pool);
      return await task;
    } catch (error) {
      // Whoever ends a core that has no worker does nothing.
      if (!this.#pools.delete(pool)) this.#aborts.delete(core);
      throw failure ?? error;
    }
  }

  /** Ends a core's worker. Its death is reported when it has exited. */
  terminate(core: number): void {
    this.#rememberWorkers();
    this.#aborts.get(core)?.abort();
  }

  #rememberWorkers(): void {
    for (const pool of this.#pools)
      for (const worker of pool.threads) this.#workers.set(worker.threadId, worker);
  }

  async #died(core: number, error: unknown): Promise<void> {
    const { i32 } = this.memory;
    const area = coreArea(this.memory, core);
    const id = Atomics.load(i32, area + CoreArea.WORKER);
    const isStillborn = Atomics.load(i32, area + CoreArea.STATE) === CoreState.OFFLINE;
    Atomics.store(i32, area + CoreArea.STATE, CoreState.DYING);
    const worker = this.#workers.get(id);
    const thread = Atomics.load(i32, area + CoreArea.THREAD);
    if (worker !== undefined && !(await exited(worker, thread))) {
      this.events.onImmortal(core);
      return;
    }
    this.#workers.delete(id);
    const isOn = Atomics.load(i32, BootInfo.POWER) === Power.ON;
    if (isStillborn) {
      this.#aborts.delete(core);
      Atomics.store(i32, area + CoreArea.STATE, CoreState.ABSENT);
      if (isOn) this.events.onStillborn(core, error);
      return;
    }
    Atomics.store(i32, area + CoreArea.STATE, CoreState.DEAD);
    const death = Atomics.load(i32, area + CoreArea.DEATH);
    if (death === CoreDeath.NONE) {
      const code = (error as { code?: string } | null)?.code;
      Atomics.store(
        i32,
        area + CoreArea.DEATH,
        code === "ERR_WORKER_OUT_OF_MEMORY" ? CoreDeath.HEAP : CoreDeath.CRASH,
      );
    }
    if (isOn) this.events.onDeath(core, Atomics.load(i32, area + CoreArea.DEATH), error);
  }

  /** Ends the worker of every core that works for longer than this from now on, in milliseconds of its work. */
  async terminateWorking(limitMs: number): Promise<void> {
    const cores = [...this.#aborts.keys()].map((core) => {
      const thread = coreArea(this.memory, core) + CoreArea.THREAD;
      const patience = new Patience(() => threadTime(Atomics.load(this.memory.i32, thread)));
      patience.begin(nowNs());
      return { core, patience };
    });
    while (this.#tasks.size > 0) {
      await sleep(LOOK_MS, undefined, { ref: false });
      for (const { core, patience } of cores) if (patience.isOver(nowNs(), limitMs)) this.terminate(core);
    }
  }

  /** Resolves when no core's task runs. */
  async settled(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.allSettled([...this.#tasks]);
  }

  /** Ends all workers. Resolves when they have exited, so that what they had of the host's is there for the next. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#pools].map((pool) => pool.destroy()));
    await Promise.all([...this.#workers.values()].map((worker) => worker.terminate()));
  }
}

/** Waits for a terminated worker's exit; false if it works on for too long. `thread` is the host's number of it. */
async function exited(worker: Worker, thread: number): Promise<boolean> {
  const patience = new Patience(() => threadTime(thread));
  patience.begin(nowNs());
  // A worker that has exited has no thread number any more.
  while (worker.threadId !== -1) {
    if (patience.isOver(nowNs(), EXIT_TIMEOUT_MS)) return false;
    await sleep(LOOK_MS);
  }
  return true;
}
