/** The two ends of a trace ring: what is read is what was written, and what is missing is counted where it is missing. */

import { nowNs, type PhysicalMemory, traceRings } from "@capos/hal";
import { TRACE_EVENTS, TraceEvent } from "@capos/kernel/trace-events";
import {
  ALL_GROUPS,
  BATCH_RECORDS,
  TEXT_BYTES,
  TraceMerger,
  TraceMode,
  TraceReader,
  type TraceRecord,
  TraceRing,
  type TraceSink,
  TraceWriter,
  traceBatches,
  traceRing,
} from "@capos/trace";
import fc from "fast-check";
import t from "tap";
import { makeMachine, useSeed } from "../support/machine.js";

useSeed(t);

interface Written {
  readonly event: number;
  readonly fields: readonly number[];
  readonly text: string;
  readonly doubles: readonly number[];
}

interface Noted extends Written {
  readonly timeNs: number;
}

/** Notes what comes out of a reader; a number stands for so many events that are missing. */
class Notes implements TraceSink {
  readonly all: (Noted | number)[] = [];

  event({ event, fields, text, doubles, timeNs }: TraceRecord): void {
    this.all.push({ event, fields: [...fields], text, doubles: [...doubles], timeNs });
  }

  lost(_ring: number, _timeNs: number, count: number): void {
    this.all.push(count);
  }

  get events(): Noted[] {
    return this.all.filter((one): one is Noted => typeof one !== "number");
  }
}

function traced(traceKiB: number, traceMode: TraceMode, cores = 1) {
  return makeMachine(cores, { traceKiB, traceMode, traceGroups: ALL_GROUPS }).memory;
}

function writerOf(memory: PhysicalMemory, ring = 0) {
  return new TraceWriter<typeof TRACE_EVENTS>(memory, traceRings(memory), ring, nowNs);
}

function readerOf(memory: PhysicalMemory, sink: TraceSink) {
  return new TraceReader(memory, traceRings(memory), 0, TRACE_EVENTS, sink);
}

/** Has the ring as it is after so many batches, all of them taken. */
function startAt(memory: PhysicalMemory, batch: number): void {
  const ring = traceRing(traceRings(memory), 0);
  for (const word of [TraceRing.WRITTEN, TraceRing.TAKEN]) memory.i32[ring + word] = batch * BATCH_RECORDS;
}

/** Why what was read cannot be what was written; null if it can. */
function mismatch(written: readonly Written[], notes: Notes): string | null {
  let at = 0;
  let latestNs = 0;
  for (const [place, one] of notes.all.entries()) {
    if (typeof one === "number") {
      at += one;
      continue;
    }
    const was = written[at++];
    if (was === undefined) return `${JSON.stringify(one)} was never written`;
    if (one.event !== was.event) return `at ${at}: event ${one.event} instead of ${was.event}`;
    if (was.fields.some((field, i) => field !== one.fields[i]))
      return `at ${at}: ${one.fields} for ${was.fields}`;
    if (was.doubles.some((double, i) => double !== one.doubles[i])) return `at ${at}: ${one.doubles}`;
    // A text goes on in records behind its event. Those of them that lie in a batch without an event can be lost with
    // that batch, and no event is counted as lost then: such a text ends at the end of a record.
    const isCut = one.text.length > 0 && one.text.length % TEXT_BYTES === 0;
    const isWhole = typeof notes.all[place + 1] === "object" && !isCut;
    if (isWhole ? one.text !== was.text : !was.text.startsWith(one.text)) return `at ${at}: "${one.text}"`;
    if (one.timeNs < latestNs) return `at ${at}: time runs back`;
    latestNs = one.timeNs;
  }
  return at === written.length ? null : `${at} of ${written.length} are read or known to be lost`;
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constant("burst" as const), size: fc.integer({ min: 1, max: 150 }) }),
  },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("text" as const), size: fc.nat(300) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("words" as const), size: fc.nat(64) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("time" as const), size: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("publish" as const), size: fc.constant(0) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("read" as const), size: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("die" as const), size: fc.constant(0) }) },
);

