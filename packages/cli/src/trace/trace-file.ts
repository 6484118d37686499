/**
 * A file in the Trace Event Format (JSON object form) as it grows: one event a line, written in large pieces, so
 * that a trace of any length needs no memory, and whole after `close`, whatever ended what was traced.
 */
import { GrowingFile } from "@capos/explorer/whole-file";
import { withFile } from "../output-file.js";

const PIECE = 1 << 18;
const MIB = 1 << 20;

/** An end of an arrow. */
export interface FlowPoint {
  readonly pid: number;
  readonly tid: number;
  readonly timeNs: number;
}

export class TraceFile {
  readonly #file: GrowingFile;
  readonly #limit: number;
  #piece = '{"displayTimeUnit":"ns","traceEvents":[\n';
  #bytes = 0;
  #isFirst = true;
  /** When the first event happened that found no room. */
  #fullNs = Number.POSITIVE_INFINITY;
  /** Events that were written, and those that found no room. */
  events = 0;
  leftOut = 0;

  /**
   * @param limitMiB how much is written at most, apart from names and the end
   * @param overwrites whether a file that is there is replaced
   * @throws UsageError if the file cannot be made
   */
  constructor(
    readonly path: string,
    limitMiB: number,
    overwrites: boolean,
  ) {
    this.#limit = limitMiB * MIB;
    this.#file = withFile(() => new GrowingFile(path, overwrites));
  }

  /**
   * Writes whole events, all of them or none. Each is a JSON object.
   * @param timeNs when they happened
   * @param startNs when they began: what began before the file was full belongs to what is in it, and is written
   */
  #write(event: string, count: number, timeNs: number, startNs = Number.POSITIVE_INFINITY): void {
    if (this.bytes + event.length > this.#limit && timeNs < this.#fullNs) this.#fullNs = timeNs;
    if (this.#fullNs !== Number.POSITIVE_INFINITY && startNs > this.#fullNs) {
      this.leftOut += count;
      return;
    }
    this.events += count;
    this.#append(event);
  }

  /** Says what a process or thread of the trace is called. There is room for it even behind the limit. */
  name(kind: string, pid: number, tid: number, key: "name" | "sort_index", value: string | number): void {
    const args = JSON.stringify({ [key]: value });
    this.#append(`{"ph":"M","pid":${pid},"tid":${tid},"name":"${kind}","args":${args}}`);
  }

  slice(
    pid: number,
    tid: number,
    startNs: number,
    endNs: number,
    name: string,
    category: string,
    args = "",
  ): void {
    // Of rounded ends: one that lies a nanosecond beyond the next slice's begin is no slice for a viewer.
    const duration = microseconds(Math.round(endNs) - Math.round(startNs));
    this.#write(
      `{"ph":"X","pid":${pid},"tid":${tid},"ts":${microseconds(startNs)},"dur":${duration},` +
        `"name":${quoted(name)},"cat":"${category}"${argsOf(args)}}`,
      1,
      endNs,
      startNs,
    );
  }

  instant(pid: number, tid: number, timeNs: number, name: string, category: string, args = ""): void {
    this.#write(
      `{"ph":"i","s":"t","pid":${pid},"tid":${tid},"ts":${microseconds(timeNs)},` +
        `"name":${quoted(name)},"cat":"${category}"${argsOf(args)}}`,
      1,
      timeNs,
    );
  }

  counter(pid: number, timeNs: number, name: string, series: string, value: number): void {
    this.#write(
      `{"ph":"C","pid":${pid},"ts":${microseconds(timeNs)},"name":${quoted(name)},"args":{"${series}":${value}}}`,
      1,
      timeNs,
    );
  }

  /** Joins two points or more by arrows. Each point is in a slice of its track. */
  flow(id: string, name: string, points: readonly FlowPoint[]): void {
    const last = points.length - 1;
    const events = points.map(({ pid, tid, timeNs }, i) => {
      const phase = i === 0 ? '"s"' : i === last ? '"f","bp":"e"' : '"t"';
      return (
        `{"ph":${phase},"id":"${id}","pid":${pid},"tid":${tid},"ts":${microseconds(timeNs)},` +
        `"name":${quoted(name)},"cat":"message"}`
      );
    });
    this.#write(events.join(",\n"), events.length, points[last].timeNs);
  }

  /** Whether something found no room. */
  get isFull(): boolean {
    return this.#fullNs !== Number.POSITIVE_INFINITY;
  }

  /** Bytes of the file so far. */
  get bytes(): number {
    return this.#bytes + this.#piece.length;
  }

  /** Ends the file. @throws UsageError */
  close(otherData: object): void {
    this.#piece += `\n],"otherData":${JSON.stringify(otherData)}}\n`;
    this.#flush();
    withFile(() => this.#file.keep());
  }

  /** Ends without a file; one that was there before stays. */
  discard(): void {
    this.#file.discard();
  }

  #append(event: string): void {
    this.#piece += this.#isFirst ? event : `,\n${event}`;
    this.#isFirst = false;
    if (this.#piece.length > PIECE) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#piece);
    this.#piece = "";
    withFile(() => this.#file.write(bytes));
    this.#bytes += bytes.length;
  }
}

function argsOf(args: string): string {
  return args === "" ? "" : `,"args":${args}`;
}

/** Microseconds with three decimals: the format's unit, in whole nanoseconds. */
function microseconds(ns: number): string {
  return (Math.round(ns) / 1000).toFixed(3);
}

const quotedNames = new Map<string, string>();
const MOST_QUOTED = 10_000;

/** A name as JSON. The same few come again and again. */
function quoted(name: string): string {
  let text = quotedNames.get(name);
  if (text === undefined) {
    text = JSON.stringify(name);
    if (quotedNames.size >= MOST_QUOTED) quotedNames.clear();
    quotedNames.set(name, text);
  }
  return text;
}
