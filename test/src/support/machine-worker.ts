/**
 * What test threads do to a machine's memory. One job a thread; its answer is its only message.
 */

import { parentPort, workerData } from "node:worker_threads";
import {
  Attention,
  attachMemory,
  attentionOf,
  BootInfo,
  fireIfDue,
  halt,
  Line,
  type PhysicalMemory,
  portRead,
  portWrite,
  RINGS_SHIFT,
  RingPort,
  raise,
  ringGroup,
  type SharedMemory,
} from "@capos/hal";
import { scramble } from "./scramble.js";

interface Common {
  readonly wasm: SharedMemory;
  readonly core: number;
}

/** Where the doubles of these tests' lines stand. */
const WORDS = 8;

/** Words of a line each, so that the threads of a test disturb each other only where the test means it. */
export const LINE = 16;

export type Job = Common &
  (
    | {
        readonly role: "halter";
        readonly requests: number;
        readonly bits: readonly number[];
        readonly rounds: number;
      }
    | {
        readonly role: "raiser";
        readonly target: number;
        readonly request: number;
        readonly bit: number;
        readonly rounds: number;
      }
    | { readonly role: "ring producer"; readonly to: number; readonly lines: number }
    | { readonly role: "ring consumer"; readonly from: number; readonly lines: number; readonly lap: number }
    | {
        readonly role: "timer racer";
        readonly barrier: number;
        readonly parties: number;
        readonly rounds: number;
      }
    | {
        readonly role: "port writer";
        readonly port: number;
        readonly barrier: number;
        readonly parties: number;
        readonly rounds: number;
        readonly frames: number;
      }
    | { readonly role: "port user"; readonly port: number; readonly text: string; readonly done: number }
  );

/** Waits until a word is no longer `value`; answers what it became. */
export function awaitChange(memory: PhysicalMemory, word: number, value: number): number {
  for (let spins = 0; ; spins++) {
    const now = Atomics.load(memory.i32, word);
    if (now !== value) return now;
    if (spins >= 2000) Atomics.wait(memory.i32, word, value);
  }
}

/** All parties of a test arrive here before any goes on. `barrier` is a count, its next line the round. */
export function meet(memory: PhysicalMemory, barrier: number, parties: number): void {
  const { i32 } = memory;
  const round = Atomics.load(i32, barrier + LINE);
  if (Atomics.add(i32, barrier, 1) + 1 < parties) {
    awaitChange(memory, barrier + LINE, round);
    return;
  }
  Atomics.store(i32, barrier, 0);
  Atomics.store(i32, barrier + LINE, round + 1);
  Atomics.notify(i32, barrier + LINE);
}

/** The bit of an attention word that says that a core's ring may hold lines. */
export function bellOf(memory: PhysicalMemory, from: number): number {
  return 1 << (RINGS_SHIFT + Math.floor(from / ringGroup(memory.i32[BootInfo.CORES])));
}

/** The payload of the n-th line of a ring test. */
export function payload(n: number, word: number): number {
  return scramble(n * 4 + word) + (n % 3) / 4;
}

/** The n-th frame that a port writer writes: core, number, length, bytes. */
export function frame(core: number, n: number): number[] {
  const length = scramble(core * 1_000_003 + n) % 50;
  const bytes = [core, n & 0xff, length];
  for (let i = 0; i < length; i++) bytes.push(scramble(core + n * 64 + i) & 0xff);
  return bytes;
}

