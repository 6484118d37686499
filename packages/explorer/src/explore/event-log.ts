/**
 * The events of the schedule that runs, and which of them happened before which: the order that every
 * schedule keeps in which the same events follow each other as far as they do not commute.
 */
import { grown } from "./grown.js";
import { Op } from "./operation.js";
import { Touch } from "./virtual-cores.js";

/** What a core's latest events at a word are remembered by. */
const enum Last {
  READ = 0,
  WRITE = 1,
  /** Operations whose results are not used, by kind: each commutes with its own. */
  ADD = 2,
  AND = 3,
  OR = 4,
  XOR = 5,
  WAIT = 6,
  NOTIFY = 7,
  KINDS = 8,
}

/**
 * By what an event is remembered as, the kinds of earlier events that it does not commute with. Whatever the
 * values: a compare-and-swap that failed, or a notify that woke nobody, is taken for one that did, because in
 * another order it may.
 */
const AGAINST: readonly (readonly Last[])[] = [
  [Last.WRITE, Last.ADD, Last.AND, Last.OR, Last.XOR],
  [Last.READ, Last.WRITE, Last.ADD, Last.AND, Last.OR, Last.XOR, Last.WAIT],
  [Last.READ, Last.WRITE, Last.AND, Last.OR, Last.XOR, Last.WAIT],
  [Last.READ, Last.WRITE, Last.ADD, Last.OR, Last.XOR, Last.WAIT],
  [Last.READ, Last.WRITE, Last.ADD, Last.AND, Last.XOR, Last.WAIT],
  [Last.READ, Last.WRITE, Last.ADD, Last.AND, Last.OR, Last.WAIT],
  [Last.WRITE, Last.ADD, Last.AND, Last.OR, Last.XOR, Last.NOTIFY],
  [Last.WAIT, Last.NOTIFY],
];

export class EventLog {
  length = 0;
  /** By event: its core, its number among its core's events (from 1), the kind of its operation. */
  core = new Uint8Array(1024);
  ordinal = new Int32Array(1024);
  kind = new Uint8Array(1024);
  /** By event and core: how many of that core's events happened before it, itself included. */
  clock: Int32Array<ArrayBuffer>;
  /** The event before it of the same core, -1 for none. */
  previous = new Int32Array(1024);
  /** Events that the one added last races with: they could have come in the other order. Latest first. */
  readonly raced: number[] = [];

  private readonly latest: Int32Array;
  /** By word number: latest events (plus one) by kind and core, valid in `run`. */
  private last = new Int32Array(0);
  private fresh = new Int32Array(0);
  private run = 0;
  /** By core: the event that woke it. */
  private readonly wokenBy: Int32Array;
  private readonly found: number[] = [];

  constructor(private readonly cores: number) {
    this.clock = new Int32Array(1024 * cores);
    this.latest = new Int32Array(cores);
    this.wokenBy = new Int32Array(cores);
  }

  begin(): void {
    this.length = 0;
    this.run++;
    this.latest.fill(-1);
    this.wokenBy.fill(-1);
  }

  /**
   * Adds the event of a step and finds its place in the order; the events that it races with are in `raced`
   * afterwards if `judged` says so.
   */
  add(core: number, number: number, touch: number, kind: Op, woken: number, judged: boolean): void {
    const event = this.length++;
    if (event === this.core.length) this.grow();
    const { cores, clock } = this;
    const before = this.latest[core];
    this.core[event] = core;
    this.kind[event] = kind;
    this.previous[event] = before;
    this.ordinal[event] = before < 0 ? 1 : this.ordinal[before] + 1;
    const own = event * cores;
    for (let c = 0; c < cores; c++) clock[own + c] = before < 0 ? 0 : clock[before * cores + c];
    this.raced.length = 0;
    if (touch === Touch.WAKE) {
      // Whoever woke it came before: that could not be otherwise. -1: its time was over.
      if (this.wokenBy[core] >= 0) this.join(own, this.wokenBy[core]);
      this.wokenBy[core] = -1;
    } else if (touch !== Touch.NONE && number >= 0) this.place(event, core, number, touch, kind, judged);
    clock[own + core] = this.ordinal[event];
    this.latest[core] = event;
    for (let c = 0; woken !== 0; c++, woken >>= 1) if ((woken & 1) !== 0) this.wokenBy[c] = event;
  }

