/** Trace files as tests read them. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Test } from "tap";

export interface TraceEntry {
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly name: string;
  readonly id?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface TraceDocument {
  readonly traceEvents: readonly TraceEntry[];
  readonly otherData: {
    readonly leftOut: number;
    readonly machines: readonly {
      readonly cores: number;
      readonly lost: readonly number[];
      readonly backwardArrows: number;
    }[];
  };
}

const schema = JSON.parse(
  readFileSync(new URL("../../../src/cli/support/trace-format.schema.json", import.meta.url), "utf8"),
) as object;
const validate = new Ajv2020({ allErrors: false }).compile(schema);

/** Reads a trace file and asserts what holds of every one. */
export function checkTrace(t: Test, path: string): TraceDocument {
  const document = JSON.parse(readFileSync(path, "utf8")) as TraceDocument;
  t.ok(validate(document), "it is in the trace event format", { errors: validate.errors });
  t.same(
    crossedSlices(document.traceEvents),
    [],
    "of two slices of a track one is in the other, or behind it",
  );
  t.same(looseFlows(document.traceEvents), [], "every arrow has its begin and its end, in slices");
  return document;
}

/** Slices by track. */
function tracksOf(entries: readonly TraceEntry[]): Map<string, TraceEntry[]> {
  const tracks = new Map<string, TraceEntry[]>();
  for (const entry of entries) {
    if (entry.ph !== "X") continue;
    const key = `${entry.pid} ${entry.tid}`;
    const track = tracks.get(key);
    if (track === undefined) tracks.set(key, [entry]);
    else track.push(entry);
  }
  return tracks;
}

/** Slices that end in another: viewers leave them out. To the nanosecond. */
export function crossedSlices(entries: readonly TraceEntry[]): string[] {
  const wrong: string[] = [];
  for (const track of tracksOf(entries).values()) {
    const slices = track
      .map(({ ts, dur, name }) => ({
        name,
        start: Math.round(ts * 1000),
        end: Math.round(ts * 1000) + Math.round(dur * 1000),
      }))
      .sort((a, b) => a.start - b.start || b.end - a.end);
    const open: number[] = [];
    for (const { name, start, end } of slices) {
      while (open.length > 0 && open.at(-1)! <= start) open.pop();
      if (open.length > 0 && open.at(-1)! < end) wrong.push(`${name} at ${start}`);
      open.push(end);
    }
  }
  return wrong;
}

/** What is wrong with a trace's arrows. */
export function looseFlows(entries: readonly TraceEntry[]): string[] {
  const flows = new Map<string, TraceEntry[]>();
  for (const entry of entries)
    if ("stf".includes(entry.ph)) flows.set(entry.id!, [...(flows.get(entry.id!) ?? []), entry]);
  const wrong: string[] = [];
  const tracks = tracksOf(entries);
  // Nanoseconds were rounded.
  const near = 0.0015;
  for (const [id, points] of flows) {
    if (!/^st*f$/.test(points.map(({ ph }) => ph).join(""))) wrong.push(`${id}: ${JSON.stringify(points)}`);
    for (const [i, { pid, tid, ts }] of points.entries()) {
      if (i > 0 && ts < points[i - 1].ts) wrong.push(`${id} points back`);
      const slices = tracks.get(`${pid} ${tid}`) ?? [];
      if (!slices.some((slice) => slice.ts <= ts + near && slice.ts + slice.dur >= ts - near))
        wrong.push(`${id} is in no slice at ${ts}`);
    }
  }
  return wrong;
}
