/** One event as it is read from a trace ring. */
import { RECORD_WORDS } from "./size.js";

/** Most fields of an event. */
export const MAX_FIELDS = RECORD_WORDS - 1;

/** Made once and filled again for each event: whoever keeps something of it copies that. */
export class TraceRecord {
  /** The ring that it is from. */
  ring = 0;
  /** By the clock of those who write. */
  timeNs = 0;
  /** Its number, which may be one that the reader has no declaration of. */
  event = 0;
  /** The text that follows the event, "" if none does. */
  text = "";
  /** The record as it stands in memory. */
  readonly words = new Int32Array(RECORD_WORDS);
  /** The fields in the order of their declaration. */
  readonly fields = this.words.subarray(1);
  /** Of an event that carries doubles: three of them, behind its first field. */
  readonly doubles = new Float64Array(this.words.buffer, 8, 3);

  copyFrom(other: TraceRecord): void {
    this.ring = other.ring;
    this.timeNs = other.timeNs;
    this.event = other.event;
    this.text = other.text;
    this.words.set(other.words);
  }
}

/** Takes events as they are read. */
export interface TraceSink {
  /** An event. The record is the reader's: it is valid during the call. */
  event(record: TraceRecord): void;
  /** So many events of a ring are missing before the events that follow, which begin at a time. */
  lost(ring: number, timeNs: number, count: number): void;
}
