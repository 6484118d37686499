/**
 * Row `call.cross-core.parked`: a round trip to a server whose core is halted.
 *
 * Before each call the client waits until the server's core has halted once more than at the call
 * before, and then a little longer, for a core counts a halt before it enters it. Each sample is one
 * call.
 *
 * Arguments: nanoseconds, the server's core.
 */
import { Method, type Sys } from "@capos/abi";
import { endThread, spawnThread, start } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { awaitTurn, slicesOf, turnNumber } from "./slices.js";

const SERVER = 1;
const WORDS = 4;
/** Word of the answer to `DEBUG_CORE`. */
const HALTS = 3;
const SETTLE_NS = 20_000;
/** An idle core halts within a millisecond; one that does not is not idle. */
const HALT_TIMEOUT_NS = 2e9;
const WARM_UP_CALLS = 50;
const MIN_CALLS = 40;
const MIN_SLICE_CALLS = 5;
const MAX_CALLS = 4000;
const CALLS_PER_OVERHEAD = 8;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;

  if (os.threadIndex === SERVER) {
    const [endpoint] = os.handed as [number];
    let answer = yield sys.recv(endpoint);
    while (answer >= 0) answer = yield sys.replyRecv(endpoint, WORDS);
    return 1;
  }

  const [budgetNs, serverCore] = numbers(os) as [number, number];
  const endpoint = yield* os.endpoint();
  const server = yield* spawnThread(os, { index: SERVER, core: serverCore, handed: [endpoint] });
  const { debug } = os.environment;
  const samples: number[] = [];
  const overhead: number[] = [];
  const sliceEnds: number[] = [];
  // All of it is one slice for a guest that takes no turns.
  const sliced = turnNumber(os) > 0;
  const slices = slicesOf(budgetNs);
  const sliceNs = sliced ? slices.ns : budgetNs;
  const minCalls = sliced ? MIN_SLICE_CALLS : MIN_CALLS;
  const maxCalls = sliced ? MAX_CALLS / slices.count : MAX_CALLS;
  let begunSlices = 0;
  let begunAt = 0;
  let haltsAtCall = -1;
  let begunNs = 0;
  for (let call = -WARM_UP_CALLS; ; call++) {
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    let askedNs = words[0];
    const made = samples.length - begunAt;
    const isOver = made >= maxCalls || (made >= minCalls && askedNs - begunNs >= sliceNs);
    if (call === 0 || (call > 0 && isOver)) {
      // The first slice is for what runs differently from then on.
      if (begunSlices === 1 && sliced) samples.length = 0;
      else if (begunSlices > 0) sliceEnds.push(samples.length);
      if (sliced ? !(yield* awaitTurn(os)) : begunSlices > 0) break;
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      askedNs = words[0];
      begunSlices++;
      begunNs = askedNs;
      begunAt = samples.length;
    }

    let parkedNs = 0;
    for (let nowNs = askedNs; parkedNs === 0 || nowNs - parkedNs < SETTLE_NS; ) {
      words[0] = Method.DEBUG_CORE;
      words[1] = serverCore;
      yield sys.call(debug, 2);
      const halts = words[HALTS];
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      nowNs = words[0];
      // Woken by something else meanwhile: it has to settle again.
      if (halts !== haltsAtCall) parkedNs = nowNs;
      haltsAtCall = halts;
      if (nowNs - askedNs > HALT_TIMEOUT_NS) throw new Error(`core ${serverCore} does not halt`);
    }

    const isOverhead = call % CALLS_PER_OVERHEAD === 0;
    if (isOverhead) {
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      const emptyNs = words[0];
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      if (call >= 0) overhead.push(words[0] - emptyNs);
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    const answer = yield sys.call(endpoint, WORDS);
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    if (answer < 0) throw new Error(`a call was answered ${answer}`);
    if (call >= 0) samples.push(words[0] - startNs);
  }
  yield* endThread(os, server);
  yield* reportSamples(os, { samples, overhead, operationsPerSample: 1, sliceEnds });
  return 0;
}
