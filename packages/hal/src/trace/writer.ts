/**
 * The writing end of a trace ring, as its core holds it. Nothing here allocates, waits or takes a lock. On a machine
 * that is not traced it writes nothing.
 */
import { nowNs } from "../cpu/clock.js";
import { BootInfo } from "../memory/machine-map.js";
import type { PhysicalMemory, WordIndex } from "../memory/physical-memory.js";
import { type EventsOf, type KernelEvent, TraceEvent } from "./events.js";
import {
  BATCH_NUMBERS,
  BatchHead,
  batchCount,
  isTraced,
  MAX_TEXT_BYTES,
  RunsWord,
  TAG_SHIFT,
  TEXT_BYTES,
  TraceRing,
  tagOf,
  traceBatches,
  traceRing,
} from "./ring.js";
import { BATCH_RECORDS, BATCH_WORDS, RECORD_WORDS, TraceMode } from "./size.js";

/** The last record of a batch, by its address. */
const LAST = BATCH_WORDS - RECORD_WORDS;

export class TraceWriter {
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly ring: WordIndex;
  private readonly base: WordIndex;
  private readonly mask: number;
  /** Groups that are written, a bit each. */
  private readonly groups: number;
  private readonly stops: boolean;
  /** The next record, and what its word 0 has above the event. */
  private at: WordIndex = 0;
  private tag = 0;
  private batch: number;
  /** Records of this batch that are no events. */
  private frames = 0;
  /** Whether this batch is thrown away: the ring is full and keeps what it has. */
  private discards = false;
  // Fractions: these fields are doubles from the start.
  private events = 0.5;
  private lost = 0.5;

  constructor(
    private readonly memory: PhysicalMemory,
    ring: number,
  ) {
    this.i32 = memory.i32;
    this.f64 = memory.f64;
    this.ring = traceRing(memory, ring);
    this.base = traceBatches(this.ring);
    this.mask = batchCount(memory) - 1;
    const traced = isTraced(memory);
    this.groups = traced ? this.i32[BootInfo.TRACE_GROUPS]! : 0;
    this.stops = this.i32[BootInfo.TRACE_MODE] === TraceMode.STOP;
    this.events = 0;
    this.lost = 0;
    this.batch = traced ? this.resume() : 0;
    if (traced) this.begin();
  }

  /** The number of the first batch: 0, or the next after what a worker that died left behind, which is made whole. */
  private resume(): number {
    const written = this.i32[this.ring + TraceRing.WRITTEN]!;
    const batch = Math.floor((written >>> 0) / BATCH_RECORDS);
    const at = this.base + (batch & this.mask) * BATCH_WORDS;
    const events = this.countLeft(batch, at);
    if (events >= 0) {
      this.events = this.f64[(at + BatchHead.EVENTS) >> 1]! + events;
      this.lost = this.f64[(at + BatchHead.LOST) >> 1]!;
      return (batch + 1) % BATCH_NUMBERS;
    }
    // It was throwing away what found no room.
    const spare = this.base + (this.mask + 1) * BATCH_WORDS;
    const lost = this.countLeft(batch, spare);
    if (lost >= 0) {
      this.events = this.f64[(spare + BatchHead.EVENTS) >> 1]!;
      this.lost = this.f64[(spare + BatchHead.LOST) >> 1]! + lost;
    }
    return batch;
  }

  /** Events in a batch that was left behind; -1 if it was not begun. */
  private countLeft(batch: number, at: WordIndex): number {
    let events = -1;
    for (let record = 0; record < BATCH_RECORDS; record++) {
      const word = this.i32[at + record * RECORD_WORDS]!;
      const event = word & 0xff;
      if (word >>> TAG_SHIFT !== tagOf(batch) >>> TAG_SHIFT) break;
      if ((event === TraceEvent.BATCH) !== (record === 0)) break;
      if (event === TraceEvent.BATCH || event > TraceEvent.TEXT) events++;
    }
    return events;
  }

  /** Begins the batch `this.batch`. */
  private begin(): void {
    const { i32 } = this;
    const written = (this.batch * BATCH_RECORDS) | 0;
    Atomics.store(i32, this.ring + TraceRing.WRITTEN, written);
    this.discards = false;
    if (this.stops) {
      const taken = Atomics.load(i32, this.ring + TraceRing.TAKEN);
      this.discards = (written - taken) >>> 0 > this.mask * BATCH_RECORDS;
    }
    const at = this.base + (this.discards ? this.mask + 1 : this.batch & this.mask) * BATCH_WORDS;
    // Its number does not change meanwhile: what is left of the last such batch must not pass for this one's.
    if (this.discards) for (let i = RECORD_WORDS; i < BATCH_WORDS; i += RECORD_WORDS) i32[at + i] = 0;
    this.tag = tagOf(this.batch);
    this.f64[(at + BatchHead.TIME_NS) >> 1] = nowNs();
    this.f64[(at + BatchHead.EVENTS) >> 1] = this.events;
    this.f64[(at + BatchHead.LOST) >> 1] = this.lost;
    i32[at + BatchHead.TAG] = this.tag;
    this.frames = 1;
    this.at = at + RECORD_WORDS;
  }

