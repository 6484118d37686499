/**
 * Rows `call.pairs.N`: one client and its server on each of N cores, all calling at the same time.
 *
 * Clients meet at a barrier (a call that is answered when the last has come), wait for a time a little
 * later, and then count their calls in windows that begin and end at the same times for all of them. A
 * sample is the time of a window divided by the calls that all pairs made in it.
 *
 * They do it several times, and only the last counts: see `rounds.ts`.
 *
 * Arguments: nanoseconds, pairs. Pair 0 is on the core after this one, so the last of as many pairs
 * as cores shares this one, where the first thread then only waits.
 */
import { Method, type Sys } from "@capos/abi";
import { endThread, type SpawnedThread, spawnThread, start } from "@capos/libos";
import { numbers, report } from "./report.js";
import { ROUNDS, Rounds } from "./rounds.js";

const enum Role {
  SERVER = 0,
  CLIENT = 1,
}

const WORDS = 4;
/** Calls between two looks at the clock, which is a trap too: half a percent of their time. */
const STEP = 256;
/** Of the whole budget, at what a call takes before it is compiled. */
const REHEARSAL_CALL_NS = 250;
/** A client's counts are one message. */
const MAX_WINDOWS = 60;
const MIN_WINDOWS = 5;
const WINDOW_NS = 10e6;
const START_DELAY_NS = 20e6;

/** What a client is handed. */
type Client = [
  role: Role,
  endpoint: number,
  barrier: number,
  rehearsalCalls: number,
  windows: number,
  windowNs: number,
];

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const { debug } = os.environment;

  if (os.threadIndex > 0 && os.handed[0] === Role.SERVER) {
    const endpoint = os.handed[1]!;
    let answer = yield sys.recv(endpoint);
    while (answer >= 0) answer = yield sys.replyRecv(endpoint, WORDS);
    return 1;
  }

  if (os.threadIndex > 0) {
    const [, endpoint, barrier, rehearsalCalls, windows, windowNs] = os.handed as number[] as Client;
    // What was handed over comes as a double.
    const rounds = new Rounds(STEP, rehearsalCalls | 0, windows | 0, windowNs);
    let answers = 0;
    while (rounds.left) {
      if ((yield sys.call(barrier, 0)) < 0) throw new Error("the barrier is gone");
      rounds.begin(words[0]!);
      do {
        words[0] = Method.DEBUG_CLOCK;
        yield sys.call(debug, 1);
      } while (words[0] < rounds.startNs);
      do {
        for (let i = 0; i < STEP; i++) {
          words[0] = i;
          answers |= yield sys.call(endpoint, WORDS);
        }
        words[0] = Method.DEBUG_CLOCK;
        yield sys.call(debug, 1);
      } while (rounds.goesOn(words[0]));
    }
    if (answers < 0) throw new Error(`a call was answered ${answers}`);
    for (let i = 0; i < rounds.counts.length; i++) words[i] = rounds.counts[i]!;
    yield sys.call(barrier, rounds.counts.length);
    return 0;
  }

  const [budgetNs, pairs] = numbers(os) as [number, number];
  const windows = Math.min(MAX_WINDOWS, Math.max(MIN_WINDOWS, Math.round(budgetNs / WINDOW_NS)));
  const windowNs = Math.max(WINDOW_NS, Math.round(budgetNs / windows));
  const barrier = yield* os.endpoint();
  const threads: SpawnedThread[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const core = (os.core + 1 + pair) % os.cores;
    const endpoint = yield* os.endpoint();
    const server = [Role.SERVER, endpoint];
    const client: Client = [
      Role.CLIENT,
      endpoint,
      barrier,
      Math.ceil(budgetNs / REHEARSAL_CALL_NS),
      windows,
      windowNs,
    ];
    // They make nothing, so a slot of their own is one too many as it is.
    threads.push(yield* spawnThread(os, { core, slots: 1, handed: server }));
    threads.push(yield* spawnThread(os, { core, slots: 1, handed: client }));
  }

  const replySlots = os.slots.take(pairs);
  for (let round = 0; round < ROUNDS; round++) {
    const replies: number[] = [];
    while (replies.length < pairs) {
      if ((yield sys.recv(barrier)) < 0 || (yield sys.saveReply(replySlots + replies.length)) < 0) {
        throw new Error("a client did not come to the barrier");
      }
      replies.push(sys.capability(0));
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    words[0] += START_DELAY_NS;
    for (const reply of replies) yield sys.replyTo(reply, 1);
  }

  const totals: number[] = [];
  for (let window = 0; window < windows; window++) totals.push(0);
  for (let pair = 0; pair < pairs; pair++) {
    if ((yield sys.recv(barrier)) !== windows) throw new Error("a client did not tell its counts");
    for (let window = 0; window < windows; window++) totals[window]! += words[window]!;
  }
  while (threads.length > 0) yield* endThread(os, threads.pop()!);

  const samples: number[] = [];
  let elapsedNs = 0;
  let calls = 0;
  for (const total of totals) {
    elapsedNs += windowNs;
    calls += total;
    // On a host that gave no pair a CPU for a whole window, that time belongs to the calls after it.
    if (total === 0) continue;
    samples.push(elapsedNs / total);
    elapsedNs = 0;
  }
  yield* report(os, { samples, operationsPerSample: Math.max(1, Math.round(calls / samples.length)) });
  return 0;
}
