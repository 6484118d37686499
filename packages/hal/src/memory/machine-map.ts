/**
 * Where everything stands in physical memory: the plan the host makes before power-on.
 *
 * From the bottom: frame 0 (never mapped; holds the boot information), core areas (attention word,
 * status, LAPIC page), rings, serial devices, boot modules (images), and above them the memory that is
 * the tenant's to hand out: whatever runs on the machine, a kernel. Frame 0 and the core areas have lines for the
 * tenant's own words. The plan is written to frame 0 and read back by each core: nothing of it travels any other
 * way.
 */
import { MAX_CORES, MAX_MEMORY_MIB, MIN_MEMORY_MIB } from "@capos/abi";
import {
  ALL_GROUPS,
  historyWords,
  isTraceSize,
  MAX_TRACE_KIB,
  MIN_TRACE_KIB,
  TraceMode,
  traceRingWords,
} from "@capos/trace";
import { LINE_WORDS, PAGE_WORDS, type PhysicalMemory, type WordIndex } from "./physical-memory.js";

/** Words of frame 0: what a boot loader tells a kernel. Written by the host before power-on, then constant. */
export const enum BootInfo {
  MAGIC = 16,
  CORES = 17,
  MEMORY_PAGES = 18,
  HARDWARE_THREADS = 19,
  CORE_AREAS = 20,
  RINGS = 21,
  RING_LINES = 22,
  PORTS = 23,
  MODULES = 24,
  MODULE_PAGES = 25,
  /** First word and pages of the memory that is free. */
  FREE = 26,
  FREE_PAGES = 27,
  SEED = 28,
  /** Core whose worker is the boot core. */
  BOOT_CORE = 29,
  WATCHDOG_MS = 30,
  /** Trace rings, one a core and one for the chipset. KiB of each, 0 for none; groups of events; a `TraceMode`. */
  TRACES = 8,
  TRACE_KIB = 9,
  TRACE_GROUPS = 10,
  TRACE_MODE = 11,
  /** Buffers for histories, one a core, and how many events each holds (a power of two), 0 for none. */
  HISTORIES = 12,
  HISTORY_EVENTS = 13,
  /** Line of its own: the host's doorbell, rung by cores, waited on by the host. */
  HOST_DOORBELL = 32,
  /** What the doorbell was rung for: `HostEvent` bits. Any core ORs, the host takes. */
  HOST_EVENTS = 33,
  /** Line of its own: the chipset's doorbell and its sleep flag. */
  CHIPSET_DOORBELL = 48,
  CHIPSET_ASLEEP = 49,
  /** Line of its own: power state and exit status of the machine. */
  POWER = 64,
  EXIT_STATUS = 65,
  /** Core that panicked, plus one. Written once by compare-and-swap: the first panic is the one printed. */
  PANIC_CORE = 66,
  /** Four lines for the tenant, who says what they mean. */
  TENANT = 80,
  /** Line of its own: the chipset's alarm (a double, nanoseconds of the machine's clock). Infinity while it rests. */
  ALARM_NS = 144,
}

export const BOOT_MAGIC = 0x43415053;

/** Values of POWER. */
export const enum Power {
  ON = 1,
  /** A core asked for a halt: all cores leave at their next safe point. */
  HALTING = 2,
  PANIC = 3,
}

/** Why the host's doorbell rang. */
export const enum HostEvent {
  PORT_OUTPUT = 1,
  /** A driver has read: there is room for more. */
  PORT_INPUT = 8,
  POWER = 2,
  /** The chipset wants a core's worker terminated. */
  MACHINE_CHECK = 4,
}

