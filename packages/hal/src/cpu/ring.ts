/**
 * Core-to-core rings: one single-producer, single-consumer ring of 64-byte lines for each ordered
 * pair of cores.
 *
 * Word 0 of a line is the message's kind and the lap in which it was written. The producer writes the rest
 * plainly and stores word 0 last; the consumer knows the lap that it waits for, so it never writes to a line,
 * and says how far it has read in a word of its own that the producer looks at only when the ring seems full. So
 * one line travels between two caches for a message, and one more for the doorbell. Positions stand in
 * the cores' areas and survive a worker that dies.
 *
 * One ring of a core can do without the doorbell: the one that the core watches, for as long as its word WATCHED says
 * so. A producer stores its line, then loads WATCHED, and rings unless it finds itself there. The consumer
 * looks at the ring's next line wherever it looks at its attention word. When it is to stop that, it stores
 * WATCHED, then looks once more: the producer has seen what was stored, or the consumer sees the line. Both accesses of
 * either side are sequentially consistent, as with HALTED. The word changes seldom, so a producer finds it in its own cache.
 */

import { BootInfo, CoreArea, coreArea } from "../memory/machine-map.js";
import { LINE_WORDS, type PhysicalMemory, type WordIndex } from "../memory/physical-memory.js";
import { Attention, RINGS_SHIFT, raise, ringGroup } from "./attention.js";

/** Words of a line. Kinds, 1 to 0xffff, and what stands from PAYLOAD on are the kernel's. */
export const enum Line {
  KIND = 0,
  PAYLOAD = 1,
}

/** What became of the doorbell when a line was published. */
export const enum Bell {
  /** The core watches the ring. */
  NONE = 0,
  RUNG = 1,
  /** And it was halted. */
  WOKE = 2,
}

/** The part of word 0 that is the kind; the lap stands above it. */
const KIND_MASK = 0xffff;
const LAP_MASK = 0x7fff;
const LAP_SHIFT = 16;
/** What of word 0 says in which lap the line was written. */
export const LAP_OF_LINE = ~KIND_MASK;

/** One core's ends of its rings: where they stand, so that the hot path computes nothing twice. */
export class RingPort {
  private readonly i32: Int32Array;
  private readonly base: WordIndex;
  private readonly cores: number;
  private readonly linesLog2: number;
  private readonly writePositions: WordIndex;
  private readonly readPositions: WordIndex;
  private readonly seenPositions: WordIndex;
  private readonly areas: WordIndex;
  private readonly bell: number;
  private readonly watchedWord: WordIndex;
  private readonly me: number;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly core: number,
  ) {
    const { i32 } = memory;
    const area = coreArea(memory, core);
    this.i32 = i32;
    this.base = i32[BootInfo.RINGS];
    this.cores = i32[BootInfo.CORES];
    this.linesLog2 = 31 - Math.clz32(i32[BootInfo.RING_LINES]);
    this.writePositions = area + CoreArea.RING_WRITE;
    this.readPositions = area + CoreArea.RING_READ;
    this.seenPositions = area + CoreArea.RING_SEEN;
    this.areas = i32[BootInfo.CORE_AREAS];
    this.watchedWord = area + CoreArea.WATCHED;
    this.me = core + 1;
    this.bell = 1 << (RINGS_SHIFT + Math.floor(core / ringGroup(this.cores)));
  }

  private line(from: number, to: number, position: number): WordIndex {
    const index = ((to * this.cores + from) << this.linesLog2) + (position & ((1 << this.linesLog2) - 1));
    return this.base + index * LINE_WORDS;
  }

  /** The lap that a line at a position belongs to, as it stands in word 0; never 0 there. */
  private lap(position: number): number {
    return (((position >> this.linesLog2) + 1) & LAP_MASK) << LAP_SHIFT;
  }

  /** The next free line to a core, to be filled from word 1 on; 0 if the ring is full. */
  reserve(to: number): WordIndex {
    const { i32 } = this;
    const position = i32[this.writePositions + to];
    if (((position - i32[this.seenPositions + to]) & POSITION_MASK) >> this.linesLog2 !== 0) {
      const read = Atomics.load(i32, this.areas + to * CoreArea.WORDS + CoreArea.RING_READ + this.core);
      i32[this.seenPositions + to] = read;
      if (((position - read) & POSITION_MASK) >> this.linesLog2 !== 0) return 0;
    }
    return this.line(this.core, to, position);
  }

  /** Publishes the line that `reserve` gave and rings the core's doorbell, unless the core watches the ring. */
  publish(to: number, line: WordIndex, kind: number): Bell {
    const { i32 } = this;
    const position = i32[this.writePositions + to];
    i32[this.writePositions + to] = (position + 1) & POSITION_MASK;
    // Line, then bell: a core that takes the bit finds the line. A bit without a line is harmless, a line
    // without a bit would be lost.
    Atomics.store(i32, line, kind | this.lap(position));
    const area = this.areas + to * CoreArea.WORDS;
    // After the line: a core that says no more that it watches looks at the line after that.
    if (Atomics.load(i32, area + CoreArea.WATCHED) === this.me) return Bell.NONE;
    return raise(this.memory, area + CoreArea.ATTENTION, this.bell) ? Bell.WOKE : Bell.RUNG;
  }

  /**
   * From now on the core looks at the ring from another by itself, or at none (-1). It must look at the ring that it
   * watched before once more after this, by `peek`.
   */
  watch(from: number): void {
    Atomics.store(this.i32, this.watchedWord, from + 1);
  }

  /** The line that comes next from a core, and what stands in its first word, without the kind, once it has come. */
  nextLine(from: number): WordIndex {
    return this.line(from, this.core, this.i32[this.readPositions + from]);
  }

  nextLap(from: number): number {
    return this.lap(this.i32[this.readPositions + from]);
  }

  /** The line to read next from a core, or 0 if there is none. */
  peek(from: number): WordIndex {
    const position = this.i32[this.readPositions + from];
    const line = this.line(from, this.core, position);
    return (Atomics.load(this.i32, line) & ~KIND_MASK) === this.lap(position) ? line : 0;
  }

  /** The kind of the message in a line. */
  kind(line: WordIndex): number {
    return this.i32[line] & KIND_MASK;
  }

  /** Gives back the line that `peek` gave. */
  release(from: number): void {
    const { i32 } = this;
    Atomics.store(i32, this.readPositions + from, (i32[this.readPositions + from] + 1) & POSITION_MASK);
  }

  /** Looks at a ring again at the next safe point: a lap of it was not enough. */
  keepPending(from: number): void {
    const bell = 1 << (RINGS_SHIFT + Math.floor(from / ringGroup(this.cores)));
    raise(this.memory, this.areas + this.core * CoreArea.WORDS + CoreArea.ATTENTION, bell & Attention.RINGS);
  }

  /** Lines in a ring. */
  get lines(): number {
    return 1 << this.linesLog2;
  }
}

/** Positions count up to 2^30 and wrap there: a multiple of every ring size and of all laps. */
const POSITION_MASK = 0x3fff_ffff;
