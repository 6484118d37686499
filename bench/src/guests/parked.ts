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
import { numbers, report } from "./report.js";

const SERVER = 1;
const WORDS = 4;
/** Word of the answer to `DEBUG_CORE`. */
const HALTS = 3;
const SETTLE_NS = 20_000;
/** An idle core halts within a millisecond; one that does not is not idle. */
const HALT_TIMEOUT_NS = 2e9;
const WARM_UP_CALLS = 50;
const MIN_CALLS = 40;
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
  let haltsAtCall = -1;
  let begunNs = 0;
  for (let call = -WARM_UP_CALLS; call < MAX_CALLS; call++) {
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const askedNs = words[0];
    if (call === 0) begunNs = askedNs;
    if (call >= MIN_CALLS && askedNs - begunNs >= budgetNs) break;

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
  yield* report(os, { samples, overhead, operationsPerSample: 1 });
  return 0;
}
