/**
 * The virtual cores: transformed code announces its accesses here, and a scheduler says whose is performed
 * next. Everything happens in one thread, one access at a time, in the scheduler's order: sequential
 * consistency, which is what ECMAScript gives `Atomics` in a program without data races.
 *
 * A step is one scheduling point's access and everything that its core does up to its next one.
 *
 * A core that spins is recognised by a turn of a loop that only read, and read what the turn before did.
 * Further such turns are performed with the step: who reads the same once more learns nothing. A loop that
 * gives up after so many turns gets there at once; one that does not is disabled until a word has
 * changed. (A loop is taken to depend on the number of its turns for nothing but to give up.)
 */
import { performAtomic } from "./atomic.js";
import { Op, UNUSED } from "./operation.js";
import { RaceDetector } from "./races.js";
import type { Runtime } from "./runtime.js";
import type { TraceStep } from "./types.js";
import { CoreStatus, VirtualCore } from "./virtual-core.js";
import { WordFlag, Words } from "./words.js";
import type { Finding, World } from "./world.js";

/** Turns after which a loop is one that does not give up by itself. */
const SPIN_LIMIT = 2000;
/** Turns of loops in one step after which the core is lost in a loop that nothing can end. */
const TURN_LIMIT = 1_000_000;
/** No time limit was given. */
const NO_LIMIT = -1;

/** How an executed event touches its word: which others it does not commute with. */
export const enum Touch {
  NONE = 0,
  READ = 1,
  WRITE = 2,
  /** Adds to it (or sets, or clears bits), its result unused: commutes with others of the same kind. */
  BLIND = 3,
  WAIT = 4,
  NOTIFY = 5,
  WAKE = 6,
}

export class VirtualCores implements Runtime {
  world!: World;
  cores: VirtualCore[] = [];
  words!: Words;
  races!: RaceDetector;
  finding: Finding | null = null;
  /** Not null while a replay is recorded. */
  trace: TraceStep[] | null = null;
  /** False while a part of a schedule is run that was run before: its invariants held. */
  isNew = true;
  /** The event of the last step. */
  touch: number = Touch.NONE;
  eventWord = -1;
  eventKind: Op = Op.START;
  /** The cores that the event woke, a mask. */
  woken = 0;

  private now = new VirtualCore(-1);
  private i32!: Int32Array;
  private f64!: Float64Array;
  private u8!: Uint8Array;
  /** What the program has in place of the views: mostly they themselves. */
  private handles!: { readonly i32: unknown; readonly f64: unknown; readonly u8: unknown };
  /** True while cores run; else set-up code runs, whose accesses are performed at once and not seen. */
  private isRunning = false;
  /** The access that comes next is the step's own. */
  private atPoint = false;
  private turns = 0;

  /** Takes the program whose cores these are. Its set-up code ran already. */
  attach(world: World): void {
    this.world = world;
    this.i32 = world.views.i32;
    this.f64 = world.views.f64;
    this.u8 = world.views.u8;
    this.handles = world.handles ?? world.views;
    this.cores = Array.from({ length: world.cores }, (_, id) => new VirtualCore(id));
    this.races = new RaceDetector(world.cores);
    this.words = new Words(world, (capacity) => this.races.grow(capacity));
  }

  /** Brings everything back to the first state and every core to its first scheduling point. */
  begin(): void {
    this.words.restore();
    this.world.reset();
    this.races.begin();
    this.finding = null;
    if (this.trace !== null) this.trace = [];
    for (const core of this.cores) {
      core.begin(this.world.start(core.id));
      this.resume(core);
    }
  }

  /** The cores that can make a step, as a mask. */
  enabled(): number {
    let mask = 0;
    for (const core of this.cores) {
      if (core.status === CoreStatus.RUNNABLE) mask |= 1 << core.id;
      else if (core.status === CoreStatus.SPINNING && core.sawChange(this.i32)) mask |= 1 << core.id;
    }
    return mask === 0 ? this.fireTimer() : mask;
  }

