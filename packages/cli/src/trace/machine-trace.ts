/** Draws what the trace rings of one machine tell. */
import type { PhysicalMemory } from "@capos/hal";
import { TraceEvent } from "@capos/kernel/trace-events";
import type { Decoded } from "@capos/libos";
import { TraceRecord, type TraceSink } from "@capos/trace";
import { Canvas } from "./canvas.js";
import { CoreTracks } from "./core-tracks.js";
import { Counters } from "./counters.js";
import { declarationOf, fieldsOf } from "./fields.js";
import { Flows } from "./flows.js";
import { Names } from "./names.js";
import type { Protocols, ShownMessage } from "./protocols.js";
import { ThreadTracks } from "./thread-tracks.js";
import type { TraceFile } from "./trace-file.js";

/** Events that the tracks themselves show. */
const DRAWN: ReadonlySet<number> = new Set([
  TraceEvent.TRAP_ENTER,
  TraceEvent.TRAP_LEAVE,
  TraceEvent.SWITCH,
  TraceEvent.HALT,
  TraceEvent.WORDS,
]);

/** Events after which the words of the message may follow. */
const WITH_WORDS: ReadonlySet<number> = new Set([TraceEvent.PASS, TraceEvent.DELIVER, TraceEvent.REPLY]);

/** A message's event that waits for its words. */
interface Pending {
  readonly record: TraceRecord;
  /** Of a reply: what it replies to. */
  readonly request: Decoded | null;
  readonly words: number[];
}

export interface MachineTraceOptions {
  readonly memory: PhysicalMemory;
  readonly cores: number;
  /** Which one of the file's it is, from 1 on. */
  readonly machine: number;
  /** Events that are shown as instants. */
  readonly events: ReadonlySet<number>;
  readonly protocols: Protocols;
}

export class MachineTrace implements TraceSink {
  readonly #canvas: Canvas;
  readonly #names: Names;
  readonly #coreTracks: CoreTracks;
  readonly #threadTracks: ThreadTracks;
  readonly #flows: Flows;
  readonly #counters: Counters;
  /** By ring. */
  readonly #pending: (Pending | null)[];
  readonly #lost: number[];
  readonly #losses: { readonly ring: number; readonly timeNs: number; readonly count: number }[] = [];
  #latestNs = 0;
  #isClosed = false;

  constructor(
    private readonly file: TraceFile,
    private readonly options: MachineTraceOptions,
  ) {
    const { memory, cores, machine } = options;
    this.#canvas = new Canvas(file, machine);
    this.#names = new Names(memory);
    this.#coreTracks = new CoreTracks(this.#canvas, this.#names, cores);
    this.#threadTracks = new ThreadTracks(this.#canvas, this.#names);
    this.#flows = new Flows(this.#canvas, this.#coreTracks);
    this.#counters = new Counters(this.#canvas, cores);
    this.#pending = new Array<null>(cores + 1).fill(null);
    this.#lost = new Array<number>(cores + 1).fill(0);
  }

  /** Has nothing drawn that happened before a time. */
  drawSince(timeNs: number): void {
    this.#canvas.sinceNs = timeNs;
  }