function run(job: Job): unknown {
  const memory = attachMemory(job.wasm);
  const { i32, f64 } = memory;
  const attention = attentionOf(memory, job.core);
  switch (job.role) {
    case "halter": {
      // Only a bit says that a request is there: a lost one leaves this thread halted for good.
      let taken = 0;
      let halts = 0;
      while (taken < job.bits.length * job.rounds) {
        const bits = Atomics.and(i32, attention, ~Attention.TAKEN);
        if ((bits & Attention.TAKEN) === 0) {
          halts++;
          halt(memory, attention, Number.POSITIVE_INFINITY);
          continue;
        }
        job.bits.forEach((bit, i) => {
          if ((bits & bit) === 0) return;
          const request = job.requests + i * 2 * LINE;
          Atomics.store(i32, request + LINE, Atomics.load(i32, request));
          Atomics.notify(i32, request + LINE);
          taken++;
        });
      }
      return { taken, halts, left: Atomics.load(i32, attention) };
    }
    case "raiser": {
      const word = attentionOf(memory, job.target);
      for (let n = 1; n <= job.rounds; n++) {
        Atomics.store(i32, job.request, n);
        // Now early, now late in the halter's way to its halt.
        for (let spins = scramble(n) % 200; spins > 0; spins--) Atomics.load(i32, job.request);
        raise(memory, word, job.bit);
        const answered = awaitChange(memory, job.request + LINE, n - 1);
        if (answered !== n) return { failed: `request ${n} was answered as ${answered}` };
      }
      return { failed: "" };
    }
    case "ring producer": {
      const ring = new RingPort(memory, job.core);
      let full = 0;
      for (let n = 0; n < job.lines; n++) {
        let line = ring.reserve(job.to);
        while (line === 0) {
          full++;
          line = ring.reserve(job.to);
        }
        i32[line + Line.PAYLOAD] = n;
        i32[line + Line.PAYLOAD + 1] = ~n;
        for (let word = 0; word < 4; word++) f64[((line + WORDS) >> 1) + word] = payload(n, word);
        ring.publish(job.to, line, 1 + (n % 250));
      }
      return { full };
    }
    case "ring consumer": {
      const ring = new RingPort(memory, job.core);
      const bell = bellOf(memory, job.from);
      let expected = 0;
      let halts = 0;
      while (expected < job.lines) {
        const bits = Atomics.and(i32, attention, ~Attention.TAKEN);
        if ((bits & bell) === 0) {
          halts++;
          halt(memory, attention, Number.POSITIVE_INFINITY);
          continue;
        }
        let lap = job.lap;
        for (; lap > 0; lap--) {
          const line = ring.peek(job.from);
          if (line === 0) break;
          const good =
            ring.kind(line) === 1 + (expected % 250) &&
            i32[line + Line.PAYLOAD] === expected &&
            i32[line + Line.PAYLOAD + 1] === ~expected &&
            [0, 1, 2, 3].every((word) => f64[((line + WORDS) >> 1) + word] === payload(expected, word));
          if (!good)
            return { read: expected, halts, failed: `line ${expected} holds ${i32[line + Line.PAYLOAD]}` };
          ring.release(job.from);
          expected++;
        }
        if (lap === 0) ring.keepPending(job.from);
      }
      return { read: expected, halts, failed: ring.peek(job.from) === 0 ? "" : "a line that nobody wrote" };
    }
    case "timer racer": {
      let fired = 0;
      for (let round = 0; round < job.rounds; round++) {
        meet(memory, job.barrier, job.parties);
        if (fireIfDue(memory, job.core, 0, 1e18)) fired++;
        meet(memory, job.barrier, job.parties);
      }
      return { fired };
    }
    case "port writer": {
      let cut = 0;
      for (let round = 0, n = 0; round < job.rounds; round++) {
        meet(memory, job.barrier, job.parties);
        for (let i = 0; i < job.frames; i++, n++) {
          const bytes = frame(job.core, n);
          if (portWrite(memory, job.port, job.core, bytes, bytes.length) !== bytes.length) cut++;
        }
        meet(memory, job.barrier, job.parties);
      }
      return { cut };
    }
    case "port user": {
      const bytes = [...Buffer.from(job.text)];
      const taken = portWrite(memory, job.port, job.core, bytes, bytes.length);
      const read = portRead(memory, job.port, job.core, [], 10);
      Atomics.store(i32, job.done, 1);
      return { taken, read };
    }
  }
}

// Imported by tests too, for what both sides must agree on.
if (parentPort !== null && (workerData as Partial<Job> | null)?.role !== undefined)
  parentPort.postMessage(run(workerData as Job));