  /** The cores whose programs have not ended, as a mask: for when nothing is enabled. */
  waiting(): number {
    let mask = 0;
    for (const core of this.cores) if (core.status !== CoreStatus.ENDED) mask |= 1 << core.id;
    return mask;
  }

  /** Nothing else can go on: the earliest time limit may be over. */
  private fireTimer(): number {
    let first: VirtualCore | null = null;
    for (const core of this.cores)
      if (
        core.status === CoreStatus.WAITING &&
        core.timeoutMs < (first?.timeoutMs ?? Number.POSITIVE_INFINITY)
      )
        first = core;
    if (first === null) return 0;
    if (!this.world.timerDue(first.id, first.timeoutMs)) {
      this.finding ??= {
        kind: "lost wake-up",
        message: `core ${first.id} goes on only because ${first.timeoutMs} ms are over, and no timer of it is due`,
      };
      return 0;
    }
    this.wake(first, "timed-out");
    return 1 << first.id;
  }

  private wake(core: VirtualCore, result: string): void {
    core.status = CoreStatus.RUNNABLE;
    core.kind = Op.WAKE;
    core.result = result;
  }

  /** Performs a core's announced access and runs it to its next one. */
  step(id: number): void {
    const core = this.cores[id];
    this.touch = Touch.NONE;
    this.eventWord = core.word;
    this.eventKind = core.kind;
    this.woken = 0;
    if (core.kind === Op.WAIT && this.beginWait(core)) return;
    this.atPoint = true;
    core.status = CoreStatus.RUNNABLE;
    this.resume(core);
  }

  private resume(core: VirtualCore): void {
    this.now = core;
    this.isRunning = true;
    this.turns = 0;
    try {
      if (core.coroutine!.next().done === true) core.status = CoreStatus.ENDED;
    } catch (error) {
      core.status = CoreStatus.ENDED;
      this.finding ??= { kind: "exception", message: `core ${core.id}: ${placeOf(error)}` };
    }
    this.isRunning = false;
    this.atPoint = false;
    const race = this.races.found;
    if (race !== null)
      this.finding ??= {
        kind: "data race",
        message: `${this.world.describe(race.word)}: nothing orders core ${race.core} and core ${race.otherCore}`,
        sites: [race.site, race.otherSite],
      };
  }

  /** True if a core that calls `Atomics.wait` now waits; else it goes on with "not-equal". */
  private beginWait(core: VirtualCore): boolean {
    const value = this.i32[core.word];
    this.races.atomic(core.id, core.number, core.word, true, false, core.site, this.isRacy(core.number));
    core.noteEffect();
    this.touch = Touch.WAIT;
    if (value !== core.a) {
      core.result = "not-equal";
      this.record(core, value, null, true);
      return false;
    }
    core.status = CoreStatus.WAITING;
    core.timeoutMs = core.b;
    this.record(core, "waits", null, true);
    return true;
  }

  private isRacy(number: number): boolean {
    return (this.words.flags[number] & WordFlag.RACY) !== 0;
  }

  private record(
    core: VirtualCore,
    read: number | string | null,
    written: number | null,
    point: boolean,
  ): void {
    this.trace?.push({
      core: core.id,
      site: core.site,
      op: core.kind,
      word: core.word,
      read,
      written,
      point,
    });
  }

  // What transformed code calls.

  op(site: number, op: number, view: unknown, index: number, a = 0, b = NO_LIMIT, c = 0): boolean {
    const core = this.now;
    const kind = (op & ~UNUSED) as Op;
    core.site = site;
    core.kind = kind;
    core.isUnused = (op & UNUSED) !== 0;
    core.view = view;
    core.index = index;
    core.a = a;
    core.b = kind === Op.WAIT && b === NO_LIMIT ? Number.POSITIVE_INFINITY : b;
    core.c = c;
    core.isPerformed = false;
    if (!this.isRunning || view !== this.handles.i32) {
      core.number = -1;
      return false;
    }
    core.word = index;
    core.number = this.words.number(index);
    if (kind === Op.LOAD) return this.isLoadPoint(core, index);
    core.noteEffect();
    return kind === Op.WAIT || (this.words.flags[core.number] & WordFlag.INDIFFERENT) === 0;
  }

