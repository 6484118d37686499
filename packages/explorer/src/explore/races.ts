/**
 * Data races: two accesses of a word by two cores, one of them plain, one of them a write, that nothing
 * orders.
 *
 * Order is the program's: a core's own accesses in turn, and from an atomic store (or the like) to the
 * atomic load that reads it, as the ECMAScript memory model has it (synchronizes-with); from notify to the
 * core that it wakes. Kept as vector clocks (FastTrack: Flanagan and Freund 2009, with a clock for each core and
 * word instead of an epoch, because there are four cores at most).
 */
import { grown } from "./grown.js";

/** Two places that race; both are sites. */
export interface Race {
  readonly word: number;
  readonly core: number;
  readonly site: number;
  readonly otherCore: number;
  readonly otherSite: number;
}

const enum Access {
  READ = 0,
  WRITE = 1,
  ATOMIC_READ = 2,
  ATOMIC_WRITE = 3,
  KINDS = 4,
}

export class RaceDetector {
  /** `clocks[c * cores + d]`: what core c knows of core d. */
  private readonly clocks: Int32Array;
  /** By word number, kind and core: the core's clock at its last such access in this run, 0 for none; and its site. */
  private seen = new Int32Array(0);
  private sites = new Int32Array(0);
  /** By word number and core: what who reads the word atomically gets to know. */
  private released = new Int32Array(0);
  /** The run in which a word's entries were last cleared. */
  private fresh = new Int32Array(0);
  private run = 0;
  found: Race | null = null;

  constructor(private readonly cores: number) {
    this.clocks = new Int32Array(cores * cores);
  }

  grow(capacity: number): void {
    this.seen = grown(this.seen, capacity * Access.KINDS * this.cores);
    this.sites = grown(this.sites, capacity * Access.KINDS * this.cores);
    this.released = grown(this.released, capacity * this.cores);
    this.fresh = grown(this.fresh, capacity);
  }

  begin(): void {
    this.run++;
    this.found = null;
    this.clocks.fill(0);
    for (let core = 0; core < this.cores; core++) this.clocks[core * this.cores + core] = 1;
  }

  private renew(number: number): void {
    if (this.fresh[number] === this.run) return;
    this.fresh[number] = this.run;
    const { cores } = this;
    const from = number * Access.KINDS * cores;
    for (let i = from; i < from + Access.KINDS * cores; i++) this.seen[i] = 0;
    for (let i = number * cores; i < (number + 1) * cores; i++) this.released[i] = 0;
  }

  /** A plain access. */
  plain(core: number, number: number, word: number, isWrite: boolean, site: number): void {
    this.renew(number);
    this.against(core, number, word, Access.WRITE, site);
    this.against(core, number, word, Access.ATOMIC_WRITE, site);
    if (isWrite) {
      this.against(core, number, word, Access.READ, site);
      this.against(core, number, word, Access.ATOMIC_READ, site);
    }
    this.note(core, number, isWrite ? Access.WRITE : Access.READ, site);
  }

  /** An atomic operation that reads, writes, or both. `isRacy` words are ordered by it and not judged. */
  atomic(
    core: number,
    number: number,
    word: number,
    reads: boolean,
    writes: boolean,
    site: number,
    isRacy: boolean,
  ): void {
    this.renew(number);
    const { cores, clocks, released } = this;
    const own = core * cores;
    const at = number * cores;
    if (reads) {
      for (let c = 0; c < cores; c++)
        if (released[at + c] > clocks[own + c]) clocks[own + c] = released[at + c];
    }
    if (!isRacy) {
      this.against(core, number, word, Access.WRITE, site);
      if (writes) this.against(core, number, word, Access.READ, site);
      if (reads) this.note(core, number, Access.ATOMIC_READ, site);
      if (writes) this.note(core, number, Access.ATOMIC_WRITE, site);
    }
    if (writes) {
      // Who reads a plain store's value knows no more than its core did; one that was read and changed passes on both.
      for (let c = 0; c < cores; c++) released[at + c] = clocks[own + c];
      clocks[own + core]++;
    }
  }

  /** A core was woken by another's notify. */
  wake(core: number, by: number): void {
    const { cores, clocks } = this;
    for (let c = 0; c < cores; c++) {
      if (clocks[by * cores + c] > clocks[core * cores + c])
        clocks[core * cores + c] = clocks[by * cores + c];
    }
    clocks[by * cores + by]++;
  }

  private note(core: number, number: number, access: Access, site: number): void {
    const at = (number * Access.KINDS + access) * this.cores + core;
    this.seen[at] = this.clocks[core * this.cores + core];
    this.sites[at] = site;
  }

  private against(core: number, number: number, word: number, access: Access, site: number): void {
    const { cores, clocks, seen } = this;
    const at = (number * Access.KINDS + access) * cores;
    for (let other = 0; other < cores; other++) {
      if (other === core || seen[at + other] <= clocks[core * cores + other]) continue;
      this.found ??= { word, core, site, otherCore: other, otherSite: this.sites[at + other] };
    }
  }
}
