/**
 * The reading end of a trace ring. It may read while the writer writes, and after the writer has died.
 *
 * A batch is copied, then it is checked that its writer cannot have come around to it meanwhile. What
 * stands between two times of the ring gets a time by its place among them, so the events behind the last
 * time wait for the next. Where that never comes, or nobody knows how much of it was theirs (a gap, a
 * worker that died), they are given the pace of those before them.
 *
 * Who writes what: WRITTEN is the writer's; TAKEN is stored here, only in a ring that stops when it is full.
 */
import { type EventTable, Frame, isEvent } from "./event.js";
import type { TraceMemory } from "./memory.js";
import { TraceRecord, type TraceSink } from "./record.js";
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

const NUMBER_MASK = BATCH_NUMBERS - 1;
/** Numbers of batches have so many bits less than a word. */
const SIGN_SHIFT = 6;
/** Nanoseconds between two events, before anything is known of it. */
const USUAL_PACE_NS = 100;
const decoder = new TextDecoder();

export class TraceReader {
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly base: number;
  private readonly head: number;
  private readonly count: number;
  private readonly stops: boolean;
  /** The batch being read, what was copied of it, and how many records that are. */
  private batch = 0;
  private readonly copy = new Int32Array(BATCH_WORDS);
  private readonly doubles = new Float64Array(this.copy.buffer);
  private copied = 0;
  /** The next record to give, and the last time before it with its place. */
  private next = 0;
  private anchor = 0;
  private anchorNs = 0;
  private paceNs = USUAL_PACE_NS;
  /** When the last event that was given happened: none is given an earlier time. */
  private latestNs = 0;
  /** Events of the ring up to the last that was copied, by its own count. */
  private counted = 0;
  /** Events lost for want of room, by the count of the last batch. */
  private discarded = 0;
  /** Events that never will be read: they were overwritten, or the writer found no room. */
  lost = 0;
  private readonly record = new TraceRecord();
  /** An event whose text may still follow. */
  private readonly held = new TraceRecord();
  private isHeld = false;
  private readonly text = new Uint8Array(MAX_TEXT_BYTES + TEXT_BYTES);
  private textBytes = 0;

  /** @param events those that may be in the ring: says which of them text follows */
  constructor(
    memory: TraceMemory,
    rings: TraceRings,
    private readonly ring: number,
    private readonly events: EventTable,
    private readonly sink: TraceSink,
  ) {
    this.i32 = memory.i32;
    this.f64 = memory.f64;
    this.head = traceRing(rings, ring);
    this.base = traceBatches(this.head);
    this.count = batchCount(rings);
    this.stops = rings.mode === TraceMode.STOP;
    if (this.stops) this.batch = this.i32[this.head + TraceRing.TAKEN] >>> 6;
  }

  /**
   * Gives the sink all events whose time is known by now.
   * @param ended whether the ring's writer has ended: then also what it had not published is read
   */
  read(ended: boolean): void {
    // What is written from now on is for the next time: a writer may be faster than this end.
    const written = Atomics.load(this.i32, this.head + TraceRing.WRITTEN);
    const index = written & (BATCH_RECORDS - 1);
    for (;;) {
      const now = Atomics.load(this.i32, this.head + TraceRing.WRITTEN) >>> 6;
      const behind = (now - this.batch) & NUMBER_MASK;
      if (behind > this.reach(ended)) {
        this.skip(behind, ended);
        continue;
      }
      // Below 0 where it was overtaken and has skipped over what was to be read.
      const ahead = (((written >>> 6) - this.batch) << SIGN_SHIFT) >> SIGN_SHIFT;
      if (ahead < 0) break;
      const whole = ahead > 0;
      if (!this.take(whole || ended ? BATCH_RECORDS : index, ended)) continue;
      this.giveTimed();
      if (!whole) break;
      // Whose number is published when its batch begins, a little before its head is there.
      if (!(ahead > 1 || ended || index !== 0)) break;
      this.turn(ended);
    }
    if (ended) this.countDiscarded();
  }

