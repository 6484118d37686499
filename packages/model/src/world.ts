/**
 * The kernel as a program under test: the cores of a small machine, each running the kernel's own loop, and
 * the guests of a scenario on them.
 */
import { LifeState, Reg } from "@capos/abi";
import { type MemoryAccess, makeSys } from "@capos/engine/generator";
import type { Coroutine, Finding, World } from "@capos/explorer";
import { runToEnd } from "@capos/explorer/transform";
import {
  Attention,
  attentionOf,
  BootInfo,
  CoreArea,
  coreArea,
  Lapic,
  type Mmu,
  type WordIndex,
} from "@capos/hal";
import type { Core } from "@capos/kernel/internal";
import { KernelInfo, Thread } from "@capos/kernel/layout";
import { type Guest, notesOf, Outcome } from "./guest.js";
import { restProblem, TreeCheck } from "./invariants.js";
import type { Program } from "./kernel-program.js";
import type { Machine } from "./machine.js";
import { nameOf } from "./names.js";
import type { CheckedHost } from "./program/host.js";
import { isIndifferent, orderedBy, publishes } from "./races.js";
import type { Judgement, Scenario } from "./scenario.js";

/** A scenario's guest yields its loads and stores: see `Instant`. */
const NO_ACCESS = {} as MemoryAccess;

/** The kernel's clock at the begin of every schedule, in nanoseconds. */
const BEGIN_NS = 1_000_000;

/** Values of an object's own fields, to be put back. */
type Fields = Record<string, unknown>;

export class KernelWorld implements World {
  readonly cores: number;
  readonly views: World["views"];
  readonly watched: readonly WordIndex[];
  /** What the replaced modules find under `$host`. */
  readonly host: CheckedHost;

  private readonly checked: Core[] = [];
  private readonly savedCores: Fields[] = [];
  private readonly savedContexts: {
    readonly guest: Guest;
    readonly fields: Fields;
    readonly registers: Float64Array;
  }[] = [];
  private outcome = new Outcome();
  private judgement!: Judgement;
  private program!: Program;
  private tree!: TreeCheck;
  private now = BEGIN_NS;

  constructor(
    private readonly scenario: Scenario,
    readonly machine: Machine,
  ) {
    this.cores = machine.cores;
    this.views = machine.memory;
    this.watched = Array.from(
      { length: this.cores },
      (_, core) => machine.i32[BootInfo.CORE_AREAS] + core * CoreArea.WORDS + CoreArea.HEARTBEAT,
    );
    this.host = {
      memory: machine.memory,
      instants: machine.instants,
      access: { address: 0, value: 0 },
      nowNs: () => this.now,
      startGuest: (registers) => this.startGuest(registers),
    };
  }

  /** Builds the scenario and the virtual cores' first state. */
  power(program: Program): void {
    const { machine } = this;
    this.program = program;
    this.judgement = this.scenario.build(machine);
    this.tree = new TreeCheck(machine);
    for (let id = 0; id < this.cores; id++) {
      const core = new program.Core(id, machine.memory, program.PARTS);
      core.attachTables();
      core.engine = core.parts.makeEngine(core);
      // What was set up is over: nobody asked anything of a core yet.
      machine.i32[core.attention] = 0;
      this.checked.push(core);
    }
    for (const guest of machine.guests) {
      const core = this.checked[guest.core];
      runToEnd(program.startHere(core, guest.thread));
      guest.context = core.contexts[guest.number];
    }
    for (const core of this.checked)
      this.savedCores.push({ ...core, contexts: [...core.contexts] } as unknown as Fields);
    for (const guest of machine.guests) {
      const { regs, ...fields } = guest.context! as unknown as Fields & { regs: Float64Array };
      this.savedContexts.push({ guest, fields, registers: copyOf(regs) });
    }
  }

  orderedBy(word: WordIndex): string | null {
    return orderedBy(this.machine, word);
  }

  publishes(word: WordIndex): boolean {
    return publishes(this.machine, word);
  }

  isIndifferent(word: WordIndex): boolean {
    return isIndifferent(this.machine, word);
  }

  reset(): void {
    this.outcome = new Outcome();
    this.now = BEGIN_NS;
    for (let i = 0; i < this.cores; i++) {
      const core = this.checked[i] as unknown as Fields & { contexts: unknown[] };
      const { contexts, ...fields } = this.savedCores[i] as Fields & { contexts: unknown[] };
      const own = core.contexts;
      Object.assign(core, fields);
      for (let j = 0; j < contexts.length; j++) own[j] = contexts[j];
      resetMmu(this.checked[i].mmu);
    }
    for (const { guest, fields, registers } of this.savedContexts) {
      Object.assign(guest.context!, fields);
      const { regs } = guest.context!;
      for (let i = 0; i < registers.length; i++) regs[i] = registers[i];
      guest.isDone = false;
    }
  }

