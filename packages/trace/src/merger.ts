/**
 * All trace rings of a machine as one sequence of events in the order of their times.
 *
 * A ring tells what its owner does some time later, when a batch is full or the owner rests. So events are
 * kept for a while before they are given on; one that comes later still is given when it comes.
 */
import type { EventTable } from "./event.js";
import type { TraceMemory } from "./memory.js";
import { TraceReader } from "./reader.js";
import { TraceRecord, type TraceSink } from "./record.js";
import type { TraceRings } from "./ring.js";
import { RECORD_WORDS } from "./size.js";

const FIRST_CAPACITY = 1024;

/** Events of one ring that wait to be given on. */
class RecordQueue implements TraceSink {
  private times = new Float64Array(FIRST_CAPACITY);
  private words = new Int32Array(FIRST_CAPACITY * RECORD_WORDS);
  /** By place. */
  private readonly texts = new Map<number, string>();
  private first = 0;
  private end = 0;

  constructor(
    private readonly ring: number,
    private readonly onLost: TraceSink["lost"],
  ) {}

  event(record: TraceRecord): void {
    if (this.end === this.times.length) this.makeRoom();
    const at = this.end++;
    this.times[at] = record.timeNs;
    this.words.set(record.words, at * RECORD_WORDS);
    if (record.text !== "") this.texts.set(at, record.text);
  }

  lost(ring: number, timeNs: number, count: number): void {
    this.onLost(ring, timeNs, count);
  }

  /** When the first happened; Infinity if there is none. */
  get nextNs(): number {
    return this.first < this.end ? this.times[this.first] : Number.POSITIVE_INFINITY;
  }

  /** When the last happened; 0 if there is none. */
  get latestNs(): number {
    return this.first < this.end ? this.times[this.end - 1] : 0;
  }

  /** Takes the first out. */
  shift(into: TraceRecord): void {
    const at = this.first++;
    into.ring = this.ring;
    into.timeNs = this.times[at];
    for (let i = 0; i < RECORD_WORDS; i++) into.words[i] = this.words[at * RECORD_WORDS + i];
    into.event = into.words[0] & 0xff;
    into.text = "";
    if (this.texts.size === 0) return;
    into.text = this.texts.get(at) ?? "";
    this.texts.delete(at);
  }

  private makeRoom(): void {
    const { first, end, times, words } = this;
    if (first < end / 2) {
      this.times = new Float64Array(times.length * 2);
      this.words = new Int32Array(words.length * 2);
    }
    this.times.set(times.subarray(first, end));
    this.words.set(words.subarray(first * RECORD_WORDS, end * RECORD_WORDS));
    const texts = [...this.texts];
    this.texts.clear();
    for (const [at, text] of texts) this.texts.set(at - first, text);
    this.first = 0;
    this.end = end - first;
  }
}

export class TraceMerger {
  private readonly queues: RecordQueue[] = [];
  private readonly readers: TraceReader[] = [];
  private readonly record = new TraceRecord();

  /**
   * @param events those that may be in the rings
   * @param sink takes events in the order of their times, and losses as they are met
   */
  constructor(
    memory: TraceMemory,
    rings: TraceRings,
    events: EventTable,
    private readonly sink: TraceSink,
  ) {
    for (let ring = 0; ring < rings.count; ring++) {
      const queue = new RecordQueue(ring, (...loss) => sink.lost(...loss));
      this.queues.push(queue);
      this.readers.push(new TraceReader(memory, rings, ring, events, queue));
    }
  }

  /** Takes what is in the rings. See `TraceReader.read` for `ended`. */
  read(ended: boolean): void {
    for (const reader of this.readers) reader.read(ended);
  }

  /** Takes what still waits for its time. To be called when no more will be read. */
  end(): void {
    for (const reader of this.readers) reader.end();
  }

  /** When the latest event happened that was read and not given yet; 0 if there is none. */
  get latestNs(): number {
    return Math.max(...this.queues.map(({ latestNs }) => latestNs));
  }

  /** Gives the sink what happened before a time, in order. */
  give(beforeNs: number): void {
    const { queues, record } = this;
    for (;;) {
      let first = queues[0];
      let turnNs = beforeNs;
      for (const queue of queues) {
        if (queue.nextNs < first.nextNs) {
          turnNs = Math.min(turnNs, first.nextNs);
          first = queue;
        } else if (queue !== first) turnNs = Math.min(turnNs, queue.nextNs);
      }
      if (first.nextNs >= beforeNs) return;
      do {
        first.shift(record);
        this.sink.event(record);
      } while (first.nextNs < turnNs);
    }
  }

  /** Events of each ring that never will be read: see `TraceReader.lost`. */
  get lost(): number[] {
    return this.readers.map(({ lost }) => lost);
  }
}