  /** Gives the sink the events that still wait for a time or for their text. To be called when no more will be read. */
  end(): void {
    this.giveRest();
    this.giveHeld();
  }

  /** How many batches behind the writer's one can be, and be read. One less than there are while it writes. */
  private reach(ended: boolean): number {
    if (this.stops) return NUMBER_MASK;
    return ended ? this.count - 1 : this.count - 2;
  }

  /** The writer has overtaken this end: goes on with a batch that it will not be in soon. */
  private skip(ahead: number, ended: boolean): void {
    this.giveRest();
    const left = ended ? this.count - 1 : Math.min(this.count >> 1, this.count - 2);
    this.batch = (this.batch + ahead - left) & NUMBER_MASK;
    this.copied = 0;
    this.next = 0;
  }

  private place(batch: number): number {
    return this.base + (batch & (this.count - 1)) * BATCH_WORDS;
  }

  /** Copies records of the batch, up to a number of them; false if they may be another batch's by now. */
  private take(upTo: number, ended: boolean): boolean {
    const { i32, copy } = this;
    const from = this.copied;
    if (from < upTo) {
      const at = this.place(this.batch);
      // By hand: the views of a machine's memory have no methods.
      for (let i = from * RECORD_WORDS; i < upTo * RECORD_WORDS; i++) copy[i] = i32[at + i];
    }
    const now = Atomics.load(i32, this.head + TraceRing.WRITTEN) >>> 6;
    if (((now - this.batch) & NUMBER_MASK) > this.reach(ended)) return false;
    const tag = tagOf(this.batch) >>> TAG_SHIFT;
    let count = from;
    while (count < upTo) {
      const word = copy[count * RECORD_WORDS];
      if (word >>> TAG_SHIFT !== tag || ((word & 0xff) === Frame.BATCH) !== (count === 0)) break;
      count++;
    }
    this.copied = count;
    if (from === 0 && count > 0) this.begin();
    for (let i = from; i < count; i++) if (isEvent(copy[i * RECORD_WORDS] & 0xff)) this.counted++;
    if (this.stops && upTo === BATCH_RECORDS && !ended)
      Atomics.store(i32, this.head + TraceRing.TAKEN, ((this.batch + 1) * BATCH_RECORDS) | 0);
    return true;
  }

  /** The head of a batch has been copied. */
  private begin(): void {
    const events = this.doubles[BatchHead.EVENTS >> 1];
    const discarded = this.doubles[BatchHead.LOST >> 1];
    this.anchor = 0;
    this.anchorNs = this.doubles[BatchHead.TIME_NS >> 1];
    this.next = 1;
    this.lose(Math.max(0, events - this.counted) + Math.max(0, discarded - this.discarded), this.anchorNs);
    this.counted = events;
    this.discarded = discarded;
  }

  private lose(count: number, timeNs: number): void {
    if (count === 0) return;
    this.giveHeld();
    this.lost += count;
    this.sink.lost(this.ring, timeNs, count);
  }

  /** The batch is whole, and the next one has a head: its time is where this one ends. */
  private turn(ended: boolean): void {
    const number = (this.batch + 1) & NUMBER_MASK;
    const at = this.place(number);
    const timeNs = this.f64[(at + BatchHead.TIME_NS) >> 1];
    const discarded = this.f64[(at + BatchHead.LOST) >> 1];
    const isHead = this.i32[at + BatchHead.TAG] === tagOf(number);
    const now = Atomics.load(this.i32, this.head + TraceRing.WRITTEN) >>> 6;
    const isKnown = isHead && ((now - number) & NUMBER_MASK) <= this.reach(ended);
    // Those that were lost in between had their part of the time.
    if (isKnown && this.copied === BATCH_RECORDS)
      this.giveUntil(BATCH_RECORDS, timeNs, Math.max(0, discarded - this.discarded));
    else this.giveRest(isKnown ? timeNs : Number.POSITIVE_INFINITY);
    this.batch = number;
    this.copied = 0;
    this.next = 0;
  }