  start(core: number): Coroutine {
    const own = this.judgement.programs?.[core];
    return own != null
      ? own(this.program, this.checked[core], this.machine, this.outcome)
      : this.program.run(this.checked[core]);
  }

  private startGuest(registers: Float64Array): unknown {
    const guest = this.machine.guests.find(({ context }) => context!.regs === registers);
    // One that another guest made in this schedule has no program of its own: it ends at once.
    return guest === undefined ? (function* () {})() : this.runGuest(guest, registers);
  }

  private *runGuest(guest: Guest, registers: Float64Array): Generator<number, number, number> {
    const sys = makeSys(registers, NO_ACCESS, 0, "");
    yield* guest.program(sys, notesOf(guest, this.outcome, this.host.access));
    guest.isDone = true;
    // For ever, or until its CSpace is gone.
    if (guest.end !== 0) yield sys.recv(guest.end);
    return 0;
  }

  atRest(core: number): Finding | null {
    const { i32 } = this.machine;
    // Whoever holds the lock may be in the middle of a change.
    if (i32[KernelInfo.TREE_LOCK] !== i32[KernelInfo.TREE_LOCK_TICKET]) return null;
    const problem = this.tree.problem();
    return problem === null
      ? null
      : { kind: "invariant", message: `at a safe point of core ${core}: ${problem}` };
  }

  timerDue(core: number, timeoutMs: number): boolean {
    const { memory, i32 } = this.machine;
    // With a bit in its word it would go on because it was called, had it been notified.
    if (i32[attentionOf(memory, core)] !== Attention.HALTED) return false;
    if (i32[coreArea(memory, core) + CoreArea.LAPIC + Lapic.TIMER_ARMED] === 0) return false;
    this.now += timeoutMs * 1e6;
    return true;
  }

  finish(): Finding | null {
    const { judgement, outcome, machine } = this;
    for (let core = 0; core < this.cores; core++) {
      const word = machine.i32[attentionOf(machine.memory, core)];
      if ((word & Attention.HALTED) !== 0 && word !== Attention.HALTED)
        return {
          kind: "lost wake-up",
          message: `core ${core} is halted and has attention bits ${describeBits(word)}`,
        };
    }
    for (const { name, isDone, core, thread } of machine.guests) {
      if (
        !isDone &&
        machine.i32[thread + Thread.LIFE] === LifeState.RUNNING &&
        judgement.mayWait?.includes(name) !== true
      )
        return {
          kind: "deadlock",
          message: `${name} on core ${core} waits for ever; ${describeSeen(outcome)}`,
        };
    }
    const seen = judgement.seen?.(outcome) ?? null;
    if (typeof seen === "string") return { kind: "assertion", message: `${seen}; ${describeSeen(outcome)}` };
    if (seen !== null) return seen;
    if (judgement.leavesNothing === false) return null;
    const left = restProblem(machine);
    return left === null ? null : { kind: "leak", message: left };
  }

  describe(word: WordIndex): string {
    return nameOf(this.machine, word);
  }
}

/** Brings a core's buffer back to where nothing is known. Its arrays have no methods, and transformed code takes its time. */
function resetMmu(mmu: Mmu): void {
  if (mmu.walks > 0) {
    fill.call(mmu.readTags, NO_TAG);
    fill.call(mmu.writeTags, NO_TAG);
  }
  Object.assign(mmu, BARE_MMU);
}

const { fill } = Float64Array.prototype;
const NO_TAG = -1;
const BARE_MMU = Object.freeze({ limit: 0, root: 0, walks: 0, flushes: 0 });

/** The bits in an attention word besides HALTED, in hexadecimal. */
function describeBits(word: number): string {
  return `0x${((word & ~Attention.HALTED) >>> 0).toString(16)}`;
}

function describeSeen({ seen }: Outcome): string {
  return seen.size === 0
    ? "nothing was noted"
    : [...seen].map(([name, value]) => `${name}: ${String(value)}`).join(", ");
}

/** Register files have no prototype, so nothing copies them but a loop. */
function copyOf(registers: Float64Array): Float64Array {
  const copy = new Float64Array(Reg.COUNT);
  for (let i = 0; i < copy.length; i++) copy[i] = registers[i];
  return copy;
}