/** A core's area: words from its start. Lines are separated by who writes them. */
export const enum CoreArea {
  /** Line 0: the attention word. Any core or the host ORs bits; only the core clears them. */
  ATTENTION = 0,
  /** Line 2: host and core: life of the core. */
  STATE = 32,
  INCARNATION = 33,
  WORKER = 34,
  /** Why the core's worker is to be ended: see `CoreDeath`. Written by the chipset. */
  DEATH = 35,
  /** 1 asks the core to leave the machine. Written by the host, cleared by the core. */
  LEAVE = 36,
  /** The host's number of the worker's thread, 0 if it is not known. Written by the core. */
  THREAD = 37,
  /** The progress at which the core has run for too long, 0 for none: see cpu/progress.ts. Written by the chipset. */
  SPENT = 38,
  /** Counts the chipset's looks at the core while it runs, 1 to 20 ms apart. Written by the chipset. */
  PULSE = 39,
  /** Line 3, written by this core alone: a count that goes on for as long as the core does. The watchdog looks at it. */
  HEARTBEAT = 48,
  /** Counts the times that a guest would have let go of the core, had it been wanted. */
  TURNS = 49,
  /** The rest of the line, and lines 4 to 7: the tenant's, who says what they mean. */
  TENANT = 50,
  /** Lines 8 to 11: where this core writes next in the ring to each core (its alone). */
  RING_WRITE = 128,
  /** Lines 12 to 15: where this core reads next in the ring from each core. Stored by the core, loaded by a producer that finds the ring full. */
  RING_READ = 192,
  /** Lines 16 to 19: what this core last saw of the other ends' RING_READ (its alone). */
  RING_SEEN = 256,
  /**
   * Line 22, alone with its neighbour: the core whose ring this core looks at without being called, plus one; 0 for
   * none. Stored by the core, loaded by producers; changes seldom.
   */
  WATCHED = 352,
  /** Second page: the LAPIC, registers at the real part's offsets. */
  LAPIC = 1024,
  WORDS = 2048,
}

/** Life of a core. */
export const enum CoreState {
  /** No power: an empty socket, or a core that was unplugged. */
  ABSENT = -1,
  /** Powered, its worker not there yet. */
  OFFLINE = 0,
  /** Powered: waits for INIT and start-up interrupts. */
  WAIT_FOR_INIT = 1,
  WAIT_FOR_STARTUP = 2,
  /** Runs the kernel. */
  ONLINE = 3,
  /** Its worker is being ended. */
  DYING = 4,
  /** Its worker has exited; a new one is to recover it. */
  DEAD = 5,
  /** About to leave the machine: takes no new requests, answers those it has. */
  LEAVING = 6,
}

/** The interrupt at the boot core that announces a core which waits for INIT. */
export const HOTPLUG_VECTOR = 0xd0;

/** The interrupt of the chipset's alarm, at the boot core. */
export const ALARM_VECTOR = 0xd8;

/** Why a core's worker ended. */
export const enum CoreDeath {
  NONE = 0,
  WATCHDOG = 1,
  HEAP = 2,
  /** The worker threw or exited on its own: a bug in the kernel. */
  CRASH = 3,
}

export const MAX_RING_LINES = 64;
export const MIN_RING_LINES = 4;
export const PORT_COUNT = 5;
/** Words of one serial device: a header of four lines, then 16 KiB each way. */
export const PORT_RING_BYTES = 16384;
export const PORT_WORDS = 64 + (2 * PORT_RING_BYTES) / 4;

const MIB = 1024 * 1024;
/** What init needs to be able to do anything at all. */
const MIN_FREE_BYTES = 4 * MIB;

/** Sizes and places of one machine, all known before power-on. */
export interface MachinePlan {
  readonly cores: number;
  readonly memoryMiB: number;
  readonly hardwareThreads: number;
  readonly ringLines: number;
  readonly coreAreas: WordIndex;
  readonly rings: WordIndex;
  readonly ports: WordIndex;
  readonly modules: WordIndex;
  readonly modulePages: number;
  readonly free: WordIndex;
  readonly freePages: number;
  readonly seed: number;
  readonly watchdogMs: number;
  readonly histories: WordIndex;
  readonly historyEvents: number;
  readonly traces: WordIndex;
  readonly traceKiB: number;
  readonly traceGroups: number;
  readonly traceMode: TraceMode;
}