  private isLoadPoint(core: VirtualCore, word: number): boolean {
    if (core.repeatsRead(core.site, word, this.i32[word])) {
      if (core.repeats < SPIN_LIMIT) return false;
      // It would go on for ever.
      core.repeats = 0;
      core.status = CoreStatus.SPINNING;
      return true;
    }
    return (this.words.flags[core.number] & WordFlag.INDIFFERENT) === 0;
  }

  run(): unknown {
    const core = this.now;
    if (core.number < 0) return perform(core, core.view as Int32Array);
    if (core.kind === Op.WAKE) {
      this.touch = Touch.WAKE;
      this.atPoint = false;
      this.record(core, core.result as string, null, true);
      return core.result;
    }
    if (core.kind === Op.WAIT) {
      this.atPoint = false;
      return core.result;
    }
    return this.performShared(core);
  }

  private performShared(core: VirtualCore): unknown {
    const { kind, number, word } = core;
    const { i32 } = this;
    const isPoint = this.atPoint;
    this.atPoint = false;
    if (kind === Op.NOTIFY) {
      const count = this.notify(core);
      if (isPoint) this.touch = Touch.NOTIFY;
      this.record(core, count, null, isPoint);
      return count;
    }
    const before = i32[word];
    if (kind !== Op.LOAD) this.words.willWrite(number);
    const result = perform(core, i32);
    const writes = kind !== Op.LOAD && (kind !== Op.COMPARE_EXCHANGE || before === core.a);
    this.races.atomic(core.id, number, word, kind !== Op.STORE, writes, core.site, this.isRacy(number));
    if (isPoint) this.touch = touchOf(kind, core.isUnused);
    this.record(core, kind === Op.STORE ? null : before, writes ? i32[word] : null, isPoint);
    if (writes) this.afterWrite(core, number, word);
    return result;
  }

  private notify(by: VirtualCore): number {
    let count = 0;
    const most = by.a === 0 ? Number.POSITIVE_INFINITY : by.a;
    for (const core of this.cores) {
      if (core.status !== CoreStatus.WAITING || core.word !== by.word || count >= most) continue;
      this.wake(core, "ok");
      this.races.wake(core.id, by.id);
      this.woken |= 1 << core.id;
      count++;
    }
    return count;
  }

  peek(site: number, view: unknown, index: unknown): boolean {
    const core = this.now;
    core.isPerformed = true;
    if (this.isRunning) {
      const { handles } = this;
      if (view === handles.i32) return this.peekWord(core, site, this.i32, index as number, index as number);
      if (view === handles.f64)
        return this.peekWord(core, site, this.f64, index as number, (index as number) * 2);
      if (view === handles.u8)
        return this.peekWord(core, site, this.u8, index as number, (index as number) >> 2);
    }
    core.value = (view as Record<number, unknown>)[index as number];
    return false;
  }

  private peekWord(
    core: VirtualCore,
    site: number,
    view: Int32Array | Float64Array | Uint8Array,
    index: number,
    word: number,
  ): boolean {
    const number = this.words.number(word);
    const flags = this.words.flags[number];
    core.site = site;
    core.kind = Op.READ;
    core.word = word;
    core.number = number;
    core.view = view;
    core.index = index;
    if ((flags & (WordFlag.RACY | WordFlag.INDIFFERENT)) === WordFlag.RACY) {
      const value = view[index];
      if (!core.repeatsRead(site, word, value)) {
        core.isPerformed = false;
        return true;
      }
      if (core.repeats >= SPIN_LIMIT) {
        core.repeats = 0;
        core.status = CoreStatus.SPINNING;
        core.isPerformed = false;
        return true;
      }
    } else if ((flags & WordFlag.INDIFFERENT) === 0) {
      this.races.plain(core.id, number, word, false, site);
      if (view === this.f64) this.races.plain(core.id, this.words.number(word + 1), word + 1, false, site);
    }
    core.value = view[index];
    this.record(core, core.value as number, null, false);
    return false;
  }

