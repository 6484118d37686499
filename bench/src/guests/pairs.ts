/**
 * Rows `call.pairs.N`: one client and its server on each of N cores, all calling at the same time; and
 * `revoke.under-load`: what a revoker on a core of its own takes meanwhile, and takes from them.
 *
 * Clients meet at a barrier (a call that is answered when the last has come), wait for a time a little
 * later, and then count their calls in windows that begin and end at the same times for all of them. A
 * sample is the time of a window divided by the calls that all pairs made in it.
 *
 * They do it several times, and only the last counts: see `rounds.ts`.
 *
 * Under load, the thread that waits otherwise makes 1,000 copies of a capability and revokes them, over and
 * over, in every second window; in the others it enters the kernel and does nothing there, so that the host
 * has as many busy CPUs. A sample is one revoke.
 *
 * Arguments: nanoseconds, pairs, 1 to revoke meanwhile. Pair 0 is on the core after this one, so the last of
 * as many pairs as cores shares this one, where the first thread then only waits.
 */
import { Method, ObjectType, Right, type Sys } from "@capos/abi";
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
/** Revokes take a part of a millisecond each. */
const REVOKER_WINDOW_NS = 20e6;
const DESCENDANTS = 1000;
const NODE_BITS = 10;
const IDLE_TRAPS = 64;
/** Part of the budget that the revoker takes to have its own code compiled, and the fewest revokes. */
const REVOKER_WARM_UP_PART = 0.3;
const MIN_WARM_UP_REVOKES = 20;
/** About what a report has room for. */
const MAX_REVOKES = 4000;

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
  const { debug, cnode: space } = os.environment;

  if (os.threadIndex > 0 && os.handed[0] === Role.SERVER) {
    const endpoint = os.handed[1];
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
      rounds.begin(words[0]);
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
    for (let i = 0; i < rounds.counts.length; i++) words[i] = rounds.counts[i];
    yield sys.call(barrier, rounds.counts.length);
    return 0;
  }

  const [budgetNs, pairs, revokes] = numbers(os) as [number, number, number];
  const shortestNs = revokes === 1 ? REVOKER_WINDOW_NS : WINDOW_NS;
  const windows = Math.min(MAX_WINDOWS, Math.max(MIN_WINDOWS, Math.round(budgetNs / shortestNs)));
  const windowNs = Math.max(shortestNs, Math.round(budgetNs / windows));
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

  const root = yield* os.endpoint();
  const node = revokes === 1 ? yield* os.make(ObjectType.CNODE, NODE_BITS) : 0;
  const samples: number[] = [];
  const overhead: number[] = [];
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
    const startNs = words[0] + START_DELAY_NS;
    words[0] = startNs;
    for (const reply of replies) yield sys.replyTo(reply, 1);

    const counts = round === ROUNDS - 1;
    if (revokes !== 1 || (round > 0 && !counts)) continue;
    // The first round is over at once for the clients, so that this can be rehearsed.
    const endNs = startNs + (counts ? windows * windowNs : REVOKER_WARM_UP_PART * budgetNs);
    const fewest = counts ? 0 : MIN_WARM_UP_REVOKES;
    let revoked = 0;
    let answers = 0;
    let cycleNs = 0.5;
    for (;;) {
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      const nowNs = words[0];
      if (nowNs >= endNs && revoked >= fewest) break;
      const intoNs = (nowNs - startNs) % (2 * windowNs);
      // None reaches from its window into the next.
      if (counts && (intoNs < windowNs || intoNs + cycleNs > 2 * windowNs)) {
        for (let i = 0; i < IDLE_TRAPS; i++) answers |= yield sys.nothing();
        continue;
      }
      for (let slot = 1; slot <= DESCENDANTS; slot++) {
        words[0] = Method.CNODE_COPY;
        words[1] = slot;
        words[2] = root;
        words[3] = Right.ALL;
        answers |= yield sys.call(node, 4);
      }
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      const emptyNs = words[0];
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      const beforeNs = words[0];
      words[0] = Method.CNODE_REVOKE;
      words[1] = root;
      answers |= yield sys.call(space, 2);
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      // A host that stalls once says nothing of the next.
      cycleNs = Math.min(words[0] - nowNs, windowNs / 4);
      revoked++;
      if (counts && samples.length < MAX_REVOKES) {
        samples.push(words[0] - beforeNs);
        overhead.push(beforeNs - emptyNs);
      }
    }
    if (answers < 0) throw new Error(`a copy or a revoke was answered ${answers}`);
  }

  const totals: number[] = [];
  for (let window = 0; window < windows; window++) totals.push(0);
  for (let pair = 0; pair < pairs; pair++) {
    if ((yield sys.recv(barrier)) !== windows) throw new Error("a client did not tell its counts");
    for (let window = 0; window < windows; window++) totals[window] += words[window];
  }
  while (threads.length > 0) yield* endThread(os, threads.pop()!);

  if (revokes === 1) {
    yield* report(os, { samples, overhead, operationsPerSample: 1, keptThroughput: keptOf(totals) });
    return 0;
  }
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

/** What is left of the calls in the windows with a revoker, each compared with those beside it: the median. */
function keptOf(totals: readonly number[]): number {
  const kept: number[] = [];
  for (let window = 1; window < totals.length; window += 2) {
    const before = totals[window - 1];
    const alone = window + 1 < totals.length ? (before + totals[window + 1]) / 2 : before;
    if (alone > 0) kept.push(totals[window] / alone);
  }
  return kept.sort((a, b) => a - b)[kept.length >> 1] ?? 0;
}