  private place(event: number, core: number, number: number, touch: number, kind: Op, judged: boolean): void {
    const { cores, clock, found } = this;
    if (number >= this.fresh.length) this.growWords(number);
    const base = number * Last.KINDS * cores;
    if (this.fresh[number] !== this.run) {
      this.fresh[number] = this.run;
      for (let i = base; i < base + Last.KINDS * cores; i++) this.last[i] = 0;
    }
    const own = lastOf(touch, kind);
    found.length = 0;
    for (const last of AGAINST[own]) {
      for (let c = 0; c < cores; c++) {
        const other = this.last[base + last * cores + c] - 1;
        if (other >= 0 && c !== core) found.push(other);
      }
    }
    // Latest first: what a later one happened after is no race of its own.
    if (found.length > 1) found.sort(descending);
    const at = event * cores;
    for (const other of found) {
      if (clock[at + this.core[other]] >= this.ordinal[other]) continue;
      if (judged) this.raced.push(other);
      this.join(at, other);
    }
    this.last[base + own * cores + core] = event + 1;
  }

  private join(own: number, other: number): void {
    const { cores, clock } = this;
    for (let c = 0; c < cores; c++) {
      const theirs = clock[other * cores + c];
      if (theirs > clock[own + c]) clock[own + c] = theirs;
    }
  }

  /** True if an event happened before another that came later. */
  isBefore(early: number, late: number): boolean {
    return this.clock[late * this.cores + this.core[early]] >= this.ordinal[early];
  }

  /**
   * The cores that could go first, at the place of event `from`, in a schedule in which the last event comes
   * before it: a mask.
   */
  initials(from: number): number {
    const { cores, clock } = this;
    let mask = 0;
    let seen = 0;
    const first = this.firsts;
    for (let event = from + 1; event < this.length; event++) {
      const core = this.core[event];
      // The last one comes, whether or not it happened after `from`: that is what is to be reversed.
      if (event < this.length - 1 && this.isBefore(from, event)) continue;
      if ((seen & (1 << core)) !== 0) continue;
      let isInitial = true;
      for (let c = 0; c < cores; c++)
        if ((seen & (1 << c)) !== 0 && clock[event * cores + c] >= first[c]) isInitial = false;
      seen |= 1 << core;
      first[core] = this.ordinal[event];
      if (isInitial) mask |= 1 << core;
    }
    return mask;
  }
  private readonly firsts = new Int32Array(8);

  private grow(): void {
    const capacity = this.core.length * 2;
    this.core = grown(this.core, capacity);
    this.kind = grown(this.kind, capacity);
    this.ordinal = grown(this.ordinal, capacity);
    this.previous = grown(this.previous, capacity);
    this.clock = grown(this.clock, capacity * this.cores);
  }

  private growWords(number: number): void {
    const capacity = Math.max(1024, 2 ** Math.ceil(Math.log2(number + 1)) * 2);
    this.last = grown(this.last, capacity * Last.KINDS * this.cores);
    this.fresh = grown(this.fresh, capacity);
  }
}

function descending(a: number, b: number): number {
  return b - a;
}

/** What an event is remembered as: a read that writes is a write. */
function lastOf(touch: number, kind: Op): Last {
  switch (touch) {
    case Touch.READ:
      return Last.READ;
    case Touch.WAIT:
      return Last.WAIT;
    case Touch.NOTIFY:
      return Last.NOTIFY;
    case Touch.BLIND:
      return blindOf(kind);
    default:
      return Last.WRITE;
  }
}

function blindOf(kind: Op): Last {
  switch (kind) {
    case Op.AND:
      return Last.AND;
    case Op.OR:
      return Last.OR;
    case Op.XOR:
      return Last.XOR;
    default:
      // Adding and subtracting commute with each other.
      return Last.ADD;
  }
}

/** What a core that is about to make an access will be remembered by. */
function pendingOf(kind: Op, isUnused: boolean): Last {
  if (kind === Op.LOAD || kind === Op.READ) return Last.READ;
  if (kind === Op.WAIT) return Last.WAIT;
  if (kind === Op.NOTIFY) return Last.NOTIFY;
  return isUnused && kind >= Op.ADD && kind <= Op.XOR ? blindOf(kind) : Last.WRITE;
}

/** Whether an access that a core is about to make may not commute with an event: what a sleeping core wakes for. */
export function mayConflict(
  pending: Op,
  isUnused: boolean,
  pendingWord: number,
  kind: Op,
  touch: number,
  word: number,
): boolean {
  if (pendingWord !== word || word < 0 || pending === Op.WAKE) return false;
  if (touch === Touch.WAKE || touch === Touch.NONE) return false;
  return AGAINST[pendingOf(pending, isUnused)].includes(lastOf(touch, kind));
}