/** What the host chooses. */
export interface MachineOptions {
  /** 1 to 64. */
  readonly cores: number;
  /** 16 to 4096. */
  readonly memoryMiB: number;
  readonly hardwareThreads: number;
  readonly seed: number;
  /** Milliseconds of CPU time a core may use between safe points. */
  readonly watchdogMs: number;
  /** Events that each core's history holds: a power of two; 0, for none, unless told. */
  readonly historyEvents?: number;
  /** KiB of each trace ring, a power of two from 4 to 65536; 0, for none, unless told. */
  readonly traceKiB?: number;
  /** Groups of events that are traced, a bit each; all unless told. */
  readonly traceGroups?: number;
  /** What a full ring does; the oldest is overwritten unless told. */
  readonly traceMode?: TraceMode;
}

/** A machine that cannot be built as asked; the message says what would do. */
export class MachinePlanError extends Error {
  override readonly name = "MachinePlanError";
}

const pagesOfWords = (words: number): number => Math.ceil(words / PAGE_WORDS);

/** Largest power of two of ring lines, 4 to 64, that keeps all rings within an eighth of the memory. */
function ringLinesFor(cores: number, memoryBytes: number): number {
  let lines = MAX_RING_LINES;
  while (lines > MIN_RING_LINES && cores * cores * lines * LINE_WORDS * 4 > memoryBytes / 8) lines /= 2;
  return lines;
}

/**
 * Lays out a machine.
 * @throws MachinePlanError when a number is out of range or the memory too small for the cores.
 */
export function planMachine(options: MachineOptions): MachinePlan {
  const { cores, memoryMiB } = options;
  if (!Number.isInteger(cores) || cores < 1 || cores > MAX_CORES) {
    throw new MachinePlanError(`cores: ${cores} is out of range, 1 to ${MAX_CORES} are possible`);
  }
  if (!Number.isInteger(memoryMiB) || memoryMiB < MIN_MEMORY_MIB || memoryMiB > MAX_MEMORY_MIB) {
    throw new MachinePlanError(
      `memory: ${memoryMiB} MiB is out of range, ${MIN_MEMORY_MIB} to ${MAX_MEMORY_MIB} MiB are possible`,
    );
  }
  const memoryBytes = memoryMiB * MIB;
  const ringLines = ringLinesFor(cores, memoryBytes);
  const modulePages = Math.min(16 * MIB, memoryBytes / 8) / (PAGE_WORDS * 4);
  const coreAreas = PAGE_WORDS;
  const rings = coreAreas + cores * CoreArea.WORDS;
  const ports = rings + pagesOfWords(cores * cores * ringLines * LINE_WORDS) * PAGE_WORDS;
  const modules = ports + pagesOfWords(PORT_COUNT * PORT_WORDS) * PAGE_WORDS;
  const historyEvents = options.historyEvents ?? 0;
  if (!Number.isInteger(historyEvents) || historyEvents < 0 || (historyEvents & (historyEvents - 1)) !== 0) {
    throw new MachinePlanError(`history: ${historyEvents} events are not 0 or a power of two`);
  }
  const histories = modules + modulePages * PAGE_WORDS;
  const traceKiB = options.traceKiB ?? 0;
  if (!isTraceSize(traceKiB)) {
    throw new MachinePlanError(
      `trace: ${traceKiB} KiB are not 0 or a power of two from ${MIN_TRACE_KIB} to ${MAX_TRACE_KIB}`,
    );
  }
  const traces = histories + pagesOfWords(cores * historyWords(historyEvents)) * PAGE_WORDS;
  const free = traces + pagesOfWords((cores + 1) * traceRingWords(traceKiB)) * PAGE_WORDS;
  const freePages = memoryBytes / (PAGE_WORDS * 4) - free / PAGE_WORDS;
  const missing = MIN_FREE_BYTES - freePages * PAGE_WORDS * 4;
  if (missing > 0) {
    const needed = Math.ceil((memoryBytes + missing) / MIB);
    throw new MachinePlanError(
      `memory: ${memoryMiB} MiB is too small for ${cores} cores${traceKiB === 0 ? "" : ` with ${traceKiB} KiB of trace each`}, ` +
        `they need at least ${needed} MiB`,
    );
  }
  return {
    ...options,
    ringLines,
    coreAreas,
    rings,
    ports,
    modules,
    modulePages,
    histories,
    historyEvents,
    traces,
    traceKiB,
    traceGroups: options.traceGroups ?? ALL_GROUPS,
    traceMode: options.traceMode ?? TraceMode.OVERWRITE,
    free,
    freePages,
  };
}

