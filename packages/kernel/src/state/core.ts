/**
 * A core's JavaScript state: views of physical memory, addresses it would otherwise compute each time,
 * and the guests' contexts. Everything that must outlive the worker is in physical memory; this one
 * object can be thrown away and made again.
 */
import { BYTES_PER_WORD, Err, MAX_CORES, MAX_MESSAGE_WORDS, Slot, SlotBits, SlotState } from "@capos/abi";
import { type Context, type Engine, type EngineCore, faultWithoutPlace } from "@capos/engine";
import {
  Attention,
  BootInfo,
  CoreArea,
  coreArea,
  Mmu,
  nowNs,
  type PhysicalMemory,
  RingPort,
  ringGroup,
  standAside,
  traceRings,
  type WordIndex,
} from "@capos/hal";
import { TraceWriter } from "@capos/trace";
import { AddressSpace, KernelArea, KernelCore, KernelInfo, Process, Tables, Thread } from "./layout.js";
import { Operands } from "./operands.js";
import type { CoreId, SlotRef, ThreadRef } from "./references.js";
import type { TRACE_EVENTS } from "./trace-events.js";

/** Marks in `backlog`: objects to reap, capabilities whose time has come. While one is set the core does not idle. */
export const REAPING = 0x4000_0000;
export const EXPIRING = 0x2000_0000;

/** Rounds for which an idle core polls, 5 µs each, unless it learns that it would be better to poll for longer. */
export const POLL_ROUNDS = 20;

/** What a core's program is put together from besides the kernel: chosen by whoever makes the program. */
export interface CoreParts {
  /** Makes what runs the core's guests. Called once a worker, before any guest. */
  makeEngine(k: EngineCore): Engine;
  /** The machine as it stands, in lines for people. Never throws. `lock` reads it under the tree lock, as that core. */
  describe(memory: PhysicalMemory, options?: { readonly lock: boolean; readonly core?: number }): string[];
}

/** A core that runs no guests. */
const BARE: CoreParts = Object.freeze({
  makeEngine: () =>
    Object.freeze({
      kinds: Object.freeze([]),
      heapBytes: () => 0,
      overBudget: () => 0,
      condemnation: () => faultWithoutPlace(""),
    }),
  describe: () => [],
});

export class Core implements EngineCore {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly ring: RingPort;
  readonly coreCount: number;
  /** This core's area (hal) and its kernel area. */
  readonly area: WordIndex;
  /** Cores that share a bell in the attention word. */
  readonly ringGroup: number;
  kernelArea: WordIndex = 0;
  readonly attention: WordIndex;
  readonly safePoints: WordIndex;
  readonly inKernel: WordIndex;
  tables: WordIndex = 0;
  threadTable: WordIndex = 0;
  /** By thread number; null where the thread is not this core's or has not run. */
  readonly contexts: (Context | null)[] = [];
  /** What its guests run on; null until the core is prepared. */
  engine: Engine | null = null;
  /** What its guests' addresses lead to; and the unmappings that it has flushed for. */
  readonly mmu: Mmu;
  unmappings = 0;
  /** Entries that kills have cleared since somebody counted them: they are work done under the lock. */
  entriesCleared = 0;
  /** A mapping was taken away under the tree lock: this core flushes before any guest runs. */
  unmapped = false;
  /** Where this core writes what happens. */
  readonly tracer: TraceWriter<typeof TRACE_EVENTS>;