  event(record: TraceRecord): void {
    if (this.#losses.length > 0) this.#countLosses();
    if (this.file.isFull) {
      this.#close();
      this.file.leftOut++;
      return;
    }
    this.#latestNs = Math.max(this.#latestNs, record.timeNs);
    this.#names.learn(record);
    const pending = this.#pending[record.ring];
    if (pending !== null && pending !== undefined) {
      if (record.event === TraceEvent.WORDS && record.fields[0] === pending.record.fields[0]) {
        pending.words.push(...record.doubles);
        return;
      }
      this.#settle(record.ring);
    }
    // A message is forgotten when its end is drawn.
    const request = record.event === TraceEvent.REPLY ? this.#flows.requestOf(record.fields[0]) : null;
    // Before the tracks: a message belongs to what the core did when it came to it.
    this.#flows.event(record);
    this.#coreTracks.event(record);
    this.#threadTracks.event(record);
    this.#counters.event(record);
    if (WITH_WORDS.has(record.event)) this.#hold(record, request);
    else if (!DRAWN.has(record.event)) this.#instant(record, {});
  }

  lost(ring: number, timeNs: number, count: number): void {
    this.#losses.push({ ring, timeNs, count });
  }

  /** Counts what is missing of what is drawn. Losses are told as rings are read, before it is known what is drawn. */
  #countLosses(): void {
    for (const { ring, timeNs, count } of this.#losses) {
      if (timeNs <= this.#canvas.sinceNs) continue;
      this.#lost[ring] += count;
      this.#latestNs = Math.max(this.#latestNs, timeNs);
      if (ring < this.options.cores)
        this.#canvas.counter(timeNs, `core ${ring} lost events`, "events", this.#lost[ring]);
    }
    this.#losses.length = 0;
  }

  /** Draws what lasts to the end. */
  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (let ring = 0; ring < this.#pending.length; ring++) this.#settle(ring);
    this.#coreTracks.end(this.#latestNs);
    this.#threadTracks.end(this.#latestNs);
    this.#flows.end();
  }

  /** Says what is missing. To be called once, when all events were given. */
  end(): MachineSummary {
    this.#close();
    this.#countLosses();
    this.#lost.forEach((lost, ring) => {
      if (lost === 0) return;
      const args = JSON.stringify({ events: lost });
      this.#canvas.instant(this.#canvas.coresPid, ring, this.#latestNs, `${lost} events lost`, "trace", args);
    });
    const { cores } = this.options;
    return {
      cores,
      lost: this.#lost.slice(0, cores),
      lostByChipset: this.#lost[cores],
      unfinishedMessages: this.#flows.unfinished,
      backwardArrows: this.#flows.backwards,
    };
  }

  #hold(record: TraceRecord, request: Decoded | null): void {
    const copy = new TraceRecord();
    copy.copyFrom(record);
    this.#pending[record.ring] = { record: copy, request, words: [] };
  }

  /** The words of a message are all there. */
  #settle(ring: number): void {
    const pending = this.#pending[ring];
    if (pending === null || pending === undefined) return;
    this.#pending[ring] = null;
    const { record, words, request } = pending;
    if (words.length === 0) {
      this.#instant(record, {});
      return;
    }
    const shown = this.#read(record, words.slice(0, wordsOf(record)), request);
    if (record.event !== TraceEvent.REPLY) this.#flows.describe(record.fields[0], shown.title, shown.decoded);
    this.#instant(record, shown.args);
  }

  #read({ event }: TraceRecord, words: readonly number[], request: Decoded | null): ShownMessage {
    const { protocols } = this.options;
    return event === TraceEvent.REPLY ? protocols.reply(words, request) : protocols.request(words);
  }

  #instant(record: TraceRecord, more: object): void {
    if (!this.options.events.has(record.event)) return;
    const { name } = declarationOf(record.event);
    const args = JSON.stringify({ ...fieldsOf(record, this.#names), ...more });
    const category = name.slice(0, name.indexOf(".")) || name;
    this.#canvas.instant(this.#canvas.coresPid, record.ring, record.timeNs, name, category, args);
  }
}

/** What is said of a machine at the end of the file. */
export interface MachineSummary {
  readonly cores: number;
  /** Events of each core that are missing. */
  readonly lost: readonly number[];
  readonly lostByChipset: number;
  readonly unfinishedMessages: number;
  readonly backwardArrows: number;
}

/** How many words the message of an event has. */
function wordsOf({ event, fields }: TraceRecord): number {
  if (event === TraceEvent.PASS) return (fields[4] >> 8) & 0xff;
  return event === TraceEvent.DELIVER ? fields[4] : Math.max(0, fields[3]);
}