for (const [mode, name] of [
  [TraceMode.STOP, "stops when it is full"],
  [TraceMode.OVERWRITE, "overwrites"],
] as const) {
  t.test(
    `of a ring that ${name}, what is read is what was written, in order, and what is lost is counted in its place`,
    (t) => {
      fc.assert(
        fc.property(
          fc.constantFrom(4, 8, 32),
          fc.constantFrom(0, 2 ** 26 - 3),
          fc.array(step, { maxLength: 60, size: "max" }),
          (kib, firstBatch, steps) => {
            const memory = traced(kib, mode);
            startAt(memory, firstBatch);
            const notes = new Notes();
            const reader = readerOf(memory, notes);
            const written: Written[] = [];
            let writer = writerOf(memory);
            const note = (
              event: number,
              fields: readonly number[],
              text = "",
              doubles: readonly number[] = [],
            ) => void written.push({ event, fields, text, doubles });
            for (const { what, size } of steps) {
              if (what === "burst")
                for (let i = 0; i < size; i++) {
                  const n = written.length;
                  if (n % 3 === 0) {
                    writer.put2(TraceEvent.TRAP_ENTER, n, -n);
                    note(TraceEvent.TRAP_ENTER, [n, -n]);
                  } else if (n % 3 === 1) {
                    writer.put6(TraceEvent.SEND, n, 1, 2, 3, 4, 5);
                    note(TraceEvent.SEND, [n, 1, 2, 3, 4, 5]);
                  } else {
                    writer.put0(TraceEvent.HALT);
                    note(TraceEvent.HALT, []);
                  }
                }
              else if (what === "text") {
                const text = "abcdefghij".repeat(30).slice(0, size);
                writer.put3(TraceEvent.LOG, written.length, 1, size);
                writer.text(TraceEvent.LOG, new TextEncoder().encode(text), 0, size);
                note(TraceEvent.LOG, [written.length, 1, size], text.slice(0, 224));
              } else if (what === "words") {
                const words = Float64Array.from({ length: 64 }, (_, i) => i / 2);
                const id = written.length;
                writer.doubles(TraceEvent.WORDS, id, size, words, 0);
                for (let i = 0; i < size; i += 3)
                  note(
                    TraceEvent.WORDS,
                    [id],
                    "",
                    [0, 1, 2].map((j) => (i + j < size ? words[i + j] : 0)),
                  );
              } else if (what === "time") writer.time(size === 1);
              else if (what === "publish") writer.publish();
              else if (what === "read") reader.read(false);
              else writer = writerOf(memory);
            }
            reader.read(true);
            reader.end();
            const found = mismatch(written, notes);
            if (found !== null) throw new Error(found);
          },
        ),
        { numRuns: 150 },
      );
      t.end();
    },
  );
}

t.test("a worker that died in the middle of a batch leaves what it wrote, and nothing else is read", (t) => {
  for (const mode of [TraceMode.STOP, TraceMode.OVERWRITE]) {
    const memory = traced(4, mode);
    const notes = new Notes();
    const reader = readerOf(memory, notes);
    // Old records of the same place, whose lap is over.
    const first = writerOf(memory);
    for (let i = 0; i < 63 * 2; i++) {
      first.put1(TraceEvent.WAKE, i);
      reader.read(false);
    }
    for (let i = 0; i < 10; i++) first.put1(TraceEvent.WAKE, 1000 + i);
    reader.read(false);
    const before = notes.events.length;
    t.ok(before < 63 * 2 + 10, "what is not published waits");
    const second = writerOf(memory);
    second.put1(TraceEvent.CORE_BIRTH, 1);
    reader.read(true);
    reader.end();
    t.same(
      notes.events.slice(-11).map(({ event, fields }) => [event, fields[0]]),
      [...Array.from({ length: 10 }, (_, i) => [TraceEvent.WAKE, 1000 + i]), [TraceEvent.CORE_BIRTH, 1]],
    );
    const missing = notes.all.filter((one): one is number => typeof one === "number");
    t.equal(notes.events.length + missing.reduce((sum, one) => sum + one, 0), 63 * 2 + 11);
  }
  t.end();
});