  /** A batch is full. */
  private turn(): void {
    const events = BATCH_RECORDS - this.frames;
    if (this.discards) this.lost += events;
    else {
      this.events += events;
      this.batch = (this.batch + 1) % BATCH_NUMBERS;
    }
    this.begin();
  }

  /** At least as many as there were events before this writer, its core's earlier ones included. */
  get recorded(): number {
    return this.events + this.lost;
  }

  private isOff(event: TraceEvent): boolean {
    return (this.groups & (1 << (event >> 3))) === 0;
  }

  /** Ends the record at `at`. */
  private end(event: TraceEvent, at: WordIndex): void {
    this.i32[at] = event | this.tag;
    this.at = at + RECORD_WORDS;
    if ((at & (BATCH_WORDS - 1)) === LAST) this.turn();
  }

  put0(event: EventsOf<0>): void {
    if (this.isOff(event)) return;
    this.end(event, this.at);
  }

  put1(event: EventsOf<1>, a: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    this.end(event, at);
  }

  put2(event: EventsOf<2>, a: number, b: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    this.end(event, at);
  }

  put3(event: EventsOf<3>, a: number, b: number, c: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    i32[at + 3] = c;
    this.end(event, at);
  }

  put4(event: EventsOf<4>, a: number, b: number, c: number, d: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    i32[at + 3] = c;
    i32[at + 4] = d;
    this.end(event, at);
  }

  put5(event: EventsOf<5>, a: number, b: number, c: number, d: number, e: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    i32[at + 3] = c;
    i32[at + 4] = d;
    i32[at + 5] = e;
    this.end(event, at);
  }

  put6(event: EventsOf<6>, a: number, b: number, c: number, d: number, e: number, f: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    i32[at + 3] = c;
    i32[at + 4] = d;
    i32[at + 5] = e;
    i32[at + 6] = f;
    this.end(event, at);
  }

  put7(
    event: EventsOf<7>,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    g: number,
  ): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    i32[at + 3] = c;
    i32[at + 4] = d;
    i32[at + 5] = e;
    i32[at + 6] = f;
    i32[at + 7] = g;
    this.end(event, at);
  }

  /**
   * The thread that the last record, a PASS or a REPLY, is for goes on at once: the record says so, and needs no
   * SWITCH behind it. False if it cannot, having ended its batch.
   */
  runs(): boolean {
    const { i32 } = this;
    if (this.groups === 0) return false;
    const last = this.at - RECORD_WORDS;
    const event = i32[last]! & 0xff;
    if (event === TraceEvent.PASS) i32[last + RunsWord.PASS] = 1;
    else if (event === TraceEvent.REPLY) i32[last + RunsWord.REPLY] = 1;
    else return false;
    return true;
  }

  /** The words of a message: three doubles a record. */
  words(id: number, count: number, words: Float64Array, wordsAt: number): void {
    if (this.isOff(TraceEvent.WORDS)) return;
    for (let i = 0; i < count; i += 3) {
      const { i32, f64, at } = this;
      i32[at + 1] = id;
      for (let j = 0; j < 3; j++) f64[(at >> 1) + 1 + j] = i + j < count ? words[wordsAt + i + j]! : 0;
      this.end(TraceEvent.WORDS, at);
    }
  }

  /** The text of the event that was just written: bytes of UTF-8, cut off after `MAX_TEXT_BYTES`. */
  text(event: KernelEvent, bytes: { readonly [index: number]: number }, first: number, count: number): void {
    if (this.isOff(event)) return;
    const { u8 } = this.memory;
    const end = first + Math.min(count, MAX_TEXT_BYTES);
    for (let i = first; i < end; i += TEXT_BYTES) {
      const length = Math.min(TEXT_BYTES, end - i);
      const { at } = this;
      this.i32[at + 1] = length;
      for (let j = 0; j < length; j++) u8[(at + 2) * 4 + j] = bytes[i + j]!;
      this.frames++;
      this.end(TraceEvent.TEXT, at);
    }
  }

  /** Notes the time. `afterGap` says that an unknown part of it lies between the record before and this one. */
  time(afterGap: boolean): void {
    if (this.groups === 0) return;
    const { at } = this;
    this.i32[at + 1] = afterGap ? 1 : 0;
    this.f64[(at >> 1) + 1] = nowNs();
    this.frames++;
    this.end(TraceEvent.TIME, at);
  }

  /** Makes what was written readable from outside: before the core rests, and at its end. */
  publish(): void {
    if (this.discards || this.groups === 0) return;
    const inBatch = (this.at & (BATCH_WORDS - 1)) >> 3;
    Atomics.store(this.i32, this.ring + TraceRing.WRITTEN, (this.batch * BATCH_RECORDS + inBatch) | 0);
  }
}