  /** Gives what stands before the last time that was copied. */
  private giveTimed(): void {
    const { copy } = this;
    for (let i = this.next; i < this.copied; i++) {
      if ((copy[i * RECORD_WORDS] & 0xff) !== Frame.TIME) continue;
      const timeNs = this.doubles[(i * RECORD_WORDS + 2) >> 1];
      const isAfterGap = copy[i * RECORD_WORDS + 1] === 1;
      if (isAfterGap) this.givePaced(i, timeNs);
      else this.giveUntil(i, timeNs, 0);
      this.anchor = i;
      this.anchorNs = timeNs;
      this.next = i + 1;
    }
  }

  /** Gives the records before `end`, which stand, with some that are lost, in equal steps before a time. */
  private giveUntil(end: number, timeNs: number, lost: number): void {
    const stepNs = Math.max(0, timeNs - this.anchorNs) / (end + lost - this.anchor);
    if (end > this.next) this.paceNs = stepNs;
    this.give(end, stepNs, timeNs);
  }

  /** Gives the records before `end` as if time had passed as before, or faster: none is beyond `latestNs`. */
  private givePaced(end: number, latestNs: number): void {
    const stepNs = Math.min(this.paceNs, Math.max(0, latestNs - this.anchorNs) / (end - this.anchor));
    this.give(end, stepNs, latestNs);
  }

  /** Gives all that was copied. */
  private giveRest(latestNs = Number.POSITIVE_INFINITY): void {
    this.givePaced(this.copied, latestNs);
  }

  private give(end: number, stepNs: number, latestNs: number): void {
    const { copy, record } = this;
    for (; this.next < end; this.next++) {
      const at = this.next * RECORD_WORDS;
      const event = copy[at] & 0xff;
      if (event === Frame.TEXT) this.addText(at);
      if (!isEvent(event)) continue;
      this.giveHeld();
      record.ring = this.ring;
      const timeNs = Math.min(this.anchorNs + (this.next - this.anchor) * stepNs, latestNs);
      this.latestNs = Math.max(this.latestNs, timeNs);
      record.timeNs = this.latestNs;
      record.event = event;
      for (let i = 0; i < RECORD_WORDS; i++) record.words[i] = copy[at + i];
      if (this.events[event]?.text === true) {
        this.held.copyFrom(record);
        this.isHeld = true;
        this.textBytes = 0;
      } else this.sink.event(record);
    }
  }

  /** Bytes of the held event's text. Those of an event that was overwritten belong to nothing. */
  private addText(at: number): void {
    const bytes = new Uint8Array(this.copy.buffer, (at + 2) * 4, TEXT_BYTES);
    const length = Math.min(this.copy[at + 1] >>> 0, TEXT_BYTES, this.text.length - this.textBytes);
    this.text.set(bytes.subarray(0, length), this.textBytes);
    this.textBytes += length;
  }

  private giveHeld(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.held.text = decoder.decode(this.text.subarray(0, this.textBytes));
    this.sink.event(this.held);
  }

  /** Counts what the writer threw away at its end, after which no batch came that would say so. */
  private countDiscarded(): void {
    if (!this.stops) return;
    const spare = this.base + this.count * BATCH_WORDS;
    const tag = this.i32[spare];
    if (this.copied > 0 || tag !== tagOf(this.batch)) return;
    let discarded = this.f64[(spare + BatchHead.LOST) >> 1];
    for (let i = 1; i < BATCH_RECORDS; i++) {
      const word = this.i32[spare + i * RECORD_WORDS];
      if (word >>> TAG_SHIFT !== tag >>> TAG_SHIFT) break;
      if (isEvent(word & 0xff)) discarded++;
    }
    this.lose(Math.max(0, discarded - this.discarded), this.f64[(spare + BatchHead.TIME_NS) >> 1]);
    this.discarded = discarded;
  }
}