t.test("events stand between the times around them, and after a gap nobody knows how long they took", (t) => {
  const memory = traced(4, TraceMode.OVERWRITE);
  const notes = new Notes();
  const writer = writerOf(memory);
  const f64 = memory.f64;
  const place = traceBatches(traceRing(traceRings(memory), 0));
  /** Changes the time that a record holds. */
  const setTime = (record: number, timeNs: number): void => {
    f64[(place + record * 8 + 2) >> 1] = timeNs;
  };
  for (let i = 0; i < 3; i++) writer.put0(TraceEvent.HALT);
  writer.time(false);
  for (let i = 0; i < 2; i++) writer.put0(TraceEvent.HALT);
  writer.time(true);
  for (let i = 0; i < 2; i++) writer.put0(TraceEvent.HALT);
  setTime(0, 1000);
  setTime(4, 1400);
  setTime(7, 900_000);
  const reader = readerOf(memory, notes);
  reader.read(true);
  reader.end();
  t.same(
    notes.events.map(({ timeNs }) => timeNs),
    [1100, 1200, 1300, 1500, 1600, 900_100, 900_200],
  );
  t.end();
});

t.test("the last record is amended if it is of the event that is named and its batch has not ended", (t) => {
  const memory = traced(4, TraceMode.OVERWRITE);
  const writer = writerOf(memory);
  t.notOk(writer.amend(TraceEvent.WAKE, 1, 9), "there is none yet");
  writer.put1(TraceEvent.WAKE, 1);
  t.notOk(writer.amend(TraceEvent.CORE_BIRTH, 1, 9), "it is of another");
  t.ok(writer.amend(TraceEvent.WAKE, 1, 2));
  for (let i = 2; i < 63; i++) writer.put1(TraceEvent.WAKE, i);
  writer.put1(TraceEvent.WAKE, 63);
  t.notOk(writer.amend(TraceEvent.WAKE, 1, 9), "its batch has ended");
  const notes = new Notes();
  const reader = readerOf(memory, notes);
  reader.read(true);
  reader.end();
  t.same(
    notes.events.map(({ fields }) => fields[0]),
    [2, ...Array.from({ length: 62 }, (_, i) => i + 2)],
  );
  t.notOk(writerOf(traced(0, TraceMode.OVERWRITE)).amend(TraceEvent.WAKE, 1, 9), "there are no rings");
  t.end();
});

t.test("what the writer threw away at the very end is counted", (t) => {
  const memory = traced(4, TraceMode.STOP);
  const writer = writerOf(memory);
  for (let i = 0; i < 63 * 2 + 70; i++) writer.put0(TraceEvent.HALT);
  const notes = new Notes();
  const reader = readerOf(memory, notes);
  reader.read(true);
  reader.end();
  t.equal(notes.events.length, 63 * 2);
  t.equal(reader.lost, 70);
  t.end();
});

t.test("rings are read as one sequence in the order of time, and each keeps its own order", (t) => {
  const CORES = 3;
  const memory = traced(16, TraceMode.OVERWRITE, CORES);
  const writers = Array.from({ length: CORES + 1 }, (_, ring) => writerOf(memory, ring));
  const counts = writers.map(() => 0);
  for (let i = 0; i < 1000; i++) {
    const ring = (i * i) % writers.length;
    writers[ring].put1(TraceEvent.WAKE, counts[ring]++);
  }
  const notes: [number, number, number][] = [];
  const merger = new TraceMerger(memory, traceRings(memory), TRACE_EVENTS, {
    event: ({ ring, fields, timeNs }) => void notes.push([timeNs, ring, fields[0]]),
    lost: () => t.fail("nothing is lost"),
  });
  merger.read(true);
  merger.end();
  const middle = merger.latestNs / 2;
  merger.give(middle);
  t.ok(notes.every(([timeNs]) => timeNs < middle));
  merger.give(Number.POSITIVE_INFINITY);
  t.equal(notes.length, 1000);
  t.ok(notes.every(([timeNs], i) => i === 0 || timeNs >= notes[i - 1][0]));
  for (let ring = 0; ring <= CORES; ring++)
    t.same(
      notes.filter((note) => note[1] === ring).map((note) => note[2]),
      Array.from({ length: counts[ring] }, (_, i) => i),
    );
  t.end();
});