  /** The running thread and its context; 0 and null while the core chooses. */
  current: ThreadRef | 0 = 0;
  context: Context | null = null;
  /** Whose turn it is, by which it or a server of its runs: 0 if that one ended. The thread that lost the core since one was chosen last, 0 for none. */
  turn: ThreadRef | 0 = 0;
  preempted: ThreadRef | 0 = 0;
  /** The timer runs: turns are measured. When its tick began. */
  ticking = false;
  tickNs = Number.NaN;
  /** Highest ready priority, -1 if none: a cache of the bitmap. */
  topReady = -1;
  /** The thread that is to be dropped as soon as its guest lets go, 0 for none: see engine/src/generator/clock.ts. */
  condemned: ThreadRef | 0 = 0;
  /** Why: it asked for more memory than there is, instead of running too long. */
  overBudget = false;
  /**
   * Raised whenever this core takes part in a grace period: what was looked up before is to be looked
   * up again. A copy of GRACE_EPOCH in the core's area, which outlives the worker.
   */
  graceEpoch = 0;
  /** Things that wait for ring space on this core, and the two marks below: looked at in each turn while not 0. */
  backlog = 0;
  /** Some core may have made room in its rings since what waits for room tried last. True for a new worker, which has not tried. */
  roomNews = true;
  /** A slot was killed under the tree lock: a grace period is to follow. */
  killed = false;
  /** The latest grace period that kills on this core were followed by, and whether more were killed since. */
  graceAsked = 0;
  graceWanted = false;
  /** The latest grace period that is known to be over, 0 if none is. */
  graceOver = 0;
  /** The grace period that this core is to report once its sweeps are done, 0 is none. */
  graceOwed = 0;
  /** One that it was asked for since that batch of sweeps began, 0 is none. */
  graceNext = 0;
  /** The core whose ring this one watches, -1 for none; its next line and that line's lap: see watched-ring.ts. */
  watched = -1;
  watchedLine: WordIndex = 0;
  watchedLap = 0;
  /** The core whose bell brought messages last, and how often in a row. */
  lastBellFrom = -1;
  bellsInRow = 0;
  /** How long it polls before it halts: see idle. */
  pollRounds = POLL_ROUNDS;
  /** The trap that is dispatched was dispatched before, and has waited. */
  restarted = false;
  /** The grace period that the first object in the reaper's list waits for, 0 is none. */
  reapAwaits = 0;
  /** The first object found to wait since the reaper's list was last news, 0 is none: met again, all of it waits. */
  reapWaiting = 0;
  running = true;
  /** For traces: counts messages sent by threads of this core; and the thread that ran last, 0 for one that is gone. */
  messages = 0;
  ran: ThreadRef | 0 = 0;
  /** For traces: a thread whose switch is in the record before, 0 for none. */
  runsNoted: ThreadRef | 0 = 0;
  ranLong = false;
  /** Its attention word says QUIESCENT: set by a check of a guest in a long run, once it has done so. */
  quiescent = false;
  /** The grace period that this core lets others pass before it goes on, 0 for none. */
  givesWayTo = 0;
  /** The grace period after which this core leaves the machine, 0 if it stays. */
  leavesAfter = 0;
  /** The arguments of the invocation in progress. */
  readonly operands = new Operands();
  /** Scratch for what an invocation asks retype for. */
  readonly retype = {
    untyped: 0 as SlotRef,
    type: 0,
    sizeBits: 0,
    count: 0,
    cnodeSlot: 0 as SlotRef,
    first: 0,
  };
  /** How the last change of mappings ended: see object/settled.ts. */
  readonly settled = { status: Err.OK as Err, level: 0, awaits: 0 };
  /** Scratch for the entries of a mapping: see capability/mapping.ts. */
  readonly entries = { at: 0 as WordIndex, count: 0, step: 0 };
  /** Scratch for bytes on their way to or from a device: as many as a message holds. */
  readonly bytes: number[] = new Array<number>(MAX_MESSAGE_WORDS * BYTES_PER_WORD).fill(0);

  constructor(
    readonly id: CoreId,
    readonly memory: PhysicalMemory,
    /** What else its program was put together from. */
    readonly parts: CoreParts = BARE,
  ) {
    this.i32 = this.memory.i32;
    this.f64 = this.memory.f64;
    this.area = coreArea(this.memory, id);
    this.attention = this.area + CoreArea.ATTENTION;
    this.safePoints = this.area + CoreArea.HEARTBEAT;
    this.inKernel = this.area + KernelCore.IN_KERNEL;
    this.coreCount = this.i32[BootInfo.CORES];
    // The core's number in its low bits: what waits at an object that another core adopts was looked up in
    // an epoch of its former home, which must not pass for one of the new.
    this.graceEpoch = (this.i32[this.area + KernelCore.GRACE_EPOCH] & ~(MAX_CORES - 1)) | id;
    this.ringGroup = ringGroup(this.coreCount);
    this.ring = new RingPort(this.memory, id);
    this.mmu = new Mmu(this.memory);
    this.tracer = new TraceWriter(this.memory, traceRings(this.memory), id, nowNs);
  }

