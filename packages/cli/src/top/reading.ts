/**
 * What a machine did in an interval: shares from the sampler's looks, rates from the differences of counters.
 */
import { BootInfo, nowNs, type PhysicalMemory, Power } from "@capos/hal";
import {
  type CoreSnapshot,
  coreStateName,
  type ProcessActivity,
  readActivity,
  readCallNumbers,
  snapshotCore,
  type ThreadActivity,
} from "@capos/inspect";
import { type CoreLooks, Sampler } from "./sampler.js";

/** An interval of a machine. Shares are parts of one core's time, 0 to 1; rates are a second. */
export interface Reading {
  /** True once the machine has ended. */
  readonly ended: boolean;
  readonly memoryMiB: number;
  /** Length of the interval, and how often each core was looked at in it. */
  readonly seconds: number;
  readonly looks: number;
  readonly cores: readonly CoreReading[];
  readonly processes: readonly ProcessReading[];
  readonly threads: readonly ThreadReading[];
}

export interface CoreReading {
  readonly core: number;
  readonly state: string;
  /** In a guest, or in the kernel for a thread. */
  readonly busy: number;
  /** The part of that in the kernel. */
  readonly kernel: number;
  /** Awake without a thread: looking for work. */
  readonly polling: number;
  readonly halted: number;
  /** Mean length of the run queue. */
  readonly ready: number;
  /** Turns of the kernel's loop: about one a trap. */
  readonly traps: number;
  /** Calls that ended, of threads at home here. */
  readonly calls: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Grace periods that it passed, or that were passed on its behalf while it was halted. */
  readonly gracePeriods: number;
}

export interface ThreadReading extends ThreadActivity {
  /** Share of one core's time. */
  readonly cpu: number;
  /** Calls that ended, a second, with those of a thread that had its number before in the interval. */
  readonly calls: number;
}

/** A process: sums over its threads. */
export interface ProcessReading extends ProcessActivity {
  readonly threads: number;
  /** Cores on which its threads live. */
  readonly cores: readonly number[];
  readonly cpu: number;
  readonly calls: number;
}

/** What only grows, at one time. */
interface Counters {
  readonly ns: number;
  readonly cores: readonly CoreSnapshot[];
  /** Call numbers by thread number. */
  readonly calls: Uint32Array;
}

/** Reads one machine, interval by interval. */
export class Watch {
  readonly #sampler: Sampler;
  #before: Counters;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly cores: number,
  ) {
    this.#sampler = new Sampler(memory, cores);
    this.#before = this.#count();
  }

  /** To be called some hundred times a second. */
  look(): void {
    this.#sampler.look();
  }

  /** What happened since the last reading. */
  read(): Reading {
    const looks = this.#sampler.take();
    const { processes, threads } = readActivity(this.memory);
    const before = this.#before;
    const now = this.#count();
    this.#before = now;
    const seconds = Math.max((now.ns - before.ns) / 1e9, 1e-6);
    const readings = threads.map((thread): ThreadReading => {
      const calls = ((now.calls[thread.number] ?? 0) - (before.calls[thread.number] ?? 0)) >>> 0;
      return {
        ...thread,
        cpu: (looks.threads.get(thread.address) ?? 0) / looks.count,
        calls: calls / seconds,
      };
    });
    return {
      ended: Atomics.load(this.memory.i32, BootInfo.POWER) !== Power.ON,
      memoryMiB: this.memory.i32[BootInfo.MEMORY_PAGES] / 256,
      seconds,
      looks: looks.count,
      cores: now.cores.map((core, i) => {
        const rate = (name: Counter): number => ((core[name] - before.cores[i][name]) >>> 0) / seconds;
        return {
          core: core.core,
          state: coreStateName(core.state | 0),
          ...sharesOf(looks.cores[i], looks.count),
          traps: rate("safePoints"),
          calls: sum(readings.filter((thread) => thread.core === core.core).map(({ calls }) => calls)),
          messagesIn: rate("messagesIn"),
          messagesOut: rate("messagesOut"),
          gracePeriods: rate("gracePassed"),
        };
      }),
      processes: totalsOf(processes, readings),
      threads: readings,
    };
  }

  #count(): Counters {
    return {
      ns: nowNs(),
      cores: Array.from({ length: this.cores }, (_, core) => snapshotCore(this.memory, core)),
      calls: readCallNumbers(this.memory),
    };
  }
}

type Counter = "safePoints" | "messagesIn" | "messagesOut" | "gracePassed";

function sharesOf({ guest, kernel, polling, halted, ready }: CoreLooks, count: number) {
  return {
    busy: (guest + kernel) / count,
    kernel: kernel / count,
    polling: polling / count,
    halted: halted / count,
    ready,
  };
}

function totalsOf(
  processes: readonly ProcessActivity[],
  threads: readonly ThreadReading[],
): ProcessReading[] {
  const byProcess = new Map<number, ThreadReading[]>();
  for (const thread of threads) {
    const own = byProcess.get(thread.process);
    if (own === undefined) byProcess.set(thread.process, [thread]);
    else own.push(thread);
  }
  return processes.map((process) => {
    const own = byProcess.get(process.number) ?? [];
    return {
      ...process,
      threads: own.length,
      cores: [...new Set(own.map(({ core }) => core))].sort((a, b) => a - b),
      cpu: sum(own.map(({ cpu }) => cpu)),
      calls: sum(own.map(({ calls }) => calls)),
    };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
