/**
 * The measuring half of a baseline worker: warm up, choose a batch size, take samples of the
 * operation and, in between, of the same loop around nothing.
 */
import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import { slicesOf } from "../guests/slices.js";
import { type Measurement, MIN_OVERHEAD_SAMPLES } from "../statistics.js";
import type { DriverMessage, HostOrder } from "./crew.js";

/**
 * Does an operation `count` times and returns anything that depends on each of them, so that the
 * optimiser can leave none out. An asynchronous batch is timed until its promise is resolved.
 */
export type Batch = (count: number) => number | Promise<number>;

/** Two reads of the clock cost about 100 ns: half a percent of this, and the same in the overhead. */
const SAMPLE_NS = 20_000;
const MAX_SAMPLES = 20_000;
const MIN_SAMPLES = 5;
/** One batch of overhead after so many of the operation, so that both see the same disturbances. */
const SAMPLES_PER_OVERHEAD = 8;
const WARM_UP_PART = 0.2;
const PROGRESS_STEPS = 8;
/** Part of a slice that is not kept: what was asleep wakes up, and caches fill. */
const SETTLE_PART = 0.1;

/** A loop around nothing that the optimiser must keep: what `takeSamples` subtracts. */
export function emptyBatch(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + i) | 0;
  return sum;
}

/** The same for a batch that returns a promise. */
export async function emptyAsyncBatch(count: number): Promise<number> {
  return emptyBatch(count);
}

/** A driver's measurement has its overhead. */
type Sampled = Measurement & { readonly samples: Float64Array; readonly overhead: Float64Array };

/** Samples a warm `batch`, `count` operations at a time, for so many seconds. */
async function takeSamples(
  batch: Batch,
  empty: Batch,
  count: number,
  seconds: number,
  onProgress: (fraction: number) => void = () => {},
): Promise<Sampled> {
  const budgetNs = seconds * 1e9;
  const startNs = performance.now() * 1e6;
  // Made beforehand and off the heap, so that the collector has the batch's garbage only.
  const samples = new Float64Array(MAX_SAMPLES);
  const overhead = new Float64Array(MAX_SAMPLES / SAMPLES_PER_OVERHEAD + MIN_OVERHEAD_SAMPLES);
  let taken = 0;
  let overheadTaken = 0;
  let used = 0;
  let nextProgress = 1 / PROGRESS_STEPS;
  while (taken < MAX_SAMPLES && (used < 1 || taken < MIN_SAMPLES)) {
    if (taken % SAMPLES_PER_OVERHEAD === 0)
      overhead[overheadTaken++] = (await timeBatch(empty, count)) / count;
    samples[taken++] = (await timeBatch(batch, count)) / count;
    used = (performance.now() * 1e6 - startNs) / budgetNs;
    if (used >= nextProgress) {
      onProgress(Math.min(1, used));
      nextProgress = used + 1 / PROGRESS_STEPS;
    }
  }
  while (overheadTaken < MIN_OVERHEAD_SAMPLES) {
    overhead[overheadTaken++] = (await timeBatch(empty, count)) / count;
  }
  return {
    samples: samples.slice(0, taken),
    overhead: overhead.slice(0, overheadTaken),
    operationsPerSample: count,
  };
}

/**
 * Runs both loops until they are compiled, for a part of `seconds`, and returns the operations that
 * make a sample long enough.
 */
async function warmUp(batch: Batch, empty: Batch, seconds: number): Promise<number> {
  const budgetNs = seconds * 1e9 * WARM_UP_PART;
  let count = 1;
  let usedNs = 0;
  for (;;) {
    await timeBatch(empty, count);
    const elapsedNs = await timeBatch(batch, count);
    usedNs += elapsedNs;
    const enough = Math.max(1, Math.ceil((SAMPLE_NS * count) / Math.max(elapsedNs, 1)));
    if (usedNs >= budgetNs) return enough;
    // Beyond ten samples' length a longer batch teaches the optimiser nothing new.
    if (elapsedNs < 10 * SAMPLE_NS) count *= 2;
  }
}

async function timeBatch(batch: Batch, count: number): Promise<number> {
  const start = process.hrtime.bigint();
  const pending = batch(count);
  const value = typeof pending === "number" ? pending : await pending;
  const elapsedNs = Number(process.hrtime.bigint() - start);
  if (Number.isNaN(value)) throw new Error("a batch answers a number that depends on each operation");
  return elapsedNs;
}

/** What the host gave this worker. */
export function crewData<Data>(): Data & { readonly seconds: number; readonly takesTurns: boolean } {
  return workerData as Data & { readonly seconds: number; readonly takesTurns: boolean };
}

/** Tells the host; a driver runs in a worker, which always has a parent. */
function tellHost(message: DriverMessage): void {
  parentPort!.postMessage(message);
}

function tellProgress(fraction: number): void {
  tellHost({ kind: "progress", fraction });
}

/** What a driver does besides timing its batches. */
export interface DriverHooks {
  /** Before a slice and after it: what works with this worker works only meanwhile. */
  readonly begin?: () => void;
  readonly rest?: () => void;
  /** Before the first sample. */
  readonly warm?: () => void;
  /** Measures something else when the samples are taken. */
  readonly more?: () => Promise<Partial<Measurement>>;
}

/** The whole of a driver: samples for all of its time, or in slices when the host says so. */
export async function measureAndReport(batch: Batch, empty: Batch, hooks: DriverHooks = {}): Promise<void> {
  const { seconds, takesTurns } = crewData();
  const { begin = () => {}, rest = () => {}, warm = () => {}, more = async () => ({}) } = hooks;
  begin();
  const count = await warmUp(batch, empty, seconds);
  warm();
  if (!takesTurns) {
    const sampled = await takeSamples(batch, empty, count, seconds * (1 - WARM_UP_PART), tellProgress);
    tellHost({ kind: "done", measurement: { ...sampled, ...(await more()) } });
    return;
  }
  rest();
  const { ns } = slicesOf(seconds * 1e9);
  const samples: number[] = [];
  const overhead: number[] = [];
  const sliceEnds: number[] = [];
  for (let slice = 0; ; slice++) {
    tellHost({ kind: "rests" });
    const [order] = (await once(parentPort!, "message")) as [HostOrder];
    if (order === "end") break;
    begin();
    const sampled = await takeSamples(batch, empty, count, ns / 1e9);
    rest();
    // The first is for what was asleep for the first time before it.
    if (slice === 0) continue;
    const settled = sampled.samples.subarray(Math.floor(SETTLE_PART * sampled.samples.length));
    for (const sample of settled) samples.push(sample);
    for (const sample of sampled.overhead) overhead.push(sample);
    sliceEnds.push(samples.length);
  }
  const measurement = { samples, overhead, operationsPerSample: count, sliceEnds, ...(await more()) };
  tellHost({ kind: "done", measurement });
}
