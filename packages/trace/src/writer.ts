/**
 * The writing end of a trace ring, as its owner holds it. Nothing here allocates, waits or takes a lock. Where there
 * are no rings it writes nothing.
 */
import { type EventOf, type EventsOf, type EventTable, Frame, GROUP_SHIFT, isEvent } from "./event.js";
import type { TraceMemory } from "./memory.js";
import {
  BATCH_NUMBERS,
  BatchHead,
  batchCount,
  MAX_TEXT_BYTES,
  TAG_SHIFT,
  TEXT_BYTES,
  TraceRing,
  type TraceRings,
  tagOf,
  traceBatches,
  traceRing,
} from "./ring.js";
import { BATCH_RECORDS, BATCH_WORDS, RECORD_WORDS, TraceMode } from "./size.js";

/** The last record of a batch, by its address. */
const LAST = BATCH_WORDS - RECORD_WORDS;

/** Doubles that a record holds behind its first field. */
const DOUBLES = 3;

/** @typeParam Events the events that its owner may write */
export class TraceWriter<Events extends EventTable> {
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly ring: number;
  private readonly base: number;
  private readonly mask: number;
  /** Groups that are written, a bit each. */
  private readonly groups: number;
  private readonly stops: boolean;
  /** The next record, and what its word 0 has above the event. */
  private at = 0;
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
    private readonly memory: TraceMemory,
    rings: TraceRings,
    ring: number,
    /** Nanoseconds, the same for all who write. */
    private readonly nowNs: () => number,
  ) {
    this.i32 = memory.i32;
    this.f64 = memory.f64;
    this.ring = traceRing(rings, ring);
    this.base = traceBatches(this.ring);
    this.mask = batchCount(rings) - 1;
    const traced = rings.kib !== 0;
    this.groups = traced ? rings.groups : 0;
    this.stops = rings.mode === TraceMode.STOP;
    this.events = 0;
    this.lost = 0;
    this.batch = traced ? this.resume() : 0;
    if (traced) this.begin();
  }

  /** The number of the first batch: 0, or the next after what a worker that died left behind, which is made whole. */
  private resume(): number {
    const written = this.i32[this.ring + TraceRing.WRITTEN];
    const batch = Math.floor((written >>> 0) / BATCH_RECORDS);
    const at = this.base + (batch & this.mask) * BATCH_WORDS;
    const events = this.countLeft(batch, at);
    if (events >= 0) {
      this.events = this.f64[(at + BatchHead.EVENTS) >> 1] + events;
      this.lost = this.f64[(at + BatchHead.LOST) >> 1];
      return (batch + 1) % BATCH_NUMBERS;
    }
    // It was throwing away what found no room.
    const spare = this.base + (this.mask + 1) * BATCH_WORDS;
    const lost = this.countLeft(batch, spare);
    if (lost >= 0) {
      this.events = this.f64[(spare + BatchHead.EVENTS) >> 1];
      this.lost = this.f64[(spare + BatchHead.LOST) >> 1] + lost;
    }
    return batch;
  }

  /** Events in a batch that was left behind; -1 if it was not begun. */
  private countLeft(batch: number, at: number): number {
    let events = -1;
    for (let record = 0; record < BATCH_RECORDS; record++) {
      const word = this.i32[at + record * RECORD_WORDS];
      const event = word & 0xff;
      if (word >>> TAG_SHIFT !== tagOf(batch) >>> TAG_SHIFT) break;
      if ((event === Frame.BATCH) !== (record === 0)) break;
      if (event === Frame.BATCH || isEvent(event)) events++;
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
    this.f64[(at + BatchHead.TIME_NS) >> 1] = this.nowNs();
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

  /** At least as many as there were events before this writer, its owner's earlier ones included. */
  get recorded(): number {
    return this.events + this.lost;
  }

  private isOff(event: number): boolean {
    return (this.groups & (1 << (event >> GROUP_SHIFT))) === 0;
  }

  /** Ends the record at `at`. */
  private end(event: number, at: number): void {
    this.i32[at] = event | this.tag;
    this.at = at + RECORD_WORDS;
    if ((at & (BATCH_WORDS - 1)) === LAST) this.turn();
  }

  put0(event: EventsOf<Events, 0>): void {
    if (this.isOff(event)) return;
    this.end(event, this.at);
  }

  put1(event: EventsOf<Events, 1>, a: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    this.end(event, at);
  }

  put2(event: EventsOf<Events, 2>, a: number, b: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    this.end(event, at);
  }

  put3(event: EventsOf<Events, 3>, a: number, b: number, c: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    i32[at + 3] = c;
    this.end(event, at);
  }

  put4(event: EventsOf<Events, 4>, a: number, b: number, c: number, d: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    i32[at + 3] = c;
    i32[at + 4] = d;
    this.end(event, at);
  }

  put5(event: EventsOf<Events, 5>, a: number, b: number, c: number, d: number, e: number): void {
    if (this.isOff(event)) return;
    const { i32, at } = this;
    i32[at + 1] = a;
    i32[at + 2] = b;
    i32[at + 3] = c;
    i32[at + 4] = d;
    i32[at + 5] = e;
    this.end(event, at);
  }

  put6(event: EventsOf<Events, 6>, a: number, b: number, c: number, d: number, e: number, f: number): void {
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
    event: EventsOf<Events, 7>,
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
   * Sets a word of the last record if that is of an event. False if it is not: another was written last, or
   * it has ended its batch.
   */
  amend(event: EventOf<Events>, word: number, value: number): boolean {
    if (this.groups === 0) return false;
    const { i32 } = this;
    const last = this.at - RECORD_WORDS;
    if ((i32[last] & 0xff) !== event) return false;
    i32[last + word] = value;
    return true;
  }

  /** Doubles, as many records of an event as they need. */
  doubles(event: EventsOf<Events, 1>, a: number, count: number, from: Float64Array, first: number): void {
    if (this.isOff(event)) return;
    for (let i = 0; i < count; i += DOUBLES) {
      const { i32, f64, at } = this;
      i32[at + 1] = a;
      for (let j = 0; j < DOUBLES; j++) f64[(at >> 1) + 1 + j] = i + j < count ? from[first + i + j] : 0;
      this.end(event, at);
    }
  }

  /** The text of the event that was just written: bytes of UTF-8, cut off after `MAX_TEXT_BYTES`. */
  text(
    event: EventOf<Events>,
    bytes: { readonly [index: number]: number },
    first: number,
    count: number,
  ): void {
    if (this.isOff(event)) return;
    const { u8 } = this.memory;
    const end = first + Math.min(count, MAX_TEXT_BYTES);
    for (let i = first; i < end; i += TEXT_BYTES) {
      const length = Math.min(TEXT_BYTES, end - i);
      const { at } = this;
      this.i32[at + 1] = length;
      for (let j = 0; j < length; j++) u8[(at + 2) * 4 + j] = bytes[i + j];
      this.frames++;
      this.end(Frame.TEXT, at);
    }
  }

  /** Notes the time. `afterGap` says that an unknown part of it lies between the record before and this one. */
  time(afterGap: boolean): void {
    if (this.groups === 0) return;
    const { at } = this;
    this.i32[at + 1] = afterGap ? 1 : 0;
    this.f64[(at >> 1) + 1] = this.nowNs();
    this.frames++;
    this.end(Frame.TIME, at);
  }

  /** Makes what was written readable from outside: before its owner rests, and at its end. */
  publish(): void {
    if (this.discards || this.groups === 0) return;
    const inBatch = (this.at & (BATCH_WORDS - 1)) >> 3;
    Atomics.store(this.i32, this.ring + TraceRing.WRITTEN, (this.batch * BATCH_RECORDS + inBatch) | 0);
  }
}