  /**
   * Watches no ring any more. A line that has come without a bell gets one. Called by guests' checks too, where the
   * stack may end: nothing is forgotten before all is done.
   */
  stopWatching(): void {
    this.bellsInRow = 0;
    if (this.watched < 0) return;
    this.ring.watch(-1);
    // Who has not seen that has stored its line before.
    if (this.ring.peek(this.watched) !== 0) this.ring.keepPending(this.watched);
    this.watched = -1;
  }

  /**
   * For the checks of a guest that runs for long without a trap: true if something wants the core. Otherwise the core is
   * quiescent until the guest lets go, see `endLongRun`: no grace period waits for it.
   */
  isWanted(): boolean {
    const { i32, attention } = this;
    if (this.quiescent) return Atomics.load(i32, attention) !== Attention.QUIESCENT;
    // Nobody counts a core as passed that may have a message without a bell, or a mapping.
    this.stopWatching();
    this.mmu.unload();
    if (!standAside(i32, attention, Attention.QUIESCENT)) return true;
    this.quiescent = true;
    return false;
  }

  /**
   * Uses the address space of the process whose guest runs: for its loads and stores, on its stack. False if it has none.
   * What is found live here is used until this core next flushes, and whoever takes it away waits for that.
   */
  enterSpace(): boolean {
    const { i32 } = this;
    if (this.quiescent) endQuiescence(this);
    const binding = i32[this.current + Thread.PROCESS] + Process.SPACE_BINDING;
    if ((Atomics.load(i32, binding) & SlotBits.STATE_MASK) !== SlotState.LIVE) return false;
    const space = i32[binding + Slot.OBJECT];
    // Before anything of it is walked: who clears an entry and then finds this core's bit not set has nobody to wait for.
    const cores = space + (this.id < 32 ? AddressSpace.CORES_LOW : AddressSpace.CORES_HIGH);
    const bit = 1 << (this.id & 31);
    if ((Atomics.load(i32, cores) & bit) === 0) Atomics.or(i32, cores, bit);
    this.mmu.load(space, i32[space + AddressSpace.IDENTIFIER]);
    return true;
  }

  /** Whether a guest's code runs, and not the kernel's: see `KernelCore.IN_KERNEL`. */
  inGuest(): boolean {
    return this.i32[this.inKernel] !== this.i32[this.safePoints];
  }

  /** Takes over the addresses that the boot core wrote down. */
  attachTables(): void {
    this.tables = Atomics.load(this.i32, KernelInfo.TABLES);
    this.kernelArea = this.i32[this.tables + Tables.KERNEL_AREAS] + this.id * KernelArea.SIZE;
    this.threadTable = this.i32[this.tables + Tables.THREAD_TABLE];
    const limit = this.i32[this.tables + Tables.THREAD_LIMIT]!;
    for (let i = 0; i < limit; i++) this.contexts.push(null);
  }
}

/** From here on this core looks every slot up anew. No two cores are ever in an epoch of the same number. */
export function raiseEpoch(k: Core): void {
  k.graceEpoch = (k.graceEpoch + MAX_CORES) | 0;
  k.i32[k.area + KernelCore.GRACE_EPOCH] = k.graceEpoch;
}

/**
 * Whoever has asked for a grace period since the core became quiescent has counted it as passed, as one that halts: so
 * it looks everything up anew from here on.
 */
export function endQuiescence(k: Core): void {
  // Before anything is looked up: who asks from here on does not count the core.
  Atomics.and(k.i32, k.attention, ~Attention.QUIESCENT);
  raiseEpoch(k);
  // Whatever was unmapped meanwhile, nobody has waited for this core.
  k.mmu.flush();
  // Last: a guest's load or store comes here too, where the stack may end, and then it all is to be done again.
  k.quiescent = false;
}

/** The context of a thread of this core that has been started. */
export function contextOf(k: Core, thread: WordIndex): Context {
  return k.contexts[k.i32[thread + Thread.NUMBER]]!;
}