/** Writes a plan to frame 0. The magic goes last: a core that finds it finds all. */
export function writeBootInfo(memory: PhysicalMemory, plan: MachinePlan): void {
  const { i32 } = memory;
  i32[BootInfo.CORES] = plan.cores;
  i32[BootInfo.MEMORY_PAGES] = plan.memoryMiB * 256;
  i32[BootInfo.HARDWARE_THREADS] = plan.hardwareThreads;
  i32[BootInfo.CORE_AREAS] = plan.coreAreas;
  i32[BootInfo.RINGS] = plan.rings;
  i32[BootInfo.RING_LINES] = plan.ringLines;
  i32[BootInfo.PORTS] = plan.ports;
  i32[BootInfo.MODULES] = plan.modules;
  i32[BootInfo.MODULE_PAGES] = plan.modulePages;
  i32[BootInfo.FREE] = plan.free;
  i32[BootInfo.FREE_PAGES] = plan.freePages;
  i32[BootInfo.SEED] = plan.seed;
  i32[BootInfo.HISTORIES] = plan.histories;
  i32[BootInfo.HISTORY_EVENTS] = plan.historyEvents;
  i32[BootInfo.TRACES] = plan.traces;
  i32[BootInfo.TRACE_KIB] = plan.traceKiB;
  i32[BootInfo.TRACE_GROUPS] = plan.traceGroups;
  i32[BootInfo.TRACE_MODE] = plan.traceMode;
  memory.f64[BootInfo.ALARM_NS >> 1] = Number.POSITIVE_INFINITY;
  i32[BootInfo.BOOT_CORE] = 0;
  i32[BootInfo.WATCHDOG_MS] = plan.watchdogMs;
  i32[BootInfo.POWER] = Power.ON;
  Atomics.store(i32, BootInfo.MAGIC, BOOT_MAGIC);
}

/** Kinds of memory in the map that the kernel gets. */
export const enum RegionKind {
  RESERVED = 0,
  DEVICE = 1,
  MODULES = 2,
  FREE = 3,
}

/** One line of the memory map: bytes from `address`. */
export interface Region {
  readonly kind: RegionKind;
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
}

/** The memory map, lowest first, covering all of physical memory. */
export function memoryMap(memory: PhysicalMemory): Region[] {
  const { i32 } = memory;
  const bounds: ReadonlyArray<readonly [RegionKind, string, WordIndex]> = [
    [RegionKind.RESERVED, "frame 0: boot information", 0],
    [RegionKind.DEVICE, "core areas and LAPICs", i32[BootInfo.CORE_AREAS]],
    [RegionKind.DEVICE, "core-to-core rings", i32[BootInfo.RINGS]],
    [RegionKind.DEVICE, "serial devices", i32[BootInfo.PORTS]],
    [RegionKind.MODULES, "boot modules", i32[BootInfo.MODULES]],
    [RegionKind.RESERVED, "histories", i32[BootInfo.HISTORIES]],
    [RegionKind.RESERVED, "traces", i32[BootInfo.TRACES]],
    [RegionKind.FREE, "free", i32[BootInfo.FREE]],
  ];
  const end = i32[BootInfo.MEMORY_PAGES] * PAGE_WORDS;
  return bounds
    .map(([kind, name, start], i) => ({
      kind,
      name,
      address: start * 4,
      bytes: ((bounds[i + 1]?.[2] ?? end) - start) * 4,
    }))
    .filter(({ bytes }) => bytes > 0);
}

/** First word of a core's area. */
export function coreArea(memory: PhysicalMemory, core: number): WordIndex {
  return memory.i32[BootInfo.CORE_AREAS] + core * CoreArea.WORDS;
}