  take(): unknown {
    const core = this.now;
    if (core.isPerformed) return core.value;
    const value = (core.view as Int32Array)[core.index];
    if ((this.words.flags[core.number] & WordFlag.PUBLISHES) !== 0)
      this.races.atomic(core.id, core.number, core.word, true, false, core.site, true);
    this.touch = Touch.READ;
    this.atPoint = false;
    this.record(core, value, null, true);
    return value;
  }

  poke(site: number, view: unknown, index: unknown, value: unknown): boolean {
    const core = this.now;
    core.isPerformed = true;
    core.value = value;
    if (this.isRunning) {
      const { handles } = this;
      if (view === handles.i32)
        return this.pokeWord(core, site, this.i32, index as number, index as number, value as number);
      if (view === handles.f64)
        return this.pokeWord(core, site, this.f64, index as number, (index as number) * 2, value as number);
      if (view === handles.u8)
        return this.pokeWord(core, site, this.u8, index as number, (index as number) >> 2, value as number);
    }
    (view as Record<number, unknown>)[index as number] = value;
    return false;
  }

  private pokeWord(
    core: VirtualCore,
    site: number,
    view: Int32Array | Float64Array | Uint8Array,
    index: number,
    word: number,
    value: number,
  ): boolean {
    const { words } = this;
    const number = words.number(word);
    const flags = words.flags[number];
    core.site = site;
    core.kind = Op.WRITE;
    core.word = word;
    core.number = number;
    core.view = view;
    core.index = index;
    core.a = value;
    core.noteEffect();
    if ((flags & (WordFlag.RACY | WordFlag.INDIFFERENT)) === WordFlag.RACY) {
      core.isPerformed = false;
      return true;
    }
    if ((flags & WordFlag.INDIFFERENT) === 0) {
      this.races.plain(core.id, number, word, true, site);
      if (view === this.f64) this.races.plain(core.id, words.number(word + 1), word + 1, true, site);
    }
    this.writePlain(core, false);
    return false;
  }

  put(): unknown {
    const core = this.now;
    if (!core.isPerformed) {
      this.touch = Touch.WRITE;
      this.atPoint = false;
      this.writePlain(core, true);
    }
    return core.value;
  }

  private writePlain(core: VirtualCore, point: boolean): void {
    const view = core.view as Int32Array;
    this.words.willWrite(core.number);
    if (core.view === this.f64) this.words.willWrite(this.words.number(core.word + 1));
    view[core.index] = core.a;
    this.record(core, null, core.a, point);
    this.afterWrite(core, core.number, core.word);
  }

  private afterWrite(core: VirtualCore, number: number, word: number): void {
    if ((this.words.flags[number] & WordFlag.WATCHED) === 0 || !this.isNew) return;
    this.finding ??= this.world.atRest(core.id, word);
  }

  enter(): void {
    this.now.leaveLoop();
  }

  turn(loop: number): void {
    if (++this.turns > TURN_LIMIT) throw new Error("goes round in a loop without end");
    this.now.turn(loop);
  }
}

function touchOf(kind: Op, isUnused: boolean): number {
  if (kind === Op.LOAD) return Touch.READ;
  return isUnused && kind >= Op.ADD && kind <= Op.XOR ? Touch.BLIND : Touch.WRITE;
}

/** An access of set-up code, or a step's: of one core alone, so nobody waits who could be notified. */
function perform(core: VirtualCore, view: Int32Array): unknown {
  if (core.kind === Op.NOTIFY) return 0;
  if (core.kind === Op.WAIT) throw new Error("set-up code waits: nobody could wake it");
  return performAtomic(core.kind, view, core.index, core.a, core.b);
}

function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split("\n")[1]?.trim() ?? "";
  return `${error.message} ${place}`;
}
